"""The targets of the guided campaigns, and the inputs that are kept for each. Knows nothing of what they run."""

from collections.abc import Iterator
from pathlib import Path

TARGETS = ("reader", "diagnosis", "loop")


def folder_of(target: str) -> Path:
    return Path(__file__).parent / "corpus" / target


def kept(target: str) -> Iterator[bytes]:
    """The kept inputs of a target, in the same order every time."""
    for path in sorted(folder_of(target).iterdir()):
        yield path.read_bytes()
