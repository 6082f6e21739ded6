"""Passes bytes to the diagnosis as a connection does."""

from collections.abc import Iterable

from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose
from tandem.protocol.framing import PLAIN
from tandem.protocol.reader import Reader

ADDRESS = "145.137.54.21"  # of the sender


def diagnosed(data: bytes, address: str = "", framing: str = PLAIN) -> Diagnosis:
    """Return the diagnosis of data that comes in one piece, and then silence."""
    return diagnosed_in_pieces((data,), address, framing)


def diagnosed_in_pieces(pieces: Iterable[bytes], address: str = "", framing: str = PLAIN) -> Diagnosis:
    """Return the diagnosis of data that comes in pieces, and then silence."""
    reader = Reader(framing)
    for piece in pieces:
        reader.feed(piece)
    return diagnose(reader, Ending.SILENCE, address)


def ids(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the ids of the problems and the remarks, sorted."""
    return tuple(sorted(problem.id for problem in (*diagnosis.problems, *diagnosis.remarks)))
