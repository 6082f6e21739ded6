"""A connection, read as it comes: arrows, diagnoses, ends. Any cut gives the same. Without sockets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.protocol.framing import FRAMINGS, LENGTH, PLAIN, frame
from tandem.protocol.message import Message
from tandem.watch.conversation import INVALID_SILENCE_S, MESSAGE_SILENCE_S, Conversation, Events
from tandem.watch.watch_events import CLIENT, SERVER, EventKind, WatchEvent
from tandem.watch.watch_lines import MAX_SHOWN, json_line, text_lines
from testing.cuts import anything, pieces
from testing.exchange_messages import ANSWERED, ASKED, DONE, PASSED_ON

WELCOME = b"You have a connection. Send your message."
TIME_NS = 1_700_000_000_123_456_789


def visit(message: bytes, reply: bytes, framing: str = PLAIN) -> Events:
    """The events of a whole visit."""
    there = Conversation("192.168.1.2", framing)
    found = there.receive(SERVER, frame(WELCOME, framing))
    found += there.receive(CLIENT, frame(message, framing))
    found += there.receive(SERVER, frame(reply, framing))
    return found + there.end(SERVER) + there.end(CLIENT)


def in_short(events: Events) -> list[tuple[EventKind, tuple[int, ...]]]:
    return [(event.kind, event.arrows) for event in events if event.kind is not EventKind.BYTES]


def read(events: Events) -> list[WatchEvent]:
    """The events that must not depend on how TCP cut the bytes; a welcome has no end mark."""
    return [each for each in events if each.kind not in (EventKind.BYTES, EventKind.WELCOME, EventKind.REST)]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    ("message", "reply", "arrows"), [(ASKED, ANSWERED, (2, 3)), (PASSED_ON, DONE, (6, 7))], ids=["client 1", "client 2"]
)
def test_a_right_visit(message: Message, reply: Message, arrows: tuple[int, int], framing: str) -> None:
    found = visit(message.encode(), reply.encode(), framing)
    assert in_short(found) == [
        (EventKind.WELCOME, (1, 5)),
        (EventKind.MESSAGE, arrows[:1]),
        (EventKind.REPLY, arrows[1:]),
        (EventKind.END, ()),
        (EventKind.END, ()),
    ]
    [diagnosis] = [event.diagnosis for event in found if event.diagnosis]
    assert not diagnosis.problems
    assert [event.data.decode() for event in found if event.kind is EventKind.REPLY] == [reply.status]
    assert not any(event.text for event in found)


def test_a_handover_is_named_and_not_taken_for_a_message() -> None:
    for greeting in (b"", b"hello\n"):  # some programs for client 2 greet
        there = Conversation()
        found = there.receive(SERVER, greeting) if greeting else []
        found += there.receive(CLIENT, ANSWERED.encode()) + there.end(CLIENT) + there.end(SERVER)
        assert (EventKind.HANDOVER, (4,)) in in_short(found)
        assert not any(event.diagnosis or event.text for event in found if event.kind is not EventKind.WELCOME)


def test_a_handover_that_is_sent_to_the_server_is_a_wrong_message() -> None:
    found = visit(ANSWERED.encode(), b'{"status": "error: x"}')
    [diagnosis] = [event.diagnosis for event in found if event.diagnosis]
    assert diagnosis.problems
    [reply] = [event for event in found if event.kind is EventKind.REPLY]
    assert reply.text == "it is no reply of this protocol"


@pytest.mark.parametrize(
    ("data", "silence_s"), [(b'{"a', MESSAGE_SILENCE_S), (b"hello", INVALID_SILENCE_S), (b" ", None)]
)
def test_silence(data: bytes, silence_s: float | None) -> None:
    there = Conversation()
    there.receive(CLIENT, data)
    assert there.silence_s == silence_s
    if silence_s is not None:
        [message] = there.fall_silent()
        assert message.kind is EventKind.MESSAGE
        assert message.diagnosis is not None
        assert message.diagnosis.problems
    there.fall_silent()
    assert there.silence_s is None or silence_s is None


def test_the_answer_to_a_part_of_a_message_comes_after_that_part() -> None:
    there = Conversation()
    there.receive(CLIENT, b'{"a')
    assert [kind for kind, _ in in_short(there.receive(SERVER, ANSWERED.encode()))] == [
        EventKind.MESSAGE,
        EventKind.REPLY,
    ]


def test_more_than_the_protocol_has_is_said_once() -> None:
    there = Conversation()
    for _ in range(2):
        there.receive(CLIENT, ASKED.encode())
        there.receive(SERVER, ANSWERED.encode())
    rest = [in_short(there.receive(side, b" x")) for side in (CLIENT, SERVER)]
    assert rest == [[], []]
    assert in_short(Conversation().end(CLIENT)) == [(EventKind.MESSAGE, (2, 6)), (EventKind.END, ())]


@pytest.mark.parametrize(
    ("reply", "text"), [(b"", "without a reply"), (b'{"stat', "in the middle of the reply"), (ANSWERED.encode(), "")]
)
def test_what_is_missing_at_the_end(reply: bytes, text: str) -> None:
    for how in ("end", "reset"):
        there = Conversation()
        there.receive(CLIENT, ASKED.encode())
        if reply:
            there.receive(SERVER, reply)
        assert getattr(there, how)(SERVER)[-1].text == text


@given(pieces(st.one_of(anything, st.just(ASKED.encode()))), pieces(st.just(WELCOME + ANSWERED.encode())))
def test_no_cut_changes_what_is_read(sent: list[bytes], answered: list[bytes]) -> None:
    whole, cut = Conversation(), Conversation()
    expected = whole.receive(SERVER, b"".join(answered)) + whole.receive(CLIENT, b"".join(sent)) + whole.end(CLIENT)
    found: Events = []
    for side, parts in ((SERVER, answered), (CLIENT, sent)):
        for part in filter(None, parts):
            found += cut.receive(side, part)
    found += cut.end(CLIENT)
    if any(event.kind is EventKind.REST for event in found):
        return  # bytes behind the message are a problem only where they were read with it (PROTOCOL 3.4)
    assert read(found) == read(expected)
    assert b"".join(each.data for each in found if (each.kind, each.sender) == (EventKind.BYTES, CLIENT)) == b"".join(
        sent
    )


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), anything), max_size=8), st.sampled_from(FRAMINGS))
def test_any_bytes_are_shown_in_safe_short_lines(sent: list[tuple[str, bytes]], framing: str) -> None:
    there = Conversation("192.0.2.1", framing)
    events = [event for side, data in sent for event in there.receive(side, data)]
    for event in events + there.reset(CLIENT):
        for line in text_lines(TIME_NS, 7, event):
            assert line.isprintable()
            assert len(line) < 100 + 4 * MAX_SHOWN
        assert json.loads(json_line(TIME_NS, 7, event))["connection"] == 7


def test_json() -> None:
    found = [json.loads(json_line(TIME_NS, 1, event)) for event in visit(b"{}", ANSWERED.encode())]
    assert found[0]["time"] == "2023-11-14T22:13:20.123457+00:00"
    assert found[0] | {"time": ""} == {
        "time": "",
        "connection": 1,
        "event": "bytes",
        "from": "server",
        "bytes": len(WELCOME),
        "text": WELCOME.decode(),
    }
    [message] = [each for each in found if each["event"] == "message"]
    assert (message["accepted"], message["arrows"]) == (False, [2, 6])
    assert message["problems"][0]["what"]


def test_a_line_is_bounded() -> None:
    [event, *_] = Conversation().receive(CLIENT, b"\0" * 60_000)
    [line] = text_lines(TIME_NS, 1, event)
    assert "60,000 bytes" in line
    assert line.endswith(r"\x00...")
    assert len(line) < 100 + 4 * MAX_SHOWN


def test_lengths_that_are_not_expected_are_a_problem() -> None:
    there = Conversation()
    found = there.receive(CLIENT, frame(ASKED.encode(), LENGTH)) + there.end(CLIENT)
    assert any(event.diagnosis and event.diagnosis.problems for event in found)
