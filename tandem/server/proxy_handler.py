"""The handler behind a balancer: takes the PROXY header off a connection before the visit handler sees the first byte.

Stands between the loop and the visit handler where `--proxy-from` names balancers. Without the option nothing of this
runs. A connection from a trusted address must begin with a header, all others have none. A connection that a balancer
makes for itself, a health check above all, is no visit: nothing is recorded or logged. PROTOCOL.md, part 8.
"""

from collections.abc import Iterable

from tandem.net.proxy_header import WANTED, BadProxyHeader, Networks, ProxyHeader, among
from tandem.protocol.address import show_address
from tandem.records.visits import Record
from tandem.server.actions import Action, CommitThenReply, End, Handler, Peer, Progress, Proxied, ProxiedPeer, Wait
from tandem.server.log import Log
from tandem.server.states import FIRST_BYTE, MESSAGE, State

_END = End(None)  # a balancer reads no explanations; the log has them


class ProxyProtocolHandler:
    """Answers the loop, and asks the visit handler for everything but the headers.

    The progress of a balancer's connection is a ProxyHeader while that is read, and Proxied from then on.
    """

    def __init__(self, visits: Handler, balancers: Networks, log: Log) -> None:
        self.welcome = visits.welcome
        self._visits = visits
        self._is_balancer = among(balancers)
        self._log = log

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Give a client's first bytes to the visit handler. Whatever needs a header read takes the closer look."""
        if progress is None and not self._is_balancer(peer.address):
            return self._visits.received_first(peer, None, data)
        if isinstance(progress, Proxied) and progress.peer and progress.reader is None:
            return self._visits.received_first(progress.peer, None, data)
        return None

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Keep the header's bytes, and give those after it to the visit handler as the client's."""
        if progress is None and self._is_balancer(peer.address):
            progress = ProxyHeader()
        if isinstance(progress, ProxyHeader):
            return self._read_header(peer, progress, data)
        if not isinstance(progress, Proxied):
            return self._visits.received(peer, progress, data)
        if not data and _is_check(progress):
            return _END
        return _with_header_read(progress, self._visits.received(progress.peer or peer, progress.reader, data))

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Refuse a balancer that sent no header, or not all of it: it is not set up for this server."""
        if progress is None and self._is_balancer(peer.address):
            return self._refuse(peer, "no header came")
        if isinstance(progress, ProxyHeader):
            return self._refuse(peer, f"only {progress.size} bytes of a header came")
        if not isinstance(progress, Proxied):
            return self._visits.expired(peer, progress, state)
        if _is_check(progress):
            return _END
        return self._visits.expired(progress.peer or peer, progress.reader, state)

    def committed(self, commit: CommitThenReply, stored: bool, waited: float) -> bytes:
        """Return the reply for a commit that is over."""
        return self._visits.committed(commit, stored, waited)

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return what to record. A connection that had no client behind it yet is no visit."""
        if isinstance(progress, Proxied):
            return None if _is_check(progress) else self._visits.lost(progress.peer or peer, progress.reader)
        if isinstance(progress, ProxyHeader) or (progress is None and self._is_balancer(peer.address)):
            return None
        return self._visits.lost(peer, progress)

    def on_tick(self, connections: int, waiting: int) -> Iterable[Record]:
        """Return what to record once a second."""
        return self._visits.on_tick(connections, waiting)

    def _read_header(self, peer: Peer, header: ProxyHeader, data: bytes) -> Action:
        if not data:
            return self._refuse(peer, f"only {header.size} bytes of a header came") if header.size else _END
        found = header.feed(data)
        if found is None:
            return Wait(MESSAGE, header)
        if isinstance(found, BadProxyHeader):
            return self._refuse(peer, found.came)
        proxied = Proxied(ProxiedPeer(*found.source, peer.opened) if found.source else None, None)
        if found.rest:
            return self.received(peer, proxied, found.rest)
        return Wait(FIRST_BYTE, proxied)

    def _refuse(self, peer: Peer, came: str) -> Action:
        balancer = show_address(peer.address, peer.port)
        self._log.write(f"{balancer} is a balancer (--proxy-from), and {came}; wanted: {WANTED}")
        return _END


def _is_check(proxied: Proxied) -> bool:
    """Return whether the balancer connected for itself and has said nothing more."""
    return proxied.peer is None and proxied.reader is None


def _with_header_read(proxied: Proxied, action: Action) -> Action:
    """Return the visit handler's action, with the peer kept in the progress."""
    if isinstance(action, Wait) and not isinstance(action.progress, ProxyHeader | Proxied):
        return action._replace(progress=Proxied(proxied.peer, action.progress))
    return action
