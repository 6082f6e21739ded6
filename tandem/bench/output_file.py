"""The file that a run fills. It is opened before the load begins, so that a wrong path is reported at once.

The content of an older file stays until there is something to replace it. A new file that gets none is removed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.protocol.errors import TandemError


class OutputFileError(TandemError):
    """A file cannot be written."""


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Keep the file open for writing in this block. Call `write` in it.

    Raises:
        OutputFileError: The file cannot be written.
    """
    is_new = not os.path.lexists(path)
    try:
        file = path.open("ab")
    except FileNotFoundError:
        raise OutputFileError(f"{path} cannot be written: there is no folder {path.parent}", "make it first") from None
    except OSError as error:
        raise _error(path, error) from None
    try:
        yield
    finally:
        is_empty = os.fstat(file.fileno()).st_size == 0
        file.close()
        if is_new and is_empty:
            path.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Replace the content of the file.

    Raises:
        OutputFileError: The file cannot be written, for example because the disk is full.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _error(path, error) from None


def _error(path: Path, error: OSError) -> OutputFileError:
    return OutputFileError(f"{path} cannot be written: {error.strerror}")
