"""Small parts of the lab: its loop, the bounds of its record, and what it says if it cannot run."""

import shutil
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tandem.examiner.events import Link, What, read_events
from tandem.examiner.lab import start
from tandem.examiner.lab.recorder import MAX_BYTES, MAX_CONNECTIONS, MAX_EVENTS, Recorder
from tandem.net.event_loop import EventLoop


def test_calls_come_at_their_time_and_in_their_order() -> None:
    loop = EventLoop()
    called: list[str] = []
    loop.after(0.02, lambda: called.append("late"))
    for name in ("first", "second"):
        loop.after(0, lambda name=name: called.append(name))  # type: ignore[misc]
    loop.run(lambda: "late" in called)
    assert called == ["first", "second", "late"]
    loop.close()


def test_a_file_that_a_call_of_the_same_turn_gave_up_is_left_alone() -> None:
    loop = EventLoop()
    called: list[socket.socket] = []
    pairs = [socket.socketpair() for _ in range(2)]

    def take(own: socket.socket, other: socket.socket) -> None:
        called.append(own)
        loop.watch(other, None)

    ends = [ours for ours, _ in pairs]
    for own, other in (ends, ends[::-1]):
        loop.watch(own, lambda own=own, other=other: take(own, other))  # type: ignore[misc]
    for _, theirs in pairs:
        theirs.send(b"x")
    loop.run(lambda: bool(called))
    assert len(called) == 1
    loop.close()
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.mark.parametrize(
    ("what", "link", "size", "most"),
    [("connected", "visit 1", 0, MAX_CONNECTIONS), ("output", "", 0, MAX_EVENTS), ("sent", "visit 1", MAX_BYTES, 1)],
)
def test_a_record_is_full_at_some_time(what: What, link: Link, size: int, most: int, tmp_path: Path) -> None:
    loop = EventLoop()
    with closing(Recorder(tmp_path, loop)) as recorder:
        for _ in range(most):
            assert not recorder.is_full
            recorder.add("client 1", what, link=link, data=bytes(size))
        assert recorder.is_full
    loop.close()


def test_an_event_is_in_the_file_at_once(tmp_path: Path) -> None:
    """A lab may be killed at any time."""
    loop = EventLoop()
    with closing(Recorder(tmp_path, loop)) as recorder:
        recorder.add("server", "sent", link="visit 2", connection=3, text="Zoë", number=-9, data=b"\0\xff")
        [event] = read_events(tmp_path)
    assert (event.who, event.connection, event.text, event.number, event.data) == ("server", 3, "Zoë", -9, b"\0\xff")
    loop.close()


@pytest.mark.parametrize(
    ("isolated", "missing"), [(True, "apt install bubblewrap iproute2"), (False, "apt install util-linux")]
)
def test_a_command_that_is_missing_is_named_with_its_package(
    isolated: bool, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    [sentence] = start.missing(isolated)
    assert missing in sentence


def test_namespaces_that_are_not_allowed_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name, path: name)
    monkeypatch.setattr(start, "_works", lambda command: False)
    assert start.missing() == [start.NO_NAMESPACES]
    assert start.missing(isolated=False) == []


def test_another_system_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert start.missing() == start.missing(isolated=False) == ["programs are run on Linux only"]
