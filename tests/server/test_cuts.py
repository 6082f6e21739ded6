"""The answer to bytes that can never become a message does not depend on how TCP cut them (PROTOCOL 3.4)."""

import json
import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis.strategies import binary, integers, lists, sampled_from

from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.protocol.reader import INVALID, MAX_MESSAGE_BYTES, Reader
from tandem.server.actions import Reply, Wait
from tandem.server.states_and_limits import NO_MESSAGE
from testing.handled import PEER, handled, new_handler
from testing.messages.corpus import CASES, FRAMED_CASES
from testing.processes import RunningServer
from testing.raw_sockets import raw

SEED = 20261202
LONG = [b"x" * MAX_MESSAGE_BYTES, b"[1, " * 3000, b"\xff" * (2 * MAX_MESSAGE_BYTES), b'"{' * 5000]


def never(data: bytes, framing: str) -> bool:
    """Whether the bytes can never become a message, which a part of them may not show."""
    reader = Reader(framing)
    return reader.feed(data) is INVALID


def answer(pieces: Sequence[bytes], framing: str, ends: bool) -> tuple[bytes, list[str]]:
    """The reply to pieces that come one after the other, then silence or the end; and what the visit's problems are."""
    action = handled(new_handler(framing), pieces, ends)
    assert isinstance(action, Reply)
    assert action.record is not None
    return action.data, [problem.id for problem in action.record.problems]  # type: ignore[union-attr]


NEVER = [(PLAIN, case.data) for case in CASES if never(case.data, PLAIN)]
NEVER += [(FRAMINGS[1], case.data) for case in FRAMED_CASES if never(case.data, FRAMINGS[1])]
NEVER += [(PLAIN, data) for data in LONG]


def test_there_are_many_such_messages() -> None:
    assert len(NEVER) >= 80


@pytest.mark.parametrize(("framing", "data"), NEVER, ids=lambda value: str(value)[:40])
def test_the_answer_to_no_message_does_not_depend_on_the_cut(framing: str, data: bytes) -> None:
    whole = answer([data], framing, ends=False)
    assert b"came nothing more" not in whole[0]
    chance = random.Random(SEED)
    cuts = range(1, len(data)) if len(data) < 40 else sorted(chance.sample(range(1, len(data)), 30))
    for at in (1, 2, 3, 4, *cuts, max(1, len(data) - 1)):
        assert answer([data[:at], data[at:]][: 2 if at < len(data) else 1], framing, ends=at % 2 == 0) == whole, at


@settings(deadline=None)
@given(sampled_from(NEVER), lists(integers(1, 2000), max_size=5), sampled_from([False, True]))
def test_nor_on_many_cuts(case: tuple[str, bytes], sizes: list[int], ends: bool) -> None:
    framing, data = case
    pieces, at = [], 0
    for size in [*sizes, len(data)]:
        pieces.append(data[at : at + size])
        at += size
    assert answer([piece for piece in pieces if piece], framing, ends) == answer([data], framing, ends=False)


@settings(deadline=None)
@given(binary(min_size=2, max_size=60), integers(1, 59))
def test_nor_for_any_bytes(data: bytes, at: int) -> None:
    if never(data, PLAIN) and at < len(data):
        assert answer([data[:at], data[at:]], PLAIN, ends=False) == answer([data], PLAIN, ends=True)


def test_after_bytes_that_are_no_message_the_server_waits_for_more_of_them() -> None:
    visits = new_handler()
    action = visits.received(PEER, None, b"hello")
    assert isinstance(action, Wait)
    assert action.state is NO_MESSAGE
    full = visits.received(PEER, action.progress, b"x" * MAX_MESSAGE_BYTES)
    assert isinstance(full, Reply)


def test_over_real_sockets_in_two_sends(shared: RunningServer) -> None:
    """Each of some wrong messages whole and in two sends, all at the same time: the pause lasts for all of them."""
    chance = random.Random(SEED)
    messages = [data for framing, data in chance.sample(NEVER, 30) if framing == PLAIN]
    with ExitStack() as connections:
        opened = [
            [connections.enter_context(raw(shared.host, shared.port)) for _ in ("whole", "cut")] for _ in messages
        ]
        for (whole, cut), data in zip(opened, messages, strict=True):
            whole.take_welcome()
            cut.take_welcome()
            cut.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            whole.send(data)
        for (_, cut), data in zip(opened, messages, strict=True):
            cut.send(data[: len(data) // 2])
        for (_, cut), data in zip(opened, messages, strict=True):
            cut.send(data[len(data) // 2 :])
        for (whole, cut), data in zip(opened, messages, strict=True):
            assert json.loads(whole.rest()) == json.loads(cut.rest()), data
