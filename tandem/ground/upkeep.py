"""What a teacher does with the records besides reading them: a copy while the ground runs, and forgetting for good."""

import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tandem.ground.dbfiles import DatabaseFiles, check_log, connect_to_read, count_commit
from tandem.ground.rows import Row, Values, Where
from tandem.ground.store import FILE, StoreTrouble, check_version

PATIENCE = 30.0  # seconds to wait for a running ground's commits
VISITS_AT_ONCE = 100
NOBODY = "0000000"  # the number of nobody in particular


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed."""

    teams: Sequence[str]  # CLASS/TEAM
    visits: int


class Eraser(Protocol):
    """Removes rows in one transaction, which begins when it is opened. Every method may raise StoreTrouble."""

    def ask(self, query: str, values: Values) -> list[Row]: ...

    def erase(self, table: str, chosen: str, values: Values) -> int:
        """Removes the rows for which a condition holds; returns how many."""

    def finish(self) -> None:
        """Commits, and removes what is left of the rows where rows are kept."""

    def close(self) -> None: ...


def backup(folder: Path, target: Path) -> int:
    """Writes the whole database, as it is at one moment, to a new file for its owner alone; returns its bytes.

    The key is not in it. To restore, while no ground runs on DIR: delete DIR/tandem.sqlite3-wal and -shm, if they
    are there, and copy the file to DIR/tandem.sqlite3. What has the name is whole: it is a draft until then.
    """
    source = _open(folder)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.draft")
    try:
        _check_absent(target)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft)
        _check_absent(target)
        return draft.rename(target).stat().st_size
    except OSError as error:
        raise StoreTrouble(f"the backup {target} cannot be written: {error.strerror}") from None
    except sqlite3.Error as error:
        raise StoreTrouble(f"the backup {target} could not be made: {error}") from None
    finally:
        source.close()
        draft.unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """The whole database to a file, on disk when this returns."""
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all in the one file, nothing beside it
    finally:
        copy.close()
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _check_absent(target: Path) -> None:
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def forget_team(where: Where, teamname: str, classname: str | None) -> Forgotten:
    """Removes the teams of this name, in one class or in all, with their visits.

    Visits in which no team could be read go, too, if a student number of the team stands in what came.
    """
    if not teamname:
        return Forgotten([], 0)  # so are the visits of nobody called
    chosen, values = "teamname = :teamname", {"teamname": teamname}
    if classname is not None:
        chosen, values = f"{chosen} AND classname = :classname", {**values, "classname": classname}
    with _erasing(where) as eraser:
        numbers = set[str]()
        for pair in eraser.ask(f"SELECT studentnr1, studentnr2 FROM team WHERE {chosen}", values):
            numbers.update(number for number in pair if len(number) >= 5 and number != NOBODY)
        visits = _erase_traces(eraser, [number.encode() for number in numbers])
        visits += eraser.erase("visit", chosen, values)
        return Forgotten(_erase_teams(eraser, chosen, values), visits)


def forget_before(where: Where, moment: datetime) -> Forgotten:
    """Removes the teams of which nothing came since this moment, and every visit before it."""
    values = {"before": int(moment.timestamp() * 1e6)}
    silent = """first_seen < :before AND NOT EXISTS (SELECT 1 FROM visit WHERE visit.classname = team.classname
        AND visit.teamname = team.teamname AND visit.pair IN (team.pair, '') AND visit.at >= :before)"""
    with _erasing(where) as eraser:
        teams = _erase_teams(eraser, silent, values)
        eraser.erase("surplus", "minute < :before", values)
        return Forgotten(teams, eraser.erase("visit", "at < :before", values))


def _erase_teams(eraser: Eraser, chosen: str, values: Values) -> list[str]:
    names = eraser.ask(f"SELECT classname, teamname FROM team WHERE {chosen} ORDER BY classname, teamname", values)
    eraser.erase("team", chosen, values)
    return [f"{classname}/{teamname}" for classname, teamname in names]


def _erase_traces(eraser: Eraser, numbers: Sequence[bytes]) -> int:
    """The visits of nobody that hold one of the numbers; a block at a time: each may hold 8 KiB."""
    erased, values = 0, {"after": -1, "limit": VISITS_AT_ONCE}
    query = """SELECT id, received FROM visit WHERE classname = '' AND teamname = '' AND id > :after
        ORDER BY id LIMIT :limit"""
    while numbers and (block := eraser.ask(query, values)):
        for id, received in block:
            if any(number in received for number in numbers):
                erased += eraser.erase("visit", "id = :id", {"id": id})
        values["after"] = block[-1][0]
    return erased


@contextmanager
def _erasing(where: Where) -> Iterator[Eraser]:
    """One transaction, and afterwards no trace of what it removed."""
    eraser = _open_eraser(where)
    try:
        yield eraser
        eraser.finish()
    finally:
        eraser.close()


def _open_eraser(where: Where) -> Eraser:
    if isinstance(where, Path):
        return SqliteEraser(where)
    from tandem.ground.postgres.eraser import PostgresEraser  # its driver is there only with tandem[postgres]

    return PostgresEraser(where)


class SqliteEraser:
    """Removes rows from the file in a data folder, and every trace of them from the file and its log."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            DatabaseFiles(self._path).check_unused()
        except sqlite3.Error as error:
            raise StoreTrouble(f"{self._path} cannot be used: {error}") from None
        self._database = _open(folder)
        self._do("PRAGMA secure_delete = ON")
        self._do("BEGIN IMMEDIATE")
        count_commit(self._database)

    def ask(self, query: str, values: Values) -> list[Row]:
        return self._do(query, values).fetchall()

    def erase(self, table: str, chosen: str, values: Values) -> int:
        return self._do(f"DELETE FROM {table} WHERE {chosen}", values).rowcount

    def finish(self) -> None:
        self._do("COMMIT")
        try:
            self._database.execute("VACUUM")
            count_commit(self._database)
            busy, _, _ = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise StoreTrouble(f"{self._path}: removed, but traces stay in the file: {error}; try again") from None
        if busy:
            raise StoreTrouble(f"{self._path} is in use: removed, but traces stay in its log; try again")

    def close(self) -> None:
        self._database.close()

    def _do(self, statement: str, values: Values | None = None) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values or {})
        except sqlite3.Error as error:
            raise StoreTrouble(f"{self._path}: {error}; try again") from None


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise StoreTrouble(f"there are no results in {folder}: no ground has run with --data {folder}")
    try:
        with closing(connect_to_read(path)) as reader:
            check_version(reader, path)
        check_log(path)
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        check_version(database, path)  # a connection that has read removes log and index when it closes last
        return database
    except sqlite3.Error as error:
        raise StoreTrouble(f"{path} cannot be used: {error}") from None
