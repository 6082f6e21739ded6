"""Several servers and boards that are started at once over one folder: all of them serve."""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path

import pytest

from tandem.board.gradebook.board_store import BoardStore, hash_token
from tandem.keys.keyring import Keyring, load_keyring
from tandem.protocol.message import STATUS_FINISHED
from tandem.records.sqlite.sqlite_schema import MIGRATIONS, VERSION, migrate, use_wal, version_of
from tandem.records.sqlite.sqlite_store import FILE
from testing.data_folders import FIRST_ROWS
from testing.processes import LIMIT, Process, RunningServer, process
from testing.raw_sockets import encoded, message_1, message_2, visit

TOGETHER = 8
ROUNDS = 3  # one round in four of the old code failed


def start_together(opened: ExitStack, data: Path) -> list[RunningServer]:
    """Start the servers at once and return them when all listen; fails if one ends before."""
    arguments = ("-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(data))
    started: list[Process] = [opened.enter_context(process(*arguments)) for _ in range(TOGETHER)]
    return [RunningServer(each, data) for each in started]


def all_serve(data: Path) -> None:
    """A team's first visit goes to one server, its second to the next: they have one key and one database."""
    with ExitStack() as opened:
        running = start_together(opened, data)
        for number, server in enumerate(running):
            reply = visit(server.host, server.port, encoded(message_1(teamname=f"team {number}")))
            other = running[number - 1]
            assert visit(other.host, other.port, encoded(message_2(reply)))["status"] == STATUS_FINISHED
        finished = {row["teamname"] for row in running[0].results("--state", "finished")}
        assert finished >= {f"team {number}" for number in range(TOGETHER)}
        for server in running:
            server.process.stop()
            assert server.process.err.count("\n") >= 1
            assert "cannot" not in server.process.err


@pytest.mark.parametrize("number", range(ROUNDS))
def test_servers_that_start_at_once_over_a_new_folder_all_serve(tmp_path: Path, number: int) -> None:
    all_serve(tmp_path / "data")


@pytest.mark.parametrize("version", range(1, VERSION))
def test_servers_that_start_at_once_over_an_older_database_all_serve(tmp_path: Path, version: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_older_database(data / FILE, version)
    all_serve(data)
    with closing(sqlite3.connect(data / FILE)) as database:
        assert version_of(database) == VERSION
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM team WHERE teamname = 'Team1'").fetchone() == (1,)


def make_older_database(path: Path, version: int) -> None:
    """A database as the code of that version left it, with one team."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MIGRATIONS[0] + FIRST_ROWS)
        for step in MIGRATIONS[1:version]:
            database.executescript(step)
        database.execute(f"PRAGMA user_version = {version}")


def together(work: Callable[[], object]) -> list[BaseException]:
    """Run the same work in several threads at once; return what they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(TOGETHER)

    def run() -> None:
        try:
            gate.wait(LIMIT)
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("number", range(5))
def test_one_migrates_and_the_others_wait(tmp_path: Path, number: int) -> None:
    def open_once() -> None:
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
            use_wal(database)
            migrate(database)
            assert version_of(database) == VERSION

    assert together(open_once) == []


@pytest.mark.parametrize("timeout_s", [0.0, LIMIT])
def test_write_ahead_logging_waits_for_a_lock_as_long_as_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timeout_s: float
) -> None:
    slept = []
    with (
        closing(sqlite3.connect(tmp_path / FILE, timeout=0, isolation_level=None)) as database,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")

        def release(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 3:
                other.execute("ROLLBACK")

        monkeypatch.setattr("tandem.records.sqlite.sqlite_schema.time.sleep", release)
        monkeypatch.setattr("tandem.records.sqlite.sqlite_schema.WAL_TIMEOUT_S", timeout_s)
        with nullcontext() if timeout_s else pytest.raises(sqlite3.OperationalError, match="locked"):
            use_wal(database)
    assert len(slept) == (3 if timeout_s else 0)


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_older_database(tmp_path / FILE, 1)
    wrong = MIGRATIONS[1] + "CREATE TABLE team (name TEXT);"
    monkeypatch.setattr("tandem.records.sqlite.sqlite_schema.MIGRATIONS", (MIGRATIONS[0], wrong, *MIGRATIONS[2:]))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(database)
        assert not database.in_transaction
        assert version_of(database) == 1
        assert database.execute("SELECT count(*) FROM team").fetchone() == (1,)


def test_without_links_one_server_makes_the_key_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    made: list[Keyring] = []
    assert together(lambda: made.append(load_keyring(tmp_path))) == []
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_one_board_makes_the_teachers_token(tmp_path: Path) -> None:
    """Each of several boards once showed a token, and only the last one counted."""
    tokens: list[str] = []

    def start() -> None:
        with closing(BoardStore(tmp_path / "data")) as book:
            tokens.append(book.make_first_token())

    assert together(start) == []
    [shown] = filter(None, tokens)
    with closing(BoardStore(tmp_path / "data")) as book:
        assert book.token_hash() == hash_token(shown)


@pytest.mark.needs_extra
def test_boards_that_start_at_once_over_a_new_folder_all_serve(tmp_path: Path) -> None:
    with ExitStack() as opened:
        arguments = ("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(tmp_path))
        boards = [opened.enter_context(process(*arguments)) for _ in range(4)]
        for board in boards:
            board.wait_for("listening on")
        assert sum("token, shown this once" in board.err for board in boards) == 1
        for board in boards:
            board.stop()
