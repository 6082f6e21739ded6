"""`tandem restore`: all of a backup or nothing, whatever the file holds and wherever the restore is killed."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.backup.archive import MAX_MANIFEST_BYTES
from tandem.backup.backup import fingerprint, make_backup
from tandem.backup.pending_restore import OLD, PENDING, finish_restore
from tandem.backup.restore import RestoreSummary, restore
from tandem.board.gradebook.board_schema import FILE as BOARD
from tandem.board.gradebook.board_store import BoardStore
from tandem.commands.backup import BACKUP_FILES
from tandem.keys.keyring import Keyring, load_keyring, rotate
from tandem.keys.secret import derive
from tandem.records.folder_lock import exclusive_lock, shared_lock
from tandem.records.sqlite.sqlite_schema import MIGRATIONS
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore, StoreError
from tandem.records.visits import RightVisit, Team
from testing.data_folders import FIRST_RECORDS, OLD_BOARD, a_class, board_of, killed_server, old_backup, records_of
from testing.processes import ROOT, tandem
from testing.visits import TEAM, message_1

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a class and a key in it; nobody changes it."""
    folder = tmp_path_factory.mktemp("original")
    a_class(folder)
    load_keyring(folder)
    return folder


@pytest.fixture(scope="module")
def backup(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("backups") / "backup.zip"
    make_backup(original, target, BACKUP_FILES)
    return target


@pytest.fixture(scope="module")
def contents(original: Path) -> tuple[Any, Any]:
    return records_of(original), board_of(original)


def restored(source: Path, folder: Path, replace: bool = False) -> RestoreSummary:
    return restore(source, folder, BACKUP_FILES, replace)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal(source: Path, folder: Path, replace: bool = False) -> str:
    """Why a restore is refused, in one line; the folder is as it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} if folder.exists() else None
    with pytest.raises(StoreError) as caught:
        restored(source, folder, replace)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} if folder.exists() else None
    assert after == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestBackups:
    """Backups of this version and of those before."""

    def test_a_backup_restores_all_of_it(self, backup: Path, tmp_path: Path, contents: tuple[Any, Any]) -> None:
        data = tmp_path / "new" / "data"
        done = restored(backup, data)
        assert (records_of(data), board_of(data)) == contents
        assert done.rows[FILE] == {"teams": 2, "visits": 4}
        assert (done.kept, done.previous_files, done.locked) == ([], None, True)
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
        assert names(data) == [BOARD, FILE]

    def test_a_backup_of_an_older_version_is_the_records_alone(
        self, original: Path, tmp_path: Path, contents: tuple[Any, Any]
    ) -> None:
        old_backup(original, tmp_path / "copy.sqlite3")
        data = tmp_path / "data"
        assert list(restored(tmp_path / "copy.sqlite3", data).rows) == [FILE]
        assert records_of(data) == contents[0]
        a_class(tmp_path / "other", mark="another")
        before = board_of(tmp_path / "other")
        assert restored(tmp_path / "copy.sqlite3", tmp_path / "other", replace=True).kept == [BOARD]
        assert (records_of(tmp_path / "other"), board_of(tmp_path / "other")) == (contents[0], before)

    @pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
    def test_records_of_every_schema_are_brought_up_to_date(self, tmp_path: Path, version: int) -> None:
        with closing(sqlite3.connect(tmp_path / "old")) as database:
            for number, step in enumerate(MIGRATIONS[1:version], start=2):
                database.executescript(
                    f"{FIRST_RECORDS if number == 2 else ''}; {step}; PRAGMA user_version = {number}"
                )
            if version == 1:
                database.executescript(FIRST_RECORDS)
        restored(tmp_path / "old", tmp_path / "data")
        [row] = records_of(tmp_path / "data")["teams"]
        assert (row.team, row.state, row.visits) == (TEAM, "finished", 3)

    @pytest.mark.parametrize("version", [0, 1])
    def test_the_boards_own_file_of_an_older_version(
        self, tmp_path: Path, version: int, contents: tuple[Any, Any]
    ) -> None:
        with closing(sqlite3.connect(tmp_path / "old")) as database:
            database.executescript(f"{OLD_BOARD}; PRAGMA user_version = {version}")
        assert restored(tmp_path / "old", tmp_path / "data").key is None
        _, notes, rosters, deadlines = board_of(tmp_path / "data")
        assert (notes, deadlines) == (contents[1][1], contents[1][3])
        assert rosters == [[TEAM]]
        with closing(BoardStore(tmp_path / "data")) as book:
            assert len(book.signing_key()) == 32  # a new one

    @pytest.mark.parametrize("is_read_only", [False, True])
    def test_a_database_out_of_a_folder_with_its_log_beside_it(self, tmp_path: Path, is_read_only: bool) -> None:
        killed_server(tmp_path / "live", tmp_path / "left")
        if is_read_only:
            shutil.move(tmp_path / "left" / f"{FILE}-wal", tmp_path / "wal")  # not copied along
            (tmp_path / "left" / f"{FILE}-shm").unlink()
        restored(tmp_path / "left" / FILE, tmp_path / "data")
        found = {row.team.teamname for row in records_of(tmp_path / "data")["teams"]}
        assert ("only in the log" in found) is not is_read_only
        assert (f"{FILE}-wal" in names(tmp_path / "left")) is not is_read_only


class TestReplacing:
    """What is there already is never lost."""

    def test_nothing_is_replaced_without_being_asked(self, backup: Path, tmp_path: Path) -> None:
        data = tmp_path / "data"
        killed_server(tmp_path / "live", data)
        assert "--replace" in refusal(backup, data)
        (data / FILE).unlink()
        assert f"{BOARD} already" in refusal(backup, data)

    def test_what_was_there_is_kept_whole(self, backup: Path, tmp_path: Path, contents: tuple[Any, Any]) -> None:
        data = tmp_path / "data"
        killed_server(tmp_path / "live", data)
        before = records_of(tmp_path / "live"), board_of(tmp_path / "live")
        first = restored(backup, data, replace=True).previous_files
        second = restored(backup, data, replace=True).previous_files
        assert first
        assert second
        assert first != second
        assert stat.S_IMODE(first.stat().st_mode) == 0o700
        assert (records_of(first), board_of(first)) == before
        assert (records_of(data), board_of(data)) == contents
        assert restored(first / FILE, data, replace=True).kept == [BOARD]
        assert records_of(data) == before[0]

    def test_a_database_that_is_damaged_gives_way_too(
        self, backup: Path, tmp_path: Path, contents: tuple[Any, Any]
    ) -> None:
        data = tmp_path / "data"
        data.mkdir()
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", f"{BOARD}-journal", BOARD):
            (data / name).write_bytes(b"damaged " * 1000)
        previous_files = restored(backup, data, replace=True).previous_files
        assert previous_files
        assert len(names(previous_files)) == 5
        assert (records_of(data), board_of(data)) == contents

    def test_drafts_of_restores_that_were_killed_are_removed(self, backup: Path, tmp_path: Path) -> None:
        (tmp_path / "restore.0123abcd.draft" / OLD).mkdir(parents=True)
        restored(backup, tmp_path)
        assert names(tmp_path) == [BOARD, FILE]


class TestInUse:
    """Never under a running server or board."""

    def test_a_folder_that_is_in_use_is_left_alone_and_the_other_way_round(self, backup: Path, tmp_path: Path) -> None:
        with shared_lock(tmp_path), shared_lock(tmp_path):
            assert "stop it, then restore" in refusal(backup, tmp_path)
        with exclusive_lock(tmp_path, StoreError("in use")) as locked:
            assert locked
            with pytest.raises(StoreError, match="a restore into"), shared_lock(tmp_path):
                pass
            with pytest.raises(StoreError, match="in use"), exclusive_lock(tmp_path, StoreError("in use")):
                pass
        with shared_lock(tmp_path):
            pass

    @pytest.mark.parametrize("is_board", [False, True])
    def test_a_program_without_the_lock_is_noticed_by_its_open_database(
        self, backup: Path, tmp_path: Path, is_board: bool
    ) -> None:
        """As a server of an older version has it open."""
        a_class(tmp_path)
        script = (
            "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); print(flush=True); input()"
        )
        words = ("BEGIN EXCLUSIVE",) if is_board else ("SELECT * FROM team",)
        command = [sys.executable, "-c", script, str(tmp_path / (BOARD if is_board else FILE)), *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout
            other.stdout.readline()
            assert "is in use" in refusal_of_open(backup, tmp_path)
            other.communicate(b"\n")
        restored(backup, tmp_path, replace=True)

    def test_a_file_system_without_locks_is_reported(
        self, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_locks(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr("fcntl.flock", no_locks)
        with shared_lock(tmp_path):
            assert not restored(backup, tmp_path).locked

    def test_where_there_is_no_flock_at_all(
        self, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "fcntl", None)
        with shared_lock(tmp_path):
            assert not restored(backup, tmp_path).locked

    def test_a_folder_that_cannot_be_made_is_for_the_caller_to_fail_on(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with shared_lock(tmp_path / "file" / "below"):
            assert names(tmp_path) == ["file"]


def refusal_of_open(backup: Path, data: Path) -> str:
    """As `refusal`, where another program has the files open: SQLite's own files beside may come and go."""
    before = (data / FILE).stat().st_ino, (data / BOARD).stat().st_ino
    with pytest.raises(StoreError) as caught:
        restored(backup, data, replace=True)
    assert ((data / FILE).stat().st_ino, (data / BOARD).stat().st_ino) == before
    assert not list(data.glob("restore.*"))
    return str(caught.value)


def with_secret(key: bytes, team: Team) -> RightVisit:
    return message_1(team, secret=derive(key, team))


class TestKey:
    """The key is not in a backup; the output says whether the key in place matches."""

    TEAMS = [Team("INF2A", f"Team {number:02}", f"{number:07}", "") for number in range(12)]

    @pytest.fixture
    def lost(self, tmp_path: Path) -> tuple[Path, Keyring]:
        """A backup of twelve teams that wait, and the key of their server."""
        keyring = load_keyring_in(tmp_path / "lost")
        with closing(SqliteStore(tmp_path / "lost")) as store:
            store.write([with_secret(keyring.key, team) for team in self.TEAMS])
        make_backup(tmp_path / "lost", tmp_path / "backup.zip", BACKUP_FILES)
        old_backup(tmp_path / "lost", tmp_path / "old.sqlite3")
        return tmp_path / "backup.zip", keyring

    def say(self, backup: Path, data: Path) -> str:
        code, out, err = tandem("restore", "--data", str(data), str(backup))
        assert (code, err) == (0, "")
        return out

    def test_the_right_key_is_reported_as_such(self, lost: tuple[Path, Keyring], tmp_path: Path) -> None:
        backup, keyring = lost
        data = tmp_path / "data"
        data.mkdir()
        shutil.copy(tmp_path / "lost" / "key", data / "key")
        out = self.say(backup, data)
        assert f"{data / 'key'} is the key of the backup (fingerprint {fingerprint(keyring.key)})\n" in out
        assert "not valid" not in out
        for path in (data / FILE,):
            path.unlink()
        assert "accepts the secret of every team that waits" in self.say(tmp_path / "old.sqlite3", data)

    def test_no_key_is_reported_with_the_teams_that_it_concerns(
        self, lost: tuple[Path, Keyring], tmp_path: Path
    ) -> None:
        backup, keyring = lost
        out = self.say(backup, tmp_path / "data")
        assert f"there is no key: copy the one of the backup (fingerprint {fingerprint(keyring.key)})" in out
        assert "the secrets of 12 teams" in out
        assert "INF2A/Team 00, INF2A/Team 01" in out
        assert "INF2A/Team 09 and 2 more" in out
        assert not (tmp_path / "data" / "key").exists()

    def test_another_key_is_reported(self, lost: tuple[Path, Keyring], tmp_path: Path) -> None:
        load_keyring_in(tmp_path / "data")
        out = self.say(lost[0], tmp_path / "data")
        assert f"{tmp_path / 'data' / 'key'} is not the key of the backup" in out
        assert "with this key the secrets of 12 teams" in out
        (tmp_path / "data" / FILE).unlink()
        (tmp_path / "data" / "key").write_text("no key")
        assert "the key cannot be used" in self.say(lost[0], tmp_path / "data")

    def test_a_key_of_before_a_rotation_still_counts(self, lost: tuple[Path, Keyring], tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        shutil.copy(tmp_path / "lost" / "key", tmp_path / "data" / "key")
        rotate(tmp_path / "data", 3600)
        report = restored(lost[0], tmp_path / "data").key
        assert report
        assert (report.fits, report.invalidated) == (True, 0)

    def test_the_key_of_the_environment_counts(self, lost: tuple[Path, Keyring], tmp_path: Path) -> None:
        env = os.environ | {"TANDEM_KEY": lost[1].key.hex()}
        code, out, err = tandem("restore", "--data", str(tmp_path / "data"), str(lost[0]), env=env)
        assert (code, err) == (0, "")
        assert "TANDEM_KEY is the key of the backup" in out
        assert lost[1].key.hex() not in out


def load_keyring_in(folder: Path) -> Keyring:
    folder.mkdir(mode=0o700)
    return load_keyring(folder)


class TestRefusals:
    """One line for each file that is no backup; nothing is made and nothing is changed."""

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        refused = {
            tmp_path / "none": "No such file",
            tmp_path: "is a folder",
            Path("/dev/zero"): "is a device",
            tmp_path / "pipe": "is a named pipe",
            Path("x" * 300): "File name too long",
            Path("nul\0"): "cannot be read",
        }
        for source, words in refused.items():
            assert words in refusal(source, tmp_path / "data")
        assert names(tmp_path) == ["pipe"]

    def test_what_is_no_backup(self, tmp_path: Path) -> None:
        source = tmp_path / "file"
        for content in (b"", b"S", b"SQLite format 3\0", b"PK\3\4", b"PK\3\4" * 1000, b"Team1,8\n", b"\0" * 5000):
            source.write_bytes(content)
            assert str(source) in refusal(source, tmp_path / "data")
        assert names(tmp_path) == ["file"]

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        for head in (b"", b"PK\3\4", b"SQLite format 3\0"):
            with (tmp_path / "huge").open("wb") as file:
                file.write(head)
                file.truncate(1 << 40)
            refusal(tmp_path / "huge", tmp_path / "data")

    @pytest.mark.parametrize("name", [FILE, BOARD])
    def test_a_newer_version(self, original: Path, tmp_path: Path, name: str) -> None:
        shutil.copy(original / name, tmp_path / name)
        with closing(sqlite3.connect(tmp_path / name)) as database:
            database.execute("PRAGMA user_version = 99")
        assert "newer version" in refusal(tmp_path / name, tmp_path / "data")

    @pytest.mark.parametrize(
        "change",
        [
            "CREATE TABLE more (x)",
            "ALTER TABLE visit ADD COLUMN more TEXT",
            "DROP TABLE surplus",
            "CREATE TRIGGER t AFTER INSERT ON team BEGIN DELETE FROM team; END",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE team",
            "DROP TABLE team; CREATE VIEW team AS SELECT 1 AS state",
            "PRAGMA user_version = -1",
            "PRAGMA user_version = 0",
        ],
    )
    def test_a_database_that_tandem_did_not_make(self, original: Path, tmp_path: Path, change: str) -> None:
        old_backup(original, tmp_path / "copy")
        with closing(sqlite3.connect(tmp_path / "copy")) as database:
            database.executescript(change)
        refusal(tmp_path / "copy", tmp_path / "data")

    def test_a_disk_without_room(self, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr("tandem.backup.restore.shutil.disk_usage", lambda _: usage)
        assert "1,000 are free" in refusal(backup, tmp_path / "data")

    def test_a_folder_that_cannot_be_made(self, backup: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for data in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(StoreError, match="cannot be made"):
                restored(backup, data)

    @pytest.mark.needs_extra
    def test_the_command(self, backup: Path, tmp_path: Path) -> None:
        for arguments, words, wanted in (
            (("--data", str(tmp_path), str(tmp_path / "none")), "No such file", 1),
            (
                ("--data", str(tmp_path), "--database", "postgresql://nobody@127.0.0.1:1/x", str(backup)),
                "pg_restore",
                2,
            ),
            (("--data", str(tmp_path)), "FILE", 2),
        ):
            code, out, err = tandem("restore", *arguments)
            assert (code, out, err.count("\n")) == (wanted, "", 1)
            assert words in err


def zipped(path: Path, members: dict[str, bytes], way: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", way) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def manifest(**changed: object) -> bytes:
    manifest = {"format": 1, "made_by": "", "made_at": "", "files": {FILE: {}, BOARD: {}}, "key": None} | changed
    return json.dumps(manifest).encode()


class TestHostileArchives:
    """A zip file may be made by anybody."""

    @pytest.fixture
    def members(self, backup: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(backup) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @pytest.mark.parametrize(
        "changed",
        [
            {"manifest.json": None},
            {FILE: None},
            {BOARD: None},
            {"more": b"more"},
            {f"../{FILE}": b"outside"},
            {f"/{FILE}": b"outside"},
            {"manifest.json": b""},
            {"manifest.json": b"\xff"},
            {"manifest.json": b"[]"},
            {"manifest.json": b"[" * 60_000},
            {"manifest.json": b"1" * 60_000},
            {"manifest.json": b" " * (MAX_MANIFEST_BYTES + 1)},
            {"manifest.json": manifest(format=2)},
            {"manifest.json": manifest(format="1")},
            {"manifest.json": manifest(format=True)},
            {"manifest.json": manifest(files=[FILE, BOARD])},
            {"manifest.json": manifest(files={})},
            {"manifest.json": manifest(files={FILE: {}, "other": {}}), "other": b"", BOARD: None},
            {FILE: b"", BOARD: b""},
            {FILE: b"garbage" * 1000},
            {BOARD: b"garbage" * 1000},
        ],
        ids=str,
    )
    def test_one_that_is_not_ours(
        self, members: dict[str, bytes], tmp_path: Path, changed: dict[str, bytes | None]
    ) -> None:
        content = {name: data for name, data in (members | changed).items() if data is not None}
        refusal(zipped(tmp_path / "zip", content), tmp_path / "data")
        assert names(tmp_path) == ["zip"]

    def test_the_databases_in_each_others_place(self, members: dict[str, bytes], tmp_path: Path) -> None:
        members[FILE], members[BOARD] = members[BOARD], members[FILE]
        refusal(zipped(tmp_path / "zip", members), tmp_path / "data")

    def test_what_the_manifest_says_beside_may_be_anything(self, members: dict[str, bytes], tmp_path: Path) -> None:
        members["manifest.json"] = manifest(made_at=7, key={"fingerprint": ["\x1b[2J"]}, more={})
        restored(zipped(tmp_path / "zip", members), tmp_path / "data")

    def test_a_time_that_could_steer_a_terminal(self, members: dict[str, bytes], tmp_path: Path) -> None:
        key = {"fingerprint": "\x1b[2J", "kept_in": "\n"}
        members["manifest.json"] = manifest(made_at="\x1b[2J", key=key)
        zipped(tmp_path / "zip", members)
        code, out, err = tandem("restore", "--data", str(tmp_path / "data"), str(tmp_path / "zip"))
        assert (code, err) == (0, "")
        assert "\x1b" not in out

    def test_another_compression(self, members: dict[str, bytes], tmp_path: Path) -> None:
        for way in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            assert "compressed in another way" in refusal(zipped(tmp_path / "zip", members, way), tmp_path / "data")
        restored(zipped(tmp_path / "zip", members, zipfile.ZIP_STORED), tmp_path / "data")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_file_that_is_in_it_twice(self, members: dict[str, bytes], tmp_path: Path) -> None:
        zipped(tmp_path / "zip", members)
        with zipfile.ZipFile(tmp_path / "zip", "a") as archive:
            archive.writestr(FILE, b"another")
        assert "twice" in refusal(tmp_path / "zip", tmp_path / "data")

    def test_a_list_of_files_that_is_as_long_as_the_disk(self, backup: Path, tmp_path: Path) -> None:
        """The end of the file says that the list begins at its beginning, 1 GiB before."""
        size = 1 << 30
        with (tmp_path / "zip").open("wb") as file:
            file.write(b"PK\3\4")
            file.truncate(size)
            file.seek(size)
            counts = (1).to_bytes(2, "little") * 2
            file.write(b"PK\5\6" + bytes(4) + counts + size.to_bytes(4, "little") + bytes(4) + bytes(2))
        assert "longer than that of any backup" in refusal(tmp_path / "zip", tmp_path / "data")

    def test_every_cut(self, backup: Path, tmp_path: Path) -> None:
        content = backup.read_bytes()
        for length in (*range(0, len(content), 97), len(content) - 1):
            (tmp_path / "cut").write_bytes(content[:length])
            refusal(tmp_path / "cut", tmp_path / "data")


@pytest.mark.parametrize("after", [b"NOT NULX", b"NO\0 NULL", b"(((((((("])
def test_a_damaged_schema_is_refused_in_one_line(original: Path, tmp_path: Path, after: bytes) -> None:
    """SQLite quotes the statement, which has several lines."""
    old_backup(original, tmp_path / "plain")
    content = (tmp_path / "plain").read_bytes()
    assert b"NOT NULL" in content
    (tmp_path / "changed").write_bytes(content.replace(b"NOT NULL", after))
    with pytest.raises(StoreError) as caught:
        restored(tmp_path / "changed", tmp_path / "data")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM identity",
        "UPDATE team SET first_seen = 9000000000000000000",
        "UPDATE team SET first_seen = 'abc'",
        "UPDATE team SET problems = '{bad'",
        "UPDATE team SET state = 'odd'",
        "UPDATE team SET finished_at = -1",
        "UPDATE team SET teamname = x'ff'",
        "UPDATE visit SET at = 9000000000000000000",
        "UPDATE visit SET outcome = 'odd'",
        "UPDATE visit SET findings = '{bad'",
        """UPDATE visit SET findings = '[{"id": "no-such-problem", "at": 1, "facts": {}}]'""",
        """UPDATE visit SET findings = '[1]'""",
    ],
)
def test_values_that_tandem_never_writes_are_refused(original: Path, tmp_path: Path, statement: str) -> None:
    old_backup(original, tmp_path / "plain")
    with closing(sqlite3.connect(tmp_path / "plain", isolation_level=None)) as database:
        assert database.execute(statement).rowcount > 0
    with pytest.raises(StoreError, match=r"foreign value|malformed JSON") as caught:
        restored(tmp_path / "plain", tmp_path / "data")
    assert "\n" not in str(caught.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("is_plain", [False, True])
def test_any_change_of_a_backup_is_harmless_or_refused(
    backup: Path, original: Path, tmp_path: Path, contents: tuple[Any, Any], is_plain: bool, data: st.DataObject
) -> None:
    """A zip file is refused, or still has the same in it: its checksums see to that. A plain database has none."""
    if is_plain and not (tmp_path / "plain").exists():
        old_backup(original, tmp_path / "plain")
    content = bytearray((tmp_path / "plain" if is_plain else backup).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(max_size=6))
        content[place : place + data.draw(st.integers(0, 6))] = piece
    (tmp_path / "changed").write_bytes(content)
    folder, refused = tmp_path / "data", None
    try:
        restored(tmp_path / "changed", folder)
    except StoreError as error:
        refused = str(error)
    if refused is not None:
        assert "\n" not in refused
        assert not folder.exists()
        return
    if not is_plain:
        assert (records_of(folder), board_of(folder)) == contents
    shutil.rmtree(folder)


# Killed at every step

SCRIPT = """
import os, signal, sys
from pathlib import Path
from tandem.commands.backup import BACKUP_FILES
from tandem.backup import pending_restore, restore

source, data, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def count(event, arguments):
    global left
    if event.startswith(("os.", "sqlite3.connect", "shutil.")) and data in str(arguments):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
restore.restore(source, Path(data), BACKUP_FILES, True)
"""


def test_a_restore_that_is_killed_at_any_step_leaves_the_old_or_the_new(
    backup: Path, tmp_path: Path, contents: tuple[Any, Any]
) -> None:
    """Killed at the first call that changes something in the folder, at the second, and so on, until it is done."""
    killed_server(tmp_path / "live", tmp_path / "start")
    old = records_of(tmp_path / "live"), board_of(tmp_path / "live")
    seen = []
    for step in range(1, 1000):
        data = tmp_path / f"step {step}"
        shutil.copytree(tmp_path / "start", data)
        command = [sys.executable, "-c", SCRIPT, str(backup), str(data), str(step)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode in (0, KILLED), done.stderr
        finish_restore(data)
        found = records_of(data), board_of(data)
        assert found in (old, contents), step
        seen.append(found == contents)
        if found == contents:
            [previous_files] = data.glob("before-restore-*")
            assert (records_of(previous_files), board_of(previous_files)) == old
        assert not (data / PENDING).exists()
        restored(backup, data, replace=True)
        assert not list(data.glob("restore.*"))
        shutil.rmtree(data)
        if done.returncode == 0:
            break
    assert seen == sorted(seen)  # there is one step before which it is the old, and after which it is the new
    assert seen[:10] == [False] * 10
    assert seen.count(True) > 10


def test_what_is_pending_is_finished_by_any_command_but_not_under_a_server(
    backup: Path, tmp_path: Path, contents: tuple[Any, Any]
) -> None:
    data = tmp_path / "data"
    a_class(data, mark="old")
    restored(backup, tmp_path / "new")
    (data / PENDING / "new").mkdir(parents=True)
    (data / PENDING / OLD).mkdir()
    shutil.move(tmp_path / "new" / BOARD, data / PENDING / "new" / BOARD)
    with shared_lock(data):
        code, out, err = tandem("results", "--data", str(data))
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "stop the server" in err
    assert tandem("results", "--data", str(data))[0] == 0
    assert board_of(data) == contents[1]
    assert not (data / PENDING).exists()
    [previous_files] = data.glob("before-restore-*")
    assert names(previous_files) == [BOARD]


@pytest.mark.parametrize(("step", "is_committed"), [("_prepare", False), ("sync_folder", True)])
def test_ctrl_c_says_whether_the_next_command_completes_the_restore(
    step: str, is_committed: bool, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: object, *_: object) -> None:
        if step == "_prepare" or path == tmp_path:  # the last step of the commit
            raise KeyboardInterrupt

    monkeypatch.setattr(f"tandem.backup.restore.{step}", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        restore(backup, tmp_path, BACKUP_FILES, replace=False)
    assert caught.value.args == ((f"the next command over {tmp_path} completes the restore",) if is_committed else ())
    finish_restore(tmp_path)
    assert (tmp_path / FILE).exists() == is_committed


def test_an_interrupted_restore_that_cannot_be_finished_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PENDING / "new").mkdir(parents=True)
    (tmp_path / PENDING / OLD).mkdir()

    def fails(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tandem.backup.pending_restore.sync_folder", fails)
    with pytest.raises(StoreError, match="cannot be finished: Read-only"):
        finish_restore(tmp_path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: (path / "other").mkdir(parents=True),
        lambda path: path.touch(),
        lambda path: path.symlink_to("nowhere"),
    ],
    ids=["an empty folder", "a folder with something else", "a file", "a broken link"],
)
def test_what_only_has_the_name_of_a_pending_restore_is_named(
    backup: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    a_class(tmp_path)
    make(tmp_path / PENDING)
    before = names(tmp_path)
    with pytest.raises(StoreError, match=r"restore\.pending is not from a restore: .*; nothing was changed"):
        finish_restore(tmp_path)
    assert "is not from a restore" in refusal(backup, tmp_path, replace=True)
    assert names(tmp_path) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_restored_by_root_the_files_belong_to_whom_the_folder_belongs(backup: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    a_class(data)
    os.chown(data, 12345, 12345)
    restored(backup, data, replace=True)
    assert {path.stat().st_uid for path in data.glob("*.sqlite3")} == {12345}
    [previous_files] = data.glob("before-restore-*")
    assert previous_files.stat().st_uid == 12345
