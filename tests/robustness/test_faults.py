"""Whatever keeps the server from writing: a line in the log, no false confirmation, and it goes on by itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.records.sqlite.sqlite_store import SqliteStore
from tandem.server.handler import NOT_STORED
from testing import visits
from testing.processes import RunningServer, running_server, tandem, wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit
from testing.server_faults import faults
from testing.server_faults.faults import mount

Fault = Callable[[RunningServer], AbstractContextManager[None]]

# what happens -> the words in the log
ANYWHERE: dict[str, tuple[Fault, str]] = {
    "locked by another program": (faults.locked, "database is locked"),
    "no file may grow": (faults.no_writing, "disk I/O error"),
    "the database was moved away": (faults.moved_away, "moved"),
    "its log was moved away": (faults.log_moved_away, "moved"),
    "another file in its place": (faults.replaced, "replaced"),
    "the index of its log was moved away": (faults.index_moved_away, "moved"),
}


def ask(running: RunningServer, message: dict[str, Any]) -> dict[str, Any]:
    return visit(running.host, running.port, encoded(message))


def states(running: RunningServer) -> dict[str, str]:
    return {row["teamname"]: row["state"] for row in running.results()}


def hold(running: RunningServer, fault: Fault, words: str) -> None:
    """What must be true before, during and after a fault."""
    before = ask(running, message_1(teamname="before"))
    assert ask(running, message_2(before))["status"] == STATUS_FINISHED
    second = message_2(ask(running, message_1(teamname="Team1")))
    with fault(running):
        reply = ask(running, second)
        assert reply == second | {"secret": "", "status": NOT_STORED}
        assert ask(running, message_1(teamname="meanwhile"))["status"] == STATUS_WAITING
        running.process.wait_for(words)
        running.process.wait_for("told to try again")
    wait_until(lambda: ask(running, second)["status"] == STATUS_FINISHED)
    # The first try on its own: nobody asked for what came meanwhile, and it was kept all the same.
    wait_until(lambda: states(running) == {"before": "finished", "Team1": "finished", "meanwhile": STATUS_WAITING})
    assert "Traceback" not in running.process.err


@pytest.mark.parametrize(("fault", "words"), ANYWHERE.values(), ids=ANYWHERE)
def test_a_fault_is_told_and_passes(tmp_path: Path, fault: Fault, words: str) -> None:
    with running_server(tmp_path / "data") as running:
        hold(running, fault, words)


def test_a_full_disk_is_told_and_passes(small_disk: Path) -> None:
    with running_server(small_disk / "data") as running:
        hold(running, faults.full_disk, "disk is full")


def test_a_damaged_database_confirms_nothing(tmp_path: Path) -> None:
    """The damage is met: the database is larger than what the server has read of it since it started."""
    with running_server(tmp_path) as running:
        second = message_2(ask(running, message_1()))
    with closing(SqliteStore(tmp_path)) as store:
        teams = [visits.TEAM._replace(teamname=f"{number} {'x' * 100}") for number in range(5000)]
        store.write([visits.message_1(team) for team in teams])
    with running_server(tmp_path) as running:
        with faults.damaged(running):
            assert ask(running, second) == second | {"secret": "", "status": NOT_STORED}
            running.process.wait_for("one is damaged")
        wait_until(lambda: ask(running, second)["status"] == STATUS_FINISHED)
        assert states(running)["Team1"] == "finished"


def test_a_data_folder_that_is_read_only_at_the_start_is_one_line(small_disk: Path) -> None:
    """Under a running server nothing on Linux makes it so: the system refuses, `mount point is busy`."""
    data = str(small_disk / "data")
    with running_server(small_disk / "data") as running:
        assert ask(running, message_2(ask(running, message_1())))["status"] == STATUS_FINISHED
    mount("-o", "remount,ro", str(small_disk))
    code, out, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", data)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert data in err
    mount("-o", "remount,rw", str(small_disk))
    with running_server(small_disk / "data") as running:
        assert states(running) == {"Team1": "finished"}


def test_a_disk_that_is_full_at_the_start_is_one_line(small_disk: Path) -> None:
    filler = small_disk / "filler"
    faults.fill(filler)
    data = str(small_disk / "data")
    code, out, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", data)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert data in err
    filler.unlink()
    with running_server(small_disk / "data") as running:
        assert ask(running, message_1())["status"] == STATUS_WAITING


@pytest.mark.parametrize("ended", ["stopped", "killed"])
def test_a_copy_put_back_is_what_the_results_show(tmp_path: Path, ended: str) -> None:
    """Nothing of the time after the backup shows through, and the database is whole."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    with running_server(data) as running:
        assert ask(running, message_1(teamname="before"))["status"] == STATUS_WAITING
        wait_until(lambda: "before" in states(running))
        assert tandem("backup", "--data", str(data), str(copy))[0] == 0
        assert ask(running, message_2(ask(running, message_1(teamname="after"))))["status"] == STATUS_FINISHED
        if ended == "killed":
            running.process.end()
    code, _, err = tandem("restore", "--data", str(data), "--replace", str(copy))
    assert (code, err) == (0, "")
    with running_server(data) as running:
        assert states(running) == {"before": STATUS_WAITING}
