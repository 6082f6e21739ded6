"""What is counted, and that a hostile server cannot make it grow."""

from tandem.bench.tally import MAX_CAME_CHARACTERS, MAX_FAILURE_KINDS, OTHERS, Tally


def test_finished_exchanges_and_their_visits() -> None:
    tally = Tally()
    tally.visit_finished(0, 10)
    tally.visit_finished(1, 20)
    tally.exchange_finished(35)
    assert (tally.finished, tally.failed) == (1, 0)
    assert {name: times.max for name, times in tally.times.items()} == {
        "exchange": 35,
        "visit 1": 10,
        "visit 2": 20,
    }


def test_failures_are_told_apart_by_kind_visit_and_what_came() -> None:
    tally = Tally()
    for visit, came in (("visit 1", "a"), ("visit 1", "a"), ("visit 2", "a"), ("visit 2", "b")):
        tally.exchange_failed("wrong status", visit, came)
    assert tally.failed == 4
    assert tally.failures["wrong status", "visit 1", "a"] == 2


def test_what_a_server_makes_up_is_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        tally.exchange_failed("wrong status", "visit 1", f"{number} " + "x" * 1000)
    assert tally.failed == 1000
    assert len(tally.failures) == MAX_FAILURE_KINDS + 1
    assert tally.failures["wrong status", "visit 1", OTHERS] == 1000 - MAX_FAILURE_KINDS
    assert max(len(came) for _, _, came in tally.failures) == MAX_CAME_CHARACTERS
