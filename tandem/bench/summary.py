"""A run as a table and as JSON. Pure: what was asked and what was counted go in, text comes out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tandem.bench.histogram import Histogram
from tandem.bench.pace import Pace
from tandem.bench.processes import Cpu
from tandem.bench.tally import KINDS, Tally
from tandem.protocol.printable import printable

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
BUSY = 0.85  # above this share of a CPU it is the load that limits the speed


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was asked for, and what came of it."""

    server: str
    seed: int
    pace: Pace
    tally: Tally
    begun: int
    seconds: float
    stopped_by: str  # what ended it before its time; "": nothing did
    server_cpu: Cpu | None  # None: none of its processes was named
    load_cpu: Cpu
    ended: tuple[int, ...] = ()  # those of its processes that did not outlive the run

    @property
    def went_well(self) -> bool:
        """Whether exchanges were made, none of them failed, and the run came to its end."""
        return self.tally.finished > 0 and not self.tally.failed and not self.stopped_by

    @property
    def rate(self) -> float:
        """Exchanges that finished, a second."""
        return self.tally.finished / self.seconds if self.seconds else 0.0

    @property
    def not_begun(self) -> int:
        """Exchanges that were due, and had no room until the end."""
        return max(0, self.pace.due_by(self.seconds) - self.begun)

    @property
    def load_busy(self) -> float:
        """The share of a CPU that the load took for itself."""
        return self.load_cpu.total / self.seconds if self.seconds else 0.0


def shown(run: Run, format: str) -> Iterator[str]:
    """The run, in pieces to print."""
    return as_json(run) if format == "json" else as_table(run)


def as_table(run: Run) -> Iterator[str]:
    """For people."""
    tally = run.tally
    yield f"{tally.finished:,} exchanges with {printable(run.server)} in {run.seconds:.1f} s: {run.rate:,.0f} a second"
    yield f"; {tally.failed:,} failed{f'; stopped by {run.stopped_by}' if run.stopped_by else ''}\n"
    yield f"{_asked(run.pace)}; seed {run.seed}\n"
    if run.not_begun:
        yield f"{run.not_begun:,} more were due and had no room: the server, or this load, does not keep up\n"
    yield "\nms        " + "".join(f"{name:>10}" for name in PERCENTILES) + "\n"
    for name, times in tally.times.items():
        cells = (f"{milliseconds(value):>10}" for value in percentiles(times).values())
        yield f"{name:<10}{''.join(cells)}\n"
    yield "\n"
    if run.server_cpu and (each := _each(run.server_cpu, tally.finished)):
        yield f"the server's CPU: {each['total']:,.1f} µs an exchange"
        yield f" ({each['user']:,.1f} user + {each['system']:,.1f} system)\n"
    for pid in run.ended:
        unknown = "" if run.server_cpu else ": the server's CPU time is not known"
        yield f"process {pid} ended during the run{unknown}\n"
    yield f"this load's CPU: {run.load_busy:.0%} of one"
    if run.load_busy > BUSY and run.pace.rate is None:  # with a rate, it watches the clock all the time
        yield ": rate and times say more about it than about the server"
    yield "\n"
    yield from _failures(tally)


def as_json(run: Run) -> Iterator[str]:
    """All figures, one a line; times in microseconds, CPU time in microseconds an exchange."""
    pace, tally = run.pace, run.tally
    told = {
        "server": run.server,
        "seed": run.seed,
        "concurrency": pace.concurrency,
        "count": pace.count,
        "seconds": pace.seconds,
        "rate": pace.rate,
        "ramp": pace.ramp,
        "took_seconds": round(run.seconds, 3),
        "stopped": bool(run.stopped_by),
        "stopped_by": run.stopped_by or None,
        "finished": tally.finished,
        "failed": tally.failed,
        "not_begun": run.not_begun,
        "exchanges_per_second": round(run.rate, 1),
        "times_us": {name: percentiles(times) for name, times in tally.times.items()},
        "distribution_us": {name: list(times.buckets()) for name, times in tally.times.items()},
        "failures": [
            {"kind": kind, "visit": visit, "came": came, "count": count}
            for (kind, visit, came), count in tally.failures.most_common()
        ],
        "ended_pids": run.ended,
        "server_cpu_us": run.server_cpu and _each(run.server_cpu, tally.finished),
        "load_cpu_us": _each(run.load_cpu, tally.finished),
        "load_busy": round(run.load_busy, 3),
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in told.items())
    yield "{\n" + ",\n".join(lines) + "\n}\n"


def percentiles(times: Histogram) -> dict[str, int | None]:
    """By the names that people give them; None if nothing was timed."""
    return {name: times.percentile(percent) for name, percent in PERCENTILES.items()}


def milliseconds(microseconds: int | None) -> str:
    """For people."""
    return "-" if microseconds is None else f"{microseconds / 1000:,.2f}"


def _asked(pace: Pace) -> str:
    speed = "as fast as the server answers" if pace.rate is None else f"{pace.rate:,g} a second"
    ramp = f", growing over {pace.ramp:g} s" if pace.ramp else ""
    return f"up to {pace.concurrency:,} at a time, {speed}{ramp}"


def _failures(tally: Tally) -> Iterator[str]:
    """The commonest first; what came is escaped."""
    if not tally.failed:
        return
    yield "\nfailed: not among the times above\n"
    for (kind, visit, came), count in tally.failures.most_common():
        yield f"{count:>10,}  {visit}  {kind}: {KINDS[kind]}{f': {printable(came)}' if came else ''}\n"


def _each(cpu: Cpu, exchanges: int) -> dict[str, float] | None:
    """CPU time for each exchange in microseconds."""
    if not exchanges:
        return None
    figures = {"user": cpu.user, "system": cpu.system, "total": cpu.total}
    return {name: round(seconds / exchanges * 1e6, 1) for name, seconds in figures.items()}
