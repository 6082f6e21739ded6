"""Floods of connections to client 2, as a program.

`python3 -m testing.client_faults.flood KIND COUNT PORT one|many` prints "the flood stands" once COUNT connections have
been made. A flood that goes on replaces the oldest by a new one after that, for ever. Connections come from 127.0.0.1,
as that of the real client 1 does (one), or from a thousand addresses (many).
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


def send_nothing(caller: socket.socket) -> None:
    """Keep the connection open and silent."""


def close_at_once(caller: socket.socket) -> None:
    """Close the connection."""
    caller.close()


def send_half(caller: socket.socket) -> None:
    """Send half a message."""
    caller.send(REPLY_1[: len(REPLY_1) // 2])


def send_space(caller: socket.socket) -> None:
    """Send as much white space as the system takes, which is more than client 2 lets a message have."""
    caller.send(SPACE)


class Flood(NamedTuple):
    """A kind of flood."""

    act: Callable[[socket.socket], None]  # what each caller does
    goes_on: bool


FLOODS = {
    "silent": Flood(send_nothing, False),
    "silent, going on": Flood(send_nothing, True),
    "closing": Flood(close_at_once, True),
    "half a message": Flood(send_half, False),
    "half a message, going on": Flood(send_half, True),
    "white space": Flood(send_space, True),
}


def addresses(kind: str) -> Iterator[str]:
    """Yield the source addresses of the connections, for ever."""
    while True:
        for number in range(1000):
            yield "127.0.0.1" if kind == "one" else f"127.1.{number // 250}.{number % 250 + 1}"


def callers(act: Callable[[socket.socket], None], port: int, sources: Iterator[str]) -> Iterator[socket.socket]:
    """Yield connections on which `act` has been done."""
    for source in sources:
        caller = socket.create_connection(("127.0.0.1", port), LIMIT, (source, 0))
        caller.setblocking(False)
        try:
            act(caller)
        except OSError:
            pass  # turned away already
        yield caller


def main(kind: str, count: int, port: int, where: str) -> None:
    """Run the flood until client 2 listens no more, or until killed."""
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
