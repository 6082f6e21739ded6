"""Copies a submission to where the records are, so that it stays beside them as it was examined."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = (".git", "__pycache__")
MAX_ENTRIES = 10_000  # files and folders
MIB = 1024 * 1024


class SubmissionError(Exception):
    """A submission cannot be examined. str() says why."""


def copy_submission(folder: Path, copy: Path, records: Path, disk_mib: int) -> None:
    """Copy files and folders. Symbolic links stay links; `records`, pipes, sockets and devices are left out.

    Raises:
        SubmissionError: it is larger than `disk_mib`, or has more than MAX_ENTRIES files, or cannot be read.
    """
    without = records.resolve()

    def left_out(inside: str, names: list[str]) -> set[str]:
        return {name for name in names if name in LEFT_OUT or _is_left_out(Path(inside, name), without)}

    try:
        sizes = list(_sizes(folder, without))
        if len(sizes) > MAX_ENTRIES:
            raise SubmissionError(f"it has more than {MAX_ENTRIES:,} files")
        if sum(sizes) > disk_mib * MIB:
            raise SubmissionError(f"it has {sum(sizes) / MIB:,.0f} MiB; limits.disk_mib of the plan is {disk_mib}")
        shutil.copytree(folder, copy, symlinks=True, ignore=left_out)
    except OSError as error:
        raise SubmissionError(f"it cannot be copied: {error}") from None


def _is_left_out(path: Path, records: Path) -> bool:
    mode = path.lstat().st_mode
    is_usual = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
    return not is_usual or path.resolve() == records


def _sizes(folder: Path, records: Path) -> Iterator[int]:
    """Yield the size of each file in bytes, 0 for a folder; of MAX_ENTRIES and one more at most."""
    count = 0
    for inside, folders, files in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in LEFT_OUT and not _is_left_out(Path(inside, name), records)
        ]
        for name in (*folders, *files):
            count += 1
            if count > MAX_ENTRIES + 1:
                return
            yield Path(inside, name).lstat().st_size if name in files else 0
