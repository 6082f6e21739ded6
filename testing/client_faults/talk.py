"""What the other side of a client does in one conversation, as data: a talk is a row of steps.

Knows no sockets (the runner plays the steps) and no faults (the filters change them). When its steps are
over, the other side takes what still comes, up to the client's end.
"""

import json
from dataclasses import dataclass

from testing.processes import TEAM


@dataclass(frozen=True)
class Send:
    data: bytes


@dataclass(frozen=True)
class TakeMessage:
    """Waits until a whole message has come."""


@dataclass(frozen=True)
class TakeBytes:
    """Waits until so many bytes have come, and leaves the rest where it is."""

    count: int


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Halt:
    """Neither says nor takes anything any more."""


@dataclass(frozen=True)
class Endless:
    """Sends the piece again and again."""

    piece: bytes


@dataclass(frozen=True)
class Fin:
    """Ends our sending side, and goes on listening."""


@dataclass(frozen=True)
class Close:
    pass


@dataclass(frozen=True)
class Reset:
    pass


Step = Send | TakeMessage | TakeBytes | Pause | Halt | Endless | Fin | Close | Reset
Talk = tuple[Step, ...]


def _reply(status: str, number1: str, number2: str, clientid: int) -> bytes:
    fields = {
        "studentnr1": number1,
        "studentnr2": number2,
        "classname": TEAM["classname"],
        "clientid": clientid,
        "teamname": TEAM["teamname"],
        "ip": "127.0.0.1",
        "secret": "5ec4e7" * 10 + "0123",
        "status": status,
    }
    return json.dumps(fields).encode()


WAITING = "waiting for message 2"
FINISHED = "Finished successfully"

WELCOME = b"Test ground: socket connection established."
REPLY_1 = _reply(WAITING, TEAM["studentnr1"], TEAM["studentnr2"], 1)
REPLY_2 = _reply(FINISHED, TEAM["studentnr2"], TEAM["studentnr1"], 2)

# The places where a fault can be, by client: the client's visit to the ground, and the handover.
GROUND = "ground"
PEER = "peer"  # the client 2 that client 1 hands over to
CALLER = "caller"  # the client 1 that brings client 2 the handover
STRANGER = "stranger"  # somebody who calls before it, and gets the handover wrong

RIGHT: dict[int, dict[str, Talk]] = {
    1: {GROUND: (Send(WELCOME), TakeMessage(), Send(REPLY_1), Fin()), PEER: ()},
    2: {
        GROUND: (Send(WELCOME), TakeMessage(), Send(REPLY_2), Fin()),
        CALLER: (Send(REPLY_1), Fin()),
        STRANGER: (Send(REPLY_1), Fin()),
    },
}


def behind_lengths(talk: Talk) -> Talk:
    """The same, each text behind its length of four bytes, as --on-wire length has it."""
    return tuple(
        Send(len(step.data).to_bytes(4, "little") + step.data) if isinstance(step, Send) else step for step in talk
    )


def size(talk: Talk) -> int:
    """How many bytes the talk sends."""
    return sum(len(step.data) for step in talk if isinstance(step, Send))


def divided(talk: Talk, at: int) -> tuple[Talk, Talk]:
    """The talk up to its first `at` bytes, and the rest. A step between two bytes belongs to the rest."""
    for number, step in enumerate(talk):
        if isinstance(step, Send):
            if len(step.data) >= at:
                head, tail = Send(step.data[:at]), Send(step.data[at:])
                return (*talk[:number], head), (tail, *talk[number + 1 :])
            at -= len(step.data)
    return talk, ()


def without_sends(talk: Talk) -> Talk:
    return tuple(step for step in talk if not isinstance(step, Send))


def only_sends(talk: Talk) -> Talk:
    return tuple(step for step in talk if isinstance(step, Send))


def joined(talk: Talk) -> Talk:
    """The same, with neighbouring sends in one piece and empty ones left out."""
    steps: list[Step] = []
    for step in talk:
        if isinstance(step, Send) and steps and isinstance(steps[-1], Send):
            steps[-1] = Send(steps[-1].data + step.data)
        elif step != Send(b""):
            steps.append(step)
    return tuple(steps)
