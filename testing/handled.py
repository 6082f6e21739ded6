"""Passes the pieces of a message to a visit handler as the loop does, without sockets."""

from collections.abc import Iterable
from typing import cast

from tandem.keys.keyring import Keyring
from tandem.protocol.framing import PLAIN
from tandem.server.actions import Action, Peer, Progress, ProxiedPeer, Wait
from tandem.server.handler import VisitHandler
from tandem.server.log import Log
from tandem.server.metrics import Metrics
from tandem.server.serve_options import EXPLAIN

PEER = ProxiedPeer("192.0.2.7", 51234, 0.0)


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[object] = []

    def write(self, line: object) -> None:
        """Keep the line."""
        self.lines.append(line)


def new_handler(framing: str = PLAIN, log: Lines | None = None) -> VisitHandler:
    """Return a handler that explains mistakes, and has no records."""
    return VisitHandler(Keyring(b"k" * 32), EXPLAIN, framing, None, cast(Log, log or Lines()), Metrics("handled"))


def handled(visits: VisitHandler, pieces: Iterable[bytes], ends: bool = False, peer: Peer = PEER) -> Action:
    """Return the action after pieces that come one after the other. Then comes silence, or the end of the stream."""
    progress: Progress = None
    action: Action | None = None
    for piece in pieces:
        action = visits.received_first(peer, progress, piece) if action is None else None
        action = action or visits.received(peer, progress, piece)
        if not isinstance(action, Wait):
            return action
        progress = action.progress
    assert isinstance(action, Wait)
    return visits.received(peer, progress, b"") if ends else visits.expired(peer, progress, action.state)
