"""The sequence diagram: which visits become which arrows, and that none is drawn over another."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.feed.exchange_diagram import (
    MAX_DRAWN,
    MESSAGE_2_PROBLEMS,
    NARROW,
    WELCOME_BYTES,
    WIDE,
    ArrowStatus,
    ExchangeDiagram,
    Layout,
    client_of,
    draw,
)
from tandem.board.web.display_text import fine_clock, problem_title
from tandem.board.web.problem_text import findings, recorded_findings, repaired, right_message_2
from tandem.diagnosis.problem import CATALOGUE, Problem
from tandem.protocol.arrows import CLIENT_1, CLIENT_2
from tandem.protocol.message import STATUS_WAITING, decode
from tandem.records.queries import VisitRow
from tandem.records.visits import Outcome
from tandem.report.check import check
from tandem.server import handler
from testing.raw_sockets import encoded, message_1, message_2

RECEIVED = {1: encoded(message_1()), 2: encoded(message_1(clientid=2))}


def visit(outcome: Outcome, client: int = 1, *problems: str) -> VisitRow:
    found = tuple(Problem(id, facts={"field": "secret"}) for id in problems)
    received = RECEIVED[client]
    return VisitRow(1_000_000, 1500, "192.0.2.1", 40000, outcome, received, len(received), b"{}", found)


ONE = visit(Outcome.MESSAGE_1)
TWO = visit(Outcome.MESSAGE_2, 2)
WRONG_1 = visit(Outcome.REJECTED, 1, "single-quotes", "ip-loopback", "a-problem-of-tomorrow")
WRONG_2 = visit(Outcome.REJECTED, 2, "secret-wrong")


def numbers(diagram: ExchangeDiagram) -> list[str]:
    return [arrow.label.split()[0] for arrow in diagram.arrows]


def test_a_whole_exchange_has_its_seven_arrows() -> None:
    diagram = draw([ONE, TWO])
    assert numbers(diagram) == list("1234567")
    assert [arrow.status for arrow in diagram.arrows] == [
        ArrowStatus.UNSEEN if n == "4" else ArrowStatus.SEEN for n in "1234567"
    ]
    assert (diagram.arrows[1].sender, diagram.arrows[1].receiver) == ("client 1", "server")
    assert (diagram.arrows[5].sender, diagram.arrows[5].receiver) == ("client 2", "server")
    assert diagram.hidden_visits == 0


def test_every_arrow_has_its_time_its_size_and_its_address() -> None:
    began, ended = fine_clock(ONE.started_us), fine_clock(ONE.started_us + ONE.duration_us)
    assert began != ended
    for visits in ([ONE, TWO], [ONE, WRONG_2], [WRONG_1]):
        arrows = [arrow for arrow in draw(visits).arrows if "handover" not in arrow.label]
        assert [arrow.time for arrow in arrows] == [began, ended, ended] * len(visits)
        assert all("bytes" in arrow.label for arrow in arrows)
        assert all("192.0.2.1 port 40000" in arrow.notes[0] for arrow in arrows)
    assert f": {WELCOME_BYTES} bytes" in draw([ONE]).arrows[0].label
    assert len(handler.WELCOME) == WELCOME_BYTES


def test_a_team_that_waits_sees_what_comes_next() -> None:
    diagram = draw([ONE])
    assert numbers(diagram) == list("1234")
    assert "comes next" in diagram.arrows[-1].notes[0]


def test_the_arrow_that_failed_says_why() -> None:
    for visits, words in (([WRONG_1], "2 message 1, refused"), ([ONE, WRONG_2], "6 message 2, refused")):
        [refused] = [arrow for arrow in draw(visits).arrows if arrow.status is ArrowStatus.REFUSED]
        assert refused.label.startswith(words)
    assert draw([WRONG_1]).arrows[1].notes[1:] == (problem_title("single-quotes"), "a-problem-of-tomorrow")


WITH_SECRET = message_1(secret="ab" * 32, status=STATUS_WAITING)


def wrong(sent: dict[str, object], *problems: str) -> VisitRow:
    """A refused visit in which this came."""
    return dataclasses.replace(visit(Outcome.REJECTED, 1, *problems), received=encoded(sent))


@pytest.mark.parametrize(
    "refused",
    [
        wrong(WITH_SECRET, "clientid-still-1"),
        wrong(WITH_SECRET | {"clientid": "2"}, "clientid-in-quotes"),
        wrong({name: value for name, value in WITH_SECRET.items() if name != "clientid"}, "field-missing"),
        wrong(WITH_SECRET | {"clientid": "2", "secret": ""}, "clientid-in-quotes", "secret-missing"),
        wrong(message_1(), "not-swapped"),
    ],
    ids=["still 1", "in quotes", "left out", "in quotes, without the secret", "what only message 2 can have"],
)
def test_a_message_2_is_known_whatever_its_clientid(refused: VisitRow) -> None:
    arrows = draw([ONE, refused]).arrows
    assert [arrow.label[0] for arrow in arrows] == list("1234567")
    assert arrows[3].status is ArrowStatus.UNSEEN
    assert (arrows[5].sender, arrows[5].status) == (CLIENT_2, ArrowStatus.REFUSED)


def test_a_made_up_secret_in_message_1_is_still_client_1s() -> None:
    for clientid in (1, "1"):
        sent = message_1(secret="geheim", clientid=clientid)
        assert client_of(wrong(sent, "secret-in-message-1")) == CLIENT_1


def test_what_only_message_2_can_have_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) >= MESSAGE_2_PROBLEMS


def test_a_server_that_does_not_explain_gives_no_reply() -> None:
    diagram = draw([dataclasses.replace(WRONG_1, reply=b"")])
    assert (diagram.arrows[-1].label, diagram.arrows[-1].status) == ("3 no reply", ArrowStatus.UNSEEN)


def test_only_the_latest_attempt_is_drawn_up_to_where_it_finished() -> None:
    assert numbers(draw([WRONG_1, ONE, WRONG_2, TWO, ONE, WRONG_1])) == list("1234567567")
    assert draw([WRONG_1, ONE, TWO]).hidden_visits == 1
    assert draw([ONE, *[WRONG_2] * 50]).hidden_visits == 51 - MAX_DRAWN
    assert draw([]).arrows == ()


@given(
    st.lists(st.sampled_from([ONE, TWO, WRONG_1, WRONG_2, visit(Outcome.NOTHING)]), max_size=12),
    st.sampled_from([WIDE, NARROW]),
)
def test_whatever_a_team_did_it_can_be_drawn(visits: list[VisitRow], layout: Layout) -> None:
    diagram = draw(visits, layout)
    heights = [arrow.y + 17 * len(arrow.notes) for arrow in diagram.arrows]
    tops = [arrow.y - 11 - max(layout.label_offset, layout.time_offset) for arrow in diagram.arrows]
    assert all(above < below for above, below in zip(heights, tops[1:], strict=False))
    assert all(height <= diagram.height for height in heights)
    assert all(len(note) <= layout.line_chars for arrow in diagram.arrows for note in arrow.notes)


def test_what_is_on_record_gets_its_correction_back() -> None:
    data = RECEIVED[1].replace(b'"classname"', b"classname")
    [recorded] = [Problem(problem.id, problem.offset, problem.facts) for problem in check(data).problems]
    [shown, *_] = recorded_findings([recorded], data)
    assert shown.excerpt is not None
    assert '"classname"' in (shown.excerpt.corrected or "")
    assert '"classname": "INF2A"' in repaired(data)
    assert repaired(b"") == repaired(RECEIVED[1]) == ""
    assert recorded_findings([recorded], b"")[0].excerpt is None
    assert findings([Problem("a-problem-of-tomorrow")], data) == []


REPLY = message_1(secret="ab" * 32, status=STATUS_WAITING)
RIGHT_2 = message_2(REPLY, ip="192.0.2.7")


def corrected(sent: dict[str, object], *problems: str, answered: bytes = encoded(REPLY)) -> str:
    """The message that is shown for a visit in which this came."""
    refused = dataclasses.replace(visit(Outcome.REJECTED, 2, *problems), received=encoded(sent))
    return right_message_2(refused, answered)


def test_what_only_the_judge_finds_is_set_right_by_the_reply_to_message_1() -> None:
    for problem, sent in {
        "not-swapped": RIGHT_2 | {"studentnr1": RIGHT_2["studentnr2"], "studentnr2": RIGHT_2["studentnr1"]},
        "field-changed": RIGHT_2 | {"classname": "INF9Z"},
        "number-changed": RIGHT_2 | {"studentnr1": "0999999"},
        "secret-damaged": RIGHT_2 | {"secret": "ab" * 31},
        "secret-wrong": RIGHT_2 | {"secret": "cd" * 32},
        "clientid-still-1": RIGHT_2 | {"clientid": 1},
    }.items():
        assert decode(corrected(sent, problem).encode()).fields() == RIGHT_2, problem
    without_ip = corrected(RIGHT_2 | {"ip": "my computer"}, "not-swapped")
    assert decode(without_ip.encode()).fields() == RIGHT_2 | {"ip": "192.0.2.1"}


def test_without_a_reply_that_counts_nothing_is_made_up() -> None:
    assert corrected(RIGHT_2, "secret-expired") == ""
    assert corrected(message_1(), "not-json") == ""
    for answered in (b"", b"{what was answered}", encoded(message_1())):
        assert corrected(RIGHT_2, "not-swapped", answered=answered) == ""
