"""A server that is ended under load again and again, over one data folder, and the proof that nothing was lost."""

import random
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

from tandem.records.queries import open_records
from tandem.records.sqlite.sqlite_store import FILE, FINISHED
from testing.processes import process, running_server
from testing.server_faults.load import load

MAX_BEFORE = 40  # teams that finish before a blow, at most
START_TAKES = 0.3  # seconds, about: a server that is killed while it starts dies within


class Endings:
    """The blows are seeded: the same seed deals them after the same numbers of confirmations."""

    def __init__(self, data: Path, seed: int) -> None:
        self.confirmed: set[str] = set()  # every team that has read `Finished successfully`, over all servers
        self.lost: set[str] = set()  # those of them that were missed afterwards
        self.blows: Counter[str] = Counter()  # dealt and withstood
        self._data = data
        self._random = random.Random(seed)
        self._rounds = 0

    def kill(self) -> None:
        """Send SIGKILL at a random moment under load."""
        self._end(signal.SIGKILL, -signal.SIGKILL)
        self.check()
        self.blows["kills"] += 1

    def kill_while_it_starts(self) -> None:
        """Send SIGKILL somewhere between the first line of Python and the first visits."""
        arguments = ("-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(self._data))
        with process(*arguments) as starting:
            time.sleep(self._random.uniform(0, START_TAKES))
            starting.signal(signal.SIGKILL)
        if (self._data / FILE).exists():
            self.check()
        self.blows["kills while starting"] += 1

    def terminate(self) -> None:
        """Send SIGTERM at a random moment under load. Assert that every message that the server read was answered."""
        answered = self._end(signal.SIGTERM, 0)
        recorded = self._visits_of_this_round()
        assert recorded == answered, f"on record without a reply, or the other way round: {recorded ^ answered}"
        self.check()
        self.blows["SIGTERMs"] += 1

    def check(self) -> None:
        """Assert that the database is whole without a repair, and has every team that was confirmed."""
        database = sqlite3.connect(self._data / FILE)
        found = database.execute("PRAGMA integrity_check").fetchall()
        database.close()
        assert found == [("ok",)], found
        records = open_records(self._data)
        finished = {row.team.teamname for row in records.teams(state=FINISHED)}
        records.close()
        self.lost |= self.confirmed - finished
        assert not self.lost, f"confirmed and lost: {sorted(self.lost)}"

    def _end(self, number: signal.Signals, code: int) -> set[tuple[str, str]]:
        """Start a server, end it under load, and return what its clients have read."""
        self._rounds += 1
        with running_server(self._data) as running, load(running.host, running.port, f"round {self._rounds},") as teams:
            teams.wait_for(self._random.randint(1, MAX_BEFORE))
            time.sleep(self._random.uniform(0, 0.02))
            running.process.signal(number)
            assert running.process.wait() == code
            teams.join()
            assert "Traceback" not in running.process.err, running.process.err
        assert not teams.troubles, teams.troubles
        self.confirmed |= teams.confirmed
        return teams.answered

    def _visits_of_this_round(self) -> set[tuple[str, str]]:
        query = "SELECT teamname, outcome FROM visit WHERE teamname LIKE ?"
        database = sqlite3.connect(self._data / FILE)
        rows = database.execute(query, (f"round {self._rounds}, %",)).fetchall()
        database.close()
        return {(str(team), str(outcome)) for team, outcome in rows}
