"""`tandem forget`: what is meant goes for good, in whatever encoding it stands; all else stays."""

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tandem.board.gradebook.board_store import FILE as BOOK
from tandem.board.gradebook.board_store import BoardStore, Note
from tandem.cli import main
from tandem.diagnosis.problem import Problem, findings_text
from tandem.protocol.message import STATUS_WAITING
from tandem.records.database import open_rows
from tandem.records.forget import Forgetting, Forgotten, Selection, forgetting
from tandem.records.queries import TeamKey, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_eraser import SqliteEraser
from tandem.records.sqlite.sqlite_store import FILE, MAKE_WRITABLE, SqliteStore, StoreError
from tandem.records.traces import Traces
from tandem.records.visits import BYTES_AFTER_REPLY, RightVisit, SuppressedVisits, Team
from tandem.server.committer import BatchStore
from tandem.server.serve import open_store
from testing import postgres
from testing.forgetting import forget, is_left, traces
from testing.processes import running_server, tandem, wait_until
from testing.raw_sockets import encoded, visit
from testing.raw_sockets import message_1 as first
from testing.tables import teams
from testing.visits import TEAM, message_1, message_2, rejected

OTHER = Team("INF2B", "Team2", "1111111", "2222222")
NAMESAKE = TEAM._replace(studentnr1="3333333", studentnr2="4444444")  # another team of the same class and name
FULLWIDTH = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}
DAY = 86_400_000_000  # microseconds


def day(number: int) -> datetime:
    return datetime.fromtimestamp(number * 86_400, UTC)


def names(forgotten: Forgotten) -> list[str]:
    return [f"{row.key.classname}/{row.key.teamname}" for row in forgotten.teams]


def test_a_team_is_forgotten_for_good(where: DatabaseLocation, store: BatchStore) -> None:
    nobody = replace(rejected(None), received=b'{"studentnr1": "0923456", ...')
    somebody = replace(rejected(None, started_us=4_000_000), received=b'{"studentnr1": "1111111", ...')
    store.write([message_1(), message_2(), message_1(OTHER), nobody, rejected(), somebody])
    assert is_left(where, "0923456")
    forgotten = forget(where, teamname="Team1")
    assert (names(forgotten), forgotten.visits) == (["INF2A/Team1"], 4)
    assert not is_left(where, "0923456")
    assert is_left(where, "1111111")
    with closing(open_rows(where)) as rows:
        assert rows.query("SELECT count(*) FROM visit", {}) == [(2,)]
    store.write([message_1()])  # a running server continues
    assert is_left(where, "0923456")


@contextmanager
def a_reader_in_the_middle(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, closing(sqlite3.connect(folder / FILE)) as database:
        patch.setattr("tandem.records.sqlite.sqlite_eraser.LOCK_TIMEOUT_S", 0.01)
        with closing(database.execute("SELECT * FROM visit")) as reading:
            reading.fetchone()
            yield


@contextmanager
def no_room_to_write_it_anew(folder: Path) -> Iterator[None]:
    def opened(folder: Path) -> sqlite3.Connection:
        database = sqlite3.connect(folder / FILE, isolation_level=None)
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # which VACUUM needs
        return database

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tandem.records.sqlite.sqlite_eraser._open", opened)
        yield


@pytest.mark.parametrize("obstacle", [a_reader_in_the_middle, no_room_to_write_it_anew])
def test_traces_that_stay_are_reported_and_go_with_the_next_try(
    tmp_path: Path, obstacle: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(), message_2(), message_1(OTHER)])
    with obstacle(tmp_path), pytest.raises(StoreError, match="removed, but traces stay"):
        forget(tmp_path, teamname="Team1")
    assert names(forget(tmp_path, teamname="Team1")) == []
    assert not is_left(tmp_path, "0923456")


def test_only_the_team_of_the_given_class_is_forgotten(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(), message_1(OTHER._replace(teamname="Team1"))])
    assert names(forget(where, teamname="Team1", classname="INF2B")) == ["INF2B/Team1"]
    assert is_left(where, TEAM.studentnr1)
    assert not is_left(where, OTHER.studentnr1)


@pytest.mark.parametrize("condition", [{"teamname": "Team9"}, {"classname": "INF9"}, {"studentnr": "9999999"}])
def test_who_never_came_is_not_forgotten(where: DatabaseLocation, store: BatchStore, condition: dict[str, str]) -> None:
    store.write([message_1(), rejected(None)])
    forgotten = forget(where, **condition)
    assert (names(forgotten), forgotten.visits) == ([], 0)
    assert is_left(where, TEAM.studentnr1)


def test_many_visits_of_nobody_are_searched(
    where: DatabaseLocation, store: BatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.records.forget.VISIT_BATCH", 3)
    some = [replace(rejected(None), port=number, received=b"0923456" * (number % 2)) for number in range(20)]
    store.write([message_1(), *some])
    assert forget(where, teamname="Team1").visits == 11
    assert not is_left(where, "0923456")


def test_what_is_older_than_a_date_is_forgotten(where: DatabaseLocation, store: BatchStore) -> None:
    store.write(
        [
            message_1(started_us=1 * DAY),
            message_2(started_us=2 * DAY),
            rejected(None, started_us=2 * DAY),
            SuppressedVisits(DAY, "192.0.2.9", 5),
        ]
    )
    store.write([message_1(OTHER, started_us=2 * DAY), message_2(OTHER, started_us=9 * DAY)])
    forgotten = forget(where, before=day(5))
    assert (names(forgotten), forgotten.visits) == (["INF2A/Team1"], 4)
    assert not is_left(where, TEAM.studentnr1)
    assert not is_left(where, "192.0.2.9")
    assert is_left(where, OTHER.studentnr1)


def test_a_team_that_was_refused_since_is_not_forgotten(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(started_us=1 * DAY), rejected(started_us=9 * DAY)])
    forgotten = forget(where, before=day(5))
    assert (names(forgotten), forgotten.visits) == ([], 1)


def test_there_is_nothing_to_forget_where_no_server_has_run(tmp_path: Path, database: str) -> None:
    for where in (tmp_path, database):
        with pytest.raises(StoreError, match="no results"):
            forget(where, teamname="Team1")


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """Somebody who may find the tables of the database, and not read them."""
    name = f"r{uuid.uuid4().hex}"
    tables = database.rpartition("%3D")[2]
    with postgres.connect(database, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA {tables} TO {name}".encode())
        yield name
        owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_who_may_not_forget_gets_one_line(database: str, role: str) -> None:
    with closing(open_store(database)) as store:
        store.write([message_1()])
    words = ("forget", "--database", database.replace("tandem@", f"{role}@"), "--team", TEAM.teamname)
    code, out, err = tandem(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "permission denied" in err
    with postgres.connect(database) as owner:
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {database.rpartition('%3D')[2]} TO {role}".encode())
    code, out, err = tandem(*words)  # may read, and not remove
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "permission denied" in err
    assert is_left(database, TEAM.studentnr1)


@pytest.mark.parametrize("conditions", [{"classname": "inf2a"}, {"classname": "INF2A", "teamname": "Team1"}])
def test_a_class_is_one_in_any_letter_case(
    where: DatabaseLocation, store: BatchStore, conditions: dict[str, str]
) -> None:
    store.write([message_1(), message_1(TEAM._replace(classname="Inf2A")), message_1(OTHER), rejected()])
    forgotten = forget(where, **conditions)
    assert names(forgotten) == ["INF2A/Team1", "Inf2A/Team1"]
    assert not is_left(where, TEAM.studentnr1)
    assert is_left(where, OTHER.studentnr1)


def test_of_two_teams_of_one_name_only_the_one_with_the_number_goes(where: DatabaseLocation, store: BatchStore) -> None:
    of_team, of_other = (
        replace(rejected(team, started_us=at), received=f'{{"studentnr1": "{number}"'.encode())
        for at, team, number in ((7, TEAM, TEAM.studentnr2), (8, NAMESAKE, NAMESAKE.studentnr1))
    )
    store.write([message_1(), message_2(), message_1(NAMESAKE), of_team, of_other])
    forgotten = forget(where, classname="INF2A", teamname="Team1", studentnr=TEAM.studentnr2)
    assert (names(forgotten), forgotten.visits) == (["INF2A/Team1"], 3)
    assert not is_left(where, TEAM.studentnr1)
    assert not is_left(where, TEAM.studentnr2)
    assert is_left(where, NAMESAKE.studentnr1)
    with closing(open_records(where)) as records:
        [left] = records.teams()
        assert {seen.received for seen in records.visits(left.key)} == {b"{what came}", of_other.received}


def test_the_only_team_of_a_name_goes_with_all_its_refused_visits(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(), rejected()])
    assert forget(where, studentnr=TEAM.studentnr1).visits == 2
    with closing(open_rows(where)) as rows:
        assert rows.query("SELECT count(*) FROM visit", {}) == [(0,)]


def test_a_number_goes_from_refused_visits_under_a_wrong_name(where: DatabaseLocation, store: BatchStore) -> None:
    wrong_name = replace(rejected(OTHER), received=b'{"studentnr1": "0923456", "teamname": "Team2"}')
    store.write([message_1(), message_1(OTHER), wrong_name])
    assert forget(where, teamname="Team1").visits == 2
    assert not is_left(where, TEAM.studentnr1)
    assert is_left(where, OTHER.studentnr1)


def test_a_number_that_no_team_has_goes_from_refused_visits(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(OTHER), replace(rejected(None), received=b"hello, 0923456 here")])
    forgotten = forget(where, studentnr=TEAM.studentnr1)
    assert (names(forgotten), forgotten.visits) == ([], 1)
    assert not is_left(where, TEAM.studentnr1)


# Where a right visit of another team may have the number.
RIGHT_PLACES: dict[str, Callable[[str], RightVisit]] = {
    "the message": lambda number: message_2(OTHER, received=f'{{"status": "{number}"}}'.encode()),
    "the message in UTF-16": lambda number: message_2(OTHER, received=f'{{"status": "{number}"}}'.encode("utf-16")),
    "the reply": lambda number: message_1(OTHER, reply=f'{{"ip": "{number}"}}'.encode()),
    "bytes after the reply": lambda number: message_1(
        OTHER, findings=findings_text([Problem(BYTES_AFTER_REPLY, facts={"found": number})])
    ),
    "bytes after the reply in UTF-16": lambda number: message_1(
        OTHER,
        findings=findings_text(
            [Problem(BYTES_AFTER_REPLY, facts={"found": number.encode("utf-16-le").decode("latin-1")})]
        ),
    ),
}


@pytest.mark.parametrize("place", RIGHT_PLACES.values(), ids=RIGHT_PLACES)
def test_a_number_goes_from_right_visits_of_another_team_whose_result_stays(
    where: DatabaseLocation, store: BatchStore, place: Callable[[str], RightVisit]
) -> None:
    plain = message_1(OTHER, started_us=1, port=1)
    store.write([message_1(), plain, place(TEAM.studentnr1), message_2(OTHER, started_us=9_000_000, port=2)])
    before = teams(where, classname=OTHER.classname)
    assert forget(where, teamname="Team1").visits == 2
    assert teams(where, classname=OTHER.classname) == before
    assert before[0].state == "finished"
    with closing(open_rows(where)) as rows:
        assert rows.query("SELECT port FROM visit ORDER BY id", {}) == [(1,), (2,)]


@pytest.mark.parametrize("ip", ["0923456", "h0923456.example", "fe80::1%0923456", "MDkyMzQ1Ng=="])
def test_a_number_goes_from_the_ip_of_another_team(where: DatabaseLocation, store: BatchStore, ip: str) -> None:
    address = message_1(OTHER._replace(teamname="Team3"), port=1)
    store.write([message_1(), address, message_1(OTHER, ip=ip), message_2(OTHER)])
    assert forget(where, teamname="Team1").ips == 1
    assert not is_left(where, ip)
    assert [(row.team, row.state, row.ip) for row in teams(where)] == [
        (OTHER, "finished", ""),
        (address.team, "waiting for message 2", address.ip),
    ]


def test_a_student_of_two_teams_stays_with_the_other(where: DatabaseLocation, store: BatchStore) -> None:
    again = OTHER._replace(studentnr1=TEAM.studentnr1)
    theirs = replace(rejected(None), received=again.studentnr2.encode(), port=40001)  # the teammate in the other team
    store.write([message_1(), message_1(again), replace(rejected(None), received=b"0923456"), theirs])
    forgotten = forget(where, teamname="Team1")
    assert (names(forgotten), forgotten.visits) == (["INF2A/Team1"], 1)
    assert forgotten.sharing == [TeamKey("INF2B", "Team2", again.pair)]
    assert is_left(where, TEAM.studentnr1)
    assert not is_left(where, TEAM.studentnr2)


def test_teams_of_one_do_not_share_a_number(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1(TEAM._replace(studentnr2="0000000")), message_1(OTHER._replace(studentnr2="0000000"))])
    assert forget(where, teamname="Team1").sharing == []


def test_only_what_is_older_in_one_class_is_forgotten(where: DatabaseLocation, store: BatchStore) -> None:
    silent = TEAM._replace(teamname="silent", studentnr1="5555555")
    store.write(
        [
            message_1(started_us=1 * DAY),
            message_2(started_us=9 * DAY),
            message_1(silent, started_us=DAY),
            message_1(OTHER, started_us=DAY),
        ]
    )
    forgotten = forget(where, classname="INF2A", before=day(5))
    assert (names(forgotten), forgotten.visits) == (["INF2A/silent"], 2)
    assert not is_left(where, "5555555")
    assert is_left(where, OTHER.studentnr1)
    assert is_left(where, TEAM.studentnr1)


def test_a_server_writes_on_while_visits_are_searched(
    where: DatabaseLocation, store: BatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visit that comes during the search is searched, too."""
    are_in = Traces.are_in
    came_meanwhile = [replace(rejected(None, started_us=9), received=b"0923456")]

    def keeping(self: Traces, *data: bytes) -> bool:
        if came_meanwhile:
            store.write([came_meanwhile.pop()])
        return are_in(self, *data)

    monkeypatch.setattr(Traces, "are_in", keeping)
    store.write([message_1(), rejected(None)])
    assert forget(where, teamname="Team1").visits == 2
    assert came_meanwhile == []
    assert not is_left(where, TEAM.studentnr1)


ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-be",
    "utf-7",
    "cp1252",
    "cp037",
)
ESCAPED: dict[str, str] = {
    "in JSON": "".join(f"\\u{ord(c):04x}" for c in TEAM.studentnr1),
    "one digit in JSON": "092345\\u0036",
    "twice in JSON": "092345\\\\u0036",
    "in Python": "\\x30923456",
    "in a URL": "%30923456",
    "in HTML": "&#48;923456",
    "in digits of another script": "".join(chr(ord(c) + 0xFF10 - 0x30) for c in TEAM.studentnr1),
}


def wrong(number: str) -> str:
    """A message that is refused: its class and team cannot be read."""
    return f'{{"studentnr1": "{number}", "clientid": 1}}'


SPELLED = {  # whole values of a message that is refused
    "a JSON number": "923456",
    "a fraction": "923456.0",
    "with blanks": '"09 23 456"',
    "with signs": '"092-34.56"',
    "a list of digits": '["0", "9", "2", "3", "4", "5", "6"]',
    "with a zero-width space": '"0923\u200b456"',
    "with zeros before it": '"000923456"',
}
BYTES = {codec: wrong(TEAM.studentnr1).encode(codec) for codec in ENCODINGS} | {
    name: wrong(number).encode() for name, number in ESCAPED.items()
}
BYTES |= {name: wrong("").replace('""', value, 1).encode() for name, value in SPELLED.items()}


RIGHT_IPS = [TEAM.studentnr1, *ESCAPED.values()]  # accepted as a host name, with a remark


def all_forms(number: str) -> list[bytes]:
    """The number as it may stand in a file."""
    return [*{number.encode(codec) for codec in ENCODINGS}, *(text.encode() for text in ESCAPED.values())]


def count(data: Path) -> int:
    """The visits on record."""
    with closing(open_rows(data)) as rows:
        return int(rows.query("SELECT count(*) FROM visit", {})[0][0])


def test_no_file_has_a_number_in_any_encoding_after_it_was_forgotten(tmp_path: Path) -> None:
    """Sent to a server that runs on, as the students' programs send it; then searched in the raw files."""
    data = tmp_path / "data"
    with running_server(data) as running:
        visit(running.host, running.port, encoded(first()))
        others = [wrong("7654321").encode("utf-16"), wrong("19234567").encode(), wrong("9234560").encode()]
        for ip in RIGHT_IPS:
            message = first(teamname="Team2", studentnr1="1111111", studentnr2="2222222", ip=ip)
            assert visit(running.host, running.port, encoded(message))["status"] == STATUS_WAITING
        for sent in (*BYTES.values(), *others):
            assert visit(running.host, running.port, sent)["status"].startswith("error: ")
        wait_until(lambda: count(data) == 1 + len(RIGHT_IPS) + len(others) + len(BYTES))
        assert len([form for form in all_forms(TEAM.studentnr1) if traces(data, form)]) == len(ESCAPED) + 5
        code, out, err = tandem("forget", "--data", str(data), "--team", "Team1")
        assert (code, err) == (0, "")
        assert f"removed 1 team and {1 + len(RIGHT_IPS) + len(BYTES)} visits" in out
        assert "removed the ip of 1 other team: it has a student number in it" in out
        assert "backups made before, and files made with tandem results, still contain all of it" in out
        assert not [form for form in all_forms(TEAM.studentnr1) if traces(data, form)]
        assert not [value for value in SPELLED.values() if traces(data, b" " + value.encode())]
        assert all(traces(data, number) for number in (b"7654321", b"19234567", b"9234560"))


def test_a_dry_run_lists_what_would_go_and_removes_nothing(
    where: DatabaseLocation, store: BatchStore, tmp_path: Path
) -> None:
    store.write([message_1(), message_2(), replace(rejected(None), received=b"0923456"), message_1(OTHER)])
    with forgetting(where, Selection(teamname="Team1")) as without_commit:
        assert (names(without_commit.forgotten), without_commit.forgotten.visits) == (["INF2A/Team1"], 3)
    assert is_left(where, TEAM.studentnr1)
    assert forget(where, teamname="Team1") == without_commit.forgotten


def test_the_command_says_what_it_removed(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(), message_1(OTHER._replace(teamname="\x1b[2J"))])
    words = ("forget", "--data", str(tmp_path), "--team", "Team1")
    code, out, err = tandem(*words, "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith("would remove INF2A/Team1 (0923456, 0934567)\nwould remove 1 team and 1 visit\n")
    assert "nothing was removed" in out
    code, out, err = tandem(*words)
    assert (code, err) == (0, "")
    assert out.startswith("removed INF2A/Team1\nremoved 1 team and 1 visit, for good\n")
    assert "backups" in out
    code, out, err = tandem(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "removed INF2B/\\x1b[2J\n" in tandem("forget", "--data", str(tmp_path), "--before", "2026-01-01")[1]


def test_a_dry_run_lists_visits_without_more_student_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = TEAM.studentnr1
    nobodys = (f'{{"studentnr1": "{number}", "studentnr2": 7', f"\x1b{number}", number.translate(FULLWIDTH))
    contents = [*(text.encode() for text in nobodys), number.encode("utf-16"), b"\xf0\xf9\xf2\xf3\xf4\xf5\xf6", b"x"]
    visits = [replace(rejected(None), received=content, port=port) for port, content in enumerate(contents)]
    with closing(SqliteStore(tmp_path)) as store:
        store.write([*(message_1(started_us=second * 1_000_000) for second in range(30)), *visits])
    for words in (("--before", "1999-01-01"), ("--studentnr", number)):
        assert main(["forget", "--data", str(tmp_path), *words, "--dry-run"]) == 0
        out = capsys.readouterr().out
        assert out.count(number) == 1  # of the team
        assert '\n  1970-01-01T00:00:03.000Z  rejected  from 192.0.2.1 port 0, no team: {"studentnr#": "#######"' in out
        assert "port 1, no team: \\x1b#######\n" in out
        assert "port 2, no team: #######\n" in out
        assert re.search(r"port 3, no team: (\\x[f#][f#e]){2}(#\\x00){7}\n", out)
        assert r"port 4, no team: \xf#\xf#" in out
        assert "\n  1970-01-01T00:00:02.000Z  message 1  from 192.0.2.1 port 40000, INF2A/Team1\n" in out
        listed = [line for line in out.splitlines() if line.startswith("  1970")]
        assert len(listed) == 20
        assert f"\n  and {30 + len(contents) - ('--studentnr' in words) - 20} other visits\n" in out
    main(["forget", "--data", str(tmp_path), "--before", "1999-01-01"])
    assert "  1970" not in capsys.readouterr().out


def test_a_disk_that_is_read_only_is_one_line(tmp_path: Path) -> None:
    """Nothing fails before the first statement that writes."""
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1()])
    with closing(SqliteEraser(tmp_path)) as eraser:
        eraser.query("PRAGMA query_only = ON", {})
        with pytest.raises(StoreError, match="SQLite may not write the file") as caught:
            eraser.begin()
        assert caught.value.help == MAKE_WRITABLE


def test_ctrl_c_while_the_file_is_rewritten_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1()])

    def interrupted(self: Forgetting) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Forgetting, "commit", interrupted)
    assert main(["forget", "--data", str(tmp_path), "--team", "Team1"]) == 130
    err = capsys.readouterr().err
    assert err.startswith(
        "tandem: stopped by Ctrl-C: records may be removed already, and traces of them stay on disk. "
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--class", "INF9"), "no class 'INF9' on record; there are 'INF2A', 'INF2B'\n"),
        (("--team", "team3"), "no team 'team3' on record; there are 'Team1', 'Team2'\n"),
        (("--class", "inf2b", "--team", "Team1"), "no team 'Team1' on record; there is 'Team2'\n"),
        (("--class", "INF2A", "--studentnr", "7777777"), "nothing was removed: no record matches"),
    ],
    ids=str,
)
def test_names_that_are_not_on_record_are_told_with_those_that_are(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(), message_1(OTHER)])
    code, out, err = tandem("forget", "--data", str(tmp_path), *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--before", "yesterday"),
        ("--team", ""),
        ("--class", ""),
        ("--studentnr", ""),
        ("--studentnr", "0000000"),
        ("--team", "\udcff"),
    ],
    ids=str,
)
def test_wrong_usage_removes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(TEAM._replace(studentnr2="0000000")), rejected(None)])
    code, out, err = tandem("forget", "--data", str(tmp_path), *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert is_left(tmp_path, TEAM.studentnr1)


def test_a_day_in_the_future_needs_a_yes(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1()])
    words = ("forget", "--data", str(tmp_path), "--before", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}")
    code, out, err = tandem(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "in the future" in err
    assert "would remove 1 team" in tandem(*words, "--dry-run")[1]
    assert is_left(tmp_path, TEAM.studentnr1)
    assert "removed 1 team" in tandem(*words, "--yes")[1]
    assert not is_left(tmp_path, TEAM.studentnr1)
    assert tandem("forget", "--data", str(tmp_path), "--before", "2026-01-31", "--yes")[0] == 2


@pytest.fixture
def board_data(tmp_path: Path) -> Path:
    """A folder with two teams on record, on rosters, and in the teacher's notes; and one that never came."""
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(), message_2(), message_1(OTHER)])
    with closing(BoardStore(tmp_path)) as book:
        book.replace_rosters([TEAM._replace(classname="inf2a"), Team("INF2A", "never came", "5555555", "6666666")])
        book.replace_rosters([OTHER])
        book.set_deadline("INF2A", 5)
        book.set_deadline("INF2B", 5)
        book.write_note(TeamKey("INF2A", "Team1", TEAM.pair), Note(True, "8", "0923456 was ill"))
        book.write_note(TeamKey("INF2B", "Team2", OTHER.pair), Note(True, "8", "helped by 0923456"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says", "left"),
    [
        (("--team", "Team1"), "1 note and 1 line of rosters", [1, 1, 2]),
        (("--studentnr", TEAM.studentnr2), "1 note and 1 line of rosters", [1, 1, 2]),
        (("--before", "2026-01-31", "--class", "INF2A"), "1 note and 1 line of rosters", [1, 1, 2]),
        (("--class", "INF2A"), "1 note and 2 lines of rosters", [0, 1, 1]),
        (("--team", "never came"), "0 notes and 1 line of rosters", [1, 1, 2]),
    ],
    ids=str,
)
def test_what_the_board_keeps_goes_too(board_data: Path, words: tuple[str, ...], says: str, left: list[int]) -> None:
    code, out, err = tandem("forget", "--data", str(board_data), *words)
    assert (code, err) == (0, "")
    assert f"removed from the file of the board: {says}" in out
    with closing(BoardStore(board_data)) as book:
        assert [book.roster_sizes().get("INF2A", 0), book.roster_sizes()["INF2B"], len(book.deadlines())] == left
    if "never came" in words:
        assert not traces(board_data, b"5555555")
    else:
        assert not traces(board_data, b"0934567")
        assert traces(board_data, b"0923456") == [BOOK]  # in the note of another team, and the output says so
        assert "stays: the note or roster line of INF2B/Team2 on the board" in out


def test_a_dry_run_leaves_what_the_board_keeps(board_data: Path) -> None:
    out = tandem("forget", "--data", str(board_data), "--class", "INF2A", "--dry-run")[1]
    assert "would remove from the file of the board: 1 note and 2 lines of rosters" in out
    with closing(BoardStore(board_data)) as book:
        assert (len(book.notes()), book.roster_sizes()["INF2A"], len(book.deadlines())) == (2, 2, 2)


def test_a_roster_of_another_class_keeps_its_student_and_the_output_says_so(board_data: Path) -> None:
    with closing(BoardStore(board_data)) as book:
        book.replace_rosters([Team("INF3", "next year", TEAM.studentnr1, "")])
    out = tandem("forget", "--data", str(board_data), "--team", "Team1")[1]
    assert "stays: the note or roster line of INF3/next year on the board" in out
    with closing(BoardStore(board_data)) as book:
        assert book.roster_sizes()["INF3"] == 1


def test_a_boards_file_of_a_newer_version_is_refused_before_anything_is_removed(board_data: Path) -> None:
    with closing(sqlite3.connect(board_data / BOOK)) as database:
        database.execute("PRAGMA user_version = 99")
    code, out, err = tandem("forget", "--data", str(board_data), "--team", "Team1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "newer version" in err
    code, out, _ = tandem("results", "--data", str(board_data), "--format", "json")
    assert [row["teamname"] for row in json.loads(out)] == ["Team1", "Team2"]
