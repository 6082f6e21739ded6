"""Forgetting in one call, for tests; and whether words are left anywhere in a database."""

from pathlib import Path
from typing import Any

from tandem.records.forget import Forgotten, Selection, forgetting
from tandem.records.rows import DatabaseLocation
from testing.postgres import connect
from testing.tables import TABLES


def forget(where: DatabaseLocation, **conditions: Any) -> Forgotten:
    """Remove from the records what `tandem forget` would. The conditions are those of Selection."""
    with forgetting(where, Selection(**conditions)) as removal:
        removal.commit()
        return removal.forgotten


def traces(folder: Path, words: bytes) -> list[str]:
    """Return the names of the files in the folder that hold the words."""
    return [path.name for path in folder.iterdir() if words in path.read_bytes()]


def is_left(where: DatabaseLocation, words: str) -> bool:
    """Return whether the words are anywhere in the database; for SQLite, anywhere in its files."""
    if isinstance(where, Path):
        return bool(traces(where, words.encode()))
    with connect(where) as server:
        tables = "SELECT string_agg(t::text, '') FROM {} AS t"
        told = [server.execute(tables.format(name).encode()).fetchone() for name in (*TABLES, "team_name")]
        cells = [bytes(cell) for row in server.execute("SELECT received, answered FROM visit") for cell in row]
    return words in str(told) or any(words.encode() in cell for cell in cells)
