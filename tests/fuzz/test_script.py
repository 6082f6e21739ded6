"""What stands behind the targets: scripts and stretched streams out of any bytes, and which inputs are kept."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import guided
from fuzz.fewest import fewest
from fuzz.targets.script import HEAD, MAX_EVENTS, Act, parse, written
from fuzz.targets.stretch import MAX_LENGTH, UNSTRETCHED, place, stretched
from tandem.protocol.printable import printable_bytes
from testing.other_side import Send

quickly = settings(max_examples=200, deadline=None, derandomize=True)


@quickly
@given(st.binary(max_size=400))
def test_any_bytes_are_a_script(data: bytes) -> None:
    script = parse(data)
    assert len(script.events) <= MAX_EVENTS
    assert 1 <= script.most <= 8
    assert all(0 <= event.who < 8 for event in script.events)


@quickly
@given(st.lists(st.tuples(st.binary(max_size=255), st.integers(0, 7), st.booleans()), max_size=10))
def test_what_is_written_is_read(sends: list[tuple[bytes, int, bool]]) -> None:
    story = b"".join(written(Act.SEND, who, bytes([len(data)]) + data, at_once) for data, who, at_once in sends)
    events = parse(bytes(HEAD) + story + written(Act.PASS, needs=b"\x05")).events
    assert [(event.step, event.who, event.at_once) for event in events[:-1]] == [
        (Send(data), who, at_once) for data, who, at_once in sends
    ]
    assert (events[-1].act, events[-1].value) == (Act.PASS, 5)


@quickly
@given(st.binary(max_size=400))
def test_a_stream_is_stretched_at_one_place_and_not_without_end(data: bytes) -> None:
    stream, rest = stretched(data), data[len(UNSTRETCHED) :]
    assert len(rest) <= len(stream) <= MAX_LENGTH
    at = place(data[0], len(rest)) if data else 0
    assert stream.startswith(rest[:at])
    assert stream.endswith(rest[at:])
    assert stretched(UNSTRETCHED + rest) == rest


def test_a_unit_is_repeated() -> None:
    assert stretched(b"\0\2\7\0abc") == b"ababaabc"[:4] + b"abc"
    assert stretched(b"\0\2\2\0abc") == b"abc"


def test_only_what_goes_new_ways_or_goes_them_more_often_is_kept() -> None:
    inputs = [b"long", b"a", b"bb", b"\x1b", b"\x1b\x1b"]
    assert set(fewest(printable_bytes, inputs)) == {b"a", b"\x1b", b"\x1b\x1b"}


def test_without_atheris_one_line_says_what_to_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    monkeypatch.setattr(sys, "argv", ["guided", "reader"])
    with pytest.raises(SystemExit, match="pip install"):
        guided.main()
    monkeypatch.setattr(sys, "argv", ["guided", "everything"])
    with pytest.raises(SystemExit) as wrong:
        guided.main()
    assert wrong.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
