"""`tandem backup`, `forget` and `key rotate`: copies that restore, data that is gone, old secrets that count."""

import json
import shutil
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tandem.exchange.message import FINISHED, WAITING
from tandem.ground.record import Surplus, Team
from tandem.ground.store import FILE, Store, StoreTrouble
from tandem.ground.upkeep import backup, forget_before, forget_team
from tests.ground.records import TEAM, message_1, message_2, rejected
from tests.processes import ground, tandem
from tests.raw import encoded, visit
from tests.raw import message_1 as first
from tests.raw import message_2 as second

OTHER = Team("INF2B", "Team2", "1111111", "2222222")
DAY = 86_400_000_000  # microseconds


def traces(folder: Path, words: str) -> list[str]:
    """The files of the folder in which the words stand."""
    return [path.name for path in folder.iterdir() if words.encode() in path.read_bytes()]


def test_a_backup_of_a_running_ground_restores_by_copying(tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    with ground(tmp_path / "data") as running:
        handover = visit(running.host, running.port, encoded(first()))
        visit(running.host, running.port, encoded(second(handover)))
        before = running.results()
        code, out, err = tandem("backup", "--data", str(running.data), str(copy))
        assert (code, err) == (0, "")
        assert "key is not in it" in out
        key = (running.data / "key").read_text().strip()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert key.encode() not in copy.read_bytes()
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(copy, restored / FILE)
    _, out, _ = tandem("results", "--data", str(restored), "--format", "json")
    assert json.loads(out) == before
    with ground(restored) as again:
        assert visit(again.host, again.port, encoded(first()))["status"] == WAITING


def test_a_backup_overwrites_nothing_and_needs_something_to_copy(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="no results"):
        backup(tmp_path, tmp_path / "copy")
    Store(tmp_path).close()
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(StoreTrouble, match="cannot be written"):
        backup(tmp_path, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_a_team_is_forgotten_for_good(tmp_path: Path) -> None:
    store = Store(tmp_path)
    nobody = replace(rejected(None), received=b'{"studentnr1": "0923456", ...')
    store.keep([message_1(), message_2(), message_1(OTHER), nobody])
    assert traces(tmp_path, "0923456")
    forgotten = forget_team(tmp_path, "Team1", None)
    assert (forgotten.teams, forgotten.visits) == (["INF2A/Team1"], 3)
    assert traces(tmp_path, "0923456") == []
    assert traces(tmp_path, "1111111")
    store.keep([message_1()])  # a ground that ran meanwhile goes on
    store.close()


def test_only_the_team_of_the_given_class_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([message_1(), message_1(replace(OTHER, teamname="Team1"))])
    store.close()
    assert forget_team(tmp_path, "Team1", "INF2B").teams == ["INF2B/Team1"]
    assert traces(tmp_path, TEAM.studentnr1)


def test_what_is_older_than_a_date_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([message_1(at=1 * DAY), message_2(at=2 * DAY), rejected(None, at=2 * DAY), Surplus(DAY, "192.0.2.9", 5)])
    store.keep([message_1(OTHER, at=2 * DAY), message_2(OTHER, at=9 * DAY)])
    store.close()
    forgotten = forget_before(tmp_path, datetime.fromtimestamp(5 * 86_400, UTC))
    assert (forgotten.teams, forgotten.visits) == (["INF2A/Team1"], 4)
    assert traces(tmp_path, TEAM.studentnr1) == []
    assert traces(tmp_path, "192.0.2.9") == []
    assert traces(tmp_path, OTHER.studentnr1)


def test_the_commands_say_what_they_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([message_1(), message_1(replace(OTHER, teamname="\x1b[2J"))])
    store.close()
    forget = ("forget", "--data", str(tmp_path))
    assert tandem(*forget, "--team", "Team1")[:2] == (
        0,
        "removed INF2A/Team1\nremoved 1 teams and 1 visits, for good\n",
    )
    code, out, err = tandem(*forget, "--team", "Team1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "removed INF2B/\\x1b[2J\n" in tandem(*forget, "--before", "2026-01-01")[1]
    assert tandem(*forget, "--before", "yesterday")[0] == 2
    assert tandem(*forget)[0] == 2


def test_after_a_rotation_both_old_and_new_secrets_finish(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ground(data) as running:
        before = visit(running.host, running.port, encoded(first(teamname="before")))
    code, out, err = tandem("key", "rotate", "--data", str(data), "--valid", "1")
    assert (code, err) == (0, "")
    assert "1 hours" in out
    with ground(data) as running:
        after = visit(running.host, running.port, encoded(first(teamname="before")))
        assert after["secret"] != before["secret"]
        for handover in (before, after):
            assert visit(running.host, running.port, encoded(second(handover)))["status"] == FINISHED
    assert tandem("key", "rotate", "--data", str(data), "--valid", "0")[0] == 0
    with ground(data) as running:
        reply = visit(running.host, running.port, encoded(second(after)))
        assert reply["status"].startswith("error: ")


def test_a_rotation_without_a_key_is_one_line(tmp_path: Path) -> None:
    for arguments in (("--data", str(tmp_path)), ("--valid", "-1")):
        code, out, err = tandem("key", "rotate", *arguments)
        assert (code, out, err.count("\n")) == (2 if "--valid" in arguments else 1, "", 1)


def test_a_flood_of_refused_messages_is_answered_and_counted(tmp_path: Path) -> None:
    flood = 100
    with ground(tmp_path / "data") as running:
        for _ in range(flood):
            assert visit(running.host, running.port, b"[]")["status"].startswith("error: ")
        running.process.wait_for("the rest is only counted")
        lines = running.process.err.count("rejected")
        assert visit(running.host, running.port, encoded(first()))["status"] == WAITING
    assert 60 <= lines <= flood  # a minute may have ended meanwhile
    assert sum(size for _, size in counted(tmp_path / "data")) == flood


def counted(data: Path) -> list[tuple[str, int]]:
    """Refused visits, recorded and counted, as (what, how many)."""
    database = sqlite3.connect(data / FILE)
    rows = database.execute(
        "SELECT 'recorded', count(*) FROM visit WHERE outcome = 'rejected'"
        " UNION ALL SELECT address, visits FROM surplus"
    ).fetchall()
    database.close()
    return [(str(what), int(size)) for what, size in rows]
