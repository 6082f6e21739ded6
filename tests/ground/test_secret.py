"""The secret and the key file."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.ground.secret import KeyTrouble, derive, load_key, same

KEY = b"k" * 32
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_a_secret_is_the_hmac_that_the_protocol_describes() -> None:
    data = b"tandem secret 1\5\0\0\0INF2A\5\0\0\0Team1\7\0\0\x000923456\7\0\0\x000934567"
    expected = hmac.new(KEY, data, hashlib.sha256).hexdigest()
    assert derive(KEY, "INF2A", "Team1", "0923456", "0934567") == expected
    assert len(expected) == 64


def test_the_order_of_the_numbers_is_in_the_secret() -> None:
    assert derive(KEY, "c", "t", "1", "2") != derive(KEY, "c", "t", "2", "1")


def test_another_key_gives_another_secret() -> None:
    assert derive(KEY, "c", "t", "1", "2") != derive(b"K" * 32, "c", "t", "1", "2")


@given(st.tuples(TEXT, TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT, TEXT))
def test_two_teams_never_share_a_secret(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    assert (derive(KEY, *one) == derive(KEY, *other)) == (one == other)


def test_moving_a_character_to_the_next_field_changes_the_secret() -> None:
    assert derive(KEY, "ab", "c", "1", "2") != derive(KEY, "a", "bc", "1", "2")


@given(st.text(max_size=80))
def test_comparing_takes_any_text(text: str) -> None:
    assert same(text, "0" * 64) == (text == "0" * 64)


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    assert len(key) == 32
    assert load_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_KEY", "0f" * 32)
    assert load_key(tmp_path) == b"\x0f" * 32
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 31, "\x00"])
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(KeyTrouble, match="64 hex digits"):
        load_key(tmp_path)


def test_a_key_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble, match="cannot be used"):
        load_key(tmp_path / "missing")
