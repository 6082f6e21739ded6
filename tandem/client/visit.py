"""One visit to the server: connect, receive the welcome, send one message, receive the reply.

Both clients use it. Does not know which message it carries, nor which status the reply must have.
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.options import CHECK_COMMAND, Options
from tandem.client.other_programs import excerpt, protocol_of
from tandem.client.output import Output
from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.framing import LENGTH, LENGTH_BYTES, PLAIN, frame
from tandem.protocol.message import ERROR_PREFIX, WELCOME_WORD, Message, NotAMessageError, decode, refusal_in
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA

WELCOME_REST_TIMEOUT_S = 0.5  # for the second part of a welcome that came in two parts
EXTRA_WAIT = 0.1  # of the time for an answer
SERVER_PORT_HELP = "is this the server's port? check --server, then start again"
CHECK_HELP = f"check the message with `{CHECK_COMMAND}`, then start again"


class ServerVisit:
    """A connection to the server for one message.

    Call `receive_welcome`, `send_message` and `receive_reply` in this order, and `close` at the end.

    Args:
        server: Where the server is.
        options: The limits, and the IP address to report.
        output: Where the arrows are shown.
        arrows: The numbers of the welcome, the message and the reply.

    Attributes:
        own_ip: The IP address to report in the message.

    Raises:
        ClientError: No connection was made.
    """

    def __init__(
        self, server: wire.RemoteAddress, options: Options, output: Output, arrows: tuple[int, int, int]
    ) -> None:
        self._options = options
        self._output = output
        self._welcome_arrow, self._message_arrow, self._reply_arrow = arrows
        self._answer = AnswerReader(options.framing)
        self._welcome_size = 0  # bytes; 0 if there is none, or if an object came together with it
        self._message = b""  # what was sent
        self._server = f"the server at {server.shown}"
        self._connection = self._connect(server)
        self.own_ip = options.ip or wire.local_ip(self._connection)

    def _connect(self, server: wire.RemoteAddress) -> socket.socket:
        try:
            connection = wire.connect(server, self._options.timeout_s)
        except ClientError as error:
            raise error.with_arrow(self._welcome_arrow) from None
        try:
            self._output.note(f"connected to {self._server} from {wire.local_ip(connection)}")
        except BaseException:  # standard output was closed
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the connection."""
        wire.close(self._connection)

    def receive_welcome(self) -> None:
        """Wait for the welcome (PROTOCOL 3.1). Go on without it if it does not come in time.

        Raises:
            ClientError: The server closed the connection, the connection broke, or another program is there.
        """
        answer = self._answer
        waited_s, last_bytes_s = 0.0, 0.0
        state = NEED_DATA
        while state is NEED_DATA and not (WELCOME_WORD in answer.welcome or answer.reply_begun):
            data = self._receive(self._welcome_arrow)
            if data:
                state = answer.feed(data)
                last_bytes_s = waited_s
                self._check_protocol(self._welcome_arrow)
            elif data == b"":
                raise self._closed_instead_of_welcome()
            elif waited_s >= self._options.timeout_s or (
                answer.greeting and waited_s - last_bytes_s >= WELCOME_REST_TIMEOUT_S
            ):
                break
            else:
                waited_s += wire.sleep()
        self._welcome_size = 0 if answer.reply_begun else len(answer.greeting)
        if answer.greeting:
            self._output.arrow(self._welcome_arrow, answer.greeting, answer.welcome.strip())
            if self._options.framing == PLAIN and answer.greeting == frame(answer.greeting[LENGTH_BYTES:], LENGTH):
                self._output.note(
                    "a length comes before the welcome: if the server wants lengths, use --framing length"
                )
        elif answer.reply_begun:
            self._output.note(f'no welcome, but "{excerpt(answer.received)}"; sending the message anyway')
        else:
            self._output.note(f"no welcome within {self._options.timeout_s:g} s; sending the message anyway")

    def send_message(self, message: Message) -> None:
        """Send one message in one piece (PROTOCOL 3.2).

        Raises:
            ClientError: The connection broke, or the server does not read.
        """
        self._message = frame(message.encode(), self._options.framing)
        try:
            wire.send(self._connection, self._message, self._options.timeout_s, self._server)
        except ClientError as error:
            raise error.after(excerpt(self._answer.received)).with_arrow(self._message_arrow) from None
        summary = f"studentnr1 {message.studentnr1}, clientid {message.clientid}, ip {message.ip}"
        self._output.arrow(self._message_arrow, self._message, summary)

    def receive_reply(self) -> tuple[Message, bytes]:
        """Wait for the reply (PROTOCOL 3.3), and show its status.

        Returns:
            The reply, and the bytes in which it came.

        Raises:
            ClientError: No reply came in time, or it is not a message.
        """
        answer = self._answer
        state = answer.feed(b"")
        waited_s = 0.0
        while state is NEED_DATA:
            data = self._receive(self._reply_arrow)
            if data:
                state = answer.feed(data)
                self._check_protocol(self._reply_arrow)
            elif data == b"":
                raise self._no_reply("closed the connection")
            elif waited_s >= self._options.timeout_s:
                self._look_for_web_server()
                raise self._no_reply(f"sent no complete reply within {self._options.timeout_s:g} s")
            else:
                waited_s += wire.sleep()
        if state is INVALID:
            raise self._not_a_reply()
        assert state is COMPLETE
        return self._read_reply(), answer.reply_bytes

    def _read_reply(self) -> Message:
        """Decode the reply that is complete, and show it."""
        answer = self._answer
        if answer.reply_bytes == self._message:
            raise ClientError(
                f"{self._server} sent our own message back, as an echo server does", SERVER_PORT_HELP, self._reply_arrow
            )
        try:
            reply = decode(answer.text)
        except NotAMessageError as error:
            reply = Message(status=refusal_in(answer.text))
            if not reply.status:
                said = excerpt(self._after_welcome)
                raise ClientError(
                    f'{self._server} sent an object that is not a reply, because {error}: "{said}"',
                    SERVER_PORT_HELP,
                    self._reply_arrow,
                ) from None
        problems = problems_in(reply.status)
        summary = "refused" if problems else f'status "{reply.status}"'
        self._output.arrow(self._reply_arrow, answer.reply_bytes, summary)
        for problem in problems:
            self._output.note(f"- {problem}")
        return reply

    def _receive(self, arrow: int) -> bytes | None:
        try:
            return wire.receive(self._connection, self._server)
        except ClientError as error:
            raise error.after(excerpt(self._answer.received)).with_arrow(arrow) from None

    @property
    def _after_welcome(self) -> bytes:
        return self._answer.received[self._welcome_size :]

    def _check_protocol(self, arrow: int) -> None:
        """Raise ClientError if the server speaks another protocol."""
        instead = self._after_welcome
        protocol = protocol_of(instead)
        if protocol:
            raise ClientError(
                f'{self._server} speaks {protocol}: it sent "{excerpt(instead)}"', SERVER_PORT_HELP, arrow
            )

    def _look_for_web_server(self) -> None:
        """If nothing came at all, end our side: a web server may answer only then. Raise ClientError if one does."""
        waited_s = 0.0
        wire.end_sending(self._connection)
        while not self._answer.received and waited_s < self._options.timeout_s * EXTRA_WAIT:
            data = self._receive(self._reply_arrow)
            if data == b"":
                return
            if data:
                self._answer.feed(data)
                self._check_protocol(self._reply_arrow)
            waited_s += wire.sleep()

    def _closed_instead_of_welcome(self) -> ClientError:
        said = excerpt(self._answer.received)
        if said:
            what, help = f'sent "{said}" and closed the connection', f"read what it sent; {SERVER_PORT_HELP}"
        else:
            what, help = "closed the connection before it sent anything", SERVER_PORT_HELP
        return ClientError(f"{self._server} {what}", help, self._welcome_arrow)

    def _no_reply(self, reason: str) -> ClientError:
        answer = self._answer
        said = excerpt(self._after_welcome)
        sent = f'sent "{said}" and ' if said.strip() else ""
        what = "the reply was cut off" if answer.reply_begun else "no reply"
        help = CHECK_HELP if WELCOME_WORD in answer.welcome else SERVER_PORT_HELP
        if self._after_welcome.startswith(b'"{'):
            what, help = "the reply is a text with an object in it", SERVER_PORT_HELP
        if answer.reply_begun and help == CHECK_HELP:
            help = "start again"
        elif sent:
            help = f"read what it sent; {help}"
        error = ClientError(f"{what}: {self._server} {sent}{reason}", help, self._reply_arrow)
        return error if sent else error.after(excerpt(answer.received))

    def _not_a_reply(self) -> ClientError:
        answer = self._answer
        if answer.reply_begun and len(answer.received) > MAX_MESSAGE_BYTES:
            what = f"a reply that is too large: it did not end within {MAX_MESSAGE_BYTES:,} bytes"
        else:
            what = f'something that is not a message: "{excerpt(self._after_welcome or answer.received)}"'
        help = SERVER_PORT_HELP
        if self._options.framing == LENGTH:
            help += ", or leave --framing length out if this server sends no lengths"
        return ClientError(f"{self._server} sent {what}", help, self._reply_arrow)


def problems_in(status: str) -> list[str]:
    """Return the problems in a reply's status (PROTOCOL 7.1), each "what - help"; [] if it is no refusal."""
    return status.removeprefix(ERROR_PREFIX).split("; ") if status.startswith(ERROR_PREFIX) else []


def status_error(status: str, expected: str, arrow: int) -> ClientError:
    """Return the ClientError for a reply that does not have the expected status (PROTOCOL 7.1)."""
    problems = problems_in(status)
    if problems:
        what, _, help = problems[0].partition(" - ")
        more = f" (and {len(problems) - 1} more, shown above)" if len(problems) > 1 else ""
        return ClientError(f"the server refused the message: {what}{more}", help or "fix it and start again", arrow)
    return ClientError(f'the status is "{status}", not "{expected}"', "compare the message with the assignment", arrow)
