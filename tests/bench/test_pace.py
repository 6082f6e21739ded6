"""When exchanges are due. All of it is arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.bench.pace import Pace

RATES = st.floats(0.1, 100_000)
RAMPS = st.floats(0.0, 1000)


def pace(rate: float | None = None, ramp: float = 0.0, count: int | None = None, seconds: float | None = None) -> Pace:
    return Pace(64, count, seconds, rate, ramp)


@given(RATES, RAMPS, st.integers(0, 10**6))
def test_each_is_due_after_the_one_before(rate: float, ramp: float, number: int) -> None:
    asked = pace(rate, ramp)
    assert asked.due_s(number) < asked.due_s(number + 1)


@given(RATES, st.floats(0.001, 1000), st.integers(0, 10**6))
def test_a_ramp_delays_and_never_by_more_than_half_of_itself(rate: float, ramp: float, number: int) -> None:
    late = pace(rate, ramp).due_s(number) - pace(rate).due_s(number)
    assert -1e-6 <= late <= ramp / 2 + 1e-6


@given(RATES, RAMPS, st.integers(1, 10**6))
def test_due_by_counts_what_was_due(rate: float, ramp: float, number: int) -> None:
    asked = pace(rate, ramp)
    assert asked.due_by(asked.due_s(number)) == pytest.approx(number, rel=1e-6, abs=1.01)


@pytest.mark.parametrize(
    ("asked", "now", "due"),
    [
        (pace(), 10.0, 0),
        (pace(100), 10.0, 1000),
        (pace(100, count=30), 10.0, 30),
        (pace(100, seconds=2), 10.0, 200),
        (pace(100, ramp=4), 2.0, 50),
        (pace(100, ramp=4), 6.0, 400),
    ],
)
def test_due_by(asked: Pace, now: float, due: int) -> None:
    assert asked.due_by(now) == due


@given(st.integers(1, 10_000), st.floats(0.001, 1000), st.floats(0, 2000))
def test_the_load_grows_to_the_concurrency(concurrency: int, ramp: float, now: float) -> None:
    max_open = Pace(concurrency, None, None, None, ramp).max_open(now)
    assert 1 <= max_open <= concurrency
    assert max_open >= math.floor(concurrency * min(1.0, now / ramp) - 1e-6)


def test_with_a_rate_the_whole_concurrency_may_be_open_at_once() -> None:
    assert Pace(64, None, None, 10.0, 5.0).max_open(0.0) == 64


@pytest.mark.parametrize(
    ("asked", "begun", "now", "over"),
    [
        (pace(count=3), 2, 1e9, False),
        (pace(count=3), 3, 0.0, True),
        (pace(seconds=2), 10**9, 1.9, False),
        (pace(seconds=2), 0, 2.0, True),
        (pace(count=3, seconds=2), 3, 0.0, True),
        (pace(count=3, seconds=2), 0, 2.0, True),
    ],
)
def test_a_run_is_over_after_its_count_or_its_time(asked: Pace, begun: int, now: float, over: bool) -> None:
    assert asked.is_over(begun, now) is over
