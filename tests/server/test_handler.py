"""The visit handler with a loop and a committer, over real sockets: success is replied after its commit, not before."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tandem.keys.keyring import Keyring
from tandem.protocol.framing import PLAIN
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.records.queries import open_records
from tandem.records.sqlite.sqlite_store import SqliteStore, StoreError
from tandem.records.visits import Record
from tandem.server import handler as handler_module
from tandem.server import loop as loop_module
from tandem.server.actions import Action, Peer, Progress, Wait
from tandem.server.committer import Committer
from tandem.server.handler import NOT_STORED, SERVER_BUG, VisitHandler
from tandem.server.log import Log, LogFile
from tandem.server.loop import Connection, Loop, Wakeup
from tandem.server.metrics import Metrics
from tandem.server.serve_options import EXPLAIN
from tandem.server.states_and_limits import COMMITTING, DRAINING, LIMITS
from testing.processes import LIMIT, wait_until
from testing.raw_sockets import Raw, encoded, message_1, message_2, raw, visit


class Gate:
    """A store that writes nothing until it is opened, or fails."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.error: StoreError | None = None

    def write(self, records: Sequence[Record]) -> None:
        self.reached.set()
        self.open.wait()
        if self.error:
            raise self.error

    def close(self) -> None:
        pass


class Stop:
    """Asks the loop to stop, once."""

    def __init__(self) -> None:
        self.pending = False

    def take(self) -> float | None:
        pending, self.pending = self.pending, False
        return 0.0 if pending else None


class RunningServer:
    """A server in this process, with a gate for a store."""

    def __init__(self, folder: Path, handler: type[VisitHandler] = VisitHandler, max_connections: int = 100) -> None:
        SqliteStore(folder).close()
        self.gate = Gate()
        self.log_path = folder / "server.log"
        self._log = Log(LogFile(self.log_path))
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.host, self.port = listener.getsockname()
        metrics = Metrics("a server")
        self._records = open_records(folder)
        self._stop, self._wakeup = Stop(), Wakeup()
        self._committer = Committer[Connection](self.gate, self._wakeup.wake, self._log.write, metrics)
        visits = handler(Keyring(b"k" * 32), EXPLAIN, PLAIN, self._records, self._log, metrics)
        self.loop = Loop([listener], visits, self._committer, self._stop, self._wakeup, self._log, max_connections)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def close(self) -> None:
        self.gate.open.set()
        self._stop.pending = True
        self._wakeup.wake()
        self._thread.join()
        self._committer.stop()
        self._records.close()
        self._log.stop()


@contextmanager
def running_server(
    folder: Path, handler: type[VisitHandler] = VisitHandler, max_connections: int = 100
) -> Iterator[RunningServer]:
    opened = RunningServer(folder, handler, max_connections)
    try:
        yield opened
    finally:
        opened.close()


def is_quiet(connection: Raw) -> bool:
    """Whether nothing has come, not even the end."""
    connection.socket.setblocking(False)
    try:
        connection.socket.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    finally:
        connection.socket.settimeout(LIMIT)
    return False


def test_finished_is_replied_after_its_commit_and_others_are_served_meanwhile(tmp_path: Path) -> None:
    with running_server(tmp_path) as opened, raw(opened.host, opened.port) as connection:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        connection.take_welcome()
        opened.gate.open.clear()
        opened.gate.reached.clear()
        connection.send(encoded(message_2(handover)))
        assert opened.gate.reached.wait(LIMIT)
        assert visit(opened.host, opened.port, encoded(message_1(teamname="meanwhile")))["status"] == STATUS_WAITING
        assert is_quiet(connection)
        opened.gate.open.set()
        assert json.loads(connection.rest())["status"] == STATUS_FINISHED


def test_what_cannot_be_stored_is_never_replied_as_finished(tmp_path: Path) -> None:
    with running_server(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        opened.gate.error = StoreError("disk full")
        refused = visit(opened.host, opened.port, encoded(message_2(handover)))
        assert (refused["status"], refused["secret"]) == (NOT_STORED, "")
        assert (refused["studentnr1"], refused["clientid"]) == (handover["studentnr2"], 2)
        opened.gate.error = None
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED


def test_a_commit_that_hangs_is_answered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        opened.gate.open.clear()
        monkeypatch.setitem(LIMITS, COMMITTING, 0.01)
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == NOT_STORED
        opened.gate.error = StoreError("disk full")
        opened.gate.open.set()
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == NOT_STORED
    assert opened.log_path.read_text().count("was told to try again") == 2


@pytest.mark.parametrize("leaves", ["ends", "resets"])
def test_a_sender_that_leaves_while_it_is_kept_harms_nobody(tmp_path: Path, leaves: str) -> None:
    with running_server(tmp_path) as opened, raw(opened.host, opened.port) as connection:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        connection.take_welcome()
        opened.gate.open.clear()
        opened.gate.reached.clear()
        connection.send(encoded(message_2(handover)))
        assert opened.gate.reached.wait(LIMIT)
        if leaves == "ends":
            connection.end()
        else:
            connection.reset()
        assert visit(opened.host, opened.port, encoded(message_1(teamname="meanwhile")))["status"] == STATUS_WAITING
        opened.gate.open.set()
        if leaves == "ends":
            assert json.loads(connection.rest())["status"] == STATUS_FINISHED
        assert visit(opened.host, opened.port, encoded(message_1(teamname="later")))["status"] == STATUS_WAITING


def broken(*_: object) -> None:
    raise ZeroDivisionError


def test_a_bug_of_the_server_is_named_as_such_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(tmp_path) as opened:
        with monkeypatch.context() as patched:
            patched.setattr(handler_module, "judge", broken)
            patched.setattr(handler_module, "judge_usual", broken)
            assert visit(opened.host, opened.port, encoded(message_1()))["status"] == SERVER_BUG
        assert visit(opened.host, opened.port, encoded(message_1()))["status"] == STATUS_WAITING
    assert opened.log_path.read_text().count("bug: Traceback") == 2


def test_a_bug_in_the_fast_path_is_logged_and_the_slow_path_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_module, "judge_usual", broken)
    with running_server(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        assert handover["status"] == STATUS_WAITING
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
    assert opened.log_path.read_text().count("bug: Traceback") == 2


class Lawless(VisitHandler):
    """Wants a connection that said nothing yet to be drained."""

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        return Wait(DRAINING, None) if data == b"lawless" else super().received_first(peer, progress, data)


class Buggy(VisitHandler):
    """Fails where nothing may fail."""

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("handler", "data", "words"),
    [(Lawless, b"lawless", "cannot go from FIRST_BYTE to DRAINING"), (Buggy, b"{", "ZeroDivisionError")],
)
def test_a_bug_of_the_handler_closes_one_connection_and_is_logged(
    tmp_path: Path, handler: type[VisitHandler], data: bytes, words: str
) -> None:
    with running_server(tmp_path, handler) as opened, raw(opened.host, opened.port) as connection:
        connection.take_welcome()
        connection.send(data)
        assert connection.rest() == b""
        assert visit(opened.host, opened.port, encoded(message_1()))["status"] == STATUS_WAITING
    assert words in opened.log_path.read_text()


def test_a_connection_that_waits_for_its_commit_is_never_evicted(tmp_path: Path) -> None:
    with running_server(tmp_path, max_connections=3) as opened, raw(opened.host, opened.port) as waiting:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        waiting.take_welcome()
        opened.gate.open.clear()
        opened.gate.reached.clear()
        waiting.send(encoded(message_2(handover)))
        assert opened.gate.reached.wait(LIMIT)
        with ExitStack() as stack:
            for _ in range(20):  # the one that waits is the oldest of all
                stack.enter_context(raw(opened.host, opened.port)).take_welcome()
            assert is_quiet(waiting)
            opened.gate.open.set()
            assert json.loads(waiting.rest())["status"] == STATUS_FINISHED


def test_connections_that_have_ended_are_not_counted(tmp_path: Path) -> None:
    with running_server(tmp_path) as opened, raw(opened.host, opened.port) as connection:
        connection.take_welcome()
        visit(opened.host, opened.port, encoded(message_1()))
        wait_until(lambda: opened.loop._open == 1)  # more would be evicted too early


def test_waking_up_a_loop_never_fails() -> None:
    wakeup = Wakeup()
    for _ in range(5000):  # more than its buffer holds
        wakeup.wake()
    wakeup.close()
    wakeup.wake()


def test_connections_are_accepted_without_a_private_function_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "_acceptor", loop_module._public_acceptor)
    with running_server(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
