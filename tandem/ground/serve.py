"""The ground as a whole: starts it, wires the parts together, stops it on a signal.

loop -> desk (reader -> diagnose -> judge) -> recorder -> reply
"""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from tandem.exchange.address import show_address
from tandem.ground.balanced import Balanced
from tandem.ground.desk import MOST_RECENT, Desk
from tandem.ground.folder import FolderTrouble, make_private_folder
from tandem.ground.keyring import Keyring, KeyTrouble, has_key, load_keyring
from tandem.ground.log import Log
from tandem.ground.loop import BACKLOG, Loop
from tandem.ground.message_2 import Recalled
from tandem.ground.options import MOST_CONNECTIONS, ServeOptions
from tandem.ground.pulse import Pulse
from tandem.ground.recorder import Keeper, Recorder
from tandem.ground.records import Given, Records, open_records
from tandem.ground.rows import Where
from tandem.ground.store import Store, StoreTrouble
from tandem.ground.workers import CannotStart, Supervisor, say

STOP_WITHIN = 5.0  # seconds to finish what is in hand
SPARE_DESCRIPTORS = 64  # for the database, the log and the rest


class ServeTrouble(CannotStart):
    """The ground cannot start; the text says why and what to try."""


def serve(options: ServeOptions) -> None:
    """Runs a ground until SIGTERM or Ctrl-C. Raises ServeTrouble if it cannot start."""
    if options.workers > 1:
        _serve_with_workers(options)
        return
    listener = listening(*options.listen)
    _run(options, listener, partial(_announce, listener))


def make_data_folder(folder: Path) -> None:
    """Make the data folder for its owner alone, and say what is odd about it. Call before `serve`."""
    try:
        for warning in make_private_folder(folder):
            say(warning)
    except FolderTrouble as error:
        raise ServeTrouble(str(error)) from error
    except FileExistsError as error:
        raise ServeTrouble(f"{folder} is a file: --data must name a folder, or one that can be made") from error
    except OSError as error:
        raise ServeTrouble(f"the data folder {folder} cannot be used: {error.strerror}") from error


def _serve_with_workers(options: ServeOptions) -> None:
    """One port, and processes that each listen on it: the system shares out who connects."""
    if not hasattr(socket, "SO_REUSEPORT") or not hasattr(os, "fork"):
        raise ServeTrouble("--workers needs a system on which processes can share a port. Try: one ground, without it")
    bound(*options.listen).close()  # a shared address would be shared with another ground's workers, too
    place = bound(*options.listen, shared=True)  # never listens: it holds the port while workers come and go
    host, port = options.listen[0], place.getsockname()[1]

    def work(ready: Callable[[], None]) -> None:
        place.close()
        _run(options, listening(host, port, shared=True), ready)

    _open_parts(options).close()  # makes what is not there yet, before several would
    Supervisor(options.workers, work).run(partial(_announce, place))


def _announce(listener: socket.socket) -> None:
    say(f"listening on {show_address(*listener.getsockname()[:2])}")


def _run(options: ServeOptions, listener: socket.socket, ready: Callable[[], None]) -> None:
    """One process: wires the parts together, and runs until a signal."""
    parts = _open_parts(options)
    log = Log()
    pulse = Pulse(f"{socket.gethostname()} {show_address(*listener.getsockname()[:2])} {os.getpid()}")
    desk = Desk(parts.keyring, options.errors, options.on_wire, parts.records, log, pulse)
    for given in parts.recent:
        desk.remember(given.secret, Recalled(given.team, given.ip))
    answers = Balanced(desk, options.balancers, log.write) if options.balancers else desk
    files = _descriptors()
    most = min(options.most, max(files - SPARE_DESCRIPTORS, files // 2))
    loop = Loop([listener], answers, most, log.write)
    recorder = Recorder(parts.store, loop.wake, log.write, pulse)
    desk.open(loop, recorder)
    stop = _StopOnSignal(loop)

    def stirred() -> None:
        recorder.settle()
        stop.if_asked()
        desk.look_up()

    ready()
    try:
        loop.run(stirred)
    finally:
        desk.close()
        parts.close_records()
        recorder.stop()  # who closes last puts SQLite's log back into its file: it must be who writes
        log.stop()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a ground finds in its data folder, or makes there."""

    keyring: Keyring
    store: Keeper
    records: Records | None  # None: they are on another machine, and the loop does not wait for one
    recent: Sequence[Given]  # whose secrets were given last

    def close(self) -> None:
        self.close_records()
        self.store.close()

    def close_records(self) -> None:
        if self.records:
            self.records.close()


def _open_parts(options: ServeOptions) -> _Parts:
    try:
        is_new = not has_key(options.data)
        keyring = load_keyring(options.data)
        store = open_store(options.database or options.data)
        records = open_records(options.database or options.data, patience=0)
        recent = list(records.recent_secrets(MOST_RECENT))
        if options.database:
            records.close()
            if is_new:
                say(f"a new key was made in {options.data}: all grounds over one database need the same one")
        return _Parts(keyring, store, None if options.database else records, recent)
    except (KeyTrouble, StoreTrouble) as error:
        raise ServeTrouble(str(error)) from error


def open_store(where: Where) -> Keeper:
    """What remembers: the file in a data folder, or the database that a URL names. Raises StoreTrouble."""
    if isinstance(where, Path):
        return Store(where)
    from tandem.ground.postgres.store import PostgresStore  # its driver is there only with tandem[postgres]

    return PostgresStore(where)


def listening(host: str, port: int, shared: bool = False) -> socket.socket:
    """A listening socket, see `bound`. Raises ServeTrouble."""
    listener = bound(host, port, shared)
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def bound(host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket that has its address: host "" means all of this machine, IPv4 and IPv6. Raises ServeTrouble.

    Several processes may have shared ones for the same address.
    """
    both_families = not host and socket.has_dualstack_ipv6()
    try:
        found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait a minute
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both_families else 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: Exception) -> ServeTrouble:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = show_address(host, port)
    return ServeTrouble(f"cannot listen on {where}: {reason}. Try: another port, or an address that this machine has")


class _StopOnSignal:
    """SIGTERM and Ctrl-C let the loop finish what is in hand; Ctrl-C after either ends it at once.

    SIGTERM again changes nothing: a worker gets it from its supervisor, and may get it from the system, too.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._asked = self._heard = 0  # times
        signal.set_wakeup_fd(loop.rope, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT or not self._asked:
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
