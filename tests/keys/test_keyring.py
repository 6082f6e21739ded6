"""The keys: made once, for the owner alone, rotated with a time for the old ones."""

import errno
import os
import secrets
import stat
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tandem.keys.keyring import MAX_OLD_KEYS, KeyFileError, Keyring, load_keyring, rotate
from tandem.protocol.message import STATUS_FINISHED
from testing.processes import process, running_server, tandem
from testing.raw_sockets import encoded, message_1, message_2, visit

HOUR = 3600.0


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    keyring = load_keyring(tmp_path)
    assert len(keyring.key) == 32
    assert load_keyring(tmp_path) == keyring
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_two_servers_that_start_at_once_one_makes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faster: list[Keyring] = []
    random = secrets.token_bytes

    def overtaken(size: int) -> bytes:
        """The other server does all of it between this one's check and write."""
        monkeypatch.undo()
        faster.append(load_keyring(tmp_path))
        return random(size)

    monkeypatch.setattr(secrets, "token_bytes", overtaken)
    assert load_keyring(tmp_path) == faster[0]
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_system_without_links_has_a_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    keyring = load_keyring(tmp_path)
    assert load_keyring(tmp_path) == keyring
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_disk_that_is_full_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="No space left on device"):
        load_keyring(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_KEY", "0f" * 32)
    assert load_keyring(tmp_path).key == b"\x0f" * 32
    assert not list(tmp_path.iterdir())


BAD_KEYS = {
    "empty": ("", "0 characters are there."),
    "too short": ("ab" * 31, "62 characters are there."),
    "too long": ("ab" * 33, "66 characters are there."),
    "no hex": ("xy" * 32, "64 characters are there, not all of them hex digits in pairs."),
    "a digit lost": ("ab" * 31 + "a", "63 characters are there, not all of them hex digits in pairs."),
    "other digits": ("\u0663" * 64, "64 characters are there, not all of them hex digits in pairs."),
}


@pytest.mark.parametrize(("given", "words"), BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_bad_key_in_the_environment_is_one_line_that_does_not_quote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, words: str
) -> None:
    load_keyring(tmp_path)  # the file does not stand in for it
    monkeypatch.setenv("TANDEM_KEY", given)
    with pytest.raises(KeyFileError) as error:
        load_keyring(tmp_path)
    text = str(error.value)
    assert text.startswith(f"TANDEM_KEY does not hold a key: {words} Try: 64 hex digits")
    assert "\n" not in text
    assert not given or given not in text


def test_a_server_with_a_bad_key_does_not_start(tmp_path: Path) -> None:
    environment = os.environ | {"TANDEM_KEY": "5ec2e7" * 10}
    code, out, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), env=environment)
    assert (code, out) == (1, "")
    assert err.startswith("tandem: TANDEM_KEY does not hold a key: 60 characters are there. Try: ")
    assert err.count("\n") == 1
    assert "5ec2e7" not in err


def test_servers_with_one_key_in_the_environment_take_each_others_visits(tmp_path: Path) -> None:
    environment = os.environ | {"TANDEM_KEY": "5ec2e7" * 10 + "abcd"}
    with (
        running_server(tmp_path / "1", env=environment) as first,
        running_server(tmp_path / "2", env=environment) as second,
    ):
        reply = visit(first.host, first.port, encoded(message_1()))
        assert visit(second.host, second.port, encoded(message_2(reply)))["status"] == STATUS_FINISHED
        assert "5ec2e7" not in first.process.err + second.process.err
    assert not list(tmp_path.rglob("key"))


def test_a_key_in_the_environment_is_not_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_keyring(tmp_path)
    monkeypatch.setenv("TANDEM_KEY", "0f" * 32)
    with pytest.raises(KeyFileError, match="restart them all with a new TANDEM_KEY") as error:
        rotate(tmp_path, HOUR)
    assert "0f0f" not in str(error.value)
    monkeypatch.delenv("TANDEM_KEY")
    assert load_keyring(tmp_path) == before


def test_after_a_rotation_the_old_key_checks_until_its_time(tmp_path: Path) -> None:
    first = load_keyring(tmp_path)
    second = rotate(tmp_path, HOUR)
    assert second == load_keyring(tmp_path)
    assert second.key != first.key
    [old] = second.old
    assert old.key == first.key
    assert second.valid_keys(old.expires_s - 1) == [second.key, first.key]
    assert second.valid_keys(old.expires_s) == [second.key]


def test_rotations_pile_up_and_what_is_over_is_dropped(tmp_path: Path) -> None:
    first = load_keyring(tmp_path)
    second = rotate(tmp_path, HOUR)
    third = rotate(tmp_path, 0)
    assert [old.key for old in third.old] == [second.key, first.key]
    assert [old.key for old in rotate(tmp_path, HOUR).old] == [third.key, first.key]


def test_rotations_at_once_keep_every_key(tmp_path: Path) -> None:
    first = load_keyring(tmp_path)
    with ExitStack() as stack:
        arguments = ("-m", "tandem", "key", "rotate", "--data", str(tmp_path))
        for one in [stack.enter_context(process(*arguments)) for _ in range(6)]:
            assert one.wait() == 0, one.err
    keyring = load_keyring(tmp_path)
    assert len({keyring.key, *(old.key for old in keyring.old)}) == 7
    assert keyring.old[-1].key == first.key
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_rotation_reads_the_key_once_it_has_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another rotation takes place while this one waits for the lock."""
    first = load_keyring(tmp_path)
    lock = tmp_path / "key.lock"
    lock.touch()
    others: list[Keyring] = []

    def wait(_: float) -> None:
        lock.unlink()
        monkeypatch.undo()
        others.append(rotate(tmp_path, HOUR))

    monkeypatch.setattr(time, "sleep", wait)
    assert [old.key for old in rotate(tmp_path, HOUR).old] == [others[0].key, first.key]


def test_the_lock_of_a_rotation_that_was_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_keyring(tmp_path)
    (tmp_path / "key.lock").touch()
    monkeypatch.setattr("tandem.keys.keyring.LOCK_TIMEOUT", 0.0)
    with pytest.raises(KeyFileError, match=r"key\.lock is there: .* Try: delete it"):
        rotate(tmp_path, HOUR)
    assert load_keyring(tmp_path) == before


def test_a_clock_before_1970_rotates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_keyring(tmp_path)
    monkeypatch.setattr(time, "time", lambda: -4e6)
    with pytest.raises(KeyFileError, match="the clock of this machine is before 1970; the old key stays in use"):
        rotate(tmp_path, HOUR)
    monkeypatch.undo()
    assert load_keyring(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_key_file_never_outgrows_what_is_read_of_it(tmp_path: Path) -> None:
    load_keyring(tmp_path)
    with (tmp_path / "key").open("a") as file:
        file.writelines(f"{2**40 + number} {number:064x}\n" for number in range(MAX_OLD_KEYS))
    with pytest.raises(KeyFileError, match="500 older keys are still valid"):
        rotate(tmp_path, HOUR)
    assert len(load_keyring(tmp_path).old) == MAX_OLD_KEYS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_keyring(tmp_path)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keyring(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "zz" * 32, "ab" * 31, "\x00", "ab" * 32 + "\nsoon " + "cd" * 32, "ab" * 32 + "\n5"]
)
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="key"):
        load_keyring(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    for use, words in ((load_keyring, "cannot be used"), (lambda folder: rotate(folder, HOUR), "there is no folder")):
        with pytest.raises(KeyFileError, match=words):
            use(tmp_path / "missing")
