"""The reading side, on SQLite and PostgreSQL alike: pages, keys, counts, and what is asked of a database in vain."""

import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tandem.diagnosis.problem import Problem, findings_text
from tandem.protocol.message import Message
from tandem.records import queries as records_module
from tandem.records.queries import IssuedSecret, Records, TeamKey, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import FINISHED, REJECTED, WAITING
from tandem.records.visits import BYTES_AFTER_REPLY, LateBytes, Outcome, Team
from tandem.server.committer import BatchStore
from testing.visits import TEAM, message_1, message_2, rejected

CLASSES = ("INF2A", "INF2B", "inf2a", "Ünïcøde")  # in the order of their bytes
MANY = [Team(name, f"Team{number}", "0923456", f"{number}") for name in CLASSES for number in range(5)]


@pytest.fixture
def records(where: DatabaseLocation, store: BatchStore) -> Iterator[Records]:
    """What is on record of MANY: the first of each class has finished, the last was refused."""
    clock = itertools.count(1_000_000, 1000)
    for _, teams in itertools.groupby(MANY, key=lambda team: team.classname):
        first, *others, last = teams
        store.write([message_1(team, started_us=next(clock)) for team in (first, *others)])
        store.write([message_2(first, started_us=next(clock)), rejected(last, started_us=next(clock))])
    with closing(open_records(where)) as opened:
        yield opened


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_teams_come_in_order_whatever_the_size_of_a_page(
    records: Records, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "TEAM_BATCH", size)
    assert [row.team for row in records.teams()] == MANY
    assert [row.team for row in records.teams(classname="INF2B")] == MANY[5:10]
    assert [row.team for row in records.teams(state=FINISHED)] == MANY[::5]
    assert [row.team for row in records.teams("INF2B", REJECTED)] == [MANY[9]]
    assert list(records.teams("INF2C")) == []
    for limit in (0, 1, 3, 20, 21):
        assert [row.team for row in records.teams(limit=limit)] == MANY[:limit]
    assert list(records.team_names("INF2B")) == [team.teamname for team in MANY[5:10]]


def test_a_page_begins_behind_a_key(records: Records) -> None:
    rows = list(records.teams())
    for number, row in enumerate(rows):
        assert list(records.teams(after=row.key)) == rows[number + 1 :]
        assert list(records.teams(after=row.key, limit=2)) == rows[number + 1 : number + 3]
    assert list(records.teams("INF2B", after=rows[6].key)) == rows[7:10]
    assert list(records.teams("INF2B", after=rows[2].key)) == rows[5:10]


def test_the_page_before_a_key_comes_nearest_first(records: Records) -> None:
    rows = list(records.teams())
    for number, row in enumerate(rows):
        assert records.teams_before(row.key, 100) == rows[:number][::-1]
        assert records.teams_before(row.key, 2) == rows[:number][::-1][:2]
    assert records.teams_before(rows[7].key, 100, "INF2B") == rows[5:7][::-1]
    assert records.teams_before(rows[-1].key, 100, None, FINISHED) == rows[::5][::-1]
    assert records.teams_before(rows[-1].key, 100, search="Team4") == rows[4:-1:5][::-1]


def test_a_team_is_found_by_its_key(records: Records) -> None:
    rows = list(records.teams())
    for row in rows:
        assert records.team(row.key) == row
    assert records.team(TeamKey("INF2A", "Team0", "")) is None


def test_a_team_is_found_by_its_name(records: Records) -> None:
    assert [row.team for row in records.teams_named("Team1")] == MANY[1::5]
    assert [row.team for row in records.teams_named("Team1", "INF2B")] == [MANY[6]]
    assert list(records.teams_named("team1")) == []


def test_teams_are_searched_by_a_part_of_the_name_or_a_number(records: Records, store: BatchStore) -> None:
    odd = [
        Team("odd", name, number, "") for name, number in (("100%_!", "1"), ("\u00c9t\u00e9 2", "2"), ("Été 3x", "77"))
    ]
    store.write([message_1(team) for team in odd])
    assert [row.team for row in records.teams(search="team4")] == MANY[4::5]
    assert [row.team for row in records.teams("INF2B", search="EAM")] == MANY[5:10]
    assert [row.team.teamname for row in records.teams("odd", search="t\u00e9 2")] == ["\u00c9t\u00e9 2"]
    for pattern in ("%_!", "100%", "_!"):
        assert [row.team for row in records.teams(search=pattern)] == odd[:1], pattern
    assert [row.team for row in records.teams(search="77")] == odd[2:]
    assert [row.team for row in records.teams("INF2B", search="0923456", limit=2)] == MANY[5:7]
    assert list(records.teams(search="77%")) == []


def test_a_nul_finds_nothing(records: Records) -> None:
    for text in ("\0", "Team0\0", "\0Team0", "%\0"):
        assert list(records.teams(search=text)) == list(records.teams(text)) == []
        assert list(records.teams_named(text)) == list(records.teams_named("Team0", text)) == []
        assert records.team_with_secret(text) is records.named_team_with_secret(text, "INF2A", "Team1") is None
        assert records.team(TeamKey("INF2A", text, "")) is None


def test_a_team_is_found_by_its_secret(records: Records) -> None:
    secret = message_1(MANY[6]).secret
    for found in (records.team_with_secret(secret), records.named_team_with_secret(secret, "INF2B", "Team1")):
        assert found
        assert found.team == MANY[6]
    assert records.named_team_with_secret(secret, "INF2B", "Team2") is None
    assert records.team_with_secret("") is records.named_team_with_secret("", "INF2B", "Team4") is None


def test_classes_count_their_teams(records: Records) -> None:
    assert [(row.classname, row.teams) for row in records.classes()] == [
        (name, {WAITING: 3, FINISHED: 1, REJECTED: 1}) for name in CLASSES
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_visits_of_a_team(
    records: Records, where: DatabaseLocation, store: BatchStore, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "VISIT_BATCH", size)
    store.write([rejected(MANY[0], started_us=at) for at in (9_000_002, 9_000_000, 9_000_001)])
    [row] = records.teams_named("Team0", "INF2A")
    outcomes = [(visit.outcome, visit.started_us) for visit in records.visits(row.key)]
    assert [outcome for outcome, _ in outcomes] == [Outcome.MESSAGE_1, Outcome.MESSAGE_2, *[Outcome.REJECTED] * 3]
    assert [at for _, at in outcomes] == sorted(at for _, at in outcomes)
    assert not row.stuck  # it has finished
    assert list(records.visits(TeamKey("INF2A", "nobody", ""))) == []


def test_visits_without_a_team(records: Records, store: BatchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "VISIT_BATCH", 2)
    store.write([rejected(None, started_us=at) for at in (5, 6, 7)])
    assert [visit.started_us for visit in records.visits_without_team()] == [5, 6, 7]
    latest = records.latest_visits_without_team(2)
    assert [visit.started_us for visit in (*latest, *records.latest_visits_without_team(2, 2))] == [7, 6, 5]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_visits_pass_by_in_their_order(records: Records, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "TEAM_BATCH", size)
    passed = list(records.visits_since(0))
    ids = [arrival.id for arrival in passed]
    assert len(ids) == 4 * 6
    assert ids == sorted(ids) == records.visit_ids_since(0)
    assert [(arrival.classname, arrival.outcome) for arrival in passed[5:7]] == [
        ("INF2A", Outcome.REJECTED),
        ("INF2B", Outcome.MESSAGE_1),
    ]
    assert list(records.visits_since(ids[9])) == passed[10:]
    assert records.last_visit_id() == ids[-1]
    assert records.last_visit_id(skip=23) == ids[0]
    assert records.last_visit_id(skip=24) == 0


@pytest.mark.parametrize("size", [1, 1000])
def test_mistakes_by_frequency(records: Records, store: BatchStore, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "TEAM_BATCH", size)
    store.write([rejected(None, "not-swapped", started_us=5_000_000 + number) for number in range(7)])
    assert records.mistakes(0) == [("not-swapped", 7), ("secret-wrong", 4)]
    assert records.mistakes(5_000_000) == [("not-swapped", 7)]
    assert records.mistakes(5_000_004) == [("not-swapped", 3)]
    assert records.mistakes(0, "INF2B") == [("secret-wrong", 1)]
    assert records.mistakes(9_000_000) == records.mistakes(0, "INF2C") == []


@pytest.mark.parametrize("minutes", [0, 1, 30, 59, 60])
def test_mistakes_of_an_hour_among_many(records: Records, store: BatchStore, minutes: int) -> None:
    minute = 60_000_000
    store.write([rejected(None, "not-swapped", started_us=number * minute) for number in range(60)])
    assert dict(records.mistakes(minutes * minute)).get("not-swapped", 0) == 60 - minutes


def test_the_first_visit_of_all_may_be_a_mistake(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([rejected()])
    with closing(open_records(where)) as opened:
        assert opened.mistakes(0) == [("secret-wrong", 1)]


def test_the_numbers_of_a_pair_are_in_sorted_order() -> None:
    for numbers in (("0923456", "0934567"), ("0934567", "0923456")):
        assert Team("INF2A", "Team1", *numbers).pair == "0923456\n0934567"


def test_remarks_are_no_mistakes(records: Records, store: BatchStore) -> None:
    refused = rejected(None, "not-swapped", started_us=5_000_000)
    store.write([replace(refused, remarks=rejected(None, "ip-loopback").problems)])
    assert records.mistakes(5_000_000) == [("not-swapped", 1)]


def test_a_problem_of_another_version_is_a_mistake_too(records: Records, store: BatchStore) -> None:
    store.write([rejected(None, "a-problem-of-tomorrow", started_us=5_000_000)])
    assert records.mistakes(5_000_000) == [("a-problem-of-tomorrow", 1)]


@pytest.mark.parametrize("before", [b"", b"\x54\0\0\0"], ids=["plain", "behind its length"])
def test_the_secrets_that_were_given_last(records: Records, store: BatchStore, before: bytes) -> None:
    def given(number: int) -> bytes:
        numbers = TEAM.studentnr1, TEAM.studentnr2
        return Message(*numbers, TEAM.classname, 1, f"Team{number}", "192.0.2.7", f"secret {number}", WAITING).encode()

    visits = [message_1(started_us=6_000_000 + number, reply=before + given(number)) for number in range(3)]
    store.write([*visits, message_1(started_us=7_000_000, reply=b""), message_2()])
    assert list(records.recent_secrets(3)) == [
        IssuedSecret(f"secret {number}", TEAM._replace(teamname=f"Team{number}"), "192.0.2.7") for number in (1, 2)
    ]
    assert json.loads(given(0))["secret"] not in [found.secret for found in records.recent_secrets(3)]


def test_bytes_after_the_reply_add_a_remark_to_their_visit_once(where: DatabaseLocation, store: BatchStore) -> None:
    remark = findings_text([Problem(BYTES_AFTER_REPLY, facts={"found": "x\0y"})])
    plain, wrong = message_1(port=1001), replace(rejected(), port=1002)
    late = [LateBytes(visit.started_us + 5, visit.address, visit.port, remark) for visit in (plain, wrong)]
    store.write([*late[:1], plain, wrong, *late, LateBytes(plain.started_us, plain.address, 1003, remark)])
    store.write([*late, replace(late[0], started_us=late[0].started_us + 60_000_000)])
    with closing(open_records(where)) as records:
        [row] = records.teams()
        found = {visit.port: [finding.id for finding in visit.findings] for visit in records.visits(row.key)}
    assert found == {1001: [BYTES_AFTER_REPLY], 1002: ["secret-wrong", BYTES_AFTER_REPLY]}


@pytest.mark.parametrize("late", [0, 1, 2])
@pytest.mark.parametrize("at_once", [True, False])
def test_of_visits_from_one_port_only_the_one_with_bytes_after_its_reply_has_the_remark(
    where: DatabaseLocation, store: BatchStore, late: int, at_once: bool
) -> None:
    """A client may bind the same port again: three visits within 0.8 s, the same message each time."""
    remark = findings_text([Problem(BYTES_AFTER_REPLY, facts={"found": "x"})])
    visits = [message_1(started_us=started_us, port=1001) for started_us in (5_000_000, 5_400_000, 5_800_000)]
    bytes_after = LateBytes(visits[late].started_us + 7, visits[late].address, 1001, remark)
    store.write([*visits, bytes_after] if at_once else visits)
    store.write([bytes_after])
    with closing(open_records(where)) as records:
        [row] = records.teams()
        found = [[finding.id for finding in visit.findings] for visit in records.visits(row.key)]
    assert found == [[BYTES_AFTER_REPLY] if number == late else [] for number in range(3)]
