"""Teams in a hurry: exchanges in several threads until their ground is gone, and what their clients have read.

What is said here about a confirmation is what a student could say: it was read from the wire, whole.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from testing.processes import LIMIT
from testing.raw_sockets import Raw, encoded, message_1, message_2

WORKERS = 8


class LoadError(Exception):
    """A client saw what no client may ever see."""


def ask(host: str, port: int, data: bytes) -> dict[str, Any] | None:
    """One visit: the whole reply, or None where the ground was gone before it. Raises LoadError for half a reply."""
    came = b""
    try:
        connection = Raw(host, port)
    except ConnectionError:
        return None
    try:
        if connection.take_welcome():
            connection.send(data)
            while piece := connection.receive():
                came += piece
    except ConnectionError:
        pass  # the ground is gone; what came before it went still counts
    except TimeoutError as error:
        raise LoadError(f"neither a reply nor an end in {LIMIT:g} s") from error
    finally:
        connection.socket.close()
    if not came:
        return None
    try:
        reply: dict[str, Any] = json.loads(came)
    except ValueError as error:
        raise LoadError(f"half a reply: {came!r}") from error
    return reply


class Load:
    """The teams of one run. Every name is used once, so what is on record can be compared with what was read."""

    def __init__(self, host: str, port: int, tag: str) -> None:
        self.confirmed: set[str] = set()  # teams that have read `Finished successfully`
        self.answered: set[tuple[str, str]] = set()  # (team, "message 1" or "message 2") with a right reply
        self.troubles: list[str] = []
        self._host = host
        self._port = port
        self._news = threading.Condition()
        self._over = False
        self._workers = [
            threading.Thread(target=self._work, args=(f"{tag} {number}",), daemon=True) for number in range(WORKERS)
        ]
        for worker in self._workers:
            worker.start()

    def wait_for(self, confirmed: int) -> None:
        """Returns when so many teams have read that they finished."""
        with self._news:
            happened = self._news.wait_for(lambda: len(self.confirmed) >= confirmed or self.troubles, LIMIT)
        assert happened, f"{len(self.confirmed)} of {confirmed} teams finished"
        assert not self.troubles, self.troubles

    def join(self) -> None:
        """Returns when the last client has ended: the ground is gone, or `stop` was called."""
        for worker in self._workers:
            worker.join(2 * LIMIT)
            assert not worker.is_alive(), "a client hangs"

    def stop(self) -> None:
        self._over = True
        self.join()

    def _work(self, name: str) -> None:
        number = 0
        try:
            while not self._over and self._exchange(f"{name} {number}"):
                number += 1
        except (LoadError, OSError) as error:
            with self._news:
                self.troubles.append(f"{name} {number}: {error}")
                self._news.notify_all()

    def _exchange(self, team: str) -> bool:
        """One exchange; False if the ground was gone before its end."""
        handover = ask(self._host, self._port, encoded(message_1(teamname=team)))
        if handover is None:
            return False
        self._note(team, "message 1", handover, STATUS_WAITING)
        reply = ask(self._host, self._port, encoded(message_2(handover)))
        if reply is None:
            return False
        self._note(team, "message 2", reply, STATUS_FINISHED)
        return True

    def _note(self, team: str, what: str, reply: dict[str, Any], wanted: str) -> None:
        if reply["status"] != wanted:
            raise LoadError(f"{what} was answered {reply['status']!r}")
        with self._news:
            self.answered.add((team, what))
            if wanted == STATUS_FINISHED:
                self.confirmed.add(team)
                self._news.notify_all()


@contextmanager
def load(host: str, port: int, tag: str) -> Iterator[Load]:
    """Load on a ground, ended with the block."""
    running = Load(host, port, tag)
    try:
        yield running
    finally:
        running.stop()
