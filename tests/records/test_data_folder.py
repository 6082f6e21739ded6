"""The data folder: its owner, its modes, file systems without modes, and names that are no folder."""

import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tandem.board.gradebook.board_store import BoardStore
from tandem.cli import main
from tandem.keys.keyring import KeyFileError, load_keyring, rotate
from tandem.records.data_folder import (
    DataFolderError,
    check_data_folder,
    check_private_file,
    make_private_folder,
    supports_modes,
)
from tandem.records.sqlite.sqlite_store import MAKE_WRITABLE, NOT_WRITABLE, SqliteStore
from tandem.server.serve import make_data_folder
from testing.processes import process, running_server, tandem
from testing.visits import message_1

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


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two"
    make_private_folder(folder)
    assert mode_of(folder) == 0o700


@pytest.mark.parametrize("content", ["", "key", "tandem.sqlite3"])
@pytest.mark.parametrize(("mode", "is_warned"), [(0o755, False), (0o775, True), (0o777, True), (0o1777, True)])
def test_a_data_folder_that_was_opened_to_others_is_closed_and_told(
    tmp_path: Path, content: str, mode: int, is_warned: bool
) -> None:
    """Also an empty one, and one that has only a key yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    if content:
        (folder / content).touch(mode=0o600)
    folder.chmod(mode)
    warnings = check_data_folder(folder, makes_private=True)
    told = f"other users could write to {folder} (mode {mode:04o}): its mode is 0700 now"
    assert [told in line for line in warnings] == [True] * is_warned
    assert mode_of(folder) == 0o700
    assert check_data_folder(folder, makes_private=True) == []


@pytest.mark.parametrize("makes_private", [True, False])
@pytest.mark.parametrize(("mode", "is_warned"), [(0o755, False), (0o775, True), (0o757, True), (0o1777, True)])
def test_a_shared_folder_keeps_its_mode_and_gives_a_warning(
    tmp_path: Path, mode: int, is_warned: bool, makes_private: bool
) -> None:
    (tmp_path / "something else").touch()
    tmp_path.chmod(mode)
    warnings = check_data_folder(tmp_path, makes_private)
    assert [f"other users may write to {tmp_path} (mode {mode:04o})" in line for line in warnings] == [True] * is_warned
    assert mode_of(tmp_path) == mode


@pytest.mark.parametrize(("mode", "is_warned"), [(0o777, True), (0o1777, False), (0o775, False), (0o755, False)])
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_above_from_which_the_data_folder_can_be_moved_is_told(
    tmp_path: Path, mode: int, is_warned: bool, exists: bool
) -> None:
    above, folder = tmp_path / "above", tmp_path / "above" / "between" / "data"
    (folder if exists else above).mkdir(parents=True)
    if exists:
        folder.chmod(0o700)
    above.chmod(mode)
    (tmp_path / "link").symlink_to(folder)
    told = f"every user may write to {above} (mode {mode:04o}), and can put another folder in place of "
    for name in (folder, tmp_path / "link"):
        assert [told in line for line in check_data_folder(name, makes_private=False)] == [True] * is_warned


# Every command that opens a data folder: owners and modes. One table, checked for all of them.

DATA_COMMANDS: dict[str, list[str]] = {
    "serve": ["serve", "--listen", "127.0.0.1:0"],
    "board": ["board", "--listen", "127.0.0.1:0"],
    "board token rotate": ["board", "token", "rotate"],
    "results": ["results"],
    "backup": ["backup", "copy.zip"],
    "restore": ["restore", "copy.zip"],
    "forget": ["forget", "--team", "Team1"],
    "key rotate": ["key", "rotate"],
}
MAKERS = {"serve", "restore"}  # of a missing folder
EVERY_COMMAND = pytest.mark.parametrize("words", DATA_COMMANDS.values(), ids=DATA_COMMANDS)
FILES = ("key", "tandem.sqlite3", "tandem.sqlite3-wal", "board.sqlite3", "heartbeat")


class Opened(Exception):  # noqa: N818 (no error)
    """The command has passed the check of the folder."""


@pytest.fixture
def checked(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with all its files. Commands end where they would open it."""
    folder = open_path / "data"
    folder.mkdir(mode=0o700)
    for name in FILES:
        (folder / name).touch(mode=0o600)

    def ends(*_: object) -> None:
        raise Opened

    monkeypatch.setattr("tandem.cli.finish_restore", ends)
    return folder


def opens(words: list[str], folder: Path) -> bool:
    """Whether the command gets past the check."""
    try:
        assert main([*words, "--data", str(folder)]) == 1
        return False
    except Opened:
        return True


def own(folder: Path, owner: int, *files: str, others: int) -> None:
    """Give some files to one user, the folder and the other files to another one."""
    for path in (folder, *folder.iterdir()):
        number = owner if path.name in files else others
        os.chown(path, number, number)


@needs_root
@EVERY_COMMAND
@pytest.mark.parametrize("name", [*FILES, "data"])
def test_every_command_as_root_refuses_a_file_of_a_third_user_and_warns_of_a_folder(
    words: list[str], name: str, checked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "data":  # the folder and all files in it
        own(checked, 0, others=SOMEBODY)
        assert opens(words, checked)
        assert capsys.readouterr().err.startswith(
            f"tandem: the data folder {checked} belongs to user {SOMEBODY}, and this runs as root: "
        )
        return
    for others in (0, NOBODY):
        own(checked, SOMEBODY, name, others=others)
        assert not opens(words, checked)
        err = capsys.readouterr().err
        assert f" file {checked / name} belongs to user {SOMEBODY}, and this runs as root. Try: " in err
        assert err.count("\n") == 1
        own(checked, 0, name, others=others)  # a file that root made in a folder of another user
        assert opens(words, checked)
        assert capsys.readouterr().err.count("\n") == (1 if others else 0)


@needs_root
@pytest.mark.parametrize("name", [*FILES, "data"])
def test_every_command_of_another_user_refuses_what_is_not_their_own(name: str, checked: Path) -> None:
    own(checked, SOMEBODY, name, others=NOBODY)
    if name == "data":
        os.chown(checked, SOMEBODY, SOMEBODY)
        checked.chmod(0o777)

    def run_all() -> None:
        opened = [command for command, words in DATA_COMMANDS.items() if opens(words, checked)]
        raise RuntimeError(f"opened by {opened}")

    assert as_user(NOBODY, run_all) == "RuntimeError: opened by []"
    os.chown(checked / name if name != "data" else checked, NOBODY, NOBODY)
    assert as_user(NOBODY, run_all) == f"RuntimeError: opened by {list(DATA_COMMANDS)}"


@EVERY_COMMAND
@pytest.mark.parametrize(
    ("name", "mode", "told"),
    [
        ("data", 0o777, "other users {} write to {folder} (mode 0777): "),
        ("data", 0o755, ""),
        ("tandem.sqlite3", 0o666, "the mode 0666 of the database file {folder}/tandem.sqlite3 lets other users write"),
        ("tandem.sqlite3-wal", 0o620, "the mode 0620 of the database file {folder}/tandem.sqlite3-wal lets "),
        ("board.sqlite3", 0o602, "the mode 0602 of the database file {folder}/board.sqlite3 lets other users write"),
        (
            "heartbeat",
            0o666,
            "the mode 0666 of the heartbeat file {folder}/heartbeat lets other users write to it. Try: ",
        ),
        ("tandem.sqlite3", 0o644, ""),
    ],
)
def test_every_command_tells_of_what_others_may_write_to(
    words: list[str], name: str, mode: int, told: str, checked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checked if name == "data" else checked / name).chmod(mode)
    assert opens(words, checked)
    err = capsys.readouterr().err
    makes_private = words[0] in ("serve", "board", "restore")
    assert told.format("could" if makes_private else "may", folder=checked) in err
    assert err.count("\n") == bool(told)
    assert mode_of(checked) == (0o700 if makes_private or name != "data" else mode)


@needs_root
@pytest.mark.parametrize("words", ["results", "forget --team Team1", "forget --team Team1 --dry-run", "backup new.zip"])
def test_a_folder_that_may_not_be_written_is_told_in_plain_words(
    words: str, open_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for reading: SQLite makes files beside the database."""
    folder = open_path / "data"
    folder.mkdir(mode=0o700)
    with closing(SqliteStore(folder)) as store:
        store.write([message_1()])
    own(folder, NOBODY, others=NOBODY)
    folder.chmod(0o500)
    open_path.chmod(0o777)
    monkeypatch.chdir(open_path)

    def run() -> None:
        code = main([*words.split(), "--data", str(folder)])
        raise RuntimeError(f"{code} {capsys.readouterr().err.splitlines()[-1]}")

    said = as_user(NOBODY, run)
    assert said.startswith(f"RuntimeError: 1 tandem: {folder}/tandem.sqlite3 "), said
    assert said.endswith(f": {NOT_WRITABLE}. Try: {MAKE_WRITABLE}")


@pytest.mark.needs_extra
def test_results_of_a_database_use_no_folder(checked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checked.parent)
    checked.rename("tandem-data")
    monkeypatch.setattr("tandem.commands.arguments.parse_database", str)
    with pytest.raises(Opened):
        main(["results"])
    assert main(["results", "--database", "postgresql://tandem@127.0.0.1:1/away"]) == 1  # it cannot be reached


@pytest.mark.needs_extra
def test_the_warning_is_one_line_of_the_server(tmp_path: Path) -> None:
    """Also with a board, which opens the same folder."""
    (tmp_path / "something else").touch()
    tmp_path.chmod(0o777)
    with running_server(tmp_path, "--workers", "2", "--board", "127.0.0.1:0") as running:
        running.process.wait_for("tandem board: listening")
    assert running.process.err.count("other users may write") == 1


def told_of_a_folder_above(program: str, above: Path) -> str:
    return f"tandem {program}: there is no folder {above}: it is made, with the data folder {above / 'deep'} in it\n"


def test_a_server_tells_of_a_folder_above_that_it_makes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_data_folder(tmp_path / "data")
    assert capfd.readouterr().err == ""
    above = tmp_path / "typo" / "sub"
    make_data_folder(above / "deep")
    assert capfd.readouterr().err == told_of_a_folder_above("serve", above)


@pytest.mark.needs_extra
def test_a_board_tells_of_a_folder_above_that_it_makes(tmp_path: Path) -> None:
    """Only beside a database: without one, there must be a folder."""
    above = tmp_path / "typo" / "sub"
    words = ("--listen", "127.0.0.1:0", "--data", str(above / "deep"), "--database", "postgresql://u@127.0.0.1:1/none")
    with process("-m", "tandem", "board", *words) as board:
        board.wait_for("listening on")
        board.stop()
    assert board.err.startswith(told_of_a_folder_above("board", above))


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
    [warning] = check_data_folder(folder, makes_private=True)
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


# Names that are no folder.


@EVERY_COMMAND
@pytest.mark.parametrize("name", ["", " ", "\t \n"])
def test_an_empty_name_is_wrong_usage(words: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--data", name])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "--data: it is empty" in err


@pytest.mark.needs_extra
@pytest.mark.parametrize("name", [name for name in DATA_COMMANDS if name not in MAKERS])
def test_a_folder_that_is_not_there_is_reported_and_not_made(tmp_path: Path, name: str) -> None:
    typo = tmp_path / "typo"
    code, out, err = tandem(*DATA_COMMANDS[name], "--data", str(typo))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(typo) in err
    assert not typo.exists()


@pytest.mark.needs_extra
@EVERY_COMMAND
def test_a_file_instead_of_a_folder_is_reported(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    code, out, err = tandem(*words, "--data", str(file))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(file) in err
    assert file.read_text() == "precious"
