"""One visit to the ground: connect, take the welcome, send one message, take the reply.

The same for both clients: which message it is and what the reply must say, client1 and client2 know.
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.options import Options
from tandem.client.story import Output
from tandem.protocol.address import show_address
from tandem.protocol.answer import AnswerReader
from tandem.protocol.framing import frame
from tandem.protocol.message import ERROR_PREFIX, WELCOME_WORD, Message, NotAMessageError, decode
from tandem.protocol.printable import printable_bytes
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA

REST_OF_WELCOME = 0.5  # seconds for the second part of a welcome that came in two


class ServerVisit:
    """A connection to the ground. Its methods are the arrows, in their order: `arrows` has their numbers."""

    def __init__(self, options: Options, story: Output, arrows: tuple[int, int, int]) -> None:
        self._options = options
        self._story = story
        self._arrows = arrows
        self._answer = AnswerReader()
        self._greeted = 0  # bytes of the welcome
        self._where = show_address(*options.server)
        self._connection = self._connect()
        self.own_ip = options.ip or wire.own_ip(self._connection)

    def _connect(self) -> socket.socket:
        try:
            connection = wire.connect(*self._options.server, self._options.timeout)
        except ClientError as refused:
            raise refused.at(self._arrows[0]) from None
        try:
            self._story.note(f"connected to the ground at {self._where} from {wire.own_ip(connection)}")
        except BaseException:  # nobody reads the story any more
            connection.close()
            raise
        return connection

    def close(self) -> None:
        wire.close(self._connection)

    def take_welcome(self) -> None:
        """Takes the ground's first line. One that does not come in time is no reason to give up."""
        arrow, answer = self._arrows[0], self._answer
        waited, came_at = 0.0, 0.0
        state = NEED_DATA
        while state is NEED_DATA and not (WELCOME_WORD in answer.welcome or answer.reply_begun):
            data = self._take(arrow)
            if data:
                state = answer.feed(data)
                came_at = waited
            elif data == b"":
                raise ClientError(
                    f"the ground at {self._where} closed the connection before anything was sent",
                    "check that this is the ground's address and port, then start again",
                    arrow,
                )
            elif waited >= self._options.timeout or (answer.greeting and waited - came_at >= REST_OF_WELCOME):
                break
            else:
                waited += wire.pause()
        self._greeted = len(answer.greeting)
        if answer.greeting:
            self._story.arrow(arrow, answer.greeting, answer.welcome.strip())
        else:
            self._story.note(f"no welcome within {self._options.timeout:g} s; sending all the same")

    def send(self, message: Message) -> None:
        """Sends one message, in one piece."""
        arrow = self._arrows[1]
        data = frame(message.encode(), self._options.on_wire)
        try:
            wire.send(self._connection, data, self._options.timeout, f"the ground at {self._where}")
        except ClientError as broken:
            raise broken.at(arrow) from None
        self._story.arrow(arrow, data, f"studentnr1 {message.studentnr1}, clientid {message.clientid}, ip {message.ip}")

    def take_reply(self) -> tuple[Message, bytes]:
        """The reply, and the very bytes that carried it. Raises ClientError if none comes or it is no message."""
        arrow, answer = self._arrows[2], self._answer
        state = answer.feed(b"")
        waited = 0.0
        while state is NEED_DATA:
            data = self._take(arrow)
            if data:
                state = answer.feed(data)
            elif data == b"":
                raise self._no_reply("closed the connection", arrow)
            elif waited >= self._options.timeout:
                raise self._no_reply(f"sent no whole reply within {self._options.timeout:g} s", arrow)
            else:
                waited += wire.pause()
        if state is INVALID:
            begins = printable_bytes(answer.received[self._greeted :][:40].rstrip())
            what = f"something that is no message: {begins}"
            if answer.reply_begun and len(answer.received) > MAX_MESSAGE_BYTES:
                what = f"a reply that is too large: after {MAX_MESSAGE_BYTES:,} bytes it had not ended"
            raise ClientError(
                f"the ground at {self._where} sent {what}", "check that this is the ground's address and port", arrow
            )
        assert state is COMPLETE
        try:
            reply = decode(answer.text)
        except NotAMessageError as why:
            raise ClientError(
                f"the ground's reply cannot be read: {why}", "show --verbose to whoever keeps the ground", arrow
            ) from None
        problems = reply.status.removeprefix(ERROR_PREFIX).split("; ") if reply.status.startswith(ERROR_PREFIX) else []
        self._story.arrow(arrow, answer.reply_bytes, "refused" if problems else f'status "{reply.status}"')
        for problem in problems:
            self._story.note(f"- {problem}")
        return reply, answer.reply_bytes

    def _take(self, arrow: int) -> bytes | None:
        try:
            return wire.take(self._connection, f"the ground at {self._where}")
        except ClientError as broken:
            raise broken.at(arrow) from None

    def _no_reply(self, how: str, arrow: int) -> ClientError:
        if self._answer.reply_begun:
            return ClientError(f"the reply was cut off: the ground at {self._where} {how}", "start again", arrow)
        instead = self._answer.received[self._greeted :][:80]
        said = f'said "{printable_bytes(instead)}" and ' if instead.strip() else ""
        return ClientError(
            f"no reply: the ground at {self._where} {said}{how}",
            "see with `tandem check` whether the message is right, then start again",
            arrow,
        )


def refused(status: str, wanted: str, arrow: int) -> ClientError:
    """The ClientError for a reply whose status is not the one that was wanted."""
    if status.startswith(ERROR_PREFIX):
        first, *others = status.removeprefix(ERROR_PREFIX).split("; ")
        what, _, help = first.partition(" - ")
        more = f" (and {len(others)} more, as told above)" if others else ""
        return ClientError(
            f"the ground refused the message: {what}{more}", help or "mend that, then start again", arrow
        )
    return ClientError(f'the status is "{status}", not "{wanted}"', "compare the message with the assignment", arrow)
