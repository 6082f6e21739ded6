"""One exchange without a socket: every cut of a right server's bytes, and whatever a wrong one may say."""

import json
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers import work
from tandem.bench.exchange import CLASSNAME, Exchange, Next, WrongReplyError, invent
from tandem.bench.tally import KINDS
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, decode
from tandem.protocol.reader import MAX_MESSAGE_BYTES


def exchange() -> Exchange:
    return Exchange(invent(Random(1), 1, "127.0.0.1"))


def hear(running: Exchange, pieces: list[bytes]) -> list[Next]:
    return [running.received(piece) for piece in pieces]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, none of them empty."""
    edges = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def rewritten(reply: bytes) -> bytes:
    """The same message in another shape."""
    return json.dumps(json.loads(reply), indent=1, sort_keys=True).encode() + b"\n"


@given(st.lists(st.integers(0, 1000)), st.sampled_from([bytes, rewritten]))
def test_a_right_server_however_it_is_cut_and_written(places: list[int], shape: Callable[[bytes], bytes]) -> None:
    running = exchange()
    for visit in range(2):
        welcomed = hear(running, cut(work.WELCOME, places))
        assert (welcomed.count(Next.SEND), Next.CLOSE in welcomed) == (1, False)
        pieces = iter(cut(shape(work.answer(running.message)), places))
        assert Next.CLOSE in (running.received(piece) for piece in pieces)
        assert b"".join(pieces).strip() == b""  # nothing but white space is left
        assert running.is_at_last_visit is (visit == 1)
        if visit == 0:
            running.start_next_visit()


def test_message_2_is_made_from_the_reply() -> None:
    running = exchange()
    first = decode(running.message)
    assert (first.clientid, first.classname, first.secret, first.status) == (1, CLASSNAME, "", "")
    hear(running, [work.WELCOME, work.answer(running.message)])
    running.start_next_visit()
    second = decode(running.message)
    assert (second.studentnr1, second.studentnr2) == (first.studentnr2, first.studentnr1)
    assert (second.clientid, second.teamname, second.status) == (2, first.teamname, STATUS_WAITING)
    assert decode(work.answer(running.message)).status == STATUS_FINISHED


def test_no_two_teams_are_the_same() -> None:
    random = Random(1)
    teams = [invent(random, number, "127.0.0.1") for number in range(1000)]
    assert len({team.teamname for team in teams}) == len({team.studentnr1 for team in teams}) == 1000
    assert not {team.studentnr1 for team in teams} & {team.studentnr2 for team in teams}
    assert all(len(number) == 7 for team in teams for number in (team.studentnr1, team.studentnr2))


def changed(reply: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(reply) | fields).encode()


REPLY = work.answer(exchange().message)
WRONG_REPLIES = [
    (changed(REPLY, status="error: no"), "wrong status"),
    (changed(REPLY, status=STATUS_FINISHED), "wrong status"),
    (changed(REPLY, secret=""), "bad reply"),
    (changed(REPLY, teamname="another"), "bad reply"),
    (changed(REPLY, clientid=2), "bad reply"),
    (json.dumps({"status": STATUS_WAITING}).encode(), "bad reply"),
    (b'{"status": waiting}', "bad reply"),
]


@pytest.mark.parametrize(("reply", "kind"), WRONG_REPLIES)
def test_a_wrong_reply(reply: bytes, kind: str) -> None:
    running = exchange()
    running.received(work.WELCOME)
    with pytest.raises(WrongReplyError) as failure:
        running.received(reply)
    assert failure.value.kind == kind


def test_a_wrong_status_is_told_as_it_came() -> None:
    running = exchange()
    running.received(work.WELCOME)
    with pytest.raises(WrongReplyError) as failure:
        running.received(changed(REPLY, status="error: \x1b[2J"))
    assert (failure.value.kind, failure.value.came) == ("wrong status", "error: \x1b[2J")


@pytest.mark.parametrize("before", [b"", work.WELCOME, b"conn", work.WELCOME + b"{"])
def test_the_end_of_the_stream_comes_too_early(before: bytes) -> None:
    running = exchange()
    if before:
        running.received(before)
    with pytest.raises(WrongReplyError) as failure:
        running.received(b"")
    assert failure.value.kind == "closed early"


@pytest.mark.parametrize(
    ("pieces", "came"),
    [
        ([], ""),
        ([work.WELCOME], ""),
        ([work.WELCOME[:10], work.WELCOME[10:]], ""),
        ([b"\x1b[2J nonsense\xff"], "\x1b[2J nonsense\\xff"),
        ([work.WELCOME, b"sorry, no"], "sorry, no"),
        ([work.WELCOME, REPLY[:20]], REPLY[:20].decode()),
    ],
)
def test_a_timeout_shows_what_came_after_the_welcome(pieces: list[bytes], came: str) -> None:
    running = exchange()
    for piece in pieces:
        running.received(piece)
    failure = running.timeout_error()
    assert (failure.kind, failure.came) == ("timeout", came)


def test_at_the_second_visit_what_came_at_the_first_is_not_told() -> None:
    running = exchange()
    hear(running, [work.WELCOME, REPLY])
    running.start_next_visit()
    assert running.timeout_error().came == ""


def test_a_secret_with_signs_of_its_own_stays_one_text() -> None:
    running = exchange()
    hear(running, [work.WELCOME, changed(REPLY, secret='"quoted" \\ \u00e9')])
    running.start_next_visit()
    assert decode(running.message).secret == '"quoted" \\ \u00e9'


@given(st.lists(st.one_of(st.binary(), st.sampled_from([work.WELCOME, REPLY, b"{", b'"', b"connection", b""]))))
def test_whatever_comes_it_goes_on_or_is_wrong_in_a_known_way(pieces: list[bytes]) -> None:
    running = exchange()
    kind = "bad reply"
    for piece in pieces:
        try:
            running.received(piece)
        except WrongReplyError as failure:
            kind = failure.kind
            break
    assert kind in KINDS


def test_a_server_that_never_comes_to_the_point_is_given_up() -> None:
    running = exchange()
    with pytest.raises(WrongReplyError) as failure:
        hear(running, [b"connection" * 1000] * MAX_MESSAGE_BYTES)
    assert failure.value.kind == "bad reply"
