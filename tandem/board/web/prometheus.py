"""The figures for Prometheus, in its text format. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tandem.records.visits import MetricsSample

SECOND = 1_000_000  # microseconds


class _Gauge(NamedTuple):
    field: str  # of MetricsSample
    per: int  # how many of it are one of the metric's unit
    help: str


_OF_A_GROUND = {
    "tandem_ground_connections": _Gauge("connections", 1, "Connections that are open."),
    "tandem_ground_waiting_records": _Gauge("waiting", 1, "Records that are not on disk yet."),
    "tandem_ground_visit_p50_seconds": _Gauge(
        "reply_p50_us", SECOND, "From message 2 to its reply, median of the last period."
    ),
    "tandem_ground_visit_p99_seconds": _Gauge("reply_p99_us", SECOND, "From message 2 to its reply, 99th percentile."),
    "tandem_ground_commit_p50_seconds": _Gauge("commit_p50_us", SECOND, "One commit, median of the last period."),
    "tandem_ground_commit_p99_seconds": _Gauge("commit_p99_us", SECOND, "One commit, 99th percentile."),
    "tandem_ground_reported_timestamp_seconds": _Gauge("ended_us", SECOND, "When the ground last wrote these figures."),
}
_RATES = {
    "tandem_ground_visits_per_second": _Gauge("visits", 1, "Visits answered, over the last period."),
    "tandem_ground_commits_per_second": _Gauge("commits", 1, "Commits, over the last period."),
}


def metrics(
    grounds: Mapping[str, MetricsSample],
    teams: Mapping[str, int],
    board: Mapping[str, float],
    disk: Mapping[str, int] | None,
) -> str:
    """`board`: more gauges, name -> value; `teams`: by state."""
    lines: list[str] = []
    for name, gauge in _OF_A_GROUND.items():
        values = ((ground, getattr(vitals, gauge.field) / gauge.per) for ground, vitals in grounds.items())
        lines += _family(name, gauge.help, "ground", values)
    for name, gauge in _RATES.items():
        rates = (
            (ground, getattr(each, gauge.field) * SECOND / max(1, each.period_us)) for ground, each in grounds.items()
        )
        lines += _family(name, gauge.help, "ground", rates)
    lines += _family("tandem_teams", "Teams on record.", "state", teams.items())
    lines += _family("tandem_disk_bytes", "Where the records are.", "what", (disk or {}).items())
    for name, value in board.items():
        lines += _family(name, "Of the board itself.", "", [("", value)])
    return "\n".join(lines) + "\n"


def _family(name: str, help: str, label: str, values: Iterable[tuple[str, float]]) -> Iterator[str]:
    lines = [f"{name}{_labels(label, of)} {_number(value)}" for of, value in values]
    if lines:
        yield f"# HELP {name} {help}"
        yield f"# TYPE {name} gauge"
        yield from lines


def _number(value: float) -> str:
    """With all its digits, and no more than it takes."""
    return repr(value).removesuffix(".0")


def _labels(label: str, value: str) -> str:
    if not label:
        return ""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{label}="{escaped}"}}'
