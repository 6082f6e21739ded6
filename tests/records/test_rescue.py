"""Files of the database are deleted or damaged under a running server: all that was confirmed is saved, and told."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tandem.backup.backup import make_backup
from tandem.backup.restore import restore
from tandem.records.data_folder import LAST_COMMIT_FILE as MARK
from tandem.records.queries import open_records
from tandem.records.sqlite.commit_mark import find_missing
from tandem.records.sqlite.data_file import RECORDS
from tandem.records.sqlite.database_copy import saved_copies
from tandem.records.sqlite.file_watch import STOP_AND_START
from tandem.records.sqlite.sqlite_schema import MIGRATIONS
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore, StoreError
from tandem.records.visits import Record
from testing.data_folders import FIRST_ROWS
from testing.processes import tandem
from testing.tables import teams
from testing.visits import TEAM, message_2

LOG, INDEX = f"{FILE}-wal", f"{FILE}-shm"
TEAMS = 300  # in each of the parts before and after a checkpoint


def batch(name: str, visits: int = TEAMS) -> list[Record]:
    return [message_2(TEAM._replace(teamname=f"{name} {number}")) for number in range(visits)]


def each(*changes: Callable[[Path], object]) -> Callable[[Path], None]:
    def change_all(folder: Path) -> None:
        for change in changes:
            change(folder)

    return change_all


def deletes(*names: str) -> Callable[[Path], None]:
    def delete(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return delete


def cuts(name: str, left: float = 0.0) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        os.truncate(folder / name, int((folder / name).stat().st_size * left))

    return cut


def overwrites_with_an_older_copy(folder: Path) -> None:
    shutil.copyfile(folder / "older", folder / FILE)


def deletes_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def makes_the_folder_anew(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


# damage -> how the confirmed results are kept: the files are enough, they are in the main file now, or in a copy
FILES, MAIN, COPY = "files", "main", "copy"
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "index deleted": (deletes(INDEX), FILES),
    "index cut": (cuts(INDEX), FILES),
    "log deleted": (deletes(LOG), MAIN),
    "log and index deleted": (deletes(LOG, INDEX), MAIN),
    "log emptied": (cuts(LOG), COPY),
    "log cut": (cuts(LOG, 0.2), COPY),
    "log emptied and index deleted": (each(cuts(LOG), deletes(INDEX)), COPY),
    "main file deleted": (deletes(FILE), COPY),
    "all files deleted": (deletes(FILE, LOG, INDEX), COPY),
    "main file emptied": (cuts(FILE), COPY),
    "main file cut": (cuts(FILE, 0.5), COPY),
    "main file overwritten": (overwrites_with_an_older_copy, COPY),
    "folder deleted": (deletes_the_folder, COPY),
    "folder deleted and made anew": (makes_the_folder_anew, COPY),
}


@pytest.mark.parametrize("noticed", ["at a commit", "at the end"])
@pytest.mark.parametrize(("damage", "kept"), DAMAGES.values(), ids=DAMAGES)
def test_all_that_was_confirmed_is_kept(
    tmp_path: Path, damage: Callable[[Path], None], kept: str, noticed: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = SqliteStore(folder)
    store.write(batch("first"))
    with closing(sqlite3.connect(folder / FILE)) as other:
        other.execute("PRAGMA wal_checkpoint").fetchone()
    shutil.copyfile(folder / FILE, folder / "older")
    store.write(batch("second"))
    with closing(sqlite3.connect(folder / FILE)) as other:
        other.execute("PRAGMA wal_checkpoint").fetchone()
    store.write(batch("third"))
    damage(folder)
    with pytest.raises(StoreError) as told:
        (store.close if noticed == "at the end" else lambda: store.write(batch("fourth")))()
    if noticed == "at a commit":
        store.close()  # it has been told: no second time
    line = str(told.value)
    copies = saved_copies(folder / FILE)
    assert len(copies) == (kept == COPY)
    assert (f"All that was confirmed is in {folder / FILE} now" in line) == (kept == MAIN)
    assert ("All that was confirmed is in the other two files" in line) == (kept == FILES)
    if copies:
        assert f"All that was confirmed is saved in {copies[0]}. Try: stop every server and board" in line
        assert f"`tandem restore --replace --data {folder} {copies[0]}`" in line
        restore(copies[0], folder, [RECORDS], replace=True)
    elif damage is not DAMAGES["index cut"][0]:
        assert line.endswith(f"Try: {STOP_AND_START}")
    if damage is DAMAGES["index cut"][0]:
        (folder / INDEX).unlink()  # as its line says
    with closing(SqliteStore(folder)) as again:
        assert len(again.warnings) == len(copies)
    assert len(teams(folder)) == 3 * TEAMS


def test_a_copy_goes_when_the_files_are_there_again(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write(batch("first", 1))
        (tmp_path / FILE).rename(tmp_path / "aside")
        for _ in range(3):
            with pytest.raises(StoreError, match="is saved in"):
                store.write(batch("second", 1))
            assert len(saved_copies(tmp_path / FILE)) == 1
        (tmp_path / "aside").rename(tmp_path / FILE)
        store.write(batch("second", 1))
        assert not saved_copies(tmp_path / FILE)


def test_a_folder_that_was_moved_is_not_made_again(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    store = SqliteStore(folder)
    store.write(batch("first", 1))
    folder.rename(elsewhere)
    with pytest.raises(StoreError, match="deleted or moved"):
        store.close()
    assert not folder.exists()
    SqliteStore(elsewhere).close()
    assert len(teams(elsewhere)) == 1


def test_what_cannot_be_saved_is_told(tmp_path: Path) -> None:
    """The pages are neither in the memory of the connection nor in the file."""
    store = SqliteStore(tmp_path)
    store.write(batch("first"))
    store._database.execute("PRAGMA shrink_memory")
    os.truncate(tmp_path / LOG, 0)
    with pytest.raises(StoreError):
        store.write(batch("second"))
    with pytest.raises(StoreError, match=r"Not all that was confirmed could be saved: .+\. Try: "):
        store.write(batch("second"))
    store.close()
    assert not list(tmp_path.glob("*saved*"))
    assert not list(tmp_path.glob("*.draft"))


def test_an_index_that_was_cut_with_the_log_is_not_touched(tmp_path: Path) -> None:
    """The system would end the process."""
    with closing(SqliteStore(tmp_path)) as store:
        store.write(batch("first", 1))
        each(cuts(LOG), cuts(INDEX))(tmp_path)
        with pytest.raises(StoreError, match=f"Not all that was confirmed could be saved: .*{INDEX} was overwritten"):
            store.write(batch("second", 1))


def test_a_disk_that_is_full_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with closing(SqliteStore(tmp_path)) as store:
        store.write(batch("first", 1))
        (tmp_path / FILE).rename(tmp_path / "aside")
        monkeypatch.setattr("tandem.records.sqlite.database_copy.copy_database", full)
        with pytest.raises(StoreError, match="confirmed could be saved: database or disk is full"):
            store.write(batch("second", 1))
        (tmp_path / "aside").rename(tmp_path / FILE)
    assert not list(tmp_path.glob("*.draft"))


def test_a_log_of_another_writer_is_not_lost_to_a_checkpoint(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    store.write(batch("first"))
    deletes(LOG, INDEX)(tmp_path)
    foreign = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE theirs (text TEXT)')"
    subprocess.run([sys.executable, "-c", foreign, str(tmp_path / FILE)], check=True)
    assert (tmp_path / LOG).stat().st_size
    with pytest.raises(StoreError, match="is saved in"):
        store.write(batch("second"))
    store.close()
    [copy] = saved_copies(tmp_path / FILE)
    restore(copy, tmp_path, [RECORDS], replace=True)
    assert len(teams(tmp_path)) == TEAMS


# What a folder without a running server may meet: lost -> words of the line at the next start
LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "log deleted": (deletes(LOG), "and had"),
    "log and index deleted": (deletes(LOG, INDEX), "and had"),
    "log emptied": (cuts(LOG), "and had"),
    "log cut": (cuts(LOG, 0.2), "and had"),
    "main file and log deleted": (deletes(FILE, LOG, INDEX), "is missing or empty, and had"),
    "an older copy": (
        each(deletes(LOG, INDEX), overwrites_with_an_older_copy),
        "an older copy was put in its place",
    ),
}


def killed(folder: Path) -> None:
    """Leave the files of a server that was killed: its log is there."""
    live = folder / "live"
    live.mkdir()
    with closing(SqliteStore(live)) as store:
        store.write(batch("first"))
        with closing(sqlite3.connect(live / FILE)) as other:
            other.execute("PRAGMA wal_checkpoint").fetchone()
        shutil.copyfile(live / FILE, live / "older")
        store.write(batch("second"))
        store._mark.update(store._files.identity, now=True)
        for name in (FILE, LOG, INDEX, MARK, "older"):
            shutil.copyfile(live / name, folder / name)


@pytest.mark.parametrize(("loss", "words"), LOSSES.values(), ids=LOSSES)
def test_the_next_start_tells_what_is_missing_once(tmp_path: Path, loss: Callable[[Path], None], words: str) -> None:
    killed(tmp_path)
    assert find_missing(tmp_path / FILE) is None
    loss(tmp_path)
    for _ in range(2):  # looking does not change it
        assert words in str(find_missing(tmp_path / FILE))
    with closing(SqliteStore(tmp_path)) as store:
        [warning] = store.warnings
        assert re.search(r"results are (missing|gone): .+ \d\d:\d\d:\d\d\+00:00.*\. Try: ", warning)
        assert "\n" not in warning
        store.write(batch("third"))
    with closing(SqliteStore(tmp_path)) as store:
        assert store.warnings == []


def restored(folder: Path) -> None:
    make_backup(folder, folder / "backup", [RECORDS])
    with closing(SqliteStore(folder)) as store:
        store.write(batch("later"))
    restore(folder / "backup", folder, [RECORDS], replace=True)


def of_an_older_version(folder: Path) -> None:
    deletes(FILE, LOG, INDEX)(folder)
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.executescript(MIGRATIONS[0] + FIRST_ROWS)


def another_database(folder: Path) -> None:
    deletes(FILE, LOG, INDEX)(folder)
    (folder / "other").mkdir()
    SqliteStore(folder / "other").close()
    (folder / "other" / FILE).rename(folder / FILE)


QUIET: dict[str, Callable[[Path], object]] = {
    "killed": lambda folder: None,
    "without a mark, but with a key": each(deletes(FILE, LOG, INDEX, MARK), lambda folder: (folder / "key").touch()),
    "a mark that a crash has emptied": each(cuts(MARK), deletes(LOG)),
    "a damaged mark": each(lambda folder: (folder / MARK).write_bytes(b"\0" * 54), deletes(LOG)),
    "a folder in place of the mark": each(deletes(MARK), lambda folder: (folder / MARK).mkdir()),
    "a named pipe in place of the mark": each(deletes(MARK), lambda folder: os.mkfifo(folder / MARK)),
    "a restored backup": restored,
    "a database of an older version": of_an_older_version,
    "another database": another_database,
    "index deleted": deletes(INDEX),
}


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET)
def test_a_start_without_a_loss_is_silent(tmp_path: Path, change: Callable[[Path], object]) -> None:
    killed(tmp_path)
    change(tmp_path)
    for _ in range(2):
        with closing(SqliteStore(tmp_path)) as store:
            assert store.warnings == []
            store.write(batch("third", 1))


def test_the_mark_is_written_once_a_second_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("tandem.records.sqlite.sqlite_store.time.monotonic", lambda: now_s[0])
    marks = []
    with closing(SqliteStore(tmp_path)) as store:
        for step_s in (0.5, 0.4, 0.2, 0.1):
            now_s[0] += step_s
            store.write(batch("first", 1))
            marks.append((tmp_path / MARK).read_text())
    marks.append((tmp_path / MARK).read_text())
    assert [int(mark.split()[1]) - int(marks[0].split()[1]) for mark in marks] == [0, 0, 3, 3, 4]


def test_the_commands_tell_what_is_missing(tmp_path: Path) -> None:
    killed(tmp_path)
    code, _, err = tandem("results", "--data", str(tmp_path))
    assert (code, err) == (0, "")
    deletes(LOG, INDEX)(tmp_path)
    words: tuple[str, ...]
    for words in (("results",), ("backup", str(tmp_path / "backup")), ("forget", "--dry-run", "--class", "INF2A")):
        code, _, err = tandem(words[0], "--data", str(tmp_path), *words[1:])
        assert (code, err.count("\n")) == (0, 1), err
        assert err.startswith("tandem: results are missing: ")
        assert "Try: " in err
    (tmp_path / f"{FILE}.saved-0123abcd-7").touch()
    code, out, _ = tandem("forget", "--class", "INF2A", "--data", str(tmp_path))
    assert (code, f"{FILE}.saved-0123abcd-7, which a server saved, still contains all of it" in out) == (0, True)
    (tmp_path / FILE).unlink()
    for words in (("results",), ("backup", str(tmp_path / "backup 2")), ("forget", "--class", "INF2A")):
        code, _, err = tandem(words[0], "--data", str(tmp_path), *words[1:])
        assert (code, err.count("\n")) == (1, 1), err
        assert err.startswith("tandem: the results are gone: ")


def test_a_database_without_tables_has_no_results(tmp_path: Path) -> None:
    """Its write-ahead log was deleted, and no mark tells what was in it."""
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(StoreError, match="there are no results"):
        open_records(tmp_path)


def test_a_process_of_a_server_opens_no_other_database_than_the_others(tmp_path: Path) -> None:
    """A second history would begin beside the first."""
    store = SqliteStore(tmp_path)
    store.write(batch("first", 1))
    started_with = store.started_with
    SqliteStore(tmp_path, started_with).close()
    (tmp_path / FILE).rename(tmp_path / "aside")
    with pytest.raises(StoreError, match="saved in"):
        store.write(batch("second", 1))
    [copy] = saved_copies(tmp_path / FILE)
    (tmp_path / "aside").rename(tmp_path / FILE)
    with pytest.raises(StoreError, match=f"a process of this server has saved {copy}"):
        SqliteStore(tmp_path, started_with)
    store.write(batch("third", 1))
    store.close()
    SqliteStore(tmp_path, started_with).close()
    with pytest.raises(StoreError, match="is not the database that this server was started with"):
        SqliteStore(tmp_path, started_with._replace(database_id="0" * 32))
    deletes(FILE)(tmp_path)
    with pytest.raises(StoreError, match="the results are gone"):
        SqliteStore(tmp_path, started_with)
    assert not (tmp_path / FILE).exists()
