"""The files that a run fills. Each is opened before the load begins: what cannot be written is told in time.

An older file's content stays until there is something to put in its place. A new file that gets none is taken away.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tandem.bench.summary import Run
from tandem.protocol.errors import TandemError

Wanted = Mapping[Path, Callable[[Run], str]]  # what goes into each file


class OutputFileError(TandemError):
    """A file cannot be written."""


class Files:
    """Files that are open. Give it the run once it is made."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def write(self, run: Run) -> list[str]:
        """Returns a line for each that could not be written after all."""
        return [trouble for path, text_of in self._wanted.items() if (trouble := _write(path, text_of(run)))]


@contextmanager
def opened(wanted: Wanted) -> Iterator[Files]:
    """Open in this block. Raises OutputFileError."""
    with ExitStack() as files:
        for path in wanted:
            files.enter_context(_opened(path))
        yield Files(wanted)


@contextmanager
def _opened(path: Path) -> Iterator[None]:
    is_new = not os.path.lexists(path)
    try:
        file = path.open("ab")
    except FileNotFoundError:
        raise OutputFileError(f"{path} cannot be written: there is no folder {path.parent}", "make it first") from None
    except OSError as error:
        raise OutputFileError(_told(path, error)) from None
    try:
        yield
    finally:
        is_empty = os.fstat(file.fileno()).st_size == 0
        file.close()
        if is_new and is_empty:
            path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> str:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return _told(path, error)
    return ""


def _told(path: Path, error: OSError) -> str:
    return f"{path} cannot be written: {error.strerror}"
