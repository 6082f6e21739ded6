"""The tables of a database, of either kind, for tests that look at them whole."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tandem.records.queries import Records, TeamRow, open_records
from tandem.records.rows import DatabaseLocation, Row, Rows
from tandem.records.sqlite.sqlite_store import FILE
from testing.postgres import connect

TABLES = ("team", "visit", "surplus", "vitals")


def everything(rows: Rows) -> dict[str, Any]:
    """Return all that is on record, as the reading side returns it."""
    records = Records(rows)
    teams = list(records.teams())
    return {
        "teams": teams,
        "visits": {team.key: list(records.visits(team.key)) for team in teams},
        "arrivals": [(row.classname, row.teamname, row.pair, row.started_us) for row in records.visits_since(0)],
        "classes": list(records.classes()),
        "mistakes": records.mistakes(0),
        "vitals": list(records.metrics_since(-1)),
        "surplus": surplus(rows),
    }


def teams(where: DatabaseLocation, classname: str | None = None, state: str | None = None) -> list[TeamRow]:
    """Return the teams on record."""
    records = open_records(where)
    try:
        return list(records.teams(classname, state))
    finally:
        records.close()


def surplus(rows: Rows) -> list[Row]:
    """Return the rows of the table of suppressed visits."""
    return rows.query("SELECT minute, address, visits FROM surplus ORDER BY minute, address, visits", {})


def empty(where: DatabaseLocation) -> None:
    """Remove every row."""
    if isinstance(where, Path):
        with closing(sqlite3.connect(where / FILE)) as database, database:
            for table in TABLES:
                database.execute(f"DELETE FROM {table}")
    else:
        with connect(where) as server:
            for table in TABLES:
                server.execute(f"DELETE FROM {table}".encode())
