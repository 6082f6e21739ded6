"""The burst campaign, run by hand.

    python3 bench/burst.py --connections 4000

For each kind of unclosed message that once cost the most, so many connections send 8,190 bytes of it at once and fall
silent, so that all their limits pass at the same time. Meanwhile ordinary teams exchange, one after the other, until
every connection of the burst has its answer. Prints a line a kind: the worst exchange, and the memory of the server.
Exits with 1 if an exchange failed or took LIMIT seconds, or if the memory passed MAX_MEMORY. Needs Linux.
"""

import argparse
import contextlib
import resource
import selectors
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.crowds import MANY_DESCRIPTORS
from tandem.net.descriptors import raise_descriptor_limit
from tandem.protocol.message import STATUS_FINISHED
from testing.processes import RunningServer, running_server
from testing.raw_sockets import encoded, message_1, message_2, visit

LIMIT = 0.5  # seconds for an exchange
MAX_MEMORY = 100 * 2**20  # bytes, resident
SIZE = 8190  # bytes: two fewer than a message may have
MAX_SECONDS = 60.0  # seconds until the last connection of a burst is answered

BURSTS = {
    "escapes, then quotes": (b'{"studentnr1": \'\\u0041\xe2\x80\x8b', b'"'),
    "a brace, then blanks": (b"{", b" "),
    "brackets": (b"", b"["),
    "empty names": (b"{", b'"":'),
    "an endless text": (b'{"teamname": "', b"x"),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--connections", type=int, default=4000)
    options.add_argument("--only", metavar="WORDS", default="", help="bursts with these words in their name")
    given = options.parse_args()
    raise_descriptor_limit(MANY_DESCRIPTORS)
    failed = False
    for name, (head, unit) in BURSTS.items():
        if given.only in name:
            data = head + unit * ((SIZE - len(head)) // len(unit))
            failed |= not measure(name, data, given.connections)
    return 1 if failed else 0


def measure(name: str, data: bytes, connections: int) -> bool:
    """Print the line of one burst. Return whether it kept the limits."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-burst-") as folder,
        running_server(Path(folder) / "data") as running,
    ):
        exchange(running, "the first")
        memory = Memory(running)
        with burst(running, data, connections) as answered:
            times = [exchange(running, "before")]
            began = time.monotonic()
            while not answered.is_set() and time.monotonic() - began < MAX_SECONDS:
                times.append(exchange(running, f"team {len(times)}"))
        most = memory.stop()
    is_kept = answered.is_set() and max(times) < LIMIT and most < MAX_MEMORY
    print(
        f"{name:<22} {connections:>6} connections: {len(times):>5} exchanges, worst {max(times) * 1000:6.1f} ms,"
        f" {most / 2**20:6.1f} MiB{'' if is_kept else '  FAILED'}",
        flush=True,
    )
    return is_kept


class Memory:
    """The most resident memory that a server has, looked at ten times a second."""

    def __init__(self, running: RunningServer) -> None:
        self._running = running
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(0.1):
            pages = int(Path(f"/proc/{self._running.process.pid}/statm").read_text().split()[1])
            self._most = max(self._most, pages * resource.getpagesize())


@contextlib.contextmanager
def burst(running: RunningServer, data: bytes, connections: int) -> Iterator[threading.Event]:
    """Send the data on so many connections at once. The event is set when all are answered."""
    answered = threading.Event()
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        opened = [
            stack.enter_context(socket.create_connection((running.host, running.port))) for _ in range(connections)
        ]
        for connection in opened:
            connection.sendall(data)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        reader = threading.Thread(target=_read_all, args=(selector, answered))
        reader.start()
        yield answered
        reader.join()


def _read_all(selector: selectors.BaseSelector, answered: threading.Event) -> None:
    """Read until the end of every stream, or until it takes too long."""
    until = time.monotonic() + MAX_SECONDS
    while selector.get_map() and time.monotonic() < until:
        for key, _ in selector.select(1.0):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            with contextlib.suppress(BlockingIOError):
                if not connection.recv(65_536):
                    selector.unregister(connection)
                    connection.close()
    if not selector.get_map():
        answered.set()


def exchange(running: RunningServer, team: str) -> float:
    """Let a team finish; return how many seconds that took."""
    began = time.monotonic()
    handover = visit(running.host, running.port, encoded(message_1(teamname=team)))
    assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
