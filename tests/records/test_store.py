"""What holds for every store, on SQLite and PostgreSQL alike: one row a team, whatever comes in whatever order."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.diagnosis.problem import REFUSAL_HANDED_ON, Problem, findings_in
from tandem.records.database import open_rows
from tandem.records.queries import open_records
from tandem.records.rows import DatabaseLocation, Rows
from tandem.records.visits import Outcome, Record, RightVisit, SuppressedVisits, Team, Visit
from tandem.server.committer import BatchStore
from tandem.server.serve import open_store
from testing.tables import empty, everything, surplus, teams
from testing.visits import SAMPLE, TEAM, apart, changed, message_1, message_2, refused, rejected, right_visit

SWAPPED = TEAM._replace(studentnr1=TEAM.studentnr2, studentnr2=TEAM.studentnr1)
UNREADABLE_NUMBERS = TEAM._replace(studentnr1="", studentnr2="")
WEEK = 7 * 86_400_000_000  # microseconds


# visits in their order -> state, visits, problems of the one row they make
STORIES: dict[str, tuple[list[RightVisit | Visit], tuple[str, int, tuple[str, ...]]]] = {
    "message 1": ([message_1()], ("waiting for message 2", 1, ())),
    "both messages": ([message_1(), message_2()], ("finished", 2, ())),
    "message 2 alone, its message 1 was on another server": ([message_2()], ("finished", 1, ())),
    "message 1 again": ([message_1(), message_1()], ("waiting for message 2", 2, ())),
    "message 2 again": ([message_1(), message_2(), message_2()], ("finished", 3, ())),
    "message 1 again after the end": ([message_1(), message_2(), message_1()], ("finished", 3, ())),
    "refused first": ([rejected()], ("rejected", 1, ("secret-wrong",))),
    "refused, then right": (
        [rejected(UNREADABLE_NUMBERS), message_1()],
        ("waiting for message 2", 2, ("secret-wrong",)),
    ),
    "refused, then finished": ([rejected(), message_1(), message_2()], ("finished", 3, ())),
    "refused, then finished at once": ([rejected(), message_2()], ("finished", 2, ())),
    "refused after the end": ([message_1(), message_2(), rejected()], ("finished", 3, ())),
    "refused twice": ([rejected(), rejected(problem="not-swapped")], ("rejected", 2, ("not-swapped",))),
    "refused with other numbers": (
        [message_1(), rejected(TEAM._replace(studentnr1="7"))],
        ("waiting for message 2", 2, ("secret-wrong",)),
    ),
    "one too many": (
        [rejected(), replace(rejected(problem="not-swapped"), stored_in_full=False)],
        ("rejected", 2, ("not-swapped",)),
    ),
    "both students tried client 1": ([message_1(), message_1(SWAPPED), message_2()], ("finished", 3, ())),
    "message 1's refusal was handed on": (
        [rejected(problem="not-swapped"), rejected(problem=REFUSAL_HANDED_ON)],
        ("rejected", 2, ("not-swapped",)),
    ),
    "a refusal was handed on, of which nothing is on record": (
        [rejected(problem=REFUSAL_HANDED_ON)],
        ("rejected", 1, ()),
    ),
    "a refusal was handed on by a team that waits": (
        [message_1(), rejected(problem=REFUSAL_HANDED_ON)],
        ("waiting for message 2", 2, ()),
    ),
    "a refusal was handed on, and something else was wrong": (
        [rejected(), refused(Outcome.REJECTED, TEAM, problems=(REFUSAL_HANDED_ON, "not-swapped"))],
        ("rejected", 2, (REFUSAL_HANDED_ON, "not-swapped")),
    ),
    "nothing came, but for the names": ([refused(Outcome.NOTHING, TEAM)], ("rejected", 1, ())),
}


@pytest.mark.parametrize(("visits", "expected"), STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("at_once", [True, False])
def test_one_row_a_team(
    where: DatabaseLocation,
    store: BatchStore,
    visits: list[RightVisit | Visit],
    expected: tuple[str, int, tuple[str, ...]],
    at_once: bool,
) -> None:
    visits = apart(visits)
    for batch in [visits] if at_once else [[visit] for visit in visits]:
        store.write(batch)
    [row] = teams(where)
    assert (row.state, row.visits, row.problems) == expected
    latest = max(visits, key=lambda visit: visit.started_us)
    assert row.stuck == (row.state != "finished" and latest.outcome in (Outcome.REJECTED, Outcome.NOTHING))
    if any(visit.outcome in (Outcome.MESSAGE_1, Outcome.MESSAGE_2) for visit in visits):
        assert row.team == TEAM
    assert (row.finished_us is not None) == (row.state == "finished")


def test_the_numbers_are_those_of_the_latest_message_1_until_the_end(
    where: DatabaseLocation, store: BatchStore
) -> None:
    store.write(apart([message_1(), message_1(SWAPPED)]))
    [row] = teams(where)
    assert row.team == SWAPPED
    store.write([message_2(SWAPPED)])
    store.write([message_1(started_us=9_000_000)])
    [row] = teams(where)
    assert row.team == SWAPPED


def test_the_ip_is_that_of_message_1(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(ip="192.0.2.7"), message_2(ip="192.0.2.8")])
    [row] = teams(where)
    assert row.ip == "192.0.2.7"


def test_a_finished_record_does_not_change(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(), message_2(started_us=2_000_000)])
    [before] = teams(where)
    store.write([message_2(SWAPPED, started_us=9_000_000), message_1(SWAPPED, started_us=8_000_000), rejected(SWAPPED)])
    [after] = teams(where)
    assert after == replace(before, visits=before.visits + 3)


def test_the_same_name_with_other_students_is_another_team(where: DatabaseLocation, store: BatchStore) -> None:
    other = Team("INF2A", "Team1", "1111111", "2222222")
    store.write(apart([message_1(), message_2(), message_1(other)]))
    assert [(row.team, row.state) for row in teams(where)] == [(TEAM, "finished"), (other, "waiting for message 2")]


def test_a_refused_visit_belongs_to_the_latest_team_of_its_name(where: DatabaseLocation, store: BatchStore) -> None:
    other = Team("INF2A", "Team1", "1111111", "2222222")
    store.write(
        [message_1(), message_1(other, started_us=1_500_000), rejected(UNREADABLE_NUMBERS, started_us=2_000_000)]
    )
    assert [(row.team, row.visits) for row in teams(where)] == [(TEAM, 1), (other, 2)]
    store.write([rejected(TEAM, started_us=3_000_000)])
    assert [(row.team, row.visits) for row in teams(where)] == [(TEAM, 2), (other, 2)]


GROUPS = [TEAM._replace(studentnr1=f"{n}{n}11111", studentnr2=f"{n}{n}22222") for n in range(1, 4)]


def test_a_refused_visit_is_shown_under_the_group_whose_numbers_it_has(
    where: DatabaseLocation, store: BatchStore
) -> None:
    unknown = TEAM._replace(studentnr1="9999999")
    store.write(apart(message_1(group, started_us=at) for at, group in enumerate(GROUPS)))
    of_the_first = rejected(Team(*TEAM[:2], GROUPS[0].studentnr2, GROUPS[0].studentnr1), started_us=10)
    store.write([of_the_first, rejected(unknown, started_us=11), rejected(UNREADABLE_NUMBERS, started_us=12)])
    with closing(open_records(where)) as records:
        shown = [[visit.started_us for visit in records.visits(row.key)] for row in records.teams_named("Team1")]
        assert [row.visits for row in records.teams_named("Team1")] == [2, 1, 3]
        assert [row.stuck for row in records.teams_named("Team1")] == [True, False, True]
    assert shown == [[0, 10], [1], [2, 11, 12]]


ALPHA = Team("INF1A", "Alpha", "0911111", "0922222")
BETA = Team("INF1A", "Beta", "0933333", "0944444")
OF_ALPHA = f"secret of {ALPHA}"


def with_secret_of_alpha(team: Team | None, **changes: Any) -> Visit:
    """A refused message 2 with Alpha's secret."""
    return replace(rejected(team), secret=OF_ALPHA, **changes)


# What a message 2 with Alpha's secret has -> the name that it is counted for.
NAMES_WITH_THE_SECRET = {
    "another team name": (ALPHA._replace(teamname="Alfa"), "Alpha"),
    "the class in other letters": (ALPHA._replace(classname="inf1a"), "Alpha"),
    "both": (ALPHA._replace(classname="inf1A", teamname="Alfa"), "Alpha"),
    "another number": (ALPHA._replace(studentnr1="0977777"), "Alpha"),
    "the name of another team": (ALPHA._replace(teamname="Beta"), "Alpha"),
    "the name and the numbers of another team": (BETA, "Beta"),
}


@pytest.mark.parametrize(("sent", "name"), NAMES_WITH_THE_SECRET.values(), ids=NAMES_WITH_THE_SECRET)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_refused_message_2_is_counted_for_the_team_of_its_secret(
    where: DatabaseLocation, store: BatchStore, sent: Team, name: str, at_once: bool
) -> None:
    last = with_secret_of_alpha(sent, received=b"teamname: what came")
    visits: list[RightVisit | Visit] = [message_1(ALPHA), message_1(BETA), last]
    for batch in [visits] if at_once else [[visit] for visit in visits]:
        store.write(batch)
    assert [(row.team, row.visits, row.stuck) for row in teams(where)] == [
        (team, 1 + (team.teamname == name), team.teamname == name) for team in (ALPHA, BETA)
    ]
    with closing(open_records(where)) as records:
        [row] = records.teams_named(name)
        assert [visit.received for visit in records.visits(row.key)][1:] == [b"teamname: what came"]


@pytest.mark.parametrize("sent", [Team("INF1A", "Gamma", "1", "2"), Team("INF1B", "Alpha", "1", "2"), BETA])
@pytest.mark.parametrize("owner", [None, ALPHA], ids=["looked up", "remembered"])
@pytest.mark.parametrize("at_once", [True, False])
def test_another_team_with_a_copied_secret_is_counted_for_itself(
    where: DatabaseLocation, store: BatchStore, sent: Team, owner: Team | None, at_once: bool
) -> None:
    visits: list[Record] = [message_1(ALPHA), with_secret_of_alpha(sent, owner=owner)]
    for batch in [visits] if at_once else [[visit] for visit in visits]:
        store.write(batch)
    assert {row.team: (row.visits, row.stuck, row.state) for row in teams(where)} == {
        ALPHA: (1, False, "waiting for message 2"),
        sent: (1, True, "rejected"),
    }


def test_the_server_remembers_the_team_of_a_secret_in_another_class(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(ALPHA)])
    store.write([with_secret_of_alpha(ALPHA._replace(classname="INF-1A"), owner=ALPHA)])
    store.write([with_secret_of_alpha(None, owner=ALPHA, started_us=4_000_000)])
    assert [(row.team, row.visits) for row in teams(where)] == [(ALPHA, 3)]


def test_a_secret_that_nobody_was_given_changes_nothing(where: DatabaseLocation, store: BatchStore) -> None:
    alfa = ALPHA._replace(teamname="Alfa")
    store.write([message_1(ALPHA), replace(rejected(alfa), secret="5" * 64)])
    assert [(row.team, row.state) for row in teams(where)] == [(alfa, "rejected"), (ALPHA, "waiting for message 2")]


def test_who_has_finished_stays_so_when_the_name_changes_afterwards(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(ALPHA), message_2(ALPHA), with_secret_of_alpha(ALPHA._replace(teamname="Alfa"))])
    assert [(row.team, row.state, row.stuck) for row in teams(where)] == [(ALPHA, "finished", False)]


@pytest.mark.parametrize(
    ("one", "other"),
    list(
        itertools.combinations([Team("a", "bc", "1", "2"), Team("ab", "c", "1", "2"), Team("a", "bc", "1\n2", "")], 2)
    ),
)
def test_teams_that_look_alike_are_kept_apart(
    where: DatabaseLocation, store: BatchStore, one: Team, other: Team
) -> None:
    store.write(apart([message_1(one), message_1(other)]))
    assert len(teams(where)) == 2


def test_visits_come_back_as_they_were(where: DatabaseLocation, store: BatchStore) -> None:
    every_byte = bytes(range(256))
    odd: tuple[Problem, ...] = (
        Problem("control-character", 7, {"field": "teamname", "found": "\0"}),
        Problem("lone-surrogate", 9),
    )
    odd = (*odd, Problem("field-changed", None, {"found": "\ud800", "wanted": "\\u0000 \U0001f600"}))
    visits: list[RightVisit | Visit] = [
        message_1(),
        replace(rejected(), received=every_byte, reply=every_byte[::-1], size_bytes=300, problems=odd),
        message_2(started_us=4_000_000),
    ]
    store.write(visits)
    with closing(open_records(where)) as records:
        [team] = records.teams_named("Team1")
        rows = list(records.visits(team.key))
    for row, visit in zip(rows, visits, strict=True):
        for name in ("started_us", "duration_us", "address", "port", "outcome", "received", "size_bytes", "reply"):
            assert getattr(row, name) == getattr(visit, name)
        assert row.findings == findings_in(visit.findings)


@pytest.mark.parametrize("name", ["Ünïcøde", "\U0001f600" * 32, "'; DROP TABLE team; --", "%s :name {x} \\", '"', "​"])
def test_any_name_is_kept_as_it_is(where: DatabaseLocation, store: BatchStore, name: str) -> None:
    team = TEAM._replace(classname=name[:10], teamname=name)
    store.write([message_1(team), rejected(team), message_2(team)])
    [row] = teams(where, classname=name[:10], state="finished")
    assert row.team == team


def test_a_visit_of_nobody_is_kept_without_a_team(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([rejected(None), replace(rejected(None, started_us=4_000_000), stored_in_full=False)])
    assert teams(where) == []
    with closing(open_records(where)) as records:
        assert [(row.classname, row.outcome) for row in records.visits_since(0)] == [("", Outcome.REJECTED)]


def test_what_was_only_counted_is_kept(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([SuppressedVisits(60_000_000, "192.0.2.9", 5), SuppressedVisits(60_000_000, "192.0.2.10", 1)])
    with closing(open_rows(where)) as rows:
        assert surplus(rows) == [(60_000_000, "192.0.2.10", 1), (60_000_000, "192.0.2.9", 5)]


def test_vitals_are_kept_for_a_week(where: DatabaseLocation, store: BatchStore) -> None:
    other = replace(SAMPLE, server="127.0.0.1:5551 78", waiting=9)
    store.write([SAMPLE])
    store.write([other, replace(SAMPLE, ended_us=SAMPLE.ended_us + WEEK)])
    with closing(open_records(where)) as records:
        assert list(records.metrics_since(0)) == [
            SAMPLE,
            other,
            replace(SAMPLE, ended_us=SAMPLE.ended_us + WEEK),
        ]
        assert list(records.metrics_since(SAMPLE.ended_us)) == [replace(SAMPLE, ended_us=SAMPLE.ended_us + WEEK)]
        store.write([replace(SAMPLE, ended_us=SAMPLE.ended_us + WEEK + 1)])
        assert [row.ended_us for row in records.metrics_since(0)] == [
            SAMPLE.ended_us + WEEK,
            SAMPLE.ended_us + WEEK + 1,
        ]


def test_a_batch_is_kept_whole_or_not_at_all(where: DatabaseLocation, store: BatchStore) -> None:
    with pytest.raises(ValueError, match=r"surrogate|refused"):  # our bug, no trouble of the database
        store.write([message_1(), message_1(TEAM._replace(teamname="\ud800"))])
    assert teams(where) == []
    store.write([message_1()])
    assert len(teams(where)) == 1


def test_many_records_fit_in_one_batch(where: DatabaseLocation, store: BatchStore) -> None:
    many = [TEAM._replace(teamname=f"Team{number:03}") for number in range(700)]
    visits = apart([*map(message_1, many), *map(message_2, many)])
    store.write(visits[::2])
    store.write(visits[1::2])
    assert [(row.team, row.state, row.visits) for row in teams(where)] == [(team, "finished", 2) for team in many]


def test_nothing_to_write_is_no_error(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([])
    assert teams(where) == []


NUMBERS = [("0923456", "0934567"), ("0934567", "0923456"), ("0923456", ""), ("7", "7")]
TEAMS = st.builds(
    lambda classname, teamname, numbers: Team(classname, teamname, *numbers),
    st.sampled_from(["A", "a"]),
    st.sampled_from(["T", "É"]),
    st.sampled_from(NUMBERS),
)
PROBLEMS = st.sampled_from([(), ("secret-wrong",), ("not-swapped", "ip-elsewhere")])
RIGHT = st.builds(right_visit, st.sampled_from([Outcome.MESSAGE_1, Outcome.MESSAGE_2]), TEAMS)
WRONG = st.builds(
    lambda visit, whole, owner: replace(
        visit, stored_in_full=whole, secret=f"secret of {owner}" if visit.team and owner else ""
    ),
    st.builds(
        refused,
        st.sampled_from([Outcome.REJECTED, Outcome.NOTHING]),
        st.none() | TEAMS,
        problems=PROBLEMS,
    ),
    st.booleans(),
    st.none() | TEAMS,
)
OTHERS = st.builds(SuppressedVisits, st.integers(0, 9), st.just("192.0.2.9"), st.integers(1, 9)) | st.builds(
    lambda at: replace(SAMPLE, ended_us=at), st.integers(0, 9)
)
BATCHES = st.lists(st.lists(RIGHT | WRONG | OTHERS, max_size=8), max_size=6)


def in_time(batches: Sequence[Sequence[Record]]) -> list[list[Record]]:
    """No two visits begin at the same moment; what is the same otherwise may stay so."""
    clock = itertools.count(1_000_000, 1000)
    return [
        [changed(each, started_us=next(clock)) if isinstance(each, RightVisit | Visit) else each for each in batch]
        for batch in batches
    ]


@dataclass
class Opened:
    """A database with both its sides."""

    where: DatabaseLocation
    store: BatchStore
    rows: Rows


@pytest.fixture
def both(tmp_path: Path, database: str) -> Iterator[list[Opened]]:
    opened = [Opened(where, open_store(where), open_rows(where)) for where in (tmp_path, database)]
    yield opened
    for each in opened:
        each.rows.close()
        each.store.close()


@given(batches=BATCHES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_records_make_the_same_rows(both: list[Opened], batches: list[list[Record]]) -> None:
    found = []
    for each in both:
        empty(each.where)
        for batch in in_time(batches):
            each.store.write(batch)
        found.append(everything(each.rows))
    assert found[0] == found[1]
