"""The data folder: its owner, its modes, file systems without modes, and names that are no folder."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.board.gradebook.board_store import BoardStore
from tandem.keys.keyring import KeyFileError, load_keyring, rotate
from tandem.records.data_folder import DataFolderError, check_private_file, make_private_folder, supports_modes
from tandem.server.serve import make_data_folder
from testing.processes import running_server, tandem

NOBODY = 65534
SOMEBODY = 4242  # has no name

needs_root = pytest.mark.skipif(os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root has two users")


def as_user(number: int, work: Callable[[], object]) -> str:
    """Do the work as another user, in a process of its own; return the error it raised, or ""."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        message = "ended"
        try:
            os.close(read)
            os.setgroups([])
            os.setgid(number)
            os.setuid(number)
            work()
            message = ""
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
        finally:
            os.write(write, message.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        message = pipe.read()
    os.waitpid(pid, 0)
    return message


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A folder that another user gets to: pytest's own folders are for their owner alone."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-")) or folder == tmp_path:
            folder.chmod(0o755)
    return tmp_path


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two"
    assert make_private_folder(folder) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_data_folder_that_was_opened_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "tandem.sqlite3").touch()
    tmp_path.chmod(0o777)
    assert make_private_folder(tmp_path) == []
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize(("mode", "is_warned"), [(0o755, False), (0o775, True), (0o757, True), (0o1777, True)])
def test_a_shared_folder_keeps_its_mode_and_gives_a_warning(tmp_path: Path, mode: int, is_warned: bool) -> None:
    (tmp_path / "something else").touch()
    tmp_path.chmod(mode)
    warnings = make_private_folder(tmp_path)
    assert [f"other users may write to {tmp_path} (mode {mode:04o})" in line for line in warnings] == [True] * is_warned
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode


def test_the_warning_is_one_line_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "something else").touch()
    tmp_path.chmod(0o777)
    with running_server(tmp_path, "--workers", "2") as running:
        running.process.wait_for("other users may write")
    assert running.process.err.count("other users may write") == 1


@needs_root
def test_a_folder_of_somebody_else_is_refused(open_path: Path) -> None:
    folder = open_path / "data"
    folder.mkdir()
    message = as_user(NOBODY, lambda: make_private_folder(folder))
    assert message.startswith(
        f"DataFolderError: the data folder {folder} belongs to root, and this runs as nobody. Try: "
    )
    os.chown(folder, NOBODY, NOBODY)
    assert as_user(NOBODY, lambda: make_private_folder(folder)) == ""


@needs_root
def test_root_may_use_a_folder_of_somebody_else_and_gives_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)
    [warning] = make_private_folder(folder)
    assert warning.startswith(f"the data folder {folder} belongs to user {SOMEBODY}, and this runs as root")
    with running_server(folder) as running:
        running.process.wait_for(f"belongs to user {SOMEBODY}")
    assert folder.stat().st_uid == SOMEBODY


@needs_root
def test_a_key_of_somebody_else_is_refused_also_where_it_can_be_read(open_path: Path) -> None:
    folder = open_path / "data"
    folder.mkdir()
    load_keyring(folder)
    os.chown(folder, NOBODY, NOBODY)
    key = folder / "key"
    key.chmod(0o644)
    for work in (lambda: load_keyring(folder), lambda: rotate(folder, 60)):
        assert f"the key file {key} belongs to root, and this runs as nobody" in as_user(NOBODY, work)
    key.chmod(0o600)
    os.chown(key, NOBODY, NOBODY)
    assert as_user(NOBODY, lambda: load_keyring(folder)) == ""
    rotate(folder, 60)  # by root: the owner stays
    assert as_user(NOBODY, lambda: load_keyring(folder)) == ""


@needs_root
@pytest.mark.parametrize("start", [make_data_folder, BoardStore], ids=["serve", "board"])
def test_serve_and_board_refuse_a_folder_of_somebody_else(open_path: Path, start: Callable[[Path], object]) -> None:
    """Also one that anybody may write to."""
    folder = open_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    message = as_user(NOBODY, lambda: start(folder))
    assert message.startswith(("DataFolderError: ", "BoardStoreError: ")), message
    assert "belongs to root" in message
    assert not list(folder.iterdir())


def test_a_key_in_a_folder_that_cannot_be_written_is_one_line(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_keyring(open_path)
    before = (open_path / "key").read_text()

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(KeyFileError, match=r"cannot be written to .*: Permission denied"):
        rotate(open_path, 60)
    assert (open_path / "key").read_text() == before


# A file system without modes. Mounting one needs a kernel that has it: here the system's answers are replaced.


def without_modes(monkeypatch: pytest.MonkeyPatch, chmod_fails: bool) -> None:
    """Every mode stays 0777, as on WSL's /mnt/c; chmod has no effect, or is refused as on FAT."""
    stat_of, fstat_of = os.stat, os.fstat

    def open_to_all(found: os.stat_result) -> os.stat_result:
        return os.stat_result((found.st_mode | 0o777, *found[1:]), {"st_mtime_ns": found.st_mtime_ns})

    def chmod(*_: object, **__: object) -> None:
        if chmod_fails:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "stat", lambda *words, **named: open_to_all(stat_of(*words, **named)))
    monkeypatch.setattr(os, "fstat", lambda number: open_to_all(fstat_of(number)))
    monkeypatch.setattr(os, "chmod", chmod)


@pytest.mark.parametrize("chmod_fails", [False, True])
def test_a_file_system_without_modes_is_named_with_a_folder_that_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chmod_fails: bool
) -> None:
    def home() -> Path:
        return Path("/dev")  # on another file system

    without_modes(monkeypatch, chmod_fails)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(DataFolderError) as caught:
        make_private_folder(tmp_path / "data")
    message = str(caught.value)
    assert "keeps no file modes" in message
    assert message.endswith("Try: --data /dev/tandem-data")
    assert "chmod" not in message


def test_the_key_is_not_left_on_a_file_system_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_modes(monkeypatch, chmod_fails=False)
    assert not supports_modes(tmp_path)
    with pytest.raises(KeyFileError, match="keeps no file modes"):
        load_keyring(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_home_without_modes_is_not_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_modes(monkeypatch, chmod_fails=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataFolderError, match="a folder on a disk of Linux or macOS itself"):
        make_private_folder(tmp_path / "data")


def test_where_modes_are_kept_chmod_is_advised(tmp_path: Path) -> None:
    assert supports_modes(tmp_path)
    (tmp_path / "key").touch()
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(DataFolderError, match="chmod 600"):
        check_private_file(tmp_path / "key", "key file")


# Every command with --data.

DATA_COMMANDS: dict[str, tuple[list[str], Any]] = {
    "serve": (["serve", "--listen", "127.0.0.1:0"], None),  # makes the folder
    "board": (["board", "--listen", "127.0.0.1:0"], 1),
    "board token rotate": (["board", "token", "rotate"], 1),
    "results": (["results"], 1),
    "backup": (["backup", "copy.sqlite3"], 1),
    "forget": (["forget", "--team", "Team1"], 1),
    "key rotate": (["key", "rotate"], 1),
}


@pytest.mark.parametrize("words", [words for words, _ in DATA_COMMANDS.values()], ids=DATA_COMMANDS)
def test_an_empty_name_is_wrong_usage(words: list[str]) -> None:
    code, out, err = tandem(*words, "--data", "")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--data: it is empty" in err


@pytest.mark.needs_extra
@pytest.mark.parametrize(
    "words",
    [words for words, code in DATA_COMMANDS.values() if code],
    ids=[n for n, (_, c) in DATA_COMMANDS.items() if c],
)
def test_a_folder_that_is_not_there_is_reported_and_not_made(tmp_path: Path, words: list[str]) -> None:
    typo = tmp_path / "typo"
    code, out, err = tandem(*words, "--data", str(typo))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(typo) in err
    assert not typo.exists()


@pytest.mark.needs_extra
@pytest.mark.parametrize("words", [words for words, _ in DATA_COMMANDS.values()], ids=DATA_COMMANDS)
def test_a_file_instead_of_a_folder_is_reported(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    code, out, err = tandem(*words, "--data", str(file))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(file) in err
    assert file.read_text() == "precious"
