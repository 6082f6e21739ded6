"""Visits for tests of what keeps and shows them."""

from tandem.ground.problems import Problem
from tandem.ground.record import Outcome, Team, Visit

TEAM = Team("INF2A", "Team1", "0923456", "0934567")


def a_visit(outcome: Outcome, team: Team | None = TEAM, at: int = 1_000_000, problems: tuple[str, ...] = ()) -> Visit:
    """One visit that ended in a certain way."""
    return Visit(
        at=at,
        took=1500,
        address="192.0.2.1",
        port=40000,
        outcome=outcome,
        received=b"{what came}",
        size=11,
        answered=b"{what was answered}",
        team=team,
        secret="" if outcome is Outcome.REJECTED else f"secret of {team}",
        ip="192.0.2.1",
        problems=tuple(Problem(id, facts={"field": "secret"}) for id in problems),
    )


def message_1(team: Team = TEAM, at: int = 1_000_000) -> Visit:
    return a_visit(Outcome.MESSAGE_1, team, at)


def message_2(team: Team = TEAM, at: int = 2_000_000) -> Visit:
    return a_visit(Outcome.MESSAGE_2, team, at)


def rejected(team: Team | None = TEAM, problem: str = "secret-wrong", at: int = 3_000_000) -> Visit:
    return a_visit(Outcome.REJECTED, team, at, (problem,))
