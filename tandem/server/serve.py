"""`tandem serve`: starts a server, connects its parts, stops it on a signal.

listeners -> loop -> handler (fast path, or reader -> diagnose -> judge) -> committer -> loop -> reply
"""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tandem.keys.keyring import KeyFileError, Keyring, has_key, load_keyring
from tandem.keys.secret import verify
from tandem.net.descriptors import max_connections
from tandem.net.line_writer import REPORT_TIMEOUT, Destination, StandardError, report
from tandem.net.listeners import bind_listener, open_listener, reach_of
from tandem.protocol.address import show_address
from tandem.protocol.errors import TandemError
from tandem.records.closing import closed_on_error
from tandem.records.data_folder import make_private_folder
from tandem.records.heartbeat import beat, check_heartbeat, create_heartbeat
from tandem.records.path_kind import reason
from tandem.records.queries import IssuedSecret, Records, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import SqliteStore, StartedWith, StoreError
from tandem.records.visits import Heartbeat, Record
from tandem.server.committer import BatchStore, Committer, LateStore
from tandem.server.handler import MAX_RECENT, VisitHandler
from tandem.server.log import Log, LogFile, check_log_file
from tandem.server.loop import Connection, Loop, Wakeup
from tandem.server.metrics import Metrics
from tandem.server.proxy_handler import ProxyProtocolHandler
from tandem.server.serve_options import ServeOptions
from tandem.server.signals import Signals
from tandem.server.workers import Supervisor

NO_MEMORY = (
    "there is not enough memory: nothing that was confirmed is lost",
    "a higher limit (ulimit -v), then start again",
)
MAX_TRIED_SECRETS = 20  # on record, to see if the key is the one that made them
STOP_TIMEOUT = 5.0  # seconds to finish what is in hand


class ServeError(TandemError):
    """The server cannot start."""


def make_data_folder(folder: Path) -> None:
    """Make the data folder for its owner alone. Call it before `serve`.

    Report folders above it that are made, too: there may be a typing error in the name.

    Raises:
        ServeError: the folder cannot be made.
        DataFolderError: it cannot be trusted.
    """
    try:
        if not folder.parent.exists():
            report(f"there is no folder {folder.parent}: it is made, with the data folder {folder} in it")
        make_private_folder(folder)
    except OSError as error:
        raise ServeError(f"the data folder {folder} cannot be used: {error.strerror}") from error


def serve(options: ServeOptions) -> None:
    """Run a server until SIGTERM or Ctrl-C.

    Raises:
        TandemError: it cannot start.
    """
    if options.log:
        _check_log(options.log, options.data)
    if options.workers > 1:
        _serve_with_workers(options)
        return
    with open_listener(*options.listen) as listener:
        _run(options, listener, partial(_announce, listener))


def _check_log(path: Path, data: Path) -> None:
    """Check the log before anything is opened: its lines must not go into the database or the key."""
    try:
        is_in_data_folder = Path(os.path.realpath(path)).parent == Path(os.path.realpath(data))
        if is_in_data_folder and path.suffix != ".log":
            raise ServeError(f"{path} is in the data folder", "a name that ends in .log, or another folder")
        check_log_file(path)
    except OSError as error:
        raise ServeError(
            f"the log {path} cannot be written: {reason(path, error)}",
            "a file in a folder that is there and may be written to",
        ) from error


def _serve_with_workers(options: ServeOptions) -> None:
    """Run worker processes that listen on one port. The system distributes the connections among them."""
    if not hasattr(socket, "SO_REUSEPORT") or not hasattr(os, "fork"):
        raise ServeError(
            "--workers needs a system on which processes can share a port", "one process, without --workers"
        )
    bind_listener(*options.listen).close()  # a shared socket would also be shared with the workers of another server
    # The supervisor's socket never listens. It holds the port while workers are started again.
    with bind_listener(*options.listen, shared=True) as port_holder:
        host, port = options.listen[0], port_holder.getsockname()[1]

        storage = _open_storage(options)  # makes key and database once, before several workers would
        storage.close()
        # Of all workers, whenever they start: a rotated key is used from the next start on.
        shared = _Shared(
            storage.keyring, storage.store.started_with if isinstance(storage.store, SqliteStore) else None
        )

        def work(ready: Callable[[], None]) -> None:
            port_holder.close()
            with open_listener(host, port, shared=True) as listener:
                _run(options, listener, ready, shared)

        log = _log_destination(options, StandardError(REPORT_TIMEOUT))
        Supervisor(options.workers, work, log).run(partial(_announce, port_holder))


def _announce(listener: socket.socket) -> None:
    """Print the line that says that the server is ready, then how others reach it."""
    report(f"listening on {show_address(*listener.getsockname()[:2])}")
    report(reach_of(listener))


def _run(
    options: ServeOptions, listener: socket.socket, ready: Callable[[], None], shared: "_Shared | None" = None
) -> None:
    """Connect the parts of one process, and run its loop until a signal. A worker has `shared`."""
    storage = _open_worker_storage(options, shared) if shared else _open_storage(options)
    log = Log(_log_destination(options, StandardError()))
    bound_host, port = listener.getsockname()[:2]
    server = f"{socket.gethostname()} {show_address(options.listen[0] and bound_host, port)}"
    metrics = Metrics(f"{server} {os.getpid()}")
    wakeup = Wakeup()
    signals = Signals(wakeup.wake, wakeup.sender_fileno(), log, STOP_TIMEOUT)
    committer = Committer[Connection](storage.store, wakeup.wake, log.write, metrics)
    visits = VisitHandler(
        storage.keyring,
        options.errors,
        options.framing,
        storage.records,
        log,
        metrics,
        storage.recent,
        _heartbeat(options, server),
    )
    handler = ProxyProtocolHandler(visits, options.balancers, log) if options.balancers else visits
    loop = Loop([listener], handler, committer, signals, wakeup, log, max_connections(options.max_connections))
    with signals:
        try:
            ready()
            loop.run()
        except MemoryError:
            raise ServeError(*NO_MEMORY) from None
        finally:
            for record in visits.last_records():
                committer.record(record)
            storage.close_records()
            committer.stop()  # after the reader: the last connection that closes checkpoints SQLite's log
            log.stop()


def _heartbeat(options: ServeOptions, server: str) -> Callable[[], Iterable[Record]]:
    """Return what shows, once a second, that the loop works: a row in PostgreSQL, else the time of a file."""
    if options.database:
        return lambda: [Heartbeat(server)]
    create_heartbeat(options.data)

    def beat_in_folder() -> tuple[Record, ...]:
        beat(options.data)
        return ()

    return beat_in_folder


def _log_destination(options: ServeOptions, standard_error: Destination) -> Destination:
    return LogFile(options.log) if options.log else standard_error


@dataclass(frozen=True, slots=True)
class _Storage:
    """Keys and records of the data folder or the database."""

    keyring: Keyring
    store: BatchStore
    records: Records | None  # None: they are on another machine, and the loop must not wait for one
    recent: Sequence[IssuedSecret]  # the latest secrets and their teams

    def close(self) -> None:
        self.close_records()
        self.store.close()

    def close_records(self) -> None:
        if self.records:
            self.records.close()


@dataclass(frozen=True, slots=True)
class _Shared:
    """The facts that are the same for every worker of a server."""

    keyring: Keyring
    started_with: StartedWith | None  # None for a database server


def _open_storage(options: ServeOptions) -> _Storage:
    """Open the key and the database. Make what is absent.

    Raises:
        KeyFileError: the key cannot be used.
        DataFolderError: something else has the name of the heartbeat file.
        StoreError: the database cannot be used.
    """
    is_new = not has_key(options.data)
    if not options.database:
        check_heartbeat(options.data)
        if is_new:
            _check_no_secrets(options.data)
    storage = _open_records(options, _Shared(load_keyring(options.data), None))
    if options.database and is_new:
        report(f"a new key was made in {options.data}: all servers over one database need the same one")
    elif not _is_key_of(storage.keyring, storage.recent):
        report(
            f"none of the latest secrets on record was made with the key in {options.data}: if it is not the right key,"
            " stop the server and put the right one there; with this one those teams must send message 1 again"
        )
    return storage


def _check_no_secrets(data: Path) -> None:
    """Raise KeyFileError if teams of a folder without a key have secrets: a new key would make them invalid."""
    try:
        with closing(open_records(data)) as records:
            has_secrets = any(records.recent_secrets(MAX_RECENT))
    except StoreError:  # there is no database yet, or the store will tell
        return
    if has_secrets and not has_key(data):  # still: another server may have made it meanwhile
        raise KeyFileError(
            f"the key of {data} is missing, and without it the secrets that its teams have are invalid",
            f"put the file key back into {data}, or make a new one with tandem key rotate --data {data}",
        )


def _is_key_of(keyring: Keyring, recent: Sequence[IssuedSecret]) -> bool:
    """Return whether one of the latest secrets was made with one of the keys, or there is no secret."""
    keys = [keyring.key, *(old.key for old in keyring.old)]
    return not recent or any(verify(issued.secret, issued.team, keys) for issued in recent[-MAX_TRIED_SECRETS:])


def _open_worker_storage(options: ServeOptions, shared: _Shared) -> _Storage:
    """Open the database for a worker. If that fails, the worker tries again at each write, and answers meanwhile."""
    try:
        return _open_records(options, shared)
    except StoreError:
        late = LateStore(partial(open_store, options.database or options.data, shared.started_with))
        return _Storage(shared.keyring, late, None, ())


def _open_records(options: ServeOptions, shared: _Shared) -> _Storage:
    store = open_store(options.database or options.data, shared.started_with)
    with closed_on_error(store):
        records = open_records(options.database or options.data, lock_timeout_s=0)
        with closed_on_error(records):
            recent = list(records.recent_secrets(MAX_RECENT))
    if options.database:
        records.close()
    return _Storage(shared.keyring, store, None if options.database else records, recent)


def open_store(where: DatabaseLocation, started_with: StartedWith | None = None) -> BatchStore:
    """Open the store in a data folder, or in the database that a URL names.

    In a data folder, open nothing else than what the server was started with.

    Raises:
        StoreError: it cannot be opened, or was made by a newer version.
    """
    if isinstance(where, Path):
        store = SqliteStore(where, started_with)
        for warning in store.warnings:
            report(warning)
        return store
    from tandem.records.postgres.postgres_store import PostgresStore  # its driver needs tandem[postgres]

    return PostgresStore(where)
