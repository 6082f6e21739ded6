"""`tandem backup` and `key rotate`: copies that restore, old secrets that count."""

import json
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from tandem.exchange.message import FINISHED, WAITING
from tandem.ground.store import FILE, Store, StoreTrouble
from tandem.ground.upkeep import backup
from tests.processes import ground, tandem
from tests.raw import encoded, visit
from tests.raw import message_1 as first
from tests.raw import message_2 as second


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


def test_a_backup_has_its_name_only_once_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).close()
    before = sorted(tmp_path.iterdir())

    def half(source: sqlite3.Connection, target: Path) -> None:
        target.write_bytes(b"SQLite format 3")
        assert target.exists()
        assert not (tmp_path / "copy").exists()
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("tandem.ground.upkeep._copy", half)
    with pytest.raises(StoreTrouble, match="could not be made: disk I/O error"):
        backup(tmp_path, tmp_path / "copy")
    assert sorted(tmp_path.iterdir()) == before


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
