"""Visits for tests of what keeps and shows them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tandem.diagnosis.problem import Problem
from tandem.records.visits import MetricsSample, Outcome, RightVisit, Team, Visit

TEAM = Team("INF2A", "Team1", "0923456", "0934567")
SAMPLE = MetricsSample(5_000_000, "127.0.0.1:5550 77", 5_000_000, 20, 3, 900, 1700, 4, 800, 2100, 0)

COMMON: dict[str, Any] = {
    "duration_us": 1500,
    "address": "192.0.2.1",
    "port": 40000,
    "received": b"{what came}",
    "size_bytes": 11,
    "reply": b"{what was answered}",
}


def right_visit(outcome: Outcome, team: Team = TEAM, started_us: int = 1_000_000, **changes: Any) -> RightVisit:
    """Return a visit with a right message."""
    visit = RightVisit(
        classname=team.classname,
        teamname=team.teamname,
        pair=team.pair,
        started_us=started_us,
        outcome=outcome,
        findings="[]",
        studentnr1=team.studentnr1,
        studentnr2=team.studentnr2,
        secret=f"secret of {team}",
        ip="192.0.2.1",
        **COMMON,
    )
    return visit._replace(**changes)


def message_1(team: Team = TEAM, started_us: int = 1_000_000, **changes: Any) -> RightVisit:
    """Return a visit with a right message 1."""
    return right_visit(Outcome.MESSAGE_1, team, started_us, **changes)


def message_2(team: Team = TEAM, started_us: int = 2_000_000, **changes: Any) -> RightVisit:
    """Return a visit with a right message 2."""
    return right_visit(Outcome.MESSAGE_2, team, started_us, **changes)


def refused(outcome: Outcome, team: Team | None, started_us: int = 3_000_000, problems: tuple[str, ...] = ()) -> Visit:
    """Return a visit without a right message."""
    found = tuple(Problem(id, facts={"field": "secret"}) for id in problems)
    return Visit(started_us=started_us, outcome=outcome, team=team, problems=found, **COMMON)


def rejected(team: Team | None = TEAM, problem: str = "secret-wrong", started_us: int = 3_000_000) -> Visit:
    """Return a visit with a wrong message."""
    return refused(Outcome.REJECTED, team, started_us, (problem,))


def changed(visit: RightVisit | Visit, **changes: Any) -> RightVisit | Visit:
    """Return the visit with other values."""
    return visit._replace(**changes) if isinstance(visit, RightVisit) else replace(visit, **changes)


def apart(visits: Iterable[RightVisit | Visit]) -> list[RightVisit | Visit]:
    """Return the visits, no two from the same port at the same moment."""
    return [changed(visit, port=40_000 + number) for number, visit in enumerate(visits)]
