"""The keys: made once, for the owner alone, rotated with a time for the old ones."""

import stat
from pathlib import Path

import pytest

from tandem.ground.keyring import KeyTrouble, load_keyring, rotate

HOUR = 3600.0


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    keyring = load_keyring(tmp_path)
    assert len(keyring.key) == 32
    assert load_keyring(tmp_path) == keyring
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_KEY", "0f" * 32)
    assert load_keyring(tmp_path).key == b"\x0f" * 32
    assert not list(tmp_path.iterdir())


def test_after_a_rotation_the_old_key_checks_until_its_time(tmp_path: Path) -> None:
    first = load_keyring(tmp_path)
    second = rotate(tmp_path, HOUR)
    assert second == load_keyring(tmp_path)
    assert second.key != first.key
    [old] = second.old
    assert old.key == first.key
    assert second.checking(old.until - 1) == [second.key, first.key]
    assert second.checking(old.until) == [second.key]


def test_rotations_pile_up_and_what_is_over_is_dropped(tmp_path: Path) -> None:
    first = load_keyring(tmp_path)
    second = rotate(tmp_path, HOUR)
    third = rotate(tmp_path, 0)
    assert [old.key for old in third.old] == [second.key, first.key]
    assert [old.key for old in rotate(tmp_path, HOUR).old] == [third.key, first.key]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_keyring(tmp_path)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyTrouble, match="chmod 600"):
        load_keyring(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "zz" * 32, "ab" * 31, "\x00", "ab" * 32 + "\nsoon " + "cd" * 32, "ab" * 32 + "\n5"]
)
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyTrouble, match="key"):
        load_keyring(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    for use in (load_keyring, lambda folder: rotate(folder, HOUR)):
        with pytest.raises(KeyTrouble, match="cannot be used"):
            use(tmp_path / "missing")
