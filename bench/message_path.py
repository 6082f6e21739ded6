"""Measure the path of one message through the code.

    python3 -m bench.message_path [CHECKOUT]

Counts files, functions and calls from one file into another in a running `tandem serve`, from before the connection
until the reply, the commit and the log are done. The server has other work once a second, which falls into some of the
counts: so each message is sent several times, with a new team each time, and the shortest path is shown.
"""

import argparse
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import OUTPUT, ROOT, TANDEM, Contender, ContenderError, Running, running
from tandem.commands.arguments import Parser, positive_integer

TRACER = Path(__file__).with_name("path_tracer.py")
REPEATS = 3
MAX_REPEATS = 100
QUIET = 0.6  # seconds after which the server has committed, logged and closed
PIECES_APART = 0.1  # seconds between two pieces of a message
TIME_LIMIT = 10.0  # seconds for a reply
Fields = dict[str, Any]


@dataclass(frozen=True)
class Count:
    """The cost of one message."""

    files: Sequence[str]
    functions: int
    between: int  # calls from one file into another
    calls: int
    status: str  # of the reply

    def __str__(self) -> str:
        return (
            f"{len(self.files):3} files, {self.functions:4} functions, {self.between:4} calls between files, "
            f"{self.calls:5} calls; {self.status[:50]}"
        )


class TracedServer:
    """A running `tandem serve` that counts its calls."""

    def __init__(self, server: Running) -> None:
        host, _, port = server.address.rpartition(":")
        self._address = host, int(port)
        self._pid = server.pid
        self._out = server.folder / OUTPUT
        self._teams = 0

    def new_message(self) -> Fields:
        """Message 1 of a team that the server has not seen."""
        self._teams += 1
        return {
            "studentnr1": "0923456",
            "studentnr2": "0934567",
            "classname": "INF2A",
            "clientid": 1,
            "teamname": f"Team {self._teams}",
            "ip": "127.0.0.1",
            "secret": "",
            "status": "",
        }

    def visit(self, *pieces: bytes) -> Fields:
        """The reply to a message that is sent in these pieces."""
        with socket.create_connection(self._address, TIME_LIMIT) as connection:
            connection.recv(1000)
            connection.sendall(pieces[0])
            for piece in pieces[1:]:
                time.sleep(PIECES_APART)
                connection.sendall(piece)
            reply: Fields = json.loads(connection.recv(2000))
            return reply

    def count(self, *pieces: bytes) -> Count:
        """The same visit, counted."""
        time.sleep(QUIET)
        self._switch()
        reply = self.visit(*pieces)
        time.sleep(QUIET)
        return Count(**self._switch(), status=reply["status"])

    def _switch(self) -> Fields:
        """Starts or ends a count: the line that the tracer prints."""
        lines_before = len(self._lines())
        os.kill(self._pid, signal.SIGUSR1)
        until = time.monotonic() + TIME_LIMIT
        while time.monotonic() < until:
            if len(lines := self._lines()) > lines_before:
                told: Fields = json.loads(lines[-1])
                return told
            time.sleep(0.01)
        raise ContenderError("the server does not count: it may have ended")

    def _lines(self) -> Sequence[str]:
        """Those that are complete."""
        return self._out.read_text().split("\n")[:-1]


def message_1(server: TracedServer) -> Count:
    return server.count(encoded(server.new_message()))


def message_2(server: TracedServer) -> Count:
    return server.count(_right_message_2(server))


def message_2_in_pieces(server: TracedServer) -> Count:
    message = _right_message_2(server)
    middle = len(message) // 2
    return server.count(message[:middle], message[middle:])


def wrong_message(server: TracedServer) -> Count:
    """A class without its quotation marks: no JSON."""
    return server.count(encoded(server.new_message()).replace(b'"INF2A"', b"INF2A"))


MESSAGES: dict[str, Callable[[TracedServer], Count]] = {
    "right message 1": message_1,
    "right message 2": message_2,
    "right message 2 in two pieces": message_2_in_pieces,
    "wrong message": wrong_message,
}


def main() -> int:
    options = Parser("bench.message_path", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="the copy of the project (this one)")
    options.add_argument("--repeats", type=positive_integer(MAX_REPEATS), default=REPEATS, help=f"({REPEATS})")
    options.add_argument("--files", action="store_true", help="name the files, too")
    given = options.parse_args()
    try:
        with running(traced(given.checkout)) as started:
            server = TracedServer(started)
            server.visit(encoded(server.new_message()))  # what is done once, such as imports, is not counted
            for name, count in MESSAGES.items():
                shortest = min((count(server) for _ in range(given.repeats)), key=lambda counted: counted.calls)
                print(f"{name:30} {shortest}", flush=True)
                if given.files:
                    print("   ", *shortest.files)
    except (ContenderError, OSError, ValueError) as trouble:
        print(f"bench.message_path: {trouble}", file=sys.stderr)
        return 1
    return 0


def encoded(message: Fields) -> bytes:
    return json.dumps(message).encode()


def traced(checkout: Path) -> Contender:
    """The server of a checkout, run by the tracer."""

    def command(folder: Path) -> Sequence[str]:
        serve = "serve", "--listen", "127.0.0.1:0", "--data", str(folder / "data")
        return sys.executable, "-S", str(TRACER), *serve

    return Contender(TANDEM, command, checkout)


def _right_message_2(server: TracedServer) -> bytes:
    """Of a new team, whose message 1 is sent before."""
    reply = server.visit(encoded(server.new_message()))
    return encoded(reply | {"studentnr1": reply["studentnr2"], "studentnr2": reply["studentnr1"], "clientid": 2})


if __name__ == "__main__":
    sys.exit(main())
