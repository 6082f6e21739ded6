"""The filters themselves: each does its one thing to a talk, and those called harmless lose not a byte."""

from random import Random

import pytest

from testing.client_faults.filters import FILTERS, GAP, Values
from testing.client_faults.talk import (
    GROUND,
    RIGHT,
    Close,
    Endless,
    Fin,
    Halt,
    Pause,
    Reset,
    Send,
    TakeBytes,
    TakeMessage,
    Talk,
    joined,
    only_sends,
    size,
)

TALK: Talk = (Send(b"Hello"), TakeMessage(), Send(b"{}"), Fin())

CHANGED: dict[str, tuple[Values, Talk]] = {
    "cut": ((6,), (Send(b"Hello"), TakeMessage(), Send(b"{"), Pause(GAP), Send(b"}"), Fin())),
    "late": ((5, 0.1), (Send(b"Hello"), Pause(0.1), TakeMessage(), Send(b"{}"), Fin())),
    "swallow_welcome": ((), (TakeMessage(), Send(b"{}"), Fin())),
    "glue_welcome": ((), (TakeMessage(), Send(b"Hello{}"), Fin())),
    "early_reply": ((), (Send(b"Hello{}"), TakeMessage(), Fin())),
    "insert": ((2, b"!", 3), (Send(b"He!!!llo"), TakeMessage(), Send(b"{}"), Fin())),
    "append": ((b"!", 3), (Send(b"Hello"), TakeMessage(), Send(b"{}!!!"), Fin())),
    "overwrite": ((4, b"!", 2), (Send(b"Hell!!"), TakeMessage(), Send(b"}"), Fin())),
    "lose": ((4, 2), (Send(b"Hell"), TakeMessage(), Send(b"}"), Fin())),
    "double": ((1, 2), (Send(b"Helello"), TakeMessage(), Send(b"{}"), Fin())),
    "endless": ((5, b"!", 3), (Send(b"Hello"), Endless(b"!!!"))),
    "stop": ((6,), (Send(b"Hello"), TakeMessage(), Send(b"{"), Halt())),
    "half_close": ((2,), (Send(b"He"), Fin())),
    "close": ((0,), (Close(),)),
    "reset": ((99,), (Send(b"Hello"), TakeMessage(), Send(b"{}"), Fin(), Reset())),
    "deaf": ((), (Send(b"Hello{}"), Fin(), Halt())),
    "stop_taking": ((9,), (Send(b"Hello"), TakeBytes(9), Halt())),
    "close_taking": ((9,), (Send(b"Hello"), TakeBytes(9), Close())),
    "reset_taking": ((9,), (Send(b"Hello"), TakeBytes(9), Reset())),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_filter_does_one_thing(name: str) -> None:
    values, wanted = CHANGED[name]
    assert joined(FILTERS[name].apply(TALK, *values)) == wanted


def test_a_trickle_is_single_bytes() -> None:
    assert only_sends(FILTERS["trickle"].apply(TALK)) == tuple(Send(bytes([byte])) for byte in b"Hello{}")


def test_every_filter_has_its_row() -> None:
    assert {*CHANGED, "trickle"} == FILTERS.keys()


@pytest.mark.parametrize("name", FILTERS)
def test_a_harmless_filter_leaves_the_reply_as_it_is(name: str) -> None:
    right = RIGHT[1][GROUND]
    reply = only_sends(right)[-1]
    random = Random(name)
    for _ in range(50):
        values = FILTERS[name].draw(random, size(right))
        if FILTERS[name].is_harmless(values):
            talk = FILTERS[name].apply(right, *values)
            sent = b"".join(step.data for step in talk if isinstance(step, Send))
            assert isinstance(reply, Send)
            assert sent.endswith(reply.data)
            assert talk[-1] == Fin()
