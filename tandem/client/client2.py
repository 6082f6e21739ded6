"""Client 2: waits for the handover, makes message 2 of it, and sends that to the ground.

    client 1 -> client 2 4  the handover: the ground's reply to message 1
    ground -> client 2   5  welcome
    client 2 -> ground   6  message 2: numbers swapped, own client id and ip
    ground -> client 2   7  the reply: Finished successfully

Anybody can connect to a listening port. Only the real message ends the wait; all callers are looked
at in turn, so none of them holds up another.
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.options import Options
from tandem.client.story import Output
from tandem.client.visit import ServerVisit, refused
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message, NotAMessageError, decode, message_2
from tandem.protocol.printable import printable_bytes
from tandem.protocol.reader import COMPLETE, INVALID, Reader

HANDOVER = 4
MAX_CALLERS = 200  # at a time; the systems of students' laptops allow 256 open files and more
MAX_ACCEPTED = 100  # in one round, so that a flood of callers does not keep us from looking at them
BUSY_ROUND = 0.001  # seconds that a round without a pause counts for
LENGTH_GRACE = 0.2  # seconds for the rest of a length of which less than four bytes came


def run(options: Options, story: Output) -> None:
    """The whole of client 2. Raises ClientError where it does not work."""
    handover = await_handover(options, story)
    reply = visit_ground(handover, options, story)
    if reply.status != STATUS_FINISHED:
        raise refused(reply.status, STATUS_FINISHED, arrow=7)
    story.finished(f"client 2 has done its part: {STATUS_FINISHED}")


def visit_ground(handover: Message, options: Options, story: Output) -> Message:
    """Arrows 5 to 7. Returns the reply."""
    visit = ServerVisit(options, story, arrows=(5, 6, 7))
    try:
        visit.take_welcome()
        visit.send(message_2(handover, visit.own_ip))
        return visit.take_reply()[0]
    finally:
        visit.close()


def await_handover(options: Options, story: Output) -> Message:
    """Arrow 4: listens until the real message has come, whatever else comes."""
    try:
        listener = wire.listen(*options.listen)
    except ClientError as failed:
        raise failed.at(HANDOVER) from None
    door = Door(listener, options, story)
    try:
        port = listener.getsockname()[1]
        story.note(f"listening on {show_address(options.listen[0], port)} for client 1")
        waited = 0.0
        while waited < options.wait:
            door.let_in()
            message = door.look_at_all()
            if message:
                return message
            waited += BUSY_ROUND if door.busy else wire.pause()
    finally:
        door.close()
    raise ClientError(
        f"no message came from client 1 within {options.wait:g} s",
        f"start client 1 with --peer THIS-MACHINE:{port}; if it cannot connect, look at this machine's firewall",
        HANDOVER,
    )


class Caller:
    """One connection to our port, and what it has said so far."""

    __slots__ = ("connection", "host", "where", "reader", "doubt")

    def __init__(self, connection: socket.socket, host: str, port: int) -> None:
        self.connection = connection
        self.host = host
        self.where = show_address(host, port)
        self.reader = Reader()
        self.doubt = 0.0  # seconds that the first bytes may have been the start of a length


class Door:
    """Who has called, and who of them has brought the real message."""

    def __init__(self, listener: socket.socket, options: Options, story: Output) -> None:
        self._listener = listener
        self._team = options.team
        self._story = story
        self._callers: list[Caller] = []  # the longest here first
        self._from: dict[str, int] = {}  # how many of them, by host
        self._told: set[str] = set()
        self.busy = False  # did as many call in the last round as we take in one?

    def let_in(self) -> None:
        """Accepts those who wait at the port now."""
        self.busy = False
        for _ in range(MAX_ACCEPTED):
            try:
                connection, address = self._listener.accept()
            except OSError:  # nobody there, or gone again, or no more sockets: the next round sees
                return
            connection.setblocking(False)
            caller = Caller(connection, plain_ip(address[0]), address[1])
            self._callers.append(caller)
            self._from[caller.host] = self._from.get(caller.host, 0) + 1
            if len(self._callers) > MAX_CALLERS:
                self._turn_away(self._one_of_the_crowd(), "too many connections from there at once")
        self.busy = True

    def look_at_all(self) -> Message | None:
        """One look at each caller. The message, if one of them has brought it."""
        for caller in list(self._callers):
            try:
                data = wire.take(caller.connection, caller.where)
            except ClientError:
                self._turn_away(caller, "broke the connection off")
                continue
            state = caller.reader.feed(data) if data else caller.reader.state
            if caller.reader.maybe_framed:
                caller.doubt += wire.PAUSE
                if caller.doubt >= LENGTH_GRACE or data == b"":
                    state = caller.reader.assume_bare()
            if state is COMPLETE:
                try:
                    return self._real_message(caller)
                except NotAMessageError as why:
                    self._turn_away(caller, str(why))
            elif state is INVALID:
                self._turn_away(caller, f"sent no message but {printable_bytes(bytes(caller.reader.received[:40]))}")
            elif data == b"":
                begun = "in the middle of a message" if caller.reader.received else "without a word"
                self._turn_away(caller, f"closed {begun}")
        return None

    def close(self) -> None:
        """Stops listening and sends everybody away."""
        self._listener.close()
        for caller in self._callers:
            wire.close(caller.connection)

    def _real_message(self, caller: Caller) -> Message:
        """The caller's message, if it is the one we wait for. Raises NotAMessageError."""
        carried = bytes(caller.reader.received)
        message = decode(caller.reader.text)
        if not message.secret and not message.status:
            raise NotAMessageError("it is message 1: client 1 has to hand over the ground's reply, not its own message")
        if message.status != STATUS_WAITING:
            raise NotAMessageError(
                f'its status is "{message.status}", not "{STATUS_WAITING}": client 1 should not hand that over'
            )
        if not message.secret:
            raise NotAMessageError("it has no secret: client 1 has to hand over the ground's reply as it came")
        for name in ("classname", "teamname"):
            ours, theirs = self._team.get(name), getattr(message, name)
            if ours is not None and theirs != ours:
                raise NotAMessageError(f'it is another team\'s: its {name} is "{theirs}", ours is "{ours}"')
        given = [self._team[name] for name in ("studentnr1", "studentnr2") if name in self._team]
        numbers = {message.studentnr1, message.studentnr2}
        if not numbers.issuperset(given) or (len(given) == 2 and numbers != set(given)):
            raise NotAMessageError("it is another team's: its student numbers are not ours")
        self._story.arrow(HANDOVER, carried, f"from client 1 at {caller.where}")
        return message

    def _one_of_the_crowd(self) -> Caller:
        """Who has to go when too many are here: the oldest caller from the host with the most of them."""
        return max(self._callers, key=lambda caller: self._from[caller.host])

    def _turn_away(self, caller: Caller, why: str) -> None:
        """Closes one connection and says why: once for each host and reason, so that a flood stays readable."""
        self._callers.remove(caller)
        self._from[caller.host] -= 1
        if not self._from[caller.host]:
            del self._from[caller.host]
        wire.close(caller.connection)
        told = f"{caller.host} {why}"
        if told not in self._told and len(self._told) < 1000:
            self._told.add(told)
            self._story.note(f"not client 1's message, from {caller.where}: {why}; still listening")
