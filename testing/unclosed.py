"""Fail a test that leaves a socket, a file or a database connection open: that very test, on every Python.

A ResourceWarning comes only when the object is collected. With a reference cycle that is in some later test, or never.
So the garbage is collected after every test; pytest turns what comes of it into that test's error. SQLite's connections
warn only from Python 3.13 on; before, a class of ours warns for them.
"""

import gc
import sqlite3
import sys
import warnings
from functools import partial
from typing import Any


class WatchedConnection(sqlite3.Connection):
    """A connection that warns if it is collected before it was closed, as Python 3.13's own does."""

    is_open = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_open = True

    def close(self) -> None:
        """Close it, and warn no more."""
        super().close()
        self.is_open = False

    def __del__(self) -> None:
        if self.is_open:
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, source=self, stacklevel=2)


def watch_connections() -> None:
    """Make every sqlite3.connect of this process return a connection that warns."""
    if sys.version_info < (3, 13):
        sqlite3.connect = partial(sqlite3.connect, factory=WatchedConnection)  # type: ignore[assignment]


def ignore_what_is_there() -> None:
    """Collect, and exempt all objects that are left from later collections: their number decides how long one takes.

    Call it after all imports, and after each module of tests: then pytest alone still holds what the tests made.
    """
    gc.collect()
    gc.freeze()


def collect() -> None:
    """Collect what the last test left, so that what it left open warns now."""
    gc.collect()
