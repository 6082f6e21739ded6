"""Client 2's listening port: accept connections until one of them has brought client 1's message.

Anybody can connect to a listening port. All connections are read in turn, so that none of them delays another.
Only a usable message of our own team ends the wait. Every other connection is named on the screen: it is closed, or
stays open if its message may still come.
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.other_programs import protocol_of
from tandem.client.output import Output
from tandem.client.unusable_handovers import describe, mistake_in
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.message import ERROR_PREFIX, STATUS_WAITING, Message, NotAMessageError, decode, refusal_in
from tandem.protocol.reader import COMPLETE, INVALID, Reader

HANDOVER_ARROW = 4
MAX_CONNECTIONS = 200  # at a time; students' laptops allow 256 open files or more
ACCEPT_BATCH = 100  # accepted in one round, so that a flood of connections does not keep us from reading them
SILENCE_S = 3.0  # without a byte, after which a connection is named; it stays open, as client 1 may still send
MAX_REPORTED = 1000  # different lines about connections


class IncomingConnection:
    """One connection to our port, and what came on it."""

    __slots__ = ("socket", "host", "address", "reader", "silent_s", "rejected")

    def __init__(self, accepted: socket.socket, host: str, port: int, framing: str) -> None:
        self.socket = accepted
        self.host = host
        self.address = show_address(host, port)
        self.reader = Reader(framing)
        self.silent_s = 0.0  # since it was accepted, or since the last byte came
        self.rejected = ""  # why it was closed

    @property
    def reason(self) -> str:
        """The reason why it has brought no message."""
        if self.rejected:
            return self.rejected
        if not self.reader.received:
            return "it is connected, but has sent nothing"
        return f"it sent {len(self.reader.received)} bytes of a message, but not its end"


class HandoverListener:
    """All connections to our port.

    Call `accept_waiting` and `receive_message` in turn, every wire.POLL_INTERVAL_S, and `close` at the end.
    """

    def __init__(self, listener: socket.socket, team: dict[str, str], framing: str, output: Output) -> None:
        self._listener = listener
        self._team = team
        self._framing = framing
        self._output = output
        self._connections: list[IncomingConnection] = []  # the oldest first
        self._count_by_host: dict[str, int] = {}
        self._reported: set[str] = set()
        self._last: IncomingConnection | None = None  # that was accepted
        self._last_sender: IncomingConnection | None = None  # that sent something and was rejected

    def accept_waiting(self) -> None:
        """Accept the connections that wait now, at most ACCEPT_BATCH."""
        for _ in range(ACCEPT_BATCH):
            try:
                accepted, address = self._listener.accept()
            except OSError:  # none waits, it has gone again, or no more files may be opened: try in the next round
                return
            if not address:  # macOS has none for a connection that was reset already
                accepted.close()
                continue
            accepted.setblocking(False)
            connection = IncomingConnection(accepted, plain_ip(address[0]), address[1], self._framing)
            self._last = connection
            self._connections.append(connection)
            self._count_by_host[connection.host] = self._count_by_host.get(connection.host, 0) + 1
            if len(self._connections) > MAX_CONNECTIONS:
                self._reject(self._connection_to_evict(), "too many connections from this host at once")

    def receive_message(self) -> Message | None:
        """Read once from each connection, and reject those that cannot bring the message any more.

        Returns:
            Client 1's message if it is complete, else None.
        """
        for connection in list(self._connections):
            try:
                data = wire.receive(connection.socket, connection.address)
            except ClientError:
                self._reject(connection, f"connection reset {_when(connection)}")
                continue
            reader = connection.reader
            state = reader.feed(data) if data else reader.state
            if state is COMPLETE:
                try:
                    return self._accept_message(connection)
                except NotAMessageError as error:
                    self._reject(connection, str(error))
            elif state is INVALID:
                self._reject(connection, describe(bytes(reader.received), self._framing))
            elif data == b"":
                self._reject(connection, f"closed {_when(connection)}")
            else:
                self._count_silence(connection, data)
        return None

    def failure(self) -> str:
        """Return what was wrong with the last connection, "" if there was none.

        If it sent nothing, as a port scanner does, the last one that did is named as well.
        """
        last, sender = self._last, self._last_sender
        if not last:
            return ""
        what = f"the last connection, from {last.address}: {last.reason}"
        if sender and sender is not last and not last.reader.received:
            what += f"; before it, from {sender.address}: {sender.reason}"
        return what

    @property
    def met_other_program(self) -> bool:
        """Whether the last connection that sent something speaks another protocol, so that it was not client 1."""
        senders = [each for each in (self._last, self._last_sender) if each and each.reader.received]
        return bool(senders) and protocol_of(bytes(senders[0].reader.received)) != ""

    def close(self) -> None:
        """Stop listening and close all connections."""
        self._listener.close()
        for connection in self._connections:
            wire.close(connection.socket)

    def _accept_message(self, connection: IncomingConnection) -> Message:
        text = connection.reader.text
        try:
            message = decode(text)
        except NotAMessageError as error:
            refusal = refusal_in(text)
            reason = _refused(refusal) if refusal else mistake_in(text)
            raise NotAMessageError(reason or str(error)) from None
        check_handover(message, self._team)
        data = bytes(connection.reader.received)
        self._output.arrow(HANDOVER_ARROW, data, f"from client 1 at {connection.address}")
        return message

    def _connection_to_evict(self) -> IncomingConnection:
        """Choose the oldest connection of the host that has the most of them."""
        return max(self._connections, key=lambda connection: self._count_by_host[connection.host])

    def _count_silence(self, connection: IncomingConnection, data: bytes | None) -> None:
        """Name a connection on which nothing comes. It stays open: client 1 may connect long before it sends."""
        was_silent = connection.silent_s >= SILENCE_S
        connection.silent_s = 0.0 if data else connection.silent_s + wire.POLL_INTERVAL_S
        if connection.silent_s >= SILENCE_S and not was_silent:
            self._report(connection, f"no message yet, from {connection.address}: {connection.reason}; still waiting")

    def _reject(self, connection: IncomingConnection, reason: str) -> None:
        """Close a connection and show why."""
        self._connections.remove(connection)
        self._count_by_host[connection.host] -= 1
        if not self._count_by_host[connection.host]:
            del self._count_by_host[connection.host]
        wire.close(connection.socket)
        connection.rejected = reason
        if connection.reader.received:
            self._last_sender = connection
        self._report(connection, f"not client 1's message, from {connection.address}: {reason}; still listening")

    def _report(self, connection: IncomingConnection, text: str) -> None:
        """Show what is wrong with a connection, once for each host and reason: a flood must stay readable."""
        report = f"{connection.host} {connection.reason}"
        if report not in self._reported and len(self._reported) < MAX_REPORTED:
            self._reported.add(report)
            self._output.note(text)


def check_handover(message: Message, team: dict[str, str]) -> None:
    """Check that a message is the server's reply to our own team's message 1 (PROTOCOL 4.2, 5.1).

    Args:
        message: What came.
        team: The fields of our team that are known. Others are not compared.

    Raises:
        NotAMessageError: It is another message. The text says what is wrong with it.
    """
    if not message.secret and not message.status:
        raise NotAMessageError("it is message 1: client 1 has to hand over the server's reply, not its own message")
    if message.status.startswith(ERROR_PREFIX):
        raise NotAMessageError(_refused(message.status))
    if message.status != STATUS_WAITING:
        raise NotAMessageError(
            f'its status is "{message.status}", not "{STATUS_WAITING}": client 1 should not hand that over'
        )
    if not message.secret:
        raise NotAMessageError("it has no secret: client 1 has to hand over the server's reply as it came")
    for name in ("classname", "teamname"):
        ours, theirs = team.get(name), getattr(message, name)
        if ours is not None and not _is_same(name, ours, theirs):
            raise NotAMessageError(f'its {name} is "{theirs}", ours is "{ours}"')
    ours_known = [team[name] for name in ("studentnr1", "studentnr2") if name in team]
    numbers = {message.studentnr1, message.studentnr2}
    if not numbers.issuperset(ours_known) or (len(ours_known) == 2 and numbers != set(ours_known)):
        raise NotAMessageError("its student numbers are not ours")


def _is_same(name: str, ours: str, theirs: str) -> bool:
    """Return whether both values of a field name the same. Classes are compared without regard to letter case."""
    return ours.casefold() == theirs.casefold() if name == "classname" else ours == theirs


def _refused(status: str) -> str:
    return (
        f'it is the server\'s refusal of message 1, "{status}": fix that first, '
        f'and let client 1 hand over "{STATUS_WAITING}" only'
    )


def _when(connection: IncomingConnection) -> str:
    return "in the middle of a message" if connection.reader.received else "before it sent anything"
