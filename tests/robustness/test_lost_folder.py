"""The data folder is lost: a backup that was made while everything ran brings all of it back but the key."""

import http.client
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tandem.board.gradebook.board_store import BoardStore, Note
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.records.folder_lock import exclusive_lock
from tandem.records.queries import TeamKey
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Team
from testing.processes import TEAM, Process, RunningServer, process, running_server, tandem, wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit

THIRD = {"teamname": "Team3", "studentnr1": "1234567", "studentnr2": "7654321"}
DEADLINE = 4_000_000_000_000_000
BOARD = ("--board", "127.0.0.1:0")


def ask(running: RunningServer, message: dict[str, Any]) -> dict[str, Any]:
    return visit(running.host, running.port, encoded(message))


def prepare(data: Path) -> str:
    """A roster, a deadline and a mark, as a teacher writes them. Return the teacher's token."""
    first = Team(TEAM["classname"], TEAM["teamname"], TEAM["studentnr1"], TEAM["studentnr2"])
    with closing(BoardStore(data)) as book:
        book.replace_rosters([first, Team("INF2A", "Absent", "3333333", "")])
        book.set_deadline("INF2A", DEADLINE)
        book.write_note(TeamKey("INF2A", "Team1", first.pair), Note(True, "8.5", "explained the handover"))
        return book.renew_token()


def gradebook(running: RunningServer, token: str) -> str:
    """The whole gradebook, from the board beside a server; the bearer's token opens it."""
    address = running.process.wait_for("listening on http://").rpartition("/")[2]
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", "/gradebook/export?format=csv", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()
    finally:
        connection.close()


def by_name(running: RunningServer) -> list[Any]:
    return sorted(running.results(), key=lambda row: str(row["teamname"]))


class Lost:
    """A class whose data folder was lost while its server and its board ran, and what was saved before."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.backup = folder / "backup.zip"
        self.key = folder / "key"  # the copy that the teacher kept
        self.token = prepare(self.data)
        with running_server(self.data, *BOARD) as running:
            assert ask(running, message_2(ask(running, message_1())))["status"] == STATUS_FINISHED
            self.handover = ask(running, message_1(**THIRD))
            assert self.handover["status"] == STATUS_WAITING
            assert ask(running, message_1(teamname="Team4", clientid=7))["status"].startswith("error: ")
            wait_until(lambda: len(running.results()) == 3)
            self.results, self.gradebook = by_name(running), gradebook(running, self.token)
            code, self.told, err = tandem("backup", "--data", str(self.data), str(self.backup))
            assert (code, err) == (0, "")
            shutil.copy(self.data / "key", self.key)
            shutil.rmtree(self.data)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return Lost(tmp_path_factory.mktemp("lost"))


def test_results_and_gradebook_are_as_before_and_a_waiting_team_finishes_with_its_key(
    lost: Lost, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.copy(lost.key, data / "key")
    code, out, err = tandem("restore", "--data", str(data), str(lost.backup))
    assert (code, err) == (0, "")
    assert f"{data / 'key'} is the key of the backup" in out
    assert "not valid" not in out
    with running_server(data, *BOARD) as running:
        assert by_name(running) == lost.results
        assert gradebook(running, lost.token) == lost.gradebook
        assert "explained the handover" in lost.gradebook
        assert "Absent" in lost.gradebook
        assert ask(running, message_2(lost.handover))["status"] == STATUS_FINISHED


def test_without_the_key_the_teams_that_it_concerns_are_told(lost: Lost, tmp_path: Path) -> None:
    data = tmp_path / "data"
    code, out, err = tandem("restore", "--data", str(data), str(lost.backup))
    assert (code, err) == (0, "")
    assert f"there is no key: copy the one of the backup (fingerprint {lost.told.rpartition(' ')[2][:16]})" in out
    assert "1 teams that wait for message 2 are not valid, and their client 1 has to run again: INF2A/Team3\n" in out
    code, _, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", str(data))
    assert (code, err.count("\n")) == (1, 1)
    assert f"make a new one with tandem key rotate --data {data}" in err
    assert "there was no key: earlier secrets are invalid" in tandem("key", "rotate", "--data", str(data))[1]
    with running_server(data) as running:
        assert by_name(running) == lost.results
        assert ask(running, message_2(lost.handover))["status"].startswith("error: ")
        again = ask(running, message_1(**THIRD))
        assert ask(running, message_2(again))["status"] == STATUS_FINISHED


@contextmanager
def board_alone(data: Path) -> Iterator[Process]:
    data.mkdir(mode=0o700, exist_ok=True)
    with process("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(data)) as started:
        started.wait_for("listening on")
        yield started


@contextmanager
def workers(data: Path) -> Iterator[Process]:
    with running_server(data, "--workers", "2") as running:
        yield running.process


@contextmanager
def server(data: Path) -> Iterator[Process]:
    with running_server(data) as running:
        yield running.process


@pytest.mark.parametrize("program", [server, workers, board_alone])
def test_a_running_program_keeps_a_restore_away_until_it_ends_however_it_ends(
    lost: Lost, tmp_path: Path, program: Any
) -> None:
    data = tmp_path / "data"
    restore = ("restore", "--data", str(data), "--replace", str(lost.backup))
    with program(data) as running:
        code, out, err = tandem(*restore)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "stop it, then restore" in err
        running.signal(signal.SIGKILL)
        wait_until(lambda: tandem(*restore)[0] == 0)  # the workers of a supervisor that was killed end by themselves
    if not (data / "key").exists():  # only a server makes one
        assert tandem("key", "rotate", "--data", str(data))[0] == 0
    with running_server(data) as running:
        assert by_name(running) == lost.results
    assert not list(data.glob("restore.*"))


def test_one_that_starts_while_a_restore_runs_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with exclusive_lock(data, StoreError("in use")):
        for command in ("serve", "board"):
            code, out, err = tandem(command, "--listen", "127.0.0.1:0", "--data", str(data))
            assert (code, out, err.count("\n")) == (1, "", 1)
            assert "a restore into" in err
        assert list(data.iterdir()) == []
    with running_server(data):
        pass


@pytest.mark.parametrize("room", [0, 4_096, 32_768, 65_536])
def test_a_full_disk_leaves_the_folder_as_it_was_and_no_half_backup(lost: Lost, small_disk: Path, room: int) -> None:
    data = small_disk / "data"
    assert tandem("restore", "--data", str(data), str(lost.backup))[0] == 0
    before = {path: path.read_bytes() for path in data.iterdir()}
    assert sum(map(len, before.values())) > room
    with (small_disk / "filler").open("wb") as filler:
        filler.write(b"\0" * (shutil.disk_usage(small_disk).free - room))
    for command in (
        ("backup", "--data", str(data), str(small_disk / "backup.zip")),
        ("restore", "--data", str(data), "--replace", str(lost.backup)),
    ):
        code, out, err = tandem(*command)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert {path: path.read_bytes() for path in data.iterdir()} == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["data", "filler"]
