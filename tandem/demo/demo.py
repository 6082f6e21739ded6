"""`tandem demo`: run a server and both clients as three processes, and draw the exchange as it happens.

Starts the processes and reads what they print. Does not know how the diagram looks. In any case it leaves no process
and no file behind.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tandem.demo.canvas import line_style_for
from tandem.demo.children import Child, ChildFailedError, Children
from tandem.demo.diagram import Diagram
from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.protocol.errors import TandemError
from tandem.protocol.message import message_1
from tandem.records.queries import open_records
from tandem.report.results_table import as_table
from tandem.report.screen import echo, flush

TEAM = message_1("0923456", "0934567", "INF2A", "Team1", ip="")
TEAM_FILE = "TEAM.json"

ANY_PORT = "127.0.0.1:0"  # a free port of this machine
LISTENING = "listening on "  # the server and client 2 print it before their address
SERVE = ("-m", "tandem", "serve", "--listen", ANY_PORT, "--data", ".")
CLIENT = ("-m", "tandem.client", "--format", "json")  # `tandem client`, without loading the rest of the project

NEXT_STEPS = f"""\
Go on with a TEAM.json of your own, on one machine or on three:
  python3 -m tandem serve --listen 0.0.0.0:{SERVER_PORT} --data tandem-data
  python3 -m tandem client 2 TEAM.json --server HOST:{SERVER_PORT} --listen {CLIENT_2_PORT}
  python3 -m tandem client 1 TEAM.json --server HOST:{SERVER_PORT} --peer HOST:{CLIENT_2_PORT}"""


class DemoError(TandemError):
    """The demo did not work: which of the three processes failed, and its last output."""


def demo() -> None:
    """Show the whole exchange on standard output.

    Raises:
        DemoError: A process failed, or this system does not let the demo run.
        BrokenPipeError: Standard output was closed by its reader.
    """
    started = time.monotonic()
    _show(["tandem demo: a server and both clients, as three processes on this machine", ""])
    try:
        with _stopped_by_signals(), TemporaryDirectory(prefix="tandem-demo-") as name:
            folder = Path(name)
            with Children(folder) as children:
                _show_exchange(children, folder)
                row = _results(folder)
    except ChildFailedError as error:
        last_line = f"; its last line: {error.last_line}" if error.last_line else ""
        raise DemoError(f"the demo's {error.name} {error.what}{last_line}") from error
    except BrokenPipeError:
        raise  # standard output was closed by its reader: the demo itself has not failed
    except OSError as error:
        raise DemoError(f"this system does not let the demo run: {error}") from error
    _show(
        ["", f"Done after {time.monotonic() - started:.2f} s. The row in the server's results:", *row, "", NEXT_STEPS]
    )


def _show_exchange(children: Children, folder: Path) -> None:
    """Start the three processes, each as soon as the addresses that it needs are known, and draw the arrows."""
    diagram = Diagram(line_style_for(sys.stdout.encoding or "ascii"), _wants_colour())
    (folder / TEAM_FILE).write_bytes(TEAM.encode())
    server_address = _address(children, children.start(SERVER, *SERVE))
    client_2 = children.start(CLIENT_2, *CLIENT, "2", TEAM_FILE, "--server", server_address, "--listen", ANY_PORT)
    peer_address = _address(children, client_2)
    client_1 = children.start(CLIENT_1, *CLIENT, "1", TEAM_FILE, "--server", server_address, "--peer", peer_address)
    _show(diagram.heads({SERVER: server_address, CLIENT_2: peer_address}))
    first_arrow_at = 0.0
    for number, data in _arrows(children, client_1, client_2):
        now = time.monotonic()
        first_arrow_at = first_arrow_at or now
        _show(diagram.arrow(number, (now - first_arrow_at) * 1000, data))
    for client in (client_1, client_2):
        while not client.has_ended:
            children.read_line(client)


def _address(children: Children, awaited: Child) -> str:
    """Wait for the line that says where a process listens, and return the address."""
    while True:
        child, line = children.read_line(awaited)
        if child is awaited and LISTENING in line:
            return line.partition(LISTENING)[2].split()[0]


def _arrows(children: Children, client_1: Child, client_2: Child) -> Iterator[tuple[int, bytes]]:
    """Yield each arrow and its bytes, in order. The lines of two clients are mixed, and both print arrow 4."""
    bytes_by_arrow: dict[int, bytes] = {}
    for number in ARROWS:
        awaited = client_1 if number < 4 else client_2
        while number not in bytes_by_arrow:
            child, line = children.read_line(awaited)
            if child in (client_1, client_2) and line.startswith("{"):
                printed = json.loads(line)
                if "arrow" in printed:
                    bytes_by_arrow.setdefault(printed["arrow"], printed["text"].encode())
        yield number, bytes_by_arrow[number]


def _results(folder: Path) -> list[str]:
    records = open_records(folder)
    try:
        return "".join(as_table(records.teams())).splitlines()
    finally:
        records.close()


def _wants_colour() -> bool:
    """Return whether this is a terminal with colours, and the user has not refused them (https://no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return os.name != "nt" or "WT_SESSION" in os.environ  # the old console of Windows would print the codes


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        echo([line, "\n"])
        flush()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """In this block the signals that would end the process raise an exception, so that everything is removed.

    Only the first signal does: removing everything takes a moment and must not be interrupted.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = {number: before for number in known if (before := signal.getsignal(number)) is not signal.SIG_IGN}

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, _ignore)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise DemoError(f"the demo was ended by {signal.Signals(number).name}")

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, before in ours.items():
            signal.signal(number, before)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing. Unlike with SIG_IGN, Python prints nothing about a signal that came just before."""
