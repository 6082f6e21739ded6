"""Forgetting in one call, for tests; and whether words are left anywhere in a database."""

from pathlib import Path
from typing import Any

from tandem.records.forget import Forgotten, Selection, forgetting
from tandem.records.rows import DatabaseLocation
from testing.postgres import connect
from testing.tables import TABLES


def forget(where: DatabaseLocation, **conditions: Any) -> Forgotten:
    """What `tandem forget` does with the records; the conditions are Selection's."""
    with forgetting(where, Selection(**conditions)) as removal:
        removal.commit()
        return removal.forgotten


def traces(folder: Path, words: bytes) -> list[str]:
    """The files of the folder in which the words stand: the database, its log, the board's own file, all of them."""
    return [path.name for path in folder.iterdir() if words in path.read_bytes()]


def is_left(where: DatabaseLocation, words: str) -> bool:
    """Whether the words stand anywhere in the database; for a file, in any byte of it."""
    if isinstance(where, Path):
        return bool(traces(where, words.encode()))
    with connect(where) as server:
        tables = "SELECT string_agg(t::text, '') FROM {} AS t"
        told = [server.execute(tables.format(name).encode()).fetchone() for name in (*TABLES, "team_name")]
        cells = [bytes(cell) for row in server.execute("SELECT received, answered FROM visit") for cell in row]
    return words in str(told) or any(words.encode() in cell for cell in cells)
