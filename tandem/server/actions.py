"""Between the loop and a handler: what the loop passes, and the action that the handler returns. Data only.

The loop owns sockets and time. The handler decides on messages. The handler gets values and returns one action, and the
loop carries it out. Nothing here may block.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from tandem.net.proxy_header import ProxyHeaderReader
from tandem.protocol.reader import Reader
from tandem.records.visits import Record, RightVisit
from tandem.server.states_and_limits import State


class Peer(Protocol):
    """The other side of a connection."""

    @property
    def address(self) -> str:
        """Return the IP address in its usual form."""

    @property
    def port(self) -> int:
        """Return the TCP port."""

    @property
    def connected_at(self) -> float:
        """Return when it connected: seconds of time.monotonic()."""


class ProxiedPeer(NamedTuple):
    """A client behind a balancer, as in the balancer's header. Implements Peer."""

    address: str
    port: int
    connected_at: float


class Proxied(NamedTuple):
    """The progress of a connection whose balancer's header has been read."""

    peer: ProxiedPeer | None  # None: the balancer's own connection
    reader: Reader | None  # None: nothing has come after the header


Progress = Reader | ProxyHeaderReader | Proxied | None  # a handler's state between two calls; None: nothing came yet


class Wait(NamedTuple):
    """Wait for more bytes in `state`. Pass `progress` to the next call."""

    state: State
    progress: Progress
    record: Record | None = None


class Reply(NamedTuple):
    """Send `data`, the whole reply, and record the visit."""

    data: bytes
    record: Record | None


class CommitThenReply(NamedTuple):
    """Commit `record`, then send what `Handler.committed` returns for this action. PROTOCOL 5.4."""

    record: RightVisit
    reply: bytes


class End(NamedTuple):
    """Close our side without a reply."""

    record: Record | None


Action = Wait | Reply | CommitThenReply | End


class Handler(Protocol):
    """Decides on the bytes of a connection."""

    welcome: bytes

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Return the action for the first bytes of a visit if the fast path decides it, else None.

        After None the loop must call `received` with the same bytes, when the connection has its turn.
        """

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Return the action for bytes that came. b"" is the end of the stream."""

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Return the action after the limit of FIRST_BYTE, MESSAGE or NO_MESSAGE has passed without a byte."""

    def reply_after_commit(self, commit: CommitThenReply, stored: bool, waited_s: float) -> bytes:
        """Return the reply for a commit, `waited_s` seconds after it was asked for. `stored`: its record is on disk."""

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return what to record of a connection that ended before its reply."""

    def after_reply(self, peer: Peer, data: bytes) -> Record | None:
        """Return what to record of bytes that came after the reply, which nothing answers."""

    def on_tick(self, connections: int, waiting: int) -> Iterable[Record]:
        """Return the periodic records that are due, with `connections` open and `waiting` records not yet committed."""


class StopRequests(Protocol):
    """Requests to stop the loop. After each wake-up the loop calls `take` if `pending` is set."""

    @property
    def pending(self) -> bool:
        """Return whether a request has come since the last call of `take`."""

    def take(self) -> float | None:
        """Return the seconds in which to stop, once for each request, else None."""
