"""The board's metrics in Prometheus' text format.

Owns the names of the metrics, their aliases, and the histograms of what the board itself does. Knows no page and reads
nothing: the figures of the servers and of the records are arguments.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.records.visits import MetricsSample

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_US_PER_S = 1_000_000


class _Gauge(NamedTuple):
    """One figure of a server."""

    field: str  # of MetricsSample
    divisor: int  # converts the field to the unit of the metric
    help: str


# The end of the metric's name -> what it is read from. A server records percentiles, so there is no histogram of them;
# only the median is exported, because 99th percentiles of several servers cannot be combined.
_SERVER_GAUGES = {
    "connections": _Gauge("connections", 1, "Open connections."),
    "waiting_records": _Gauge("waiting", 1, "Records that are not on disk yet."),
    "visit_p50_seconds": _Gauge("reply_p50_us", _US_PER_S, "From message 2 to its reply, median of the last period."),
    "commit_p50_seconds": _Gauge("commit_p50_us", _US_PER_S, "Duration of a commit, median of the last period."),
    "reported_timestamp_seconds": _Gauge("ended_us", _US_PER_S, "When the server wrote these figures."),
}
_SERVER_RATES = {
    "visits_per_second": _Gauge("visits", 1, "Visits answered, average of the last period."),
    "commits_per_second": _Gauge("commits", 1, "Commits, average of the last period."),
}


class BoardHistograms:
    """The board's measurements of itself since it started. `registry` holds the histograms."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "tandem_board_request_seconds",
            "From a request to the first byte of the response.",
            registry=self.registry,
            buckets=DURATION_BUCKETS_S,
        )
        self.reads = Histogram(
            "tandem_board_read_seconds",
            "Duration of one read of the records for a page.",
            registry=self.registry,
            buckets=DURATION_BUCKETS_S,
        )


def metrics_text(
    samples: Mapping[str, MetricsSample],
    teams: Mapping[str, int],
    board: Mapping[str, float],
    disk: Mapping[str, int] | None,
    histograms: BoardHistograms,
) -> bytes:
    """Return all metrics in the text format of CONTENT_TYPE.

    Args:
        samples: The latest sample of each server, by the server's name.
        teams: The number of teams in each state.
        board: More gauges: the metric's name and its value.
        disk: Bytes on the disk of the records, by what they are; None if the disk is on another machine.
        histograms: What the board has measured of itself.
    """
    registry = CollectorRegistry()
    registry.register(_Families([*_server_families(samples), *_board_families(teams, board, disk or {})]))
    return generate_latest(registry) + generate_latest(histograms.registry)


class RequestTimer:
    """ASGI middleware: records in a histogram the time from a request to the first byte of its response."""

    def __init__(self, app: ASGIApp, histogram: Histogram) -> None:
        self._app = app
        self._histogram = histogram

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        started_s = time.perf_counter()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._histogram.observe(time.perf_counter() - started_s)
            await send(message)

        await self._app(scope, receive, send_timed)


class _Families(Collector):
    """Metric families that have been read already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families


def _server_families(samples: Mapping[str, MetricsSample]) -> Iterator[Metric]:
    """Yield every family under its name and under its old name, with the label that belongs to it."""
    for prefix, label, note in (
        ("tandem_server", "server", ""),
        ("tandem_ground", "ground", "Old name of tandem_server_{}. "),
    ):
        for name, gauge in _SERVER_GAUGES.items():
            values = {server: getattr(sample, gauge.field) / gauge.divisor for server, sample in samples.items()}
            yield from _family(f"{prefix}_{name}", note.format(name) + gauge.help, label, values)
        for name, gauge in _SERVER_RATES.items():
            values = {
                server: getattr(sample, gauge.field) * _US_PER_S / max(1, sample.period_us)
                for server, sample in samples.items()
            }
            yield from _family(f"{prefix}_{name}", note.format(name) + gauge.help, label, values)


def _board_families(teams: Mapping[str, int], board: Mapping[str, float], disk: Mapping[str, int]) -> Iterator[Metric]:
    yield from _family("tandem_teams", "Teams on record.", "state", teams)
    yield from _family("tandem_disk_bytes", "The disk with the records.", "what", disk)
    for name, value in board.items():
        yield GaugeMetricFamily(name, "The board itself.", value=value)


def _family(name: str, help: str, label: str, values: Mapping[str, float]) -> Iterator[Metric]:
    """Yield a gauge with one label, or nothing if there is no value."""
    if values:
        family = GaugeMetricFamily(name, help, labels=[label])
        for of, value in values.items():
            family.add_metric([of], value)
        yield family
