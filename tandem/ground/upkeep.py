"""What a teacher does with the records besides reading them: a copy while the ground runs, and forgetting for good."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tandem.ground.store import FILE, StoreTrouble, check_version

PATIENCE = 30.0  # seconds to wait for a running ground's commits


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed."""

    teams: Sequence[str]  # CLASS/TEAM
    visits: int


def backup(folder: Path, target: Path) -> int:
    """Writes the whole database, as it is at one moment, to a new file for its owner alone; returns its bytes.

    The key is not in it. To restore, while no ground runs on DIR: delete DIR/tandem.sqlite3-wal and -shm, if they
    are there, and copy the file to DIR/tandem.sqlite3.
    """
    source = _open(folder)
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # all in the one file, nothing beside it
        finally:
            copy.close()
    except OSError as error:
        raise StoreTrouble(f"the backup {target} cannot be written: {error.strerror}") from None
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreTrouble(f"the backup {target} could not be made: {error}") from None
    finally:
        source.close()
    with target.open("rb") as written:
        os.fsync(written.fileno())
    return target.stat().st_size


def forget_team(folder: Path, teamname: str, classname: str | None) -> Forgotten:
    """Removes the teams of this name, in one class or in all, with their visits.

    Visits in which no team could be read go, too, if a student number of the team stands in what came.
    """
    named = "teamname = :teamname AND (:classname IS NULL OR classname = :classname)"
    numbers = f"""
        SELECT DISTINCT number FROM (
            SELECT studentnr1 AS number FROM team WHERE {named} UNION SELECT studentnr2 FROM team WHERE {named})
        WHERE length(number) >= 5 AND number != '0000000'
    """
    visits = f"""
        team IN (SELECT id FROM team WHERE {named})
        OR team IS NULL AND EXISTS (SELECT 1 FROM ({numbers}) WHERE instr(received, CAST(number AS BLOB)))
    """
    return _forget(folder, {"team": named, "visit": visits}, {"teamname": teamname, "classname": classname})


def forget_before(folder: Path, moment: datetime) -> Forgotten:
    """Removes the teams of which nothing came since this moment, and every visit before it."""
    silent = "first_seen < :before AND NOT EXISTS (SELECT 1 FROM visit WHERE visit.team = team.id AND at >= :before)"
    chosen = {"team": silent, "visit": "at < :before", "surplus": "minute < :before"}
    return _forget(folder, chosen, {"before": int(moment.timestamp() * 1e6)})


def _forget(folder: Path, chosen: dict[str, str], values: dict[str, str | int | None]) -> Forgotten:
    """Removes what is chosen, a condition a table, and every trace of it from the file and its log."""
    database = _open(folder)
    try:
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        named = f"SELECT classname || '/' || teamname FROM team WHERE {chosen['team']} ORDER BY 1"
        teams = [name for (name,) in database.execute(named, values)]
        visits = database.execute(f"DELETE FROM visit WHERE {chosen['visit']}", values).rowcount
        database.execute(f"DELETE FROM team WHERE {chosen['team']}", values)
        if "surplus" in chosen:
            database.execute(f"DELETE FROM surplus WHERE {chosen['surplus']}", values)
        database.execute("COMMIT")
        database.execute("VACUUM")
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreTrouble(f"{folder / FILE} is in use: removed, but traces stay in its log; try again")
    except sqlite3.Error as error:
        raise StoreTrouble(f"{folder / FILE}: {error}; try again") from None
    finally:
        database.close()
    return Forgotten(teams, visits)


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise StoreTrouble(f"there are no results in {folder}: no ground has run with --data {folder}")
    try:
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        check_version(database, path)
    except sqlite3.Error as error:
        raise StoreTrouble(f"{path} cannot be used: {error}") from None
    return database
