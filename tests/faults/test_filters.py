"""The filters themselves: each does its one thing to a script, and those called harmless lose not a byte."""

from random import Random

import pytest

from testing.client_faults.filters import FILTERS, GAP, Values
from testing.client_faults.scripts import RIGHT, SERVER, joined, only_sends, size
from testing.other_side import Finish, Pause, Receive, Script, Send, SendForever, Wait

SCRIPT: Script = (Send(b"Hello"), Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE)

CHANGED: dict[str, tuple[Values, Script]] = {
    "cut": ((6,), (Send(b"Hello"), Wait.MESSAGE, Send(b"{"), Pause(GAP), Send(b"}"), Finish.HALF_CLOSE)),
    "late": ((5, 0.1), (Send(b"Hello"), Pause(0.1), Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE)),
    "swallow_welcome": ((), (Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE)),
    "glue_welcome": ((), (Wait.MESSAGE, Send(b"Hello{}"), Finish.HALF_CLOSE)),
    "early_reply": ((), (Send(b"Hello{}"), Wait.MESSAGE, Finish.HALF_CLOSE)),
    "insert": ((2, b"!", 3), (Send(b"He!!!llo"), Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE)),
    "append": ((b"!", 3), (Send(b"Hello"), Wait.MESSAGE, Send(b"{}!!!"), Finish.HALF_CLOSE)),
    "overwrite": ((4, b"!", 2), (Send(b"Hell!!"), Wait.MESSAGE, Send(b"}"), Finish.HALF_CLOSE)),
    "lose": ((4, 2), (Send(b"Hell"), Wait.MESSAGE, Send(b"}"), Finish.HALF_CLOSE)),
    "double": ((1, 2), (Send(b"Helello"), Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE)),
    "endless": ((5, b"!", 3), (Send(b"Hello"), SendForever(b"!!!"))),
    "stop": ((6,), (Send(b"Hello"), Wait.MESSAGE, Send(b"{"), Wait.STOP)),
    "half_close": ((2,), (Send(b"He"), Finish.HALF_CLOSE)),
    "close": ((0,), (Finish.CLOSE,)),
    "reset": ((99,), (Send(b"Hello"), Wait.MESSAGE, Send(b"{}"), Finish.HALF_CLOSE, Finish.RESET)),
    "deaf": ((), (Send(b"Hello{}"), Finish.HALF_CLOSE, Wait.STOP)),
    "stop_taking": ((9,), (Send(b"Hello"), Receive(9), Wait.STOP)),
    "close_taking": ((9,), (Send(b"Hello"), Receive(9), Finish.CLOSE)),
    "reset_taking": ((9,), (Send(b"Hello"), Receive(9), Finish.RESET)),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_filter_does_one_thing(name: str) -> None:
    values, wanted = CHANGED[name]
    assert joined(FILTERS[name].apply(SCRIPT, *values)) == wanted


def test_a_trickle_is_single_bytes() -> None:
    assert only_sends(FILTERS["trickle"].apply(SCRIPT)) == tuple(Send(bytes([byte])) for byte in b"Hello{}")


def test_every_filter_has_its_row() -> None:
    assert {*CHANGED, "trickle"} == FILTERS.keys()


@pytest.mark.parametrize("name", FILTERS)
def test_a_harmless_filter_leaves_the_reply_as_it_is(name: str) -> None:
    right = RIGHT[1][SERVER]
    reply = only_sends(right)[-1]
    random = Random(name)
    for _ in range(50):
        values = FILTERS[name].draw(random, size(right))
        if FILTERS[name].is_harmless(values):
            script = FILTERS[name].apply(right, *values)
            sent = b"".join(step.data for step in script if isinstance(step, Send))
            assert isinstance(reply, Send)
            assert sent.endswith(reply.data)
            assert script[-1] == Finish.HALF_CLOSE
