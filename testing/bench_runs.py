"""Runs of `tandem bench`, made by hand: nothing is measured."""

from dataclasses import replace

from tandem.bench.pace import Pace
from tandem.bench.processes import CpuTime
from tandem.bench.summary import Run
from tandem.bench.tally import Tally


def tally_of(times: list[int]) -> Tally:
    """Return a tally of exchanges that took so many microseconds."""
    tally = Tally()
    for time in times:
        tally.visit_finished(0, time // 3)
        tally.visit_finished(1, time // 2)
        tally.exchange_finished(time)
    return tally


def run_of(times: list[int], **changed: object) -> Run:
    """Return a run with exchanges that took so many microseconds, and with what is changed."""
    run = Run("127.0.0.1:5550", 7, Pace(64, None, 2.0), tally_of(times), len(times), 2.0, "", None, CpuTime(0.2, 0.2))
    return replace(run, **changed)  # type: ignore[arg-type]
