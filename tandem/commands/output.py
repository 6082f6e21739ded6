"""What commands say: text on standard output, one line on standard error when something is wrong."""

import sys
from collections.abc import Iterable

from tandem.exchange.printable import printable


def show(pieces: Iterable[str]) -> int:
    """To standard output; a character that it cannot show becomes an escape. Returns the exit code 0."""
    encoding = sys.stdout.encoding or "utf-8"
    for piece in pieces:
        sys.stdout.write(piece.encode(encoding, "backslashreplace").decode(encoding))
    return 0


def complain(words: str, code: int = 1) -> int:
    """One line on standard error. Returns the exit code."""
    print(f"tandem: {printable(words)}", file=sys.stderr)
    return code
