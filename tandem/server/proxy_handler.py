"""The handler behind a balancer: removes the PROXY header before the visit handler gets the first byte. PROTOCOL 8.

It is between the loop and the visit handler if `--proxy-from` names balancers. Without the option it is not used. A
connection from a balancer must begin with a header. All other connections have none. A connection of the balancer's
own, mostly a health check, is not a visit: nothing is recorded or logged.
"""

from collections.abc import Iterable

from tandem.net.networks import Networks, network_filter
from tandem.net.proxy_header import WANTED, BadProxyHeader, ProxyHeaderReader
from tandem.protocol.address import show_address
from tandem.records.visits import Record
from tandem.server.actions import Action, CommitThenReply, End, Handler, Peer, Progress, Proxied, ProxiedPeer, Wait
from tandem.server.log import Log
from tandem.server.states_and_limits import FIRST_BYTE, MESSAGE, State

_END = End(None)  # a balancer reads no explanation: the log has it


class ProxyProtocolHandler:
    """Reads headers, and leaves everything else to the visit handler. Implements Handler (actions.py).

    The progress of a balancer's connection is a ProxyHeaderReader while the header is read, and Proxied after that.
    """

    def __init__(self, visits: Handler, balancers: Networks, log: Log) -> None:
        """`visits` gets the clients' bytes. Connections from `balancers` begin with a header."""
        self.welcome = visits.welcome
        self._visits = visits
        self._is_balancer = network_filter(balancers)
        self._log = log

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Pass a client's first bytes to the visit handler. Return None if a header has to be read."""
        if progress is None and not self._is_balancer(peer.address):
            return self._visits.received_first(peer, None, data)
        if isinstance(progress, Proxied) and progress.peer and progress.reader is None:
            return self._visits.received_first(progress.peer, None, data)
        return None

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Read the header, and pass the bytes after it to the visit handler. PROTOCOL 8.1."""
        if progress is None and self._is_balancer(peer.address):
            progress = ProxyHeaderReader()
        if isinstance(progress, ProxyHeaderReader):
            return self._read_header(peer, progress, data)
        if not isinstance(progress, Proxied):
            return self._visits.received(peer, progress, data)
        if not data and _is_health_check(progress):
            return _END
        return _with_header_read(progress, self._visits.received(progress.peer or peer, progress.reader, data))

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Close the connection of a balancer that sent no header, or a part of one. PROTOCOL 8.6."""
        if progress is None and self._is_balancer(peer.address):
            return self._refuse(peer, "no header came")
        if isinstance(progress, ProxyHeaderReader):
            return self._refuse(peer, f"only {progress.size_bytes} bytes of a header came")
        if not isinstance(progress, Proxied):
            return self._visits.expired(peer, progress, state)
        if _is_health_check(progress):
            return _END
        return self._visits.expired(progress.peer or peer, progress.reader, state)

    def reply_after_commit(self, commit: CommitThenReply, stored: bool, waited_s: float) -> bytes:
        """Return the visit handler's reply for a commit."""
        return self._visits.reply_after_commit(commit, stored, waited_s)

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return what to record. A connection without a client behind it is not a visit."""
        if isinstance(progress, Proxied):
            return None if _is_health_check(progress) else self._visits.lost(progress.peer or peer, progress.reader)
        if isinstance(progress, ProxyHeaderReader) or (progress is None and self._is_balancer(peer.address)):
            return None
        return self._visits.lost(peer, progress)

    def after_reply(self, peer: Peer, data: bytes) -> Record | None:
        """Return what to record. Of a balancer's connection it is not known any more which client is behind it."""
        return None if self._is_balancer(peer.address) else self._visits.after_reply(peer, data)

    def on_tick(self, connections: int, waiting: int) -> Iterable[Record]:
        """Return the visit handler's periodic records."""
        return self._visits.on_tick(connections, waiting)

    def _read_header(self, peer: Peer, header: ProxyHeaderReader, data: bytes) -> Action:
        if not data:
            return self._refuse(peer, f"only {header.size_bytes} bytes of a header came") if header.size_bytes else _END
        result = header.feed(data)
        if result is None:
            return Wait(MESSAGE, header)
        if isinstance(result, BadProxyHeader):
            return self._refuse(peer, result.found)
        proxied = Proxied(ProxiedPeer(*result.source, peer.connected_at) if result.source else None, None)
        if result.rest:
            return self.received(peer, proxied, result.rest)
        return Wait(FIRST_BYTE, proxied)

    def _refuse(self, peer: Peer, came: str) -> Action:
        balancer = show_address(peer.address, peer.port)
        self._log.write(f"{balancer} is a balancer (--proxy-from), and {came}; wanted: {WANTED}")
        return _END


def _is_health_check(proxied: Proxied) -> bool:
    """Return whether it is the balancer's own connection, and no byte came after the header. PROTOCOL 8.4."""
    return proxied.peer is None and proxied.reader is None


def _with_header_read(proxied: Proxied, action: Action) -> Action:
    """Return the visit handler's action, with the peer added to its progress."""
    if isinstance(action, Wait) and not isinstance(action.progress, ProxyHeaderReader | Proxied):
        return action._replace(progress=Proxied(proxied.peer, action.progress))
    return action
