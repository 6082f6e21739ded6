"""The heartbeat of the servers over one data folder: the time of an empty file, which each of them sets every second.

A board reads it to tell whether a server runs. Servers over PostgreSQL write a row instead (visits.Heartbeat).
"""

import os
import time
from contextlib import suppress
from pathlib import Path

FILE = "heartbeat"


def create_heartbeat(folder: Path) -> None:
    """Create the file in an existing folder, for its owner alone. Where that is not possible, there is no heartbeat."""
    with suppress(OSError):
        os.close(os.open(folder / FILE, os.O_WRONLY | os.O_CREAT, 0o600))
    beat(folder)


def beat(folder: Path) -> None:
    """Set the time of the file to now. A file that is gone stays so: the folder may be another one by now."""
    with suppress(OSError):
        os.utime(folder / FILE)


def heartbeat_age_s(folder: Path) -> float | None:
    """Return the seconds since the last heartbeat; None if no server has run over this folder."""
    try:
        return time.time() - (folder / FILE).stat().st_mtime
    except OSError:
        return None
