"""Students in a hurry, run on a host of their own: python -m testing.deploy.students HOST:PORT --from IP IP

Each makes one exchange after the other, every one for a new team. A visit that got no reply, or was told to send its
message again, is made once more after a pause, which SIGUSR1 ends; a visit that then fails ends its exchange. Prints a
line of JSON for every exchange as it ends. SIGTERM: no new ones; those in hand are brought to their end.
"""

import argparse
import json
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from tandem.protocol.address import parse_address
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.server.handler import NOT_STORED
from testing.raw_sockets import encoded, message_1, message_2

PAUSE = 60.0  # seconds between two tries at the most: it is what the ground's words ask for
PATIENCE = 15.0  # seconds that a student waits for anything
TRY_AGAIN = "try again"  # said when a SIGUSR1 has been heard
MOST = 100_000  # exchanges, if nobody says stop


@dataclass
class Exchange:
    """One team's exchange, as its students saw it."""

    team: str
    finished: bool = False
    tried_again: list[str] = field(default_factory=list)  # why
    failed: str = ""  # why


class Failure(Exception):
    """A visit did not get the reply that it should; the text says what came."""


class Students:
    """So many at a time, until they are told to stop."""

    def __init__(self, server: tuple[str, int], tag: str, sources: list[str]) -> None:
        self._server = server
        self._tag = tag
        self._sources = sources
        self._over = False
        self._news = threading.Condition()
        self._numbers = count()
        self._printing = threading.Lock()

    def run(self, at_once: int) -> None:
        workers = [threading.Thread(target=self._work) for _ in range(at_once)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def try_again(self) -> None:
        """Ends the pauses of all who make one now, and says so."""
        with self._news:
            self._news.notify_all()
        print(TRY_AGAIN, file=sys.stderr, flush=True)

    def stop(self) -> None:
        self._over = True

    def _work(self) -> None:
        while not self._over and (number := next(self._numbers)) < MOST:
            ended = self._exchange(number)
            with self._printing:
                print(json.dumps(asdict(ended)), flush=True)

    def _exchange(self, number: int) -> Exchange:
        exchange = Exchange(f"{self._tag} {number}")
        first = self._sources[number % len(self._sources)]
        second = self._sources[(number + 1) % len(self._sources)]
        try:
            handover = self._visit(exchange, first, message_1(teamname=exchange.team, ip=first), STATUS_WAITING)
            self._visit(exchange, second, message_2(handover, ip=second), STATUS_FINISHED)
            exchange.finished = True
        except Failure as failure:
            exchange.failed = str(failure)
        return exchange

    def _visit(self, exchange: Exchange, source: str, message: dict[str, Any], wanted: str) -> dict[str, Any]:
        """The right reply, at the second try if need be. Raises Failure."""
        try:
            return self._ask(source, message, wanted)
        except Failure as failure:
            exchange.tried_again.append(str(failure))
        with self._news:
            self._news.wait(PAUSE)
        return self._ask(source, message, wanted)

    def _ask(self, source: str, message: dict[str, Any], wanted: str) -> dict[str, Any]:
        came = b""
        try:
            with socket.create_connection(self._server, PATIENCE, (source, 0)) as connection:
                if not connection.recv(2000):
                    raise Failure("closed before the welcome")
                connection.sendall(encoded(message))
                while piece := connection.recv(2000):
                    came += piece
        except OSError as error:
            raise Failure(f"broken: {error}") from error
        if not came:
            raise Failure("closed without a reply")
        reply: dict[str, Any] = json.loads(came)
        if reply["status"] != wanted:
            raise Failure("told to send it again" if reply["status"] == NOT_STORED else reply["status"])
        return reply


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("server", metavar="HOST:PORT")
    options.add_argument("--at-once", type=int, default=16)
    options.add_argument("--tag", default="team", help="what the teams' names begin with")
    options.add_argument("--from", dest="sources", nargs="+", required=True, metavar="IP", help="own addresses")
    given = options.parse_args()
    students = Students(parse_address(given.server, 0), given.tag, given.sources)
    signal.signal(signal.SIGUSR1, lambda number, frame: students.try_again())
    signal.signal(signal.SIGTERM, lambda number, frame: students.stop())
    students.run(given.at_once)


if __name__ == "__main__":
    main()
