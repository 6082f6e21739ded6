"""The watched files of a database: lawful changes pass, foreign ones are found at the next commit or start."""

import errno
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.backup.backup import make_backup
from tandem.records.queries import open_records
from tandem.records.sqlite.data_file import RECORDS
from tandem.records.sqlite.database_copy import copy_database
from tandem.records.sqlite.file_watch import DamagedFilesError, check_log, read_identity
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore, StoreError
from tandem.records.visits import Record
from testing.forgetting import forget
from testing.tables import teams
from testing.visits import TEAM, message_2

LOG, INDEX = f"{FILE}-wal", f"{FILE}-shm"


def batch(name: str, visits: int = 1) -> list[Record]:
    return [message_2(TEAM._replace(teamname=f"{name} {number}")) for number in range(visits)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    opened.write(batch("first"))
    yield opened
    opened.close()


def checkpoint(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE)) as other:
        other.execute("PRAGMA wal_checkpoint").fetchone()


def roll_a_large_change_back(folder: Path) -> None:
    """More pages than fit into its memory: they go to the log, and do not count."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA cache_size = 1")
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE large (text TEXT)")
        other.executemany("INSERT INTO large VALUES (?)", [("x" * 4000,)] * 50)
        other.execute("ROLLBACK")


def write_with_another_store(folder: Path) -> None:
    with closing(SqliteStore(folder)) as other:
        other.write(batch("other", 300))


def make_a_backup(folder: Path) -> None:
    make_backup(folder, folder / f"backup {len(list(folder.iterdir()))}", [RECORDS])


LAWFUL: dict[str, Callable[[Path], object]] = {
    "a checkpoint": checkpoint,
    "a change that was rolled back": roll_a_large_change_back,
    "another writer": write_with_another_store,
    "a backup": make_a_backup,
    "forget": lambda folder: forget(folder, teamname="first 0"),
    "a reader": lambda folder: open_records(folder).close(),
    "chmod": lambda folder: (folder / FILE).chmod(0o600),
}


@pytest.mark.parametrize("change", LAWFUL.values(), ids=LAWFUL)
def test_a_lawful_change_is_no_damage(tmp_path: Path, store: SqliteStore, change: Callable[[Path], object]) -> None:
    for number in range(3):
        change(tmp_path)
        store.write(batch(f"after {number}"))
    assert len([row for row in teams(tmp_path) if row.team.teamname.startswith("after")]) == 3


def test_a_transaction_that_failed_is_no_damage(tmp_path: Path, store: SqliteStore) -> None:
    with pytest.raises(TypeError):
        store.write([*batch("second"), None])  # type: ignore[list-item]
    store.write(batch("third"))
    assert {row.team.teamname for row in teams(tmp_path)} == {"first 0", "third 0"}


def test_each_commit_is_counted_and_the_id_stays(tmp_path: Path, store: SqliteStore) -> None:
    before = read_identity(tmp_path / FILE)
    store.write(batch("second"))
    store.write(batch("third"))
    after = read_identity(tmp_path / FILE)
    assert (after.id, after.commits) == (before.id, before.commits + 2)
    assert len(after.id) == 32
    store.close()
    assert read_identity(tmp_path / FILE, main_only=True)[:2] == after[:2]


def test_each_database_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        SqliteStore(tmp_path / name).close()
        ids.add(read_identity(tmp_path / name / FILE).id)
    assert len(ids) == 2


def older_copy(folder: Path, store: SqliteStore) -> Path:
    """A backup; after it come commits, and a checkpoint."""
    copy = folder / "older"
    with closing(sqlite3.connect(folder / FILE)) as source:
        copy_database(source, copy)
    store.write(batch("second", 300))
    checkpoint(folder)
    store.write(batch("third"))
    return copy


def test_an_older_copy_in_place_is_found_at_the_next_commit_and_passes(tmp_path: Path, store: SqliteStore) -> None:
    copy = older_copy(tmp_path, store)
    right = (tmp_path / FILE).read_bytes()
    shutil.copyfile(copy, tmp_path / FILE)
    for _ in range(2):
        with pytest.raises(StoreError, match="one is damaged"):
            store.write(batch("fourth"))
    with pytest.raises(StoreError, match="to go on with the copy, delete"):
        open_records(tmp_path)
    with pytest.raises(StoreError, match="Nothing was changed"):
        forget(tmp_path, teamname="first 0")
    (tmp_path / FILE).write_bytes(right)
    store.write(batch("fourth"))
    assert "fourth 0" in {row.team.teamname for row in teams(tmp_path)}


def test_an_older_copy_beside_a_log_is_found_at_the_start(tmp_path: Path) -> None:
    """As after kill -9: nobody has the database open, and the log is there."""
    live, folder = tmp_path / "live", tmp_path / "copied"
    live.mkdir()
    with closing(SqliteStore(live)) as store:
        store.write(batch("first"))
        copy = older_copy(live, store)
        folder.mkdir()
        shutil.copyfile(live / LOG, folder / LOG)
        shutil.copyfile(copy, folder / FILE)
    log = (folder / LOG).read_bytes()
    with pytest.raises(StoreError, match="do not belong together"):
        SqliteStore(folder)
    assert (folder / LOG).read_bytes() == log
    assert (folder / FILE).read_bytes() == copy.read_bytes()
    for name in (LOG, INDEX):
        (folder / name).unlink(missing_ok=True)
    SqliteStore(folder).close()
    assert len(teams(folder)) == 1


def test_the_log_of_another_database_is_found_at_the_start(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with closing(SqliteStore(tmp_path / name)) as store:
            store.write(batch(name))
            shutil.copyfile(tmp_path / name / LOG, tmp_path / f"{name}-wal")
    shutil.copyfile(tmp_path / "two-wal", tmp_path / "one" / LOG)
    with pytest.raises(StoreError, match="do not belong together"):
        SqliteStore(tmp_path / "one")


def test_a_log_without_its_database_is_kept(tmp_path: Path, store: SqliteStore) -> None:
    """SQLite would delete it: what was confirmed last may be in it alone."""
    folder = tmp_path / "copied"
    folder.mkdir()
    shutil.copyfile(tmp_path / LOG, folder / LOG)
    for main_is_there in (False, True):
        with pytest.raises(StoreError, match="is missing or empty"):
            SqliteStore(folder)
        if main_is_there:
            with pytest.raises(StoreError, match="is missing or empty"):
                open_records(folder)
        assert (folder / LOG).read_bytes() == (tmp_path / LOG).read_bytes()
        (folder / FILE).touch()


@pytest.mark.parametrize("name", [FILE, LOG, INDEX])
def test_a_file_that_is_gone_for_a_moment_passes(tmp_path: Path, store: SqliteStore, name: str) -> None:
    (tmp_path / name).rename(tmp_path / "aside")
    with pytest.raises(StoreError, match=f"{name} was deleted or moved while the server runs"):
        store.write(batch("second"))
    (tmp_path / "aside").rename(tmp_path / name)
    store.write(batch("second"))


def test_an_index_that_was_cut_is_found_before_it_is_touched(tmp_path: Path, store: SqliteStore) -> None:
    """The system ends a process that touches a page of the index that is not there any more."""
    os.truncate(tmp_path / INDEX, 0)
    with pytest.raises(StoreError, match="was overwritten while the server runs"):
        store.write(batch("second"))


def test_a_log_that_was_overwritten_between_two_commits_is_found(tmp_path: Path, store: SqliteStore) -> None:
    log = tmp_path / LOG
    before = log.read_bytes()
    store.write(batch("second"))
    with log.open("r+b") as overwritten:
        overwritten.write(bytes(len(before)))
    with pytest.raises(StoreError, match="do not belong together"):
        store.write(batch("third"))


def test_a_deleted_log_is_saved_at_the_end(tmp_path: Path, store: SqliteStore) -> None:
    store.write(batch("second"))
    (tmp_path / LOG).unlink()
    with pytest.raises(StoreError, match="was deleted"):
        store.close()
    assert {row.team.teamname for row in teams(tmp_path)} == {"first 0", "second 0"}


def test_a_server_does_not_start_while_another_uses_a_log_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore(tmp_path).close()

    def is_locked(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("fcntl.lockf", is_locked)  # by another process: a process does not see its own locks
    monkeypatch.setattr("tandem.records.sqlite.file_watch.LOCK_TIMEOUT_S", 0.0)
    with pytest.raises(StoreError, match="a running server uses"):
        SqliteStore(tmp_path)


def test_main_file_and_log_of_a_database_before_version_3_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    assert check_log(tmp_path / FILE) == 0
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedFilesError, match="not a database"):
        check_log(tmp_path / FILE)


@pytest.mark.parametrize("removed", ["-wal", "-shm"])
def test_the_files_beside_the_one_that_a_link_leads_to_are_watched(tmp_path: Path, removed: str) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "data"
    for made in (elsewhere, folder):
        made.mkdir()
    SqliteStore(elsewhere).close()
    (folder / FILE).symlink_to(elsewhere / FILE)
    with closing(SqliteStore(folder)) as store:
        store.write(batch("first"))
        Path(f"{elsewhere / FILE}{removed}").unlink()
        with pytest.raises(StoreError, match=removed):
            store.write(batch("second"))


def test_a_backup_over_the_file_of_a_running_server_is_noticed(tmp_path: Path, store: SqliteStore) -> None:
    """Also one that has all that is in the main file: somebody wanted to go back to it."""
    archive = tmp_path / "backup.zip"
    make_backup(tmp_path, archive, [RECORDS])
    store.write(batch("second"))
    with zipfile.ZipFile(archive) as backup:
        (tmp_path / FILE).write_bytes(backup.read(FILE))
    with pytest.raises(StoreError, match="do not belong together"):
        store.write(batch("third"))


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR_READ])
def test_what_says_nothing_of_the_files_is_not_called_damage(
    tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("no luck")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr("tandem.records.sqlite.file_watch.read_identity", fails)
    with pytest.raises(sqlite3.OperationalError, match=r"^no luck$"):
        check_log(tmp_path / FILE)


@pytest.mark.parametrize("statement", ["DELETE FROM identity", "UPDATE identity SET commits = 'abc'"])
def test_a_damaged_identity_is_one_line(tmp_path: Path, statement: str) -> None:
    SqliteStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute(statement)
    for use in (lambda: SqliteStore(tmp_path), lambda: open_records(tmp_path)):
        with pytest.raises(StoreError, match="its table identity is damaged"):
            use().close()
