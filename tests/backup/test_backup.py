"""`tandem backup`: one file with everything but the keys, whole or not there, made while others write."""

import errno
import json
import os
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tandem.backup.backup import fingerprint, make_backup
from tandem.board.gradebook.board_schema import BOARD_FILE
from tandem.board.gradebook.board_schema import FILE as BOARD
from tandem.commands.backup import BACKUP_FILES
from tandem.keys.keyring import load_keyring
from tandem.protocol.message import STATUS_FINISHED
from tandem.records.data_folder import LAST_COMMIT_FILE as MARK
from tandem.records.sqlite.sqlite_schema import VERSION
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore, StoreError
from testing.data_folders import OTHER, a_class
from testing.processes import process, running_server, tandem
from testing.raw_sockets import encoded, visit
from testing.raw_sockets import message_1 as first
from testing.raw_sockets import message_2 as second
from testing.visits import TEAM, message_1


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a class and a key in it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    a_class(folder)
    load_keyring(folder)
    return folder


def manifest_of(backup: Path) -> Any:
    with zipfile.ZipFile(backup) as archive:
        return json.loads(archive.read("manifest.json"))


@contextmanager
def unpacked(backup: Path, name: str, folder: Path) -> Iterator[sqlite3.Connection]:
    """One database of a backup, as any program can read it."""
    with zipfile.ZipFile(backup) as archive:
        archive.extract(name, folder)
    with closing(sqlite3.connect(folder / name)) as database:
        yield database


def test_a_backup_is_a_zip_file_with_both_databases_and_a_manifest(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    made = make_backup(data, target, BACKUP_FILES)
    assert made.size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json", FILE, BOARD]
    manifest = manifest_of(target)
    assert manifest["format"] == 1
    assert manifest["files"] == {
        FILE: {"schema": VERSION, "rows": {"teams": 2, "visits": 4}},
        BOARD: {"schema": BOARD_FILE.version, "rows": {"notes and marks": 1, "teams on rosters": 2, "deadlines": 1}},
    }
    for name in (FILE, BOARD):
        with unpacked(target, name, tmp_path) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.zip", BOARD, "data", FILE]


def test_no_key_and_no_session_is_in_it_and_the_key_is_named(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / BOARD)) as database:
        database.executescript("INSERT INTO session VALUES ('who is logged in', 'teacher', 'token', 1);")
        [cookie_key] = database.execute("SELECT value FROM kept WHERE name = 'key'").fetchone()
    make_backup(data, tmp_path / "backup.zip", BACKUP_FILES)
    key = load_keyring(data).key
    assert manifest_of(tmp_path / "backup.zip")["key"] == {
        "fingerprint": fingerprint(key),
        "kept_in": str(data / "key"),
    }
    with unpacked(tmp_path / "backup.zip", BOARD, tmp_path) as database:
        assert [name for (name,) in database.execute("SELECT name FROM kept")] == ["token"]
    plain = (tmp_path / "backup.zip").read_bytes() + (tmp_path / BOARD).read_bytes()
    for secret in (key.hex(), cookie_key, "who is logged in"):
        assert secret.encode() not in plain


def test_the_command_says_what_it_holds_and_where_the_key_is(data: Path, tmp_path: Path) -> None:
    code, out, err = tandem("backup", "--data", str(data), str(tmp_path / "backup.zip"))
    assert (code, err) == (0, "")
    assert f"{FILE}: 2 teams, 4 visits\n" in out
    assert f"{BOARD}: 1 notes and marks, 2 teams on rosters, 1 deadlines\n" in out
    assert f"the key is not in it: copy {data / 'key'} to a safe place yourself" in out
    (data / "key").unlink()
    (data / BOARD).unlink()
    code, out, err = tandem("backup", "--data", str(data), str(tmp_path / "another.zip"))
    assert (code, err) == (0, "")
    assert f"{BOARD} is not in {data}, so it is not in the backup\n" in out
    assert "TANDEM_KEY" in out
    assert not (data / "key").exists()


def test_a_key_in_the_environment_is_named_by_its_variable(data: Path, tmp_path: Path) -> None:
    env = os.environ | {"TANDEM_KEY": "ab" * 32}
    code, out, err = tandem("backup", "--data", str(data), str(tmp_path / "backup.zip"), env=env)
    assert (code, err) == (0, "")
    assert "copy TANDEM_KEY to a safe place" in out
    assert manifest_of(tmp_path / "backup.zip")["key"]["fingerprint"] == fingerprint(bytes.fromhex("ab" * 32))
    assert "ab" * 32 not in out


def test_a_key_that_cannot_be_read_keeps_nobody_from_a_backup(data: Path, tmp_path: Path) -> None:
    (data / "key").write_text("no key")
    code, out, err = tandem("backup", "--data", str(data), str(tmp_path / "backup.zip"))
    assert (code, err) == (0, "")
    assert "cannot be read" in out
    assert "no key" not in out.replace("does not hold a key", "")


@pytest.mark.needs_extra
def test_what_the_board_alone_keeps_can_be_backed_up(data: Path, tmp_path: Path) -> None:
    for path in (*data.glob(f"{FILE}*"), data / MARK):
        path.unlink()
    env = os.environ | {"TANDEM_DATABASE": "postgresql://nobody@127.0.0.1:1/none"}
    command = ("backup", "--data", str(data), str(tmp_path / "backup.zip"))
    code, out, err = tandem(*command, env=env)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pg_dump" in err
    assert "--database ''" in err
    code, out, err = tandem(*command, "--database", "", env=env)
    assert (code, err) == (0, "")
    assert list(manifest_of(tmp_path / "backup.zip")["files"]) == [BOARD]


def test_a_backup_overwrites_nothing_and_needs_something_to_copy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results"):
        make_backup(tmp_path, tmp_path / "copy", BACKUP_FILES)
    SqliteStore(tmp_path).close()
    (tmp_path / "copy").write_text("precious")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("copy", "dangling", "", "copy/below", "no/such/folder", "x" * 300):
        with pytest.raises(StoreError, match="cannot be written"):
            make_backup(tmp_path, tmp_path / name if name else Path(), BACKUP_FILES)
    assert (tmp_path / "copy").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "dangling", MARK, FILE]


def test_a_file_that_appears_meanwhile_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    for links in (True, False):
        with pytest.MonkeyPatch.context() as patch:

            def appears(draft: Path, name: Path, links: bool = links) -> None:
                target.write_text("precious")
                raise FileExistsError(errno.EEXIST, "") if links else OSError(errno.EPERM, "no links here")

            patch.setattr(os, "link", appears)
            with pytest.raises(StoreError, match="replaces nothing"):
                make_backup(data, target, BACKUP_FILES)
        assert target.read_text() == "precious"
        target.unlink()


def test_a_file_system_without_links_is_good_enough(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(draft: Path, name: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    make_backup(data, tmp_path / "backup.zip", BACKUP_FILES)
    assert manifest_of(tmp_path / "backup.zip")["format"] == 1


@pytest.mark.parametrize("step", ["copy_database", "check_integrity", "write_archive", "_publish"])
def test_a_backup_that_fails_at_any_step_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = sorted(tmp_path.rglob("*"))

    def fails(*_: object) -> None:
        assert not (tmp_path / "copy").exists()
        if step in ("copy_database", "check_integrity"):
            raise sqlite3.OperationalError("database or disk is full")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"tandem.backup.backup.{step}", fails)
    with pytest.raises(StoreError, match=r"full|No space left"):
        make_backup(data, tmp_path / "copy", BACKUP_FILES)
    made = set(tmp_path.rglob("*")) - set(before)
    assert {path.name for path in made} <= {f"{FILE}-wal", f"{FILE}-shm"}  # SQLite's, empty, as after any reader


@pytest.mark.parametrize("name", [FILE, BOARD])
def test_what_is_damaged_or_newer_or_no_database_is_no_backup(data: Path, tmp_path: Path, name: str) -> None:
    original = (data / name).read_bytes()
    with closing(sqlite3.connect(data / name)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=f"{name} .*newer version"):
        make_backup(data, tmp_path / "copy", BACKUP_FILES)
    (data / name).write_bytes(original[:-4096] + b"\xff" * 4096)
    with pytest.raises(StoreError, match=name):
        make_backup(data, tmp_path / "copy", BACKUP_FILES)
    (data / name).write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError, match=f"{name} could not be copied"):
        make_backup(data, tmp_path / "copy", BACKUP_FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_database_that_stays_locked_is_reported(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.records.sqlite.database_copy.LOCK_TIMEOUT_S", 0.01)
    monkeypatch.setattr("tandem.backup.backup.LOCK_TIMEOUT_S", 0.01)
    with closing(sqlite3.connect(data / BOARD, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            make_backup(data, tmp_path / "copy", BACKUP_FILES)


def test_a_backup_while_the_server_writes_is_of_one_moment(tmp_path: Path) -> None:
    """A team is in it with all the visits that it counts. A team that was confirmed before the backup is in it."""
    data = tmp_path / "data"
    with running_server(data) as running:
        handover = visit(running.host, running.port, encoded(first(teamname="before")))
        assert visit(running.host, running.port, encoded(second(handover)))["status"] == STATUS_FINISHED
        with process("-m", "tandem", "bench", "--server", running.address, "--count", "400") as load:
            made = [make_backup(data, tmp_path / f"{number}.zip", BACKUP_FILES) for number in range(3)]
            assert load.wait() == 0
    for number, each in enumerate(made):
        with unpacked(tmp_path / f"{number}.zip", FILE, tmp_path / f"{number}") as database:
            visits = "SELECT visits, (SELECT count(*) FROM visit AS v WHERE v.teamname = t.teamname) FROM team AS t"
            assert all(counted == there for counted, there in database.execute(visits))
            teams = {name for (name,) in database.execute("SELECT teamname FROM team")}
        assert "before" in teams
        assert each.manifest.files[0].rows["teams"] == len(teams)


def test_names_that_could_steer_a_terminal_are_shown_as_escapes(data: Path, tmp_path: Path) -> None:
    code, out, err = tandem("backup", "--data", str(data), str(tmp_path / "\x1b[2J.zip"))
    assert (code, err) == (0, "")
    assert "\x1b" not in out


def test_the_records_are_those_of_the_class(data: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(data)) as store:
        store.write([message_1(OTHER._replace(teamname="written while the log is open"))])
        make_backup(data, tmp_path / "copy", BACKUP_FILES)
    with unpacked(tmp_path / "copy", FILE, tmp_path) as database:
        names = {name for (name,) in database.execute("SELECT teamname FROM team")}
    assert names == {TEAM.teamname, OTHER.teamname, "written while the log is open"}
