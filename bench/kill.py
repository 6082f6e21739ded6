"""The ending campaign, run by hand.

    python3 bench/kill.py --kills 200 --seed N

Kills a server under load again and again over one data folder (kill -9, also while it starts), ends it by
SIGTERM, and holds its database locked; after each blow every team that has read `Finished successfully` must be
in the results. Prints one line a part, and exits with 1 at the first loss.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tandem.protocol.message import STATUS_FINISHED
from tandem.server.handler import NOT_STORED
from testing.processes import running_server, wait_until
from testing.raw_sockets import encoded, message_1, message_2
from testing.server_faults import faults
from testing.server_faults.ending import Endings
from testing.server_faults.load import ask

TEAMS = 50  # that try again and again while the database is locked


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200, help="kill -9 under load")
    options.add_argument("--starts", type=int, default=50, help="kill -9 while it starts")
    options.add_argument("--terms", type=int, default=50, help="SIGTERM under load")
    options.add_argument("--locked", type=float, default=30.0, metavar="SECONDS", help="database locked for so long")
    options.add_argument("--seed", type=int, default=int(time.time()))
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-kill-") as folder:
        endings = Endings(Path(folder) / "ended", given.seed)
        try:
            repeat(given.kills, endings.kill)
            repeat(given.starts, endings.kill_while_it_starts)
            repeat(given.terms, endings.terminate)
        finally:
            blows = ", ".join(f"{name} {times}" for name, times in endings.blows.items())
            print(
                f"{blows}: teams confirmed {len(endings.confirmed)}, teams lost {len(endings.lost)}, seed {given.seed}",
                flush=True,
            )
        if given.locked:
            print(hold_locked(Path(folder) / "locked", given.locked))
    return 0


def repeat(times: int, blow: Callable[[], None]) -> None:
    for number in range(1, times + 1):
        blow()
        if number % 50 == 0:
            print(f"{number} of {times}", file=sys.stderr, flush=True)


class Patient:
    """A team that does as it is told: it sends message 2 again until it has read that it finished."""

    def __init__(self, host: str, port: int, name: str, give_up: threading.Event) -> None:
        self.refused = 0
        self.worst = 0.0  # seconds for a reply
        self.finished_at: float | None = None
        self._where = host, port
        self._name = name
        self._give_up = give_up
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        handover = ask(*self._where, encoded(message_1(teamname=self._name)))
        assert handover
        while not self._give_up.wait(0.5):
            began = time.monotonic()
            reply = ask(*self._where, encoded(message_2(handover)))
            self.worst = max(self.worst, time.monotonic() - began)
            assert reply
            if reply["status"] == STATUS_FINISHED:
                self.finished_at = time.monotonic()
                return
            assert reply["status"] == NOT_STORED, reply
            self.refused += 1


def hold_locked(data: Path, seconds: float) -> str:
    """Another program holds the database; teams are told to try again, and all finish once it has let go."""
    give_up = threading.Event()
    with running_server(data) as running:
        with faults.locked(running):
            teams = [Patient(running.host, running.port, f"team {number}", give_up) for number in range(TEAMS)]
            time.sleep(seconds)
            early = sum(team.finished_at is not None for team in teams)
        released = time.monotonic()
        try:
            wait_until(lambda: all(team.finished_at for team in teams))
        finally:
            give_up.set()
        finished = {row["teamname"] for row in running.results("--state", "finished")}
    last = max(team.finished_at or 0.0 for team in teams) - released
    assert early == 0, "confirmed while nothing could be written"
    assert len(finished) == TEAMS
    return (
        f"database locked for {seconds:g} s: {sum(team.refused for team in teams)} replies said to try again, 0 said"
        f" finished, slowest reply {max(team.worst for team in teams):.1f} s; after it all {TEAMS} teams finished"
        f" within {last:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
