"""The ground as a whole: starts it, wires the parts together, stops it on a signal.

loop -> handler (fast lane, or reader -> diagnose -> judge) -> recorder -> loop -> reply
"""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tandem.keys.keyring import Keyring, has_key, load_keyring
from tandem.net.descriptors import max_connections
from tandem.net.line_writer import SAY_WITHIN, Destination, StandardError, say
from tandem.net.poller import Wakeup
from tandem.protocol.address import show_address
from tandem.protocol.errors import TandemError
from tandem.records.closing import closed_on_error
from tandem.records.data_folder import make_private_folder
from tandem.records.queries import Given, Records, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import Store
from tandem.server.committer import BatchStore, Committer
from tandem.server.handler import MAX_RECENT, VisitHandler
from tandem.server.log import Log, LogFile, check_log_file
from tandem.server.loop import BACKLOG, Connection, Loop
from tandem.server.metrics import Metrics
from tandem.server.proxy_handler import ProxyProtocolHandler
from tandem.server.serve_options import ServeOptions
from tandem.server.signals import Signals
from tandem.server.workers import Supervisor

NO_MEMORY = (
    "there is not enough memory: nothing that was confirmed is lost",
    "a higher limit (ulimit -v), then start again",
)
STOP_WITHIN = 5.0  # seconds to finish what is in hand


class ServeError(TandemError):
    """The server cannot start."""


def serve(options: ServeOptions) -> None:
    """Runs a ground until SIGTERM or Ctrl-C. Raises ServeError if it cannot start."""
    if options.log:
        _check_log(options.log, options.data)
    if options.workers > 1:
        _serve_with_workers(options)
        return
    with listening(*options.listen) as listener:
        _run(options, listener, partial(_announce, listener))


def make_data_folder(folder: Path) -> None:
    """Make the data folder for its owner alone, and say what is odd about it. Call before `serve`."""
    try:
        for warning in make_private_folder(folder):
            say(warning)
    except FileExistsError as error:
        raise ServeError(f"{folder} is a file", "a --data that is a folder, or can be made one") from error
    except OSError as error:
        raise ServeError(f"the data folder {folder} cannot be used: {error.strerror}") from error


def _serve_with_workers(options: ServeOptions) -> None:
    """One port, and processes that each listen on it: the system shares out who connects."""
    if not hasattr(socket, "SO_REUSEPORT") or not hasattr(os, "fork"):
        raise ServeError(
            "--workers needs a system on which processes can share a port", "one process, without --workers"
        )
    bound(*options.listen).close()  # a shared address would be shared with another ground's workers, too
    with bound(*options.listen, shared=True) as place:  # never listens: holds the port while workers come and go
        host, port = options.listen[0], place.getsockname()[1]

        def work(ready: Callable[[], None]) -> None:
            place.close()
            with listening(host, port, shared=True) as listener:
                _run(options, listener, ready)

        _open_parts(options).close()  # makes what is not there yet, before several would
        log = _destination(options, StandardError(SAY_WITHIN))
        Supervisor(options.workers, work, log).run(partial(_announce, place))


def _announce(listener: socket.socket) -> None:
    say(f"listening on {show_address(*listener.getsockname()[:2])}")


def _run(options: ServeOptions, listener: socket.socket, ready: Callable[[], None]) -> None:
    """One process: wires the parts together, and runs until a signal."""
    parts = _open_parts(options)
    log = Log(_destination(options, StandardError()))
    pulse = Metrics(f"{socket.gethostname()} {show_address(*listener.getsockname()[:2])} {os.getpid()}")
    wakeup = Wakeup()
    signals = Signals(wakeup.wake, wakeup.sender(), log, STOP_WITHIN)
    recorder = Committer[Connection](parts.store, wakeup.wake, log.write, pulse)
    visits = VisitHandler(parts.keyring, options.errors, options.on_wire, parts.records, log, pulse, parts.recent)
    handler = ProxyProtocolHandler(visits, options.balancers, log) if options.balancers else visits
    loop = Loop([listener], handler, recorder, signals, wakeup, log, max_connections(options.most))
    with signals:
        try:
            ready()
            loop.run()
        except MemoryError:
            raise ServeError(*NO_MEMORY) from None
        finally:
            for record in visits.last_records():
                recorder.record(record)
            parts.close_records()
            recorder.stop()  # the last connection that closes puts SQLite's log back into its file: it must write
            log.stop()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a ground finds in its data folder, or makes there."""

    keyring: Keyring
    store: BatchStore
    records: Records | None  # None: they are on another machine, and the loop does not wait for one
    recent: Sequence[Given]  # whose secrets were given last

    def close(self) -> None:
        self.close_records()
        self.store.close()

    def close_records(self) -> None:
        if self.records:
            self.records.close()


def _destination(options: ServeOptions, standard_error: Destination) -> Destination:
    return LogFile(options.log) if options.log else standard_error


def _check_log(path: Path, data: Path) -> None:
    """Before anything is opened: the lines of a log must not go into the database or the key."""
    if path.resolve().parent == data.resolve() and path.suffix != ".log":
        raise ServeError(f"{path} is in the data folder", "a name that ends in .log, or another folder")
    try:
        check_log_file(path)
    except OSError as error:
        raise ServeError(
            f"the log {path} cannot be written: {error.strerror}",
            "a file in a folder that is there and may be written to",
        ) from error


def _open_parts(options: ServeOptions) -> _Parts:
    """Open the key and the records. Raises KeyFileError or StoreError."""
    is_new = not has_key(options.data)
    keyring = load_keyring(options.data)
    store = open_store(options.database or options.data)
    with closed_on_error(store):
        records = open_records(options.database or options.data, patience=0)
        with closed_on_error(records):
            recent = list(records.recent_secrets(MAX_RECENT))
    if options.database:
        records.close()
        if is_new:
            say(f"a new key was made in {options.data}: all grounds over one database need the same one")
    return _Parts(keyring, store, None if options.database else records, recent)


def open_store(where: DatabaseLocation) -> BatchStore:
    """What remembers: the file in a data folder, or the database that a URL names. Raises StoreError."""
    if isinstance(where, Path):
        return Store(where)
    from tandem.records.postgres.postgres_store import PostgresStore  # its driver is there only with tandem[postgres]

    return PostgresStore(where)


def listening(host: str, port: int, shared: bool = False) -> socket.socket:
    """A listening socket, see `bound`. Raises ServeError."""
    listener = bound(host, port, shared)
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def bound(host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket that has its address: host "" means all of this machine, IPv4 and IPv6. Raises ServeError.

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


def _cannot_listen(host: str, port: int, error: Exception) -> ServeError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = show_address(host, port)
    return ServeError(f"cannot listen on {where}: {reason}", "another port, or an address that this machine has")
