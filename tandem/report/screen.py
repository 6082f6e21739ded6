"""What commands say: text on standard output, one line on standard error when something is wrong."""

import select
import sys
from collections.abc import Iterable

from tandem.protocol.errors import TandemError
from tandem.protocol.printable import encodable, printable

WRITE_TIMEOUT_S = 0.2  # how long a line on standard error waits for a reader


class OutputError(TandemError):
    """Standard output cannot be written."""


def show(pieces: Iterable[str]) -> int:
    """To standard output; a character that it cannot show becomes an escape. Returns the exit code 0."""
    for piece in pieces:
        try:
            sys.stdout.write(encodable(piece, sys.stdout.encoding))
        except OSError as error:
            raise _trouble(error) from None
    return 0


def finish() -> None:
    """What was shown is out when this returns."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _trouble(error) from None


def _trouble(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    sys.stdout = None  # or it would be tried, and told, once more at the end
    return OutputError(f"standard output cannot be written: {error.strerror}", "a file on a disk with room")


def print_error(words: str, code: int = 1) -> int:
    """One line on standard error. Returns the exit code."""
    write_error(f"tandem: {printable(words)}\n")
    return code


def write_error(line: str) -> None:
    """Write to standard error, if somebody reads it: the exit code says enough.

    A pipe that is full and that nobody reads is given up after WRITE_TIMEOUT_S: a server must not hang there.
    """
    if sys.stderr is None or not _takes_a_line():
        return
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:
        sys.stderr = None  # or it would be tried once more at the end, and change the exit code


def _takes_a_line() -> bool:
    """Return whether standard error has room. Where that cannot be asked (Windows, a test's buffer), it has."""
    try:
        return bool(select.select([], [sys.stderr], [], WRITE_TIMEOUT_S)[1])
    except (OSError, ValueError):
        return True
