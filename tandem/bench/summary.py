"""The result of a run as a table and as JSON. Pure: settings and counters go in, text comes out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tandem.bench.exchange import CLASSNAME
from tandem.bench.histogram import Histogram
from tandem.bench.pace import Pace
from tandem.bench.processes import CpuTime
from tandem.bench.tally import KINDS, Tally
from tandem.protocol.printable import printable

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
BUSY_SHARE = 0.85  # of one CPU; above it the load generator limits the speed, not the server


@dataclass(frozen=True, slots=True)
class Run:
    """The settings and the result of one run.

    Attributes:
        server: HOST:PORT.
        seed: Of the random teams.
        pace: The settings.
        tally: What was counted.
        started: Exchanges that were started.
        seconds: From the first exchange to the last reply.
        stopped_by: What ended the run early, for people to read, or "".
        server_cpu: CPU time of the server's processes, or None if it is not known.
        load_cpu: CPU time of the load generator.
        ended_pids: Processes of the server that ended during the run.
    """

    server: str
    seed: int
    pace: Pace
    tally: Tally
    started: int
    seconds: float
    stopped_by: str
    server_cpu: CpuTime | None
    load_cpu: CpuTime
    ended_pids: tuple[int, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether exchanges finished, none failed, and the run was not stopped."""
        return self.tally.finished > 0 and not self.tally.failed and not self.stopped_by

    @property
    def rate(self) -> float:
        """Finished exchanges a second."""
        return self.tally.finished / self.seconds if self.seconds else 0.0

    @property
    def not_started(self) -> int:
        """Exchanges that were due but never started, because too many were open."""
        return max(0, self.pace.due_by(self.seconds) - self.started)

    @property
    def load_busy(self) -> float:
        """The share of one CPU that the load generator used."""
        return self.load_cpu.total / self.seconds if self.seconds else 0.0


def render(run: Run, format: str) -> Iterator[str]:
    """Yield the run as text to print. The format is "table" or "json"."""
    return as_json(run) if format == "json" else as_table(run)


def as_table(run: Run) -> Iterator[str]:
    """Yield the run as a table for people."""
    tally = run.tally
    yield f"{tally.finished:,} exchanges with {printable(run.server)} in {run.seconds:.1f} s: {run.rate:,.0f} a second"
    yield f"; {tally.failed:,} failed{f'; stopped by {run.stopped_by}' if run.stopped_by else ''}\n"
    yield f"{_settings(run.pace)}; seed {run.seed}\n"
    if run.not_started:
        yield f"{run.not_started:,} more were due but not started: the server, or this load generator, is too slow\n"
    yield "\nms        " + "".join(f"{name:>10}" for name in PERCENTILES) + "\n"
    for name, times in tally.times.items():
        cells = (f"{milliseconds(value):>10}" for value in percentiles(times).values())
        yield f"{name:<10}{''.join(cells)}\n"
    yield "\n"
    if run.server_cpu and (cpu := _per_exchange(run.server_cpu, tally.finished)):
        yield f"the server's CPU: {cpu['total']:,.1f} µs an exchange"
        yield f" ({cpu['user']:,.1f} user + {cpu['system']:,.1f} system)\n"
    for pid in run.ended_pids:
        unknown = "" if run.server_cpu else ": the server's CPU time is not known"
        yield f"process {pid} ended during the run{unknown}\n"
    yield f"CPU of this load generator: {run.load_busy:.0%} of one core"
    if run.load_busy > BUSY_SHARE and run.pace.rate is None:  # with a rate it polls the clock all the time
        yield ": it limits the rate and the times, not the server"
    yield "\n"
    yield from _failures(tally)
    yield f"the teams are on record in class {CLASSNAME}: tandem forget --class {CLASSNAME} removes them\n"


def as_json(run: Run) -> Iterator[str]:
    """Yield all figures as a JSON object, one a line. Times are in microseconds, CPU time is per exchange."""
    pace, tally = run.pace, run.tally
    figures = {
        "server": run.server,
        "classname": CLASSNAME,
        "seed": run.seed,
        "concurrency": pace.concurrency,
        "count": pace.count,
        "seconds": pace.seconds,
        "rate": pace.rate,
        "ramp": pace.ramp_s,
        "took_seconds": round(run.seconds, 3),
        "stopped": bool(run.stopped_by),
        "stopped_by": run.stopped_by or None,
        "finished": tally.finished,
        "failed": tally.failed,
        "not_begun": run.not_started,
        "exchanges_per_second": round(run.rate, 1),
        "times_us": {name: percentiles(times) for name, times in tally.times.items()},
        "distribution_us": {name: list(times.buckets()) for name, times in tally.times.items()},
        "failures": [
            {"kind": kind, "visit": visit, "came": came, "count": count}
            for (kind, visit, came), count in tally.failures.most_common()
        ],
        "ended_pids": run.ended_pids,
        "server_cpu_us": run.server_cpu and _per_exchange(run.server_cpu, tally.finished),
        "load_cpu_us": _per_exchange(run.load_cpu, tally.finished),
        "load_busy": round(run.load_busy, 3),
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in figures.items())
    yield "{\n" + ",\n".join(lines) + "\n}\n"


def percentiles(times: Histogram) -> dict[str, int | None]:
    """Return the percentiles by name. All are None if nothing was timed."""
    return {name: times.percentile(percent) for name, percent in PERCENTILES.items()}


def milliseconds(microseconds: int | None) -> str:
    """Return a time in milliseconds for people, "-" for None."""
    return "-" if microseconds is None else f"{microseconds / 1000:,.2f}"


def _settings(pace: Pace) -> str:
    speed = "as fast as the server answers" if pace.rate is None else f"{pace.rate:,g} a second"
    ramp = f", growing over {pace.ramp_s:g} s" if pace.ramp_s else ""
    return f"up to {pace.concurrency:,} at a time, {speed}{ramp}"


def _failures(tally: Tally) -> Iterator[str]:
    """Yield the failures, the most frequent first. What came is escaped."""
    if not tally.failed:
        return
    yield "\nfailed, and left out of the times above\n"
    for (kind, visit, came), count in tally.failures.most_common():
        yield f"{count:>10,}  {visit}  {kind}: {KINDS[kind]}{f': {printable(came)}' if came else ''}\n"


def _per_exchange(cpu: CpuTime, exchanges: int) -> dict[str, float] | None:
    """Return the CPU time per exchange in microseconds, or None without exchanges."""
    if not exchanges:
        return None
    figures = {"user": cpu.user, "system": cpu.system, "total": cpu.total}
    return {name: round(seconds / exchanges * 1e6, 1) for name, seconds in figures.items()}
