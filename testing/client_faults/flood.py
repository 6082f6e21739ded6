"""Crowds at client 2's door, as a program: python3 -m testing.client_faults.flood KIND COUNT PORT [one|many]

Says "the flood stands" once COUNT connections have been made. A flood that goes on makes new ones in the
place of the oldest after that, for ever. Callers come from 127.0.0.1, as the real client 1 does (one), or from
a thousand addresses (many).
"""

import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from testing.clients import REPLY_1
from testing.processes import LIMIT

SPACE = b" \r\n\t" * 4096


def say_nothing(caller: socket.socket) -> None:
    pass


def close_at_once(caller: socket.socket) -> None:
    caller.close()


def say_half(caller: socket.socket) -> None:
    caller.send(REPLY_1[: len(REPLY_1) // 2])


def say_space(caller: socket.socket) -> None:
    """As much as the system takes; more than client 2 lets a message have."""
    caller.send(SPACE)


class Flood(NamedTuple):
    act: Callable[[socket.socket], None]  # what each caller does
    goes_on: bool


FLOODS = {
    "silent": Flood(say_nothing, False),
    "silent, going on": Flood(say_nothing, True),
    "closing": Flood(close_at_once, True),
    "half a message": Flood(say_half, False),
    "half a message, going on": Flood(say_half, True),
    "white space": Flood(say_space, True),
}


def addresses(kind: str) -> Iterator[str]:
    """Where the callers come from, one after the other, for ever."""
    while True:
        for number in range(1000):
            yield "127.0.0.1" if kind == "one" else f"127.1.{number // 250}.{number % 250 + 1}"


def callers(act: Callable[[socket.socket], None], port: int, sources: Iterator[str]) -> Iterator[socket.socket]:
    """Connections that have done what they came for."""
    for source in sources:
        caller = socket.create_connection(("127.0.0.1", port), LIMIT, (source, 0))
        caller.setblocking(False)
        try:
            act(caller)
        except OSError:
            pass  # turned away already
        yield caller


def main(kind: str, count: int, port: int, where: str) -> None:
    flood = FLOODS[kind]
    held: deque[socket.socket] = deque()
    try:
        for caller in callers(flood.act, port, addresses(where)):
            held.append(caller)
            if len(held) == count:
                print("the flood stands", flush=True)
                if not flood.goes_on:
                    threading.Event().wait()  # until we are killed
            elif len(held) > count:
                held.popleft().close()
    except OSError:
        pass  # client 2 has its message, and listens no more
    for caller in held:
        caller.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
