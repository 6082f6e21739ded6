"""The histogram against the sorted list of the same values."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tandem.bench.histogram import Histogram

VALUES = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 10**4), st.integers(0, 2**40)), min_size=1)
PERCENTS = st.one_of(st.floats(0, 100), st.sampled_from([0.0, 50.0, 99.9, 100.0]))


def histogram(values: list[int]) -> Histogram:
    counted = Histogram()
    for value in values:
        counted.add(value)
    return counted


@given(VALUES, PERCENTS)
def test_a_percentile_is_never_too_low_and_at_most_a_hundredth_too_high(values: list[int], percent: float) -> None:
    rank = max(1, math.ceil(percent / 100 * len(values)))
    exact = sorted(values)[rank - 1]
    told = histogram(values).percentile(percent)
    assert told is not None
    assert exact <= told <= exact + exact // 100


@given(VALUES)
def test_count_and_ends_are_exact(values: list[int]) -> None:
    counted = histogram(values)
    assert (counted.count, counted.max, counted.percentile(100)) == (len(values), max(values), max(values))


@given(VALUES)
def test_buckets_rise_and_hold_every_value(values: list[int]) -> None:
    buckets = list(histogram(values).buckets())
    highest = [bucket for bucket, _ in buckets]
    assert highest == sorted(set(highest))
    assert sum(count for _, count in buckets) == len(values)
    assert highest[-1] == max(values)


@given(st.lists(st.integers(0, 255), min_size=1))
def test_small_values_are_exact(values: list[int]) -> None:
    assert [bucket for bucket, _ in histogram(values).buckets()] == sorted(set(values))


def test_an_empty_one_has_no_percentile() -> None:
    empty = Histogram()
    assert (empty.count, empty.percentile(50), empty.percentile(100), list(empty.buckets())) == (0, None, None, [])
