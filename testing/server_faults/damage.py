"""Damages a file of the database under a running server, and looks for the teams that were confirmed.

A row of the campaign: teams finish, one of the three files is damaged in one way, teams go on, `forget`, `results` and
`backup` run, and the server is started again. bench/damage.py runs all rows; the tests run some of them.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tandem.protocol.message import STATUS_FINISHED
from tandem.records.queries import open_records
from tandem.records.sqlite.database_copy import copy_database, saved_copies
from tandem.records.sqlite.sqlite_store import FILE
from testing.processes import RunningServer, process, running_server, tandem
from testing.raw_sockets import encoded, message_1, message_2
from testing.server_faults.load import ask

LOG, INDEX = f"{FILE}-wal", f"{FILE}-shm"
FILES = {
    "main": (FILE,),
    "log": (LOG,),
    "index": (INDEX,),
    "log and index": (LOG, INDEX),
    "all": (FILE, LOG, INDEX),
}
WORKERS = (1, 2)
TEAMS = 20  # that finish in each of the parts before the damage
CHECKPOINT = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint').fetchone()"


def _deleted(path: Path, older: Path) -> None:
    path.unlink()


def _replaced(path: Path, older: Path) -> None:
    """As an editor or a synchronising program does it: the same content in another file."""
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)


def _truncated(path: Path, older: Path) -> None:
    os.truncate(path, 0)


def _overwritten(path: Path, older: Path) -> None:
    """As `cp` does it: the file stays, with older content."""
    shutil.copyfile(older, path)


DAMAGES: dict[str, Callable[[Path, Path], None]] = {
    "deleted": _deleted,
    "replaced": _replaced,
    "truncated": _truncated,
    "overwritten": _overwritten,
}


@dataclass
class Outcome:
    """The result of a row of the campaign."""

    before: set[str] = field(default_factory=set)  # teams confirmed before the damage
    after: set[str] = field(default_factory=set)  # and after it, by a server that was not started again
    found: set[str] = field(default_factory=set)  # teams on record in the end
    forgotten: set[str] = field(default_factory=set)
    said: str = ""  # all that was said on standard error after the damage
    exit_code: int | None = 0  # of the server that was damaged
    refused: bool = False  # the next server did not start before the log was deleted, as it advises

    @property
    def lost(self) -> set[str]:
        """Return the teams that were confirmed and are not on record."""
        return (self.before | self.after) - self.found - self.forgotten

    def check(self) -> None:
        """Assert that nothing is lost, or only what was confirmed before the damage, and that the user was told."""
        assert "Traceback" not in self.said, self.said
        assert "bug:" not in self.said, self.said
        assert not self.lost & self.after, f"confirmed after the damage and lost: {sorted(self.lost & self.after)}"
        if self.lost:
            assert "Try: " in self.said, self.said
        assert self.exit_code in (0, -signal.SIGBUS), self.exit_code

    def __str__(self) -> str:
        kept = f"{len(self.before - self.lost)} of {len(self.before)} kept"
        ended = "" if self.exit_code == 0 else f", ended by {self.exit_code}"
        return f"{kept}, {len(self.after)} confirmed after it{', start refused' if self.refused else ''}{ended}"


def run_row(folder: Path, file: str, damage: str, workers: int) -> Outcome:
    """Run one row of the campaign in an empty folder."""
    outcome = Outcome()
    data, older = folder / "data", folder / "older"
    options = ("--workers", str(workers)) if workers > 1 else ()
    with running_server(data, *options) as running:
        outcome.before |= finish_teams(running, "early")
        copy_all(data, older)
        outcome.before |= finish_teams(running, "middle")
        subprocess.run([sys.executable, "-c", CHECKPOINT, str(data / FILE)], check=True)
        outcome.before |= finish_teams(running, "late")
        for name in FILES[file]:
            DAMAGES[damage](data / name, older / name)
        outcome.after |= finish_teams(running, "first")
        if workers > 1:
            kill_a_worker(running)
        outcome.said += use_commands(data, folder, outcome)
        outcome.after |= finish_teams(running, "second")
        running.process.stop()
        outcome.exit_code = running.process.wait()
        outcome.said += running.process.err
    start_again(data, outcome)
    return outcome


def copy_all(data: Path, older: Path) -> None:
    """Copy the database with SQLite's backup API, and log and index as they are."""
    older.mkdir()
    for name in FILES["all"]:
        shutil.copyfile(data / name, older / name)
    (older / FILE).unlink()
    with closing(sqlite3.connect(data / FILE)) as source:
        copy_database(source, older / "copy")
    (older / "copy").rename(older / FILE)  # beside a log of that name SQLite would have removed the log


def finish_teams(running: RunningServer, part: str) -> set[str]:
    """Let teams try to finish, each once; return those that have read that they did."""
    names = [f"{part} {number}" for number in range(TEAMS)]

    def finish(name: str) -> bool:
        first = _reply(running, message_1(teamname=name))
        second = _reply(running, message_2(first)) if first else None
        return bool(second and second["status"] == STATUS_FINISHED)

    with ThreadPoolExecutor(4) as pool:
        return {name for name, done in zip(names, pool.map(finish, names), strict=True) if done}


def _reply(running: RunningServer, message: dict[str, Any]) -> dict[str, Any] | None:
    return ask(running.host, running.port, encoded(message))


def kill_a_worker(running: RunningServer) -> None:
    """Kill a worker. The supervisor starts another one, which opens the database as it is now."""
    pid = running.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if workers:
        os.kill(int(workers[0]), signal.SIGKILL)
        running.process.wait_for("starting another")


def use_commands(data: Path, folder: Path, outcome: Outcome) -> str:
    """Run what a teacher may run meanwhile; return what it said. None of it may make things worse."""
    said = ""
    for words in (("results",), ("forget", "--team", "early 0"), ("backup", str(folder / "backup"))):
        code, out, err = tandem(words[0], "--data", str(data), *words[1:])
        assert code in (0, 1), err
        assert err.count("\n") == code or (code == 0 and err.startswith("tandem: results are missing")), err
        said += err
        if words[0] == "forget" and "removed INF2A/early 0" in out:
            outcome.forgotten.add("early 0")
    return said


def start_again(data: Path, outcome: Outcome) -> None:
    """Restore what was saved, and start the next server; where it refuses, do what it says. Then look at the teams."""
    copies = saved_copies(data / FILE)
    if copies:
        assert f"All that was confirmed is saved in {copies[-1]}. Try: " in outcome.said, outcome.said
        code, _, err = tandem("restore", "--replace", "--data", str(data), str(copies[-1]))
        assert (code, err) == (0, "")
        copies[-1].unlink()
    arguments = ("-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(data))
    with process(*arguments) as starting:
        try:
            starting.wait_for("listening on")
            starting.stop()
        except AssertionError:
            assert starting.wait() == 1
            assert starting.err.count("\n") == 1, starting.err
            outcome.refused = True
        outcome.said += starting.err
    if outcome.refused:
        for name in (LOG, INDEX):
            (data / name).unlink(missing_ok=True)
        with running_server(data) as running:
            assert len(finish_teams(running, "again")) == TEAMS
    with closing(sqlite3.connect(data / FILE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(open_records(data)) as records:
        outcome.found = {row.team.teamname for row in records.teams(state="finished")}
