"""The result of a run as text and as JSON. Made by hand: nothing is measured here."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.bench.pace import Pace
from tandem.bench.processes import CpuTime
from tandem.bench.summary import Run, render
from testing.bench_runs import run_of


def failing() -> Run:
    run = run_of([1000])
    run.tally.exchange_failed("wrong status", "visit 2", "error: \x1b[2J\u202e")
    return run


def table(run: Run) -> str:
    return "".join(render(run, "table"))


def test_the_table_of_a_good_run() -> None:
    text = table(run_of([1000] * 99 + [50_000], server_cpu=CpuTime(0.001, 0.009)))
    assert text.startswith("100 exchanges with 127.0.0.1:5550 in 2.0 s: 50 a second; 0 failed\n")
    assert re.search(r"^exchange +1\.00 +1\.00 +1\.00 +50\.00 +50\.00$", text, re.MULTILINE)
    assert "the server's CPU: 100.0 µs an exchange (10.0 user + 90.0 system)\n" in text
    assert "CPU of this load generator: 20% of one core\n" in text
    assert "failed\n\n" not in text


def test_failures_are_escaped_in_the_table() -> None:
    text = table(failing())
    assert "         1  visit 2  wrong status: " in text
    assert "error: \\x1b[2J\\u202e\n" in text
    assert "\x1b" not in text


def test_a_busy_load_generator_is_reported() -> None:
    words = "it limits the rate and the times, not the server"
    assert words in table(run_of([1], load_cpu=CpuTime(1.0, 0.9)))
    assert words not in table(run_of([1], load_cpu=CpuTime(0.5, 0.4)))


def test_a_rate_that_was_not_kept_is_reported() -> None:
    pace = Pace(1, None, 2.0, rate=10.0)
    assert "18 more were due but not started" in table(run_of([1, 1], pace=pace))
    assert "more were due" not in table(run_of([1] * 20, pace=pace))


@pytest.mark.parametrize(
    ("run", "well"),
    [
        (run_of([1]), True),
        (run_of([]), False),
        (failing(), False),
        (run_of([1], stopped_by="SIGTERM"), False),
    ],
    ids=["finished", "nothing", "a failure", "stopped"],
)
def test_what_is_a_good_run(run: Run, well: bool) -> None:
    assert run.succeeded is well


def test_without_times_the_percentiles_are_empty() -> None:
    run = run_of([])
    assert re.search(r"^exchange( +-){5}$", table(run), re.MULTILINE)
    told = json.loads("".join(render(run, "json")))
    assert set(told["times_us"]["visit 1"].values()) == {None}


def test_the_table_says_that_failures_are_not_among_the_times() -> None:
    words = "failed, and left out of the times above\n"
    assert words in table(failing())
    assert words not in table(run_of([1]))


@pytest.mark.parametrize("by", ["Ctrl-C", "SIGTERM"])
def test_shows_what_stopped_it(by: str) -> None:
    run = run_of([1], stopped_by=by)
    assert f"; stopped by {by}\n" in table(run)
    told = json.loads("".join(render(run, "json")))
    assert (told["stopped"], told["stopped_by"]) == (True, by)


def test_nothing_stopped_it() -> None:
    told = json.loads("".join(render(run_of([1]), "json")))
    assert (told["stopped"], told["stopped_by"], told["ended_pids"]) == (False, None, [])


def test_shows_which_process_of_the_server_ended() -> None:
    assert "\nprocess 123 ended during the run\n" in table(run_of([1], ended_pids=(123,), server_cpu=CpuTime(1.0, 1.0)))
    run = run_of([1], ended_pids=(123, 124))
    assert "\nprocess 124 ended during the run: the server's CPU time is not known\n" in table(run)
    assert json.loads("".join(render(run, "json")))["ended_pids"] == [123, 124]


def test_json_holds_every_figure() -> None:
    told = json.loads("".join(render(failing(), "json")))
    assert (told["finished"], told["failed"], told["exchanges_per_second"]) == (1, 1, 0.5)
    assert told["times_us"]["exchange"] == {"p50": 1000, "p90": 1000, "p99": 1000, "p99.9": 1000, "max": 1000}
    assert told["distribution_us"]["exchange"] == [[1000, 1]]
    assert told["failures"] == [
        {"kind": "wrong status", "visit": "visit 2", "came": "error: \x1b[2J\u202e", "count": 1}
    ]
    assert told["server_cpu_us"] is None


@given(st.lists(st.integers(0, 10**8)))
def test_every_run_can_be_shown(times: list[int]) -> None:
    run = run_of(times)
    assert table(run)
    json.loads("".join(render(run, "json")))
