"""The ground as a whole: starts it, wires the parts together, stops it on a signal.

loop -> desk (reader -> diagnose -> judge) -> recorder -> reply
"""

import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tandem.exchange.address import show_address
from tandem.exchange.framing import PLAIN
from tandem.ground.desk import EXPLAIN, Desk
from tandem.ground.keyring import KeyTrouble, load_keyring
from tandem.ground.log import Log
from tandem.ground.loop import BACKLOG, Loop
from tandem.ground.recorder import Recorder
from tandem.ground.records import Records
from tandem.ground.store import FILE, Store, StoreTrouble

STOP_WITHIN = 5.0  # seconds to finish what is in hand
SPARE_DESCRIPTORS = 64  # for the database, the log and the rest
MOST_CONNECTIONS = 20_000


class ServeTrouble(Exception):
    """The ground cannot start; the text says why and what to try."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What a ground has to be told."""

    listen: tuple[str, int]
    data: Path
    errors: str = EXPLAIN  # what a wrong message gets: an explanation, a close without a word, silence
    on_wire: str = PLAIN  # how the welcome goes out
    most: int = MOST_CONNECTIONS  # connections at a time


def serve(options: ServeOptions) -> None:
    """Runs a ground until SIGTERM or Ctrl-C. Raises ServeTrouble if it cannot start."""
    listener = open_listener(*options.listen)
    try:
        make_private_folder(options.data)
        keyring = load_keyring(options.data)
        store = Store(options.data)
        records = Records(options.data, patience=0)
    except (KeyTrouble, StoreTrouble) as error:
        raise ServeTrouble(str(error)) from error
    except FileExistsError as error:
        raise ServeTrouble(f"{options.data} is a file: --data must name a folder, or one that can be made") from error
    except OSError as error:
        raise ServeTrouble(f"the data folder {options.data} cannot be used: {error.strerror}") from error
    log = Log()
    desk = Desk(keyring, options.errors, options.on_wire, records, log)
    files = _descriptors()
    most = min(options.most, max(files - SPARE_DESCRIPTORS, files // 2))
    loop = Loop([listener], desk, most, log.write)
    recorder = Recorder(store, loop.wake, log.write)
    desk.open(loop, recorder)
    stop = _StopOnSignal(loop)

    def stirred() -> None:
        recorder.settle()
        stop.if_asked()

    print(f"tandem serve: listening on {show_address(*listener.getsockname()[:2])}", file=sys.stderr, flush=True)
    try:
        loop.run(stirred)
    finally:
        desk.close()
        recorder.stop()
        log.stop()


def make_private_folder(folder: Path) -> None:
    """Makes the data folder, for its owner alone. One that holds other things keeps its mode: it is not ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in folder.iterdir()}
    if not names or FILE in names:
        folder.chmod(0o700)


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket; host "" means all addresses of this machine, IPv4 and IPv6. Raises ServeTrouble."""
    where = show_address(host, port)
    both_families = not host and socket.has_dualstack_ipv6()
    try:
        found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=both_families)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ServeTrouble(
            f"cannot listen on {where}: {reason}. Try: another port, or an address that this machine has"
        ) from error
    listener.setblocking(False)
    return listener


class _StopOnSignal:
    """SIGTERM and Ctrl-C: the first lets the loop finish what is in hand, the second ends it at once."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._asked = 0
        self._heard = 0
        signal.set_wakeup_fd(loop.rope, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def if_asked(self) -> None:
        if self._asked > self._heard:
            self._heard = self._asked
            self._loop.stop(STOP_WITHIN if self._asked == 1 else 0.0)


def _descriptors() -> int:
    """How many files and sockets this process may open; asks the system for as many as it allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MOST_CONNECTIONS + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
