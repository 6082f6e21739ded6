"""The reading side of the store: what results, the board and the judge's recall look at. Changes nothing."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.ground.problems import Problem
from tandem.ground.record import Outcome, Team
from tandem.ground.store import FILE, PATIENCE, StoreTrouble, check_version


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team as it stands. Times in microseconds since 1970, UTC."""

    id: int
    team: Team
    state: str
    ip: str
    first_seen: int
    finished_at: int | None
    visits: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit as it was recorded."""

    at: int
    took: int
    address: str
    port: int
    outcome: Outcome
    received: bytes
    size: int
    answered: bytes
    findings: tuple[Problem, ...]


class Records:
    """The reading side: what results, the board and the judge's recall look at. Changes nothing."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._path = folder / FILE
        if not self._path.exists():
            raise StoreTrouble(f"there are no results in {folder}: no ground has run with --data {folder}")
        try:
            self._database = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=patience, isolation_level=None
            )
            check_version(self._database, self._path)
        except sqlite3.Error as error:
            raise StoreTrouble(f"{self._path} cannot be read: {error}") from error

    def close(self) -> None:
        self._database.close()

    def teams(self, classname: str | None = None, state: str | None = None) -> Iterator[TeamRow]:
        """The teams by class and name; only those of one class or in one state, if given."""
        return self._teams(
            "WHERE (:classname IS NULL OR classname = :classname) AND (:state IS NULL OR state = :state)"
            " ORDER BY classname, teamname, pair",
            {"classname": classname, "state": state},
        )

    def teams_named(self, teamname: str, classname: str | None = None) -> Iterator[TeamRow]:
        """The teams with this name, in one class or in all."""
        return self._teams(
            "WHERE teamname = :teamname AND (:classname IS NULL OR classname = :classname) ORDER BY classname, pair",
            {"teamname": teamname, "classname": classname},
        )

    def team_with_secret(self, secret: str) -> TeamRow | None:
        """The team that the secret was given to, if that is on record."""
        return next(self._teams("WHERE secret = :secret AND secret != ''", {"secret": secret}), None)

    def visits(self, team_id: int) -> Iterator[VisitRow]:
        """The visits of one team, in their order."""
        query = (
            "SELECT at, took, address, port, outcome, received, size, answered, findings"
            " FROM visit WHERE team = ? ORDER BY at, id"
        )
        for at, took, address, port, outcome, received, size, answered, findings in self._rows(query, (team_id,)):
            problems = tuple(Problem(**facts) for facts in json.loads(findings))
            yield VisitRow(at, took, address, port, Outcome(outcome), received, size, answered, problems)

    def _teams(self, condition: str, values: dict[str, object]) -> Iterator[TeamRow]:
        query = (
            "SELECT id, classname, teamname, studentnr1, studentnr2, state, ip, first_seen, finished_at, visits,"
            f" problems FROM team {condition}"
        )
        for id, *team, state, ip, first_seen, finished_at, visits, problems in self._rows(query, values):
            ids = tuple(json.loads(problems))
            yield TeamRow(id, Team(*team), state, ip, first_seen, finished_at, visits, ids)

    def _rows(self, query: str, values: dict[str, object] | tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._database.execute(query, values)
            while rows := cursor.fetchmany(100):
                yield from rows
        except sqlite3.Error as error:
            raise StoreTrouble(f"{self._path} cannot be read: {error}") from error
