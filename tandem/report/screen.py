"""The output of commands: text on standard output, one line on standard error for an error."""

import errno
import io
import os
import select
import sys
from collections.abc import Iterable

from tandem.protocol.errors import TandemError
from tandem.protocol.printable import encodable, printable

WRITE_TIMEOUT_S = 0.2  # to wait for a reader of standard error


class OutputError(TandemError):
    """Standard output cannot be written."""


def use_utf8() -> None:
    """Write UTF-8 to standard output, whatever the locale, and every line ending as it is given."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")


def has_colours() -> bool:
    """Return whether standard output is a terminal whose user has not switched colours off (NO_COLOR)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def echo(pieces: Iterable[str]) -> int:
    """Write pieces of text to standard output. Characters that its encoding lacks become escapes.

    Returns:
        The exit code 0.

    Raises:
        OutputError: standard output cannot be written.
        BrokenPipeError: the reader has closed the pipe.
    """
    for piece in pieces:
        try:
            sys.stdout.write(encodable(piece, sys.stdout.encoding))
        except OSError as error:
            raise _output_error(error) from None
    return 0


def echo_done(done: str, pieces: Iterable[str]) -> int:
    """Write the report of a command that has changed something.

    Args:
        done: what was done, for the error: otherwise its reader would think that nothing was.
        pieces: the report.

    Returns:
        The exit code 0.

    Raises:
        OutputError: standard output cannot be written, or its reader has closed the pipe.
    """
    try:
        echo(pieces)
        flush()
    except (OutputError, BrokenPipeError) as error:
        sys.stdout = None
        reason = error.what if isinstance(error, OutputError) else "the reader of standard output has closed it"
        raise OutputError(f"{done}, but {reason}") from None
    return 0


def flush() -> None:
    """Flush standard output.

    Raises:
        OutputError: standard output cannot be written.
        BrokenPipeError: the reader has closed the pipe.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from None


def _output_error(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    if error.errno == errno.EBADF:  # as cli.py opens it if it was closed before the start
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())  # Python 3.13 reports what it cannot flush
    sys.stdout = None  # otherwise Python would try to flush it at exit
    if error.errno == errno.EBADF:
        return OutputError("standard output is closed, so nothing can be written to it", "a terminal, a file or a pipe")
    return OutputError(f"standard output cannot be written: {error.strerror}", "a file on a disk with room")


def print_error(words: str, code: int = 1) -> int:
    """Print one line on standard error. Return the exit code."""
    write_error(f"tandem: {printable(words)}\n")
    return code


def write_error(line: str) -> None:
    """Write to standard error if it accepts a line within WRITE_TIMEOUT_S. Without a reader the exit code says enough.

    A server must not block on a full pipe.
    """
    if sys.stderr is None or not _takes_a_line():
        return
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:
        sys.stderr = None  # otherwise Python would flush it at exit and change the exit code


def _takes_a_line() -> bool:
    """Return whether standard error has room. True where that is unknown: on Windows, or without a descriptor."""
    try:
        return bool(select.select([], [sys.stderr], [], WRITE_TIMEOUT_S)[1])
    except (OSError, ValueError):
        return True
