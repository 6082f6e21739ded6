"""The database files of a data folder, as backup and restore see them.

A DataFile describes a file: its name, its schema, what a command counts in it, and what a backup leaves out. The
records are described here, the board's file in board/gradebook/board_schema.py. Knows SQL, no archive.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tandem.diagnosis.problem import findings_in
from tandem.records.sqlite.sqlite_schema import VERSION, migrate, version_of
from tandem.records.sqlite.sqlite_store import FILE, STATES, StoreError, store_error
from tandem.records.visits import Outcome

# With a damaged schema sqlite3 can fail to decode SQLite's own error message.
SQL_ERRORS = (sqlite3.Error, UnicodeDecodeError)


def _give_new_identity(database: sqlite3.Connection) -> None:
    """Make a copy a database of its own: put in the place of the one it was copied from, it is noticed (file_watch)."""
    if "identity" in tables_of(database):
        database.execute("UPDATE identity SET id = lower(hex(randomblob(16)))")


def _nothing_foreign(database: sqlite3.Connection) -> str:
    return ""


def _foreign_record(database: sqlite3.Connection) -> str:
    """Name a column of the records with a value that would end the programs that read it, "" if there is none."""
    for table, columns in _LAWFUL.items():
        for column, condition in columns.items():
            query = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE NOT coalesce({condition}, 0))"
            if database.execute(query).fetchone()[0]:
                return f"{table}.{column}"
    kinds = database.execute("SELECT typeof(id), typeof(commits), typeof(checkpointed) FROM identity").fetchall()
    if kinds != [("text", "integer", "integer")]:
        return "identity"
    try:
        for (findings,) in database.execute("SELECT DISTINCT findings FROM visit"):
            for problem in findings_in(findings):
                problem.kind.title  # noqa: B018 (raises KeyError for an id that is in no catalogue)
    except (ValueError, TypeError, KeyError):
        return "visit.findings"
    return ""


_TIME = "typeof({0}) = 'integer' AND {0} BETWEEN 0 AND 253402300799000000"  # up to the year 9999
_COUNT = "typeof({0}) = 'integer' AND {0} >= 0"
_TEXT = "typeof({0}) = 'text'"
_LAWFUL = {
    table: {column: condition.format(column) for column, condition in columns.items()}
    for table, columns in {
        "team": {
            "classname": _TEXT,
            "teamname": _TEXT,
            "pair": _TEXT,
            "studentnr1": _TEXT,
            "studentnr2": _TEXT,
            "state": f"{{0}} IN ({', '.join(map(repr, STATES))})",
            "secret": _TEXT,
            "ip": _TEXT,
            "first_seen": _TIME,
            "finished_at": f"{{0}} IS NULL OR ({_TIME})",
            "visits": _COUNT,
            "problems": "json_valid({0}) AND json_type({0}) = 'array'",
        },
        "visit": {
            "classname": _TEXT,
            "teamname": _TEXT,
            "pair": _TEXT,
            "at": _TIME,
            "took": _COUNT,
            "address": _TEXT,
            "port": _COUNT,
            "outcome": f"{{0}} IN ({', '.join(repr(outcome.value) for outcome in Outcome)})",
            "received": "typeof({0}) = 'blob'",
            "size": _COUNT,
            "answered": "typeof({0}) = 'blob'",
            "findings": _TEXT,
        },
        "surplus": {"minute": _TIME, "address": _TEXT, "visits": _COUNT},
    }.items()
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One kind of database file."""

    name: str
    tables: frozenset[str]  # a database of any version with these tables is of this kind
    version: int  # of the schema that this program knows
    migrate: Callable[[sqlite3.Connection], None]  # brings an older schema to it
    counted: Mapping[str, str]  # the plain name of what is counted -> its table
    leave_out: Callable[[sqlite3.Connection], None]  # removes from a copy what a backup must not hold
    find_foreign: Callable[[sqlite3.Connection], str] = _nothing_foreign  # names a value that tandem never writes


RECORDS = DataFile(
    name=FILE,
    tables=frozenset({"team", "visit"}),
    version=VERSION,
    migrate=migrate,
    counted={"teams": "team", "visits": "visit"},
    leave_out=_give_new_identity,
    find_foreign=_foreign_record,
)

Counts = dict[str, int]  # rows, by plain name


def tables_of(database: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the tables of a database."""
    return frozenset(name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def kind_of(database: sqlite3.Connection, kinds: Sequence[DataFile]) -> DataFile | None:
    """Return which kind of file a database is, by its tables, or None."""
    tables = tables_of(database)
    return next((kind for kind in kinds if kind.tables <= tables), None)


def check_integrity(database: sqlite3.Connection, kind: DataFile, path: Path) -> None:
    """Raise StoreError if a database is of another kind, of a newer version, or damaged.

    The error names `path`, the file that the database was copied from.
    """
    version = version_of(database)
    if version > kind.version:
        raise StoreError(
            f"{kind.name} in {path} was made by a newer version of tandem"
            f" (schema {version}, this one knows {kind.version})",
            "use that version",
        )
    if not kind.tables <= tables_of(database):
        raise StoreError(f"{kind.name} in {path} is not one that tandem made: it lacks the tables")
    [found] = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise store_error(f"{kind.name} in {path} is damaged", found)


def check_schema(database: sqlite3.Connection, kind: DataFile, path: Path) -> None:
    """Raise StoreError if a database of today's version has other tables, columns or triggers than tandem makes.

    The error names `path`, the file that the database was copied from.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        kind.migrate(fresh)
        foreign = _shape(database) ^ _shape(fresh)
    if foreign:
        raise StoreError(f"{kind.name} in {path} is not one that tandem made: it differs in {min(foreign)}")


def _shape(database: sqlite3.Connection) -> set[str]:
    """Return a line for each object and column of a schema."""
    names = database.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    columns = database.execute(
        "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    return {" ".join(map(str, row)) for row in (*names, *columns)}


def count(database: sqlite3.Connection, kind: DataFile) -> Counts:
    """Count the rows of a database, by plain name."""
    rows = {name: database.execute(f"SELECT count(*) FROM {table}") for name, table in kind.counted.items()}
    return {name: int(row.fetchone()[0]) for name, row in rows.items()}
