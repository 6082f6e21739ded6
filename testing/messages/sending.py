"""Gives bytes to the diagnosis as a connection would."""

from collections.abc import Iterable

from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose
from tandem.protocol.reader import NEED_DATA, Reader

ADDRESS = "145.137.54.21"  # where the messages of the tests come from


def diagnosed(data: bytes, address: str = "") -> Diagnosis:
    """All in one piece, and then silence."""
    return diagnosed_in_pieces((data,), address)


def diagnosed_in_pieces(pieces: Iterable[bytes], address: str = "") -> Diagnosis:
    reader = Reader()
    for piece in pieces:
        reader.feed(piece)
    if reader.state is NEED_DATA and reader.maybe_framed:
        reader.assume_bare()
    return diagnose(reader, Ending.SILENCE if reader.state is NEED_DATA else Ending.DECIDED, address)


def ids(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Of the problems and the remarks, sorted."""
    return tuple(sorted(problem.id for problem in (*diagnosis.problems, *diagnosis.remarks)))
