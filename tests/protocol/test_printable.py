"""Text from the network, made safe for a terminal: no character that steers one gets through."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.protocol.printable import encodable, printable, printable_bytes

SAFE = {
    "plain": ("Team 1", "Team 1"),
    "letters of all languages": ("Zoë 团队 команда", "Zoë 团队 команда"),
    "emoji": ("🙂", "🙂"),
    "new line": ("a\r\nb", r"a\r\nb"),
    "escape": ("\x1b[2J", r"\x1b[2J"),
    "bell and backspace": ("\x07\x08", r"\x07\x08"),
    "C1 control": ("\x9b31m", r"\x9b31m"),
    "other direction": ("\u202eabc\u2066", r"\u202eabc\u2066"),
    "line separator": ("\u2028", r"\u2028"),
    "invisible": ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
    "half of a surrogate pair": ("\ud800", r"\ud800"),
    "tag characters": ("\U000e0041", r"\U000e0041"),
    "backslash": ("a\\x1b", "a\\x1b"),
}


@pytest.mark.parametrize(("text", "shown"), SAFE.values(), ids=SAFE.keys())
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@settings(deadline=None)
@given(st.text())
def test_no_control_character_gets_through(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert printable(shown) == shown


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_can_be_shown(data: bytes) -> None:
    assert printable_bytes(data).isprintable()


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")).filter(str.isprintable))
def test_bytes_that_are_text_are_shown_as_text(text: str) -> None:
    assert printable_bytes(text.encode()) == text


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "Zoë \u56e2"), (None, "Zoë \u56e2"), ("latin-1", r"Zoë \u56e2"), ("ascii", r"Zo\xeb \u56e2")],
)
def test_what_an_encoding_lacks_becomes_an_escape(encoding: str | None, shown: str) -> None:
    assert encodable("Zoë \u56e2", encoding) == shown
    assert encodable("\ud800", encoding) == r"\ud800"
