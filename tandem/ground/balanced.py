"""The desk behind a balancer: takes the header off a connection before the desk sees the first byte.

Stands between the loop and the desk where `--proxy-from` names balancers, and nowhere else: without the
option nothing of this runs. A connection from a trusted address must begin with a header, all others have
none. What a balancer does for itself, a health check above all, is no visit: nothing is recorded or logged.
"""

from collections.abc import Callable

from tandem.exchange.address import show_address
from tandem.ground.loop import Answers, Connection, Next, Phase
from tandem.ground.proxy import WANTED, Header, Introduced, Networks, NoHeader, among

_NO_WORD = b""  # a reply: only the end of the stream. A balancer reads no explanations; the log has them


class Balanced:
    """Answers the loop in the desk's place, and asks the desk for all but the headers.

    `mind` of a connection is a Header while that is read, Introduced until the first byte behind it has
    come, and the desk's from then on.
    """

    def __init__(self, desk: Answers, balancers: Networks, log: Callable[[str], None]) -> None:
        self.welcome = desk.welcome
        self._desk = desk
        self._is_balancer = among(balancers)
        self._log = log

    def received(self, connection: Connection, data: bytes) -> Next:
        """The header's bytes stay here; those behind it go to the desk, as the student's."""
        if connection.mind is None and self._is_balancer(connection.address):
            connection.mind = Header()
        if isinstance(connection.mind, Header):
            return self._introduce(connection, connection.mind, data)
        if not data and _is_check(connection):
            return _NO_WORD
        return self._desk.received(_handed_over(connection), data)

    def expired(self, connection: Connection) -> Next:
        """No header, or not all of it, within the limit: the balancer is not set up for us."""
        if connection.mind is None and self._is_balancer(connection.address):
            return self._refuse(connection, "no header came")
        if isinstance(connection.mind, Header):
            return self._refuse(connection, f"only {connection.mind.size} bytes of a header came")
        if _is_check(connection):
            return _NO_WORD
        return self._desk.expired(_handed_over(connection))

    def lost(self, connection: Connection) -> None:
        """A connection that had no student behind it yet is no visit."""
        unknown = connection.mind is None and self._is_balancer(connection.address)
        if not unknown and not isinstance(connection.mind, Header) and not _is_check(connection):
            self._desk.lost(_handed_over(connection))

    def _introduce(self, connection: Connection, header: Header, data: bytes) -> Next:
        if not data:
            return self._refuse(connection, f"only {header.size} bytes of a header came") if header.size else _NO_WORD
        found = header.feed(data)
        if found is None:
            return Phase.MESSAGE
        if isinstance(found, NoHeader):
            return self._refuse(connection, found.came)
        connection.mind = found
        if found.source:
            connection.address, connection.port = found.source
        if found.rest:
            return self.received(connection, found.rest)
        return Phase.LEAVING if connection.phase is Phase.LEAVING else Phase.FIRST_BYTE

    def _refuse(self, connection: Connection, came: str) -> Next:
        balancer = show_address(connection.address, connection.port)
        self._log(f"{balancer} is a balancer (--proxy-from), and {came}; wanted: {WANTED}")
        return _NO_WORD


def _is_check(connection: Connection) -> bool:
    """Has the balancer come for itself, and said nothing but so?"""
    return isinstance(connection.mind, Introduced) and connection.mind.source is None


def _handed_over(connection: Connection) -> Connection:
    """The connection as the desk wants it: with nothing of ours in mind."""
    if isinstance(connection.mind, Introduced):
        connection.mind = None
    return connection
