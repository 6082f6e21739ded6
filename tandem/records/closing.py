"""Close what was opened if the work that follows its opening fails. If it succeeds, the resource stays open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Closable(Protocol):
    """A resource with a `close` method."""

    def close(self) -> None:
        """Release the resource."""


@contextmanager
def closed_on_error(resource: Closable) -> Iterator[None]:
    """Close the resource if the block raises anything, Ctrl-C included."""
    try:
        yield
    except BaseException:
        resource.close()
        raise
