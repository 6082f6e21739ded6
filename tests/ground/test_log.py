"""The log: one line each, harmless to a terminal, and never in anybody's way."""

import io
import threading

from tandem.ground.log import MOST_WAITING, Log


def test_lines_are_written_with_the_time_and_without_control_characters() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.write("one\x1b[2J")
    log.write("two\nthree")
    log.stop()
    first, second = stream.getvalue().splitlines()
    assert first.endswith("Z one\\x1b[2J")
    assert second.endswith("Z two\\nthree")


class StuckStream(io.StringIO):
    """A stream that takes nothing until it is freed, as a pipe that nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = threading.Event()
        self.freed = threading.Event()

    def write(self, text: str) -> int:
        self.stuck.set()
        self.freed.wait()
        return super().write(text)


def test_where_nobody_reads_lines_are_dropped_and_counted() -> None:
    stream = StuckStream()
    log = Log(stream)
    log.write("first")
    stream.stuck.wait()
    for number in range(MOST_WAITING + 5):
        log.write(f"line {number}")  # would never return if the stream held it up
    stream.freed.set()
    log.stop()
    assert "(5 lines were dropped: nobody read them)" in stream.getvalue()
    assert f"line {MOST_WAITING - 1}\n" in stream.getvalue()


def test_a_stream_that_is_gone_ends_the_log_quietly() -> None:
    stream = io.StringIO()
    stream.close()
    log = Log(stream)
    log.write("nobody hears this")
    log.stop()
