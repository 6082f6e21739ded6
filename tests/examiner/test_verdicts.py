"""Facts and verdicts, from records that are written here by hand."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.examiner import facts as f
from tandem.examiner.events import Event, Link, What, Who, read_events, write_events
from tandem.examiner.facts import facts
from tandem.examiner.scenario import Scenario
from tandem.examiner.scenarios import SCENARIOS
from tandem.examiner.verdicts import CheckResult, judge
from testing.processes import ROOT

BY_ID = {scenario.id: scenario for scenario in SCENARIOS}
WELCOME = b"Socket connection established.\n"


def reply(status: str) -> bytes:
    return WELCOME + json.dumps({"status": status}).encode()


def visit(link: Link, client: Who, status: str, at_s: float, connection: int) -> list[Event]:
    return [
        Event(at_s, client, "connected", link, connection),
        Event(at_s + 0.1, client, "sent", link, connection, data=b"{}"),
        Event(at_s + 0.2, "server", "sent", link, connection, data=reply(status)),
    ]


def visit_1(status: str = f.WAITING) -> list[Event]:
    return visit("visit 1", "client 1", status, 1, 1)


HANDOVER = [
    Event(2, "client 1", "connected", "handover", 2),
    Event(2.1, "client 1", "sent", "handover", 2, data=b"{}"),
]
LISTENING = [Event(0.5, "client 2", "listening", text="10.0.0.2:5551")]
FINISHED = [*LISTENING, *visit_1(), *HANDOVER, *visit("visit 2", "client 2", f.FINISHED, 3, 3)]
DISTURBED = [Event(1.3, "examiner", "disturbed", "visit 1", 1, "reset")]


def verdicts(scenario: str, events: list[Event]) -> dict[str, str]:
    return {result.check.id: result.verdict for result in judge(BY_ID[scenario], events)}


def only(results: tuple[CheckResult, ...]) -> CheckResult:
    (result,) = results
    return result


def test_an_exchange_that_finishes_passes() -> None:
    assert only(judge(BY_ID["plain"], FINISHED)).verdict == "pass"


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "client 1 did not connect to the server"),
        (visit_1(), "client 2 did not listen on its port"),
        (LISTENING, "client 1 did not connect to the server"),
        ([*LISTENING, *visit_1()[:2]], "client 1 sent no message that the server could answer"),
        ([*LISTENING, *visit_1("error: no class")], "the server refused message 1: error: no class"),
        ([*LISTENING, *visit_1()], "client 1 did not connect to client 2"),
        ([*LISTENING, *visit_1(), *HANDOVER[:1]], "client 1 connected to client 2 and sent nothing"),
        (FINISHED[:-3], "client 2 did not connect to the server"),
        (FINISHED[:-1], "client 2 sent no message that the server could answer"),
        (
            [*FINISHED[:-3], *visit("visit 2", "client 2", "error: not swapped", 3, 3)],
            "the server refused message 2: error: not swapped",
        ),
    ],
)
def test_the_reason_is_the_first_step_that_is_missing(events: list[Event], reason: str) -> None:
    result = only(judge(BY_ID["plain"], events))
    assert (result.verdict, result.reason) == ("fail", reason)


def test_a_program_that_was_stopped_is_named() -> None:
    result = only(judge(BY_ID["plain"], [*LISTENING, Event(60, "client 1", "stopped", text="time")]))
    assert result.reason == "client 1 did not connect to the server; client 1 was stopped at its time limit"


@pytest.mark.parametrize("scenario", ["other-status", "connection-loss", "silence"])
def test_nothing_may_be_forwarded_after_a_disturbance(scenario: str) -> None:
    quiet = [*LISTENING, *visit_1(), *DISTURBED]
    assert verdicts(scenario, quiet)[scenario] == "pass"
    assert verdicts(scenario, [*quiet, *HANDOVER])[scenario] == "fail"
    assert verdicts(scenario, [*quiet, HANDOVER[0]])[scenario] == "pass"  # it may connect, and idle there
    assert verdicts(scenario, LISTENING)[scenario] == "unclear"  # the case did not arise
    assert verdicts(scenario, [*LISTENING, *visit_1("error: no"), *DISTURBED])[scenario] == "unclear"


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        ([], "fail"),
        ([Event(5, "client 1", "output", data=b"  \r\n")], "fail"),
        ([Event(1.2, "client 1", "output", data=b"connected")], "fail"),  # before it
        ([Event(5, "client 1", "output", data=b"no reply")], "pass"),
        ([Event(5, "client 1", "ended", number=1)], "pass"),
        ([Event(5, "client 1", "stopped", text="time")], "fail"),
        ([Event(5, "client 2", "ended")], "fail"),
    ],
)
def test_client_1_ends_or_says_so(last: list[Event], verdict: str) -> None:
    events = [*LISTENING, *visit_1(), *DISTURBED, *last]
    assert verdicts("silence", events)["says-silence"] == verdict
    assert verdicts("connection-loss", events)["says-connection-loss"] == verdict


def test_a_server_that_is_away_at_first_is_survived_or_named() -> None:
    away = [*LISTENING, Event(0.6, "client 1", "refused", "visit 1")]
    assert verdicts("server-away", away) == {"server-away": "fail"}
    assert verdicts("server-away", [*away, Event(0.7, "client 1", "ended", number=1)]) == {"server-away": "pass"}
    assert verdicts("server-away", [*away, Event(0.7, "client 1", "output", data=b"refused")]) == {
        "server-away": "pass"
    }
    assert verdicts("server-away", [*away, *FINISHED]) == {"server-away": "pass"}
    assert verdicts("server-away", FINISHED) == {"server-away": "unclear"}  # it came too late to notice


def test_only_the_second_start_counts_where_there_is_one() -> None:
    again = [Event(10, "examiner", "started again")]
    assert verdicts("restart", [*FINISHED, *again]) == {"restart": "fail"}
    assert verdicts("restart", [*FINISHED, *again, *FINISHED]) == {"restart": "pass"}


def test_a_case_that_needs_an_approach_is_unclear_without_it() -> None:
    assert verdicts("port-probe", FINISHED) == {"port-probe": "unclear"}
    assert verdicts("port-probe", [Event(0.6, "examiner", "approached", "approach", 9), *FINISHED]) == {
        "port-probe": "pass"
    }


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
@pytest.mark.parametrize("before", [True, False])
def test_a_failure_of_the_examiner_makes_every_verdict_unclear(scenario: Scenario, before: bool) -> None:
    failure = [Event(1, "examiner", "failure", text="no memory")]
    events = [*failure, *FINISHED] if before else [*FINISHED, Event(9, "examiner", "started again"), *failure]
    results = judge(scenario, events)
    assert {result.verdict for result in results} == {"unclear"}
    assert all("no memory" in result.reason for result in results)


def test_nothing_fails_for_want_of_a_processor() -> None:
    late = [Event(9, "examiner", "overloaded", text="the examiner came 0.9 s late")]
    result = only(judge(BY_ID["plain"], [*LISTENING, *late]))
    assert (result.verdict, result.reason.partition(":")[0]) == ("unclear", "the examiner came 0.9 s late")
    assert only(judge(BY_ID["plain"], [*FINISHED, *late])).verdict == "pass"
    forwarded = [*LISTENING, *visit_1(), *DISTURBED, *HANDOVER, *late]
    assert verdicts("other-status", forwarded) == {"other-status": "fail"}


def test_a_reply_in_pieces_has_one_status() -> None:
    whole = reply(f.WAITING)
    pieces = [Event(1, "server", "sent", "visit 1", 1, data=whole[at : at + 1]) for at in range(len(whole))]
    other = [Event(1, "server", "sent", "visit 1", 2, data=reply("error: x"))]
    mixed = [event for pair in zip(pieces, other * len(pieces), strict=False) for event in pair][:2] + pieces[1:]
    assert f.reply_statuses(pieces, "visit 1") == [f.WAITING]
    assert f.ACCEPTED_1 in facts(mixed)


def test_each_scenario_and_check_can_be_told_apart_and_has_a_clause() -> None:
    protocol = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8")
    checks = [check for scenario in SCENARIOS for check in scenario.checks]
    assert len({check.id for check in checks}) == len(checks)
    assert len(BY_ID) == len(SCENARIOS)
    for check in checks:
        assert re.search(rf"^{re.escape(check.clause)} ", protocol, re.MULTILINE), check
        assert check.help.endswith("."), check
        assert check.question.endswith("?"), check


def test_only_the_assignment_decides() -> None:
    deciding = [check.id for scenario in SCENARIOS for check in scenario.checks if check.kind == "assignment"]
    assert deciding == ["plain", "team-of-one", "other-status", "connection-loss", "silence"]


WHO: list[Who] = ["client 1", "client 2", "server", "examiner"]
WHAT: list[What] = ["started", "output", "listening", "ended", "stopped", "connected", "refused", "sent", "delivered"]
WHAT += ["end of stream", "reset", "disturbed", "approached", "started again", "failure", "answered", "overloaded"]
LINKS: list[Link] = ["", "visit 1", "visit 2", "handover", "approach"]
EVENTS = st.builds(
    Event,
    at_s=st.floats(0, 1000).map(lambda value: round(value, 6)),
    who=st.sampled_from(WHO),
    what=st.sampled_from(WHAT),
    link=st.sampled_from(LINKS),
    connection=st.integers(0, 5),
    text=st.text(max_size=20),
    number=st.integers(-64, 255),
    data=st.binary(max_size=40) | st.just(reply(f.WAITING)) | st.just(b'{"status": 1}') | st.just(b"{[]"),
)


@given(events=st.lists(EVENTS, max_size=20))
def test_a_record_can_be_read_again_and_gives_the_same_verdicts(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event]
) -> None:
    folder = tmp_path_factory.mktemp("record")
    write_events(folder, events)
    again = list(read_events(folder))
    assert again == events
    for scenario in SCENARIOS:
        assert judge(scenario, again) == judge(scenario, events)


@pytest.mark.parametrize("line", ["[]\n", "{}\n", '{"at_s": 1, "who": "x", "what": "y", "z": 1}\n', "no json\n"])
def test_a_line_that_is_no_event_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "events.jsonl").write_text(line)
    with pytest.raises(ValueError, match=r"not an event|Expecting value"):
        list(read_events(tmp_path))
