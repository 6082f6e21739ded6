"""Scripts of the other sides of a client when nothing is wrong, by place; and tools to cut and join scripts.

Pure: knows no sockets and no faults.
"""

from testing.clients import REPLY_1, REPLY_2, WELCOME
from testing.other_side import Finish, Script, Send, Step, Wait, framed

# The places where a fault can be.
SERVER = "server"  # where the client makes its visit
PEER = "peer"  # the client 2 to which client 1 makes the handover
CALLER = "caller"  # the client 1 that makes the handover to client 2
STRANGER = "stranger"  # connects to client 2 before client 1 does, and makes the handover wrongly

# client -> place -> script
RIGHT: dict[int, dict[str, Script]] = {
    1: {SERVER: (Send(WELCOME), Wait.MESSAGE, Send(REPLY_1), Finish.HALF_CLOSE), PEER: ()},
    2: {
        SERVER: (Send(WELCOME), Wait.MESSAGE, Send(REPLY_2), Finish.HALF_CLOSE),
        CALLER: (Send(REPLY_1), Finish.HALF_CLOSE),
        STRANGER: (Send(REPLY_1), Finish.HALF_CLOSE),
    },
}


def with_lengths(script: Script) -> Script:
    """Put its length before each text, as `--framing length` does."""
    return tuple(Send(framed(step.data)) if isinstance(step, Send) else step for step in script)


def size(script: Script) -> int:
    """Return how many bytes the script sends."""
    return sum(len(step.data) for step in script if isinstance(step, Send))


def divided(script: Script, offset: int) -> tuple[Script, Script]:
    """Return the script up to its first `offset` bytes, and the rest. A step between two bytes belongs to the rest."""
    for number, step in enumerate(script):
        if isinstance(step, Send):
            if len(step.data) >= offset:
                head, tail = Send(step.data[:offset]), Send(step.data[offset:])
                return (*script[:number], head), (tail, *script[number + 1 :])
            offset -= len(step.data)
    return script, ()


def without_sends(script: Script) -> Script:
    """Return the steps that send nothing."""
    return tuple(step for step in script if not isinstance(step, Send))


def only_sends(script: Script) -> Script:
    """Return the steps that send something."""
    return tuple(step for step in script if isinstance(step, Send))


def joined(script: Script) -> Script:
    """Join neighbouring sends, and leave out empty ones."""
    steps: list[Step] = []
    for step in script:
        if isinstance(step, Send) and steps and isinstance(steps[-1], Send):
            steps[-1] = Send(steps[-1].data + step.data)
        elif step != Send(b""):
            steps.append(step)
    return tuple(steps)
