"""The log: one line each, harmless to a terminal, never in anybody's way, and on again when it can be written again."""

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.net.line_writer import LineWriter
from tandem.server import log as log_module
from tandem.server.log import MAX_WAITING, Log, LogFile, check_log_file
from testing.processes import LIMIT, wait_until


@contextmanager
def logging(destination: "LogFile | Stuck | Disk") -> Iterator[Log]:
    log = Log(destination)
    try:
        yield log
    finally:
        log.stop()


def test_lines_are_written_with_the_time_and_without_control_characters(tmp_path: Path) -> None:
    with logging(LogFile(tmp_path / "log")) as log:
        log.write("one\x1b[2J")
        log.write("two\nthree \u202e\ud800")
    first, second = (tmp_path / "log").read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z one\\x1b\[2J", first)
    assert second.endswith(r"Z two\nthree \u202e\ud800")


def test_a_file_is_closed_when_it_is_opened_again_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def opener(path: Path) -> int:
        opened.append(os.open(path, os.O_WRONLY | os.O_CREAT))
        return opened[-1]

    monkeypatch.setattr(log_module, "_open_to_append", opener)
    file = LogFile(tmp_path / "log")
    file.write(b"before\n")
    file.reopen()
    file.close()
    assert len(opened) == 2
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


class Entry:
    """An entry that knows which thread asked for its line."""

    def __init__(self, line: str | Exception) -> None:
        self._line = line
        self.thread = ""

    def log_line(self) -> str:
        self.thread = threading.current_thread().name
        if isinstance(self._line, Exception):
            raise self._line
        return self._line


def test_entries_become_lines_in_the_logs_own_thread(tmp_path: Path) -> None:
    entry = Entry("an entry\n")
    with logging(LogFile(tmp_path / "log")) as log:
        log.write(entry)
    assert entry.thread == "log"
    assert (tmp_path / "log").read_text().endswith("Z an entry\\n\n")


def test_a_bug_in_an_entry_is_one_line_and_costs_no_other(tmp_path: Path) -> None:
    with logging(LogFile(tmp_path / "log")) as log:
        log.write("before")
        log.write(Entry(ZeroDivisionError("a\nbug")))
        log.write("after")
    before, bug, after = (tmp_path / "log").read_text().splitlines()
    assert (before[-6:], after[-5:]) == ("before", "after")
    assert "bug: an entry of the log could not be formatted" in bug
    assert "ZeroDivisionError: a\\nbug" in bug


class Stuck:
    """Takes nothing until it is freed, as a pipe that nobody reads."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.stuck = threading.Event()
        self.freed = threading.Event()
        self.text = ""

    def write(self, data: bytes) -> int:
        self.stuck.set()
        self.freed.wait()
        self.text += data.decode()
        return len(data)

    def reopen(self) -> bool:
        return False

    def close(self) -> None:
        pass


def test_where_nobody_reads_lines_are_dropped_and_counted() -> None:
    stuck = Stuck()
    with logging(stuck) as log:
        log.write("first")
        assert stuck.stuck.wait(LIMIT)
        for number in range(MAX_WAITING + 5):
            log.write(f"line {number}")  # would never return if the destination held it up
        stuck.freed.set()
        wait_until(lambda: "5 lines were dropped: they came faster" in stuck.text)
    assert f"line {MAX_WAITING - 1}\n" in stuck.text
    assert f"line {MAX_WAITING}\n" not in stuck.text


class Disk:
    """Room for so many bytes, written a few at a time; then it is full."""

    encoding = "utf-8"
    AT_A_TIME = 7

    def __init__(self, room: int) -> None:
        self.room = room
        self.tries = 0
        self.data = b""

    def write(self, data: bytes) -> int:
        self.tries += 1
        taken = min(len(data), self.room, self.AT_A_TIME)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.data += data[:taken]
        self.room -= taken
        return taken

    def reopen(self) -> bool:
        return False

    def close(self) -> None:
        pass


LINES = ("one\n", "two two\n", "three three three\n")


@pytest.mark.parametrize("room", range(sum(map(len, LINES)) + 1))
@pytest.mark.parametrize("more", [0, 1, 40, 1000])
def test_every_line_is_written_whole_or_counted_wherever_a_disk_gets_full(room: int, more: int) -> None:
    """Full after `room` bytes; room for `more` a second time; then it has enough."""
    disk = Disk(room)
    writer = LineWriter(disk)
    writer.write("".join(LINES))
    disk.room = more
    writer.write("four\n")
    disk.room = 1000
    writer.write("five\n")
    found = disk.data.decode().splitlines(keepends=True)
    counts = [
        int(count) for count in re.findall(r"(?m)Z (\d+) lines? (?:was|were) dropped: No space left", "".join(found))
    ]
    whole = [line for line in (*LINES, "four\n", "five\n") if line in found]
    assert whole == sorted(whole, key=[*LINES, "four\n", "five\n"].index)
    assert found[-1] == "five\n"
    assert len(whole) + sum(counts) in (5, 6)  # one that lacks nothing but its newline is counted, too


def test_the_count_is_written_as_soon_as_there_is_room_also_if_nothing_new_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tandem.server.log.RETRY_DELAY", 0.01)
    disk = Disk(0)
    with logging(disk) as log:
        log.write("lost")
        wait_until(lambda: disk.tries > 3)
        disk.room = 1000
        wait_until(lambda: disk.data.endswith(b"\n"))
    assert re.fullmatch(rb"\S+Z 1 line was dropped: No space left on device\n", disk.data)


def test_it_stops_where_nothing_can_be_written() -> None:
    with logging(Disk(0)) as log:
        log.write("lost")


def test_no_memory_for_lines_costs_those_and_no_others(tmp_path: Path) -> None:
    class Huge(str):
        def isprintable(self) -> bool:
            raise MemoryError

    with logging(LogFile(tmp_path / "log")) as log:
        log.write(Huge("huge"))
        wait_until(lambda: (tmp_path / "log").exists())
        log.write("after")
    assert "1 line was dropped: there was not enough memory" in (tmp_path / "log").read_text()
    assert "Z after\n" in (tmp_path / "log").read_text()


def test_a_file_that_was_renamed_is_opened_again_and_no_line_is_lost(tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.1"
    with logging(LogFile(path)) as log:
        for number in range(100):
            log.write(f"line {number}")
            if number == 50:
                wait_until(path.exists)
                path.rename(old)
                log.reopen()
        wait_until(path.exists)
    lines = (old.read_text() + path.read_text()).splitlines()
    assert [line.split("Z ")[1] for line in lines if "SIGHUP" not in line] == [
        f"line {number}" for number in range(100)
    ]
    assert "SIGHUP: the log file was opened again" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_opened_again_goes_on_in_the_old_one(tmp_path: Path) -> None:
    folder, aside = tmp_path / "folder", tmp_path / "aside"
    folder.mkdir()
    with logging(LogFile(folder / "log")) as log:
        log.write("before")
        wait_until((folder / "log").exists)
        folder.rename(aside)
        log.reopen()
        log.write("after")
    before, error, after = (aside / "log").read_text().splitlines()
    assert (before[-6:], after[-5:]) == ("before", "after")
    assert "the log file cannot be opened again, the old one goes on: No such file or directory" in error


def test_a_file_whose_folder_comes_later_is_opened_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.server.log.RETRY_DELAY", 0.01)
    with logging(LogFile(tmp_path / "later" / "log")) as log:
        log.write("lost")
        (tmp_path / "later").mkdir()
        wait_until((tmp_path / "later" / "log").exists)
        log.write("kept")
    assert "Z kept\n" in (tmp_path / "later" / "log").read_text()


def test_a_named_pipe_that_nobody_reads_does_not_hold_up_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        check_log_file(tmp_path / "pipe")
