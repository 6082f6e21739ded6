"""Between the loop and a handler: what the loop tells, and the action that the handler returns. Data only.

The loop owns sockets and time; the handler owns what a message deserves. The handler gets values and returns one
action; the loop carries it out. Nothing here may block.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from tandem.net.proxy_header import ProxyHeader
from tandem.protocol.reader import Reader
from tandem.records.visits import Record, RightVisit
from tandem.server.states import State


class Peer(Protocol):
    """The other side of a connection."""

    @property
    def address(self) -> str:
        """An IP address in its usual form."""

    @property
    def port(self) -> int: ...

    @property
    def opened(self) -> float:
        """When it connected: time.monotonic()."""


class ProxiedPeer(NamedTuple):
    """A client behind a balancer, as the balancer's header has it. Satisfies Peer."""

    address: str
    port: int
    opened: float


class Proxied(NamedTuple):
    """What is known of a connection once its balancer's header has been read."""

    peer: ProxiedPeer | None  # None: the balancer connected for itself
    reader: Reader | None  # None: nothing has come after the header


Progress = Reader | ProxyHeader | Proxied | None  # what a handler remembers between two calls; None: nothing came yet


class Wait(NamedTuple):
    """Wait for more in `state`, and hand `progress` back with it."""

    state: State
    progress: Progress
    record: Record | None = None


class Reply(NamedTuple):
    """Send `data`, which is the whole reply."""

    data: bytes
    record: Record | None


class CommitThenReply(NamedTuple):
    """Commit `record`, then send what `Handler.committed` returns for this action."""

    record: RightVisit
    reply: bytes


class End(NamedTuple):
    """Close our side without a reply."""

    record: Record | None


Action = Wait | Reply | CommitThenReply | End


class Handler(Protocol):
    """Decides what becomes of a connection."""

    welcome: bytes

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Return the action for the first bytes of a visit if a quick look is enough, else None.

        After None the loop calls `received` with the same bytes as soon as it has time for a closer look.
        """

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Return the action for bytes that came; b"" is the end of the stream."""

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Return the action for a connection that was silent for the whole limit of FIRST_BYTE, IN_DOUBT or MESSAGE."""

    def committed(self, commit: CommitThenReply, stored: bool, waited: float) -> bytes:
        """Return the reply, `waited` seconds after `commit` was returned. `stored`: its record is on disk."""

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return what to record of a connection that broke before it was answered."""

    def on_tick(self, connections: int, waiting: int) -> Iterable[Record]:
        """Return what to record once a second, with `connections` open and `waiting` records not yet committed."""


class StopRequests(Protocol):
    """Tells the loop when it has to stop."""

    def take(self) -> float | None:
        """Return the seconds in which to stop, once for each request that came, else None."""
