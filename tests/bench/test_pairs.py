"""Two costs in turn, and the interval of their ratio."""

from math import comb

import pytest

from bench.pairs import measure_pairs, ratio_of


def test_the_order_changes_from_round_to_round() -> None:
    measured: list[str] = []

    def cost(name: str, value: float) -> float:
        measured.append(name)
        return value

    pairs = measure_pairs(3, lambda: cost("first", 1.0), lambda: cost("second", 2.0))
    assert pairs == [(1.0, 2.0)] * 3
    assert measured == ["first", "second", "second", "first", "first", "second"]


@pytest.mark.parametrize(("rounds", "cut"), [(1, 0), (5, 0), (6, 0), (10, 1), (12, 2), (20, 5)])
def test_the_interval_holds_the_median_in_95_of_100_runs(rounds: int, cut: int) -> None:
    ratio = ratio_of([(2.0, 2.0 * number) for number in range(rounds, 0, -1)])  # the ratios are 1, 2, 3 and so on
    assert (ratio.median, ratio.low, ratio.high) == ((rounds + 1) / 2, 1 + cut, rounds - cut)
    outside = 2 * sum(comb(rounds, below) for below in range(cut + 1)) / 2**rounds
    assert outside <= 0.05 or cut == 0


def test_one_wild_round_does_not_move_it() -> None:
    calm = [(10.0, 10.5)] * 9
    assert ratio_of([*calm, (10.0, 1000.0)]).high == pytest.approx(1.05)
    assert str(ratio_of(calm)) == "1.050 (95% interval 1.050-1.050)"
