"""The desk with a loop and a recorder, over real sockets: success is told when it is on disk, and not before."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.exchange.framing import PLAIN
from tandem.exchange.message import FINISHED, WAITING
from tandem.ground import desk as desk_module
from tandem.ground.desk import NOT_KEPT, OUR_BUG, Desk
from tandem.ground.keyring import Keyring
from tandem.ground.log import Log, LogFile
from tandem.ground.loop import LIMITS, Loop, Phase
from tandem.ground.options import EXPLAIN
from tandem.ground.pulse import Pulse
from tandem.ground.record import Record
from tandem.ground.recorder import Recorder
from tandem.ground.records import open_records
from tandem.ground.store import Store, StoreTrouble
from tests.processes import LIMIT
from tests.raw import Raw, encoded, message_1, message_2, raw, visit


class Gate:
    """A keeper that writes nothing until it is opened, or fails."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.trouble: StoreTrouble | None = None

    def keep(self, records: Sequence[Record]) -> None:
        self.reached.set()
        self.open.wait()
        if self.trouble:
            raise self.trouble

    def close(self) -> None:
        pass


class Office:
    """A ground in this process, with a gate for a store."""

    def __init__(self, folder: Path) -> None:
        Store(folder).close()
        self.gate = Gate()
        self.told = folder / "told.log"
        self._log = Log(LogFile(self.told))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.host, self.port = self._listener.getsockname()
        pulse = Pulse("a ground")
        self._desk = Desk(Keyring(b"k" * 32), EXPLAIN, PLAIN, open_records(folder), self._log, pulse)
        self._loop = Loop([self._listener], self._desk, 100, self._log.write)
        self._recorder = Recorder(self.gate, self._loop.wake, self._log.write, pulse)
        self._desk.open(self._loop, self._recorder)
        self._closing = False
        self._thread = threading.Thread(target=self._loop.run, args=(self._stirred,))
        self._thread.start()

    def _stirred(self) -> None:
        self._recorder.settle()
        if self._closing:
            self._loop.stop(0.0)

    def close(self) -> None:
        self.gate.open.set()
        self._closing = True
        self._loop.wake()
        self._thread.join()
        self._recorder.stop()
        self._desk.close()
        self._log.stop()


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    opened = Office(folder)
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


def test_finished_is_told_after_its_commit_and_others_are_served_meanwhile(tmp_path: Path) -> None:
    with office(tmp_path) as opened, raw(opened.host, opened.port) as connection:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        connection.take_welcome()
        opened.gate.open.clear()
        opened.gate.reached.clear()
        connection.send(encoded(message_2(handover)))
        assert opened.gate.reached.wait(LIMIT)
        assert visit(opened.host, opened.port, encoded(message_1(teamname="meanwhile")))["status"] == WAITING
        assert is_quiet(connection)
        opened.gate.open.set()
        assert json.loads(connection.rest())["status"] == FINISHED


def test_what_cannot_be_kept_is_never_told_as_finished(tmp_path: Path) -> None:
    with office(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        opened.gate.trouble = StoreTrouble("disk full")
        refused = visit(opened.host, opened.port, encoded(message_2(handover)))
        assert (refused["status"], refused["secret"]) == (NOT_KEPT, "")
        assert (refused["studentnr1"], refused["clientid"]) == (handover["studentnr2"], 2)
        opened.gate.trouble = None
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == FINISHED


def test_a_commit_that_hangs_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with office(tmp_path) as opened:
        handover = visit(opened.host, opened.port, encoded(message_1()))
        opened.gate.open.clear()
        monkeypatch.setitem(LIMITS, Phase.HELD, 0.01)
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == NOT_KEPT
        opened.gate.trouble = StoreTrouble("disk full")
        opened.gate.open.set()
        assert visit(opened.host, opened.port, encoded(message_2(handover)))["status"] == NOT_KEPT
    assert opened.told.read_text().count("was told to try again") == 2


@pytest.mark.parametrize("leaves", ["ends", "resets"])
def test_a_sender_that_leaves_while_it_is_kept_harms_nobody(tmp_path: Path, leaves: str) -> None:
    with office(tmp_path) as opened, raw(opened.host, opened.port) as connection:
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
        assert visit(opened.host, opened.port, encoded(message_1(teamname="meanwhile")))["status"] == WAITING
        opened.gate.open.set()
        if leaves == "ends":
            assert json.loads(connection.rest())["status"] == FINISHED
        assert visit(opened.host, opened.port, encoded(message_1(teamname="later")))["status"] == WAITING


def test_a_bug_of_ours_is_told_as_ours_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with office(tmp_path) as opened:
        with monkeypatch.context() as patched:
            patched.setattr(desk_module, "judge", broken)
            assert visit(opened.host, opened.port, encoded(message_1()))["status"] == OUR_BUG
        assert visit(opened.host, opened.port, encoded(message_1()))["status"] == WAITING
