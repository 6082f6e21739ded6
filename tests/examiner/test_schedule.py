"""The course of a run: when a program is due, and when all is over, from one look at it."""

import pytest

from tandem.examiner.lab.schedule import (
    CLIENT_2_AFTER_S,
    PATIENCE_S,
    Look,
    ProgramTimes,
    client1_is_due,
    client2_is_due,
    over,
)
from tandem.examiner.order import Limits
from tandem.examiner.scenario import Scenario

CLIENT_2_FIRST = Scenario("a", "", "", ())
CLIENT_1_FIRST = Scenario("b", "", "", (), first="client 1")
QUIET = Scenario("c", "", "", (), until="quiet")
LIMITS = Limits(seconds=60, quiet_s=10, grace_s=2)

NOW = 50.0
RUNS = ProgramTimes(started_s=NOW - 5)
JUST_ENDED = ProgramTimes(started_s=NOW - 5, ended_s=NOW)
ENDED = ProgramTimes(started_s=NOW - 5, ended_s=NOW - 2)


@pytest.mark.parametrize(
    ("look", "due"),
    [
        (Look(NOW), False),
        (Look(NOW, client2=RUNS), False),
        (Look(NOW, client2=RUNS, client2_listens=True), True),
        (Look(NOW, client2=RUNS, client2_listens=True, approached=False), False),
        (Look(NOW, client2=JUST_ENDED), True),
        (Look(NOW, client2=ProgramTimes(NOW - PATIENCE_S)), True),
    ],
)
def test_client_1_after_client_2(look: Look, due: bool) -> None:
    assert client1_is_due(look, CLIENT_2_FIRST) == due
    assert client2_is_due(look, CLIENT_2_FIRST)


@pytest.mark.parametrize(
    ("look", "due"),
    [
        (Look(NOW, client1=RUNS), False),
        (Look(NOW, client1=RUNS, replied_s=NOW - CLIENT_2_AFTER_S / 2), False),
        (Look(NOW, client1=RUNS, replied_s=NOW - CLIENT_2_AFTER_S), True),
        (Look(NOW, client1=RUNS, handover_tried=True), True),
        (Look(NOW, client1=JUST_ENDED), True),
        (Look(NOW, client1=ProgramTimes(NOW - PATIENCE_S)), True),
    ],
)
def test_client_2_after_client_1(look: Look, due: bool) -> None:
    assert client2_is_due(look, CLIENT_1_FIRST) == due
    assert client1_is_due(look, CLIENT_1_FIRST)


BOTH_RUN = Look(NOW, RUNS, RUNS, last_event_s=NOW)


@pytest.mark.parametrize(
    ("look", "scenario", "reason"),
    [
        pytest.param(BOTH_RUN, CLIENT_2_FIRST, None, id="both run"),
        pytest.param(Look(NOW, JUST_ENDED, ENDED, last_event_s=NOW), CLIENT_2_FIRST, None, id="both ended just now"),
        pytest.param(Look(NOW, ENDED, ENDED, last_event_s=NOW - 2), CLIENT_2_FIRST, "done", id="both ended"),
        pytest.param(Look(NOW, ENDED, RUNS, last_event_s=NOW - 1), CLIENT_2_FIRST, None, id="client 2 goes on"),
        pytest.param(Look(NOW, ENDED, RUNS, last_event_s=NOW - 10), CLIENT_2_FIRST, "done", id="client 2 only waits"),
        pytest.param(Look(NOW, RUNS, RUNS, last_event_s=NOW - 30), CLIENT_2_FIRST, None, id="client 1 may still act"),
        pytest.param(Look(NOW, RUNS, RUNS, finished_s=NOW - 1), CLIENT_2_FIRST, None, id="within the grace"),
        pytest.param(Look(NOW, RUNS, RUNS, finished_s=NOW - 2), CLIENT_2_FIRST, "done", id="finished, never exit"),
        pytest.param(Look(70, ProgramTimes(5), ProgramTimes(10)), CLIENT_2_FIRST, "time", id="time limit"),
        pytest.param(Look(NOW, RUNS, RUNS, record_is_full=True), CLIENT_2_FIRST, "output", id="too many events"),
        pytest.param(Look(NOW, RUNS, RUNS, disturbed_s=NOW - 9), QUIET, None, id="watched"),
        pytest.param(Look(NOW, RUNS, RUNS, disturbed_s=NOW - 10), QUIET, "done", id="watched for long enough"),
        pytest.param(Look(NOW, RUNS, RUNS, disturbed_s=NOW - 30), CLIENT_2_FIRST, None, id="goes on after a fault"),
        pytest.param(Look(NOW, ENDED, RUNS, last_event_s=NOW), QUIET, "done", id="client 1 gave up"),
    ],
)
def test_the_end_of_a_run(look: Look, scenario: Scenario, reason: str | None) -> None:
    assert over(look, scenario, LIMITS) == reason
