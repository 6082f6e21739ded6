"""`tandem demo`: a ground and both clients as three processes, and the exchange drawn as it happens.

Runs them, hears what they tell, and shows it; how it looks, diagram.py knows. It ends with the exchange
finished or with DemoError, and either way it leaves no process and no file behind.
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

from tandem.demo.canvas import signs_for
from tandem.demo.children import Child, ChildFailedError, Children
from tandem.demo.diagram import Diagram
from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.protocol.message import message_1
from tandem.records.queries import open_records
from tandem.report import results
from tandem.report.screen import finish, show

TEAM = message_1("0923456", "0934567", "INF2A", "Team1", ip="")
TEAM_FILE = "TEAM.json"

ANYWHERE = "127.0.0.1:0"  # any free port of this machine
LISTENING = "listening on "  # the ground and client 2 say it, then their address
SERVE = ("-m", "tandem", "serve", "--listen", ANYWHERE, "--data", ".")
CLIENT = ("-m", "tandem.client", "--format", "json")  # `tandem client`, without loading the rest of the project

COLUMNS = ("classname", "teamname", "studentnr1", "studentnr2", "state", "finished_at")  # so many fit on a screen
NEXT = f"""\
Go on with a TEAM.json of your own, on one machine or on three:
  python3 -m tandem serve --listen 0.0.0.0:{SERVER_PORT} --data tandem-data
  python3 -m tandem client 2 TEAM.json --server HOST:{SERVER_PORT} --listen {CLIENT_2_PORT}
  python3 -m tandem client 1 TEAM.json --server HOST:{SERVER_PORT} --peer HOST:{CLIENT_2_PORT}"""


class DemoError(Exception):
    """The demo did not work; the text says which of the three failed, and its last words."""


def demo() -> None:
    """Shows the whole exchange on standard output. Raises DemoError."""
    began = time.monotonic()
    _show(["tandem demo: the ground and both clients, as three processes on this machine", ""])
    try:
        with _stopped_by_signals(), TemporaryDirectory(prefix="tandem-demo-") as name:
            folder = Path(name)
            with Children(folder) as children:
                _show_exchange(children, folder)
                row = _results(folder)
    except ChildFailedError as trouble:
        said = f"; its last words: {trouble.last_words}" if trouble.last_words else ""
        raise DemoError(f"the demo's {trouble.name} {trouble.what}{said}") from trouble
    except BrokenPipeError:
        raise  # nobody reads what we show: that is no trouble of the demo
    except OSError as error:
        raise DemoError(f"this system does not let the demo run: {error}") from error
    _show(["", f"Done after {time.monotonic() - began:.2f} s. The row in the ground's results:", *row, "", NEXT])


def _show_exchange(children: Children, folder: Path) -> None:
    """Starts the three, each as soon as the addresses that it needs are known, and draws what they tell."""
    diagram = Diagram(signs_for(sys.stdout.encoding or "ascii"), _wants_colour())
    (folder / TEAM_FILE).write_bytes(TEAM.encode())
    ground = children.start(SERVER, *SERVE)
    server = _address(children, ground)
    client_2 = children.start(CLIENT_2, *CLIENT, "2", TEAM_FILE, "--server", server, "--listen", ANYWHERE)
    peer = _address(children, client_2)
    client_1 = children.start(CLIENT_1, *CLIENT, "1", TEAM_FILE, "--server", server, "--peer", peer)
    _show(diagram.heads({SERVER: server, CLIENT_2: peer}))
    first = 0.0
    for number, data in _arrows(children, client_1, client_2):
        now = time.monotonic()
        first = first or now
        _show(diagram.arrow(number, (now - first) * 1000, data))
    for client in (client_1, client_2):
        while not client.ended:
            children.hear(client)


def _address(children: Children, awaited: Child) -> str:
    """Where it listens, as soon as it says so."""
    while True:
        child, line = children.hear(awaited)
        if child is awaited and LISTENING in line:
            return line.partition(LISTENING)[2].split()[0]


def _arrows(children: Children, client_1: Child, client_2: Child) -> Iterator[tuple[int, bytes]]:
    """Each arrow and its bytes, in order. Two clients tell them: what comes early is kept, arrow 4 comes twice."""
    told: dict[int, bytes] = {}
    for number in ARROWS:
        awaited = client_1 if number < 4 else client_2
        while number not in told:
            child, line = children.hear(awaited)
            if child in (client_1, client_2) and line.startswith("{"):
                story = json.loads(line)
                if "arrow" in story:
                    told.setdefault(story["arrow"], story["text"].encode())
        yield number, told[number]


def _results(folder: Path) -> list[str]:
    records = open_records(folder)
    try:
        return "".join(results.as_table(results.team_rows(records.teams()), COLUMNS)).splitlines()
    finally:
        records.close()


def _wants_colour() -> bool:
    """Only on a terminal that knows colours, and only if nobody objects (https://no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return os.name != "nt" or "WT_SESSION" in os.environ  # the older console of Windows would show the codes


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        show([line, "\n"])
        finish()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let the signals that would end us raise an exception, so that everything is cleared away; only once."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = {number: before for number in known if (before := signal.getsignal(number)) is not signal.SIG_IGN}

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, _do_nothing)  # clearing away takes a moment, and is not to be broken off
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


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Unlike SIG_IGN, it makes Python say nothing about a signal that came just before."""
