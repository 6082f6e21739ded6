"""Client 1: send message 1 to the server, and hand its reply over to client 2.

server -> client 1   1  welcome
client 1 -> server   2  message 1
server -> client 1   3  reply: secret and status filled in
client 1 -> client 2 4  handover: the bytes of the reply, unchanged
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.options import Options
from tandem.client.other_programs import excerpt, is_part_of_echo, why_not_client_2
from tandem.client.output import Output
from tandem.client.visit import SERVER_PORT_HELP, ServerVisit, status_error
from tandem.protocol.address import CLIENT_2_PORT
from tandem.protocol.errors import UsageError
from tandem.protocol.message import STATUS_WAITING, Message, message_1
from tandem.protocol.reader import MAX_MESSAGE_BYTES

WELCOME_ARROW = 1
REPLY_ARROW = 3
HANDOVER_ARROW = 4
RETRY_INTERVAL_S = 0.25  # between two attempts to connect: client 2 may be started after client 1


def run(options: Options, output: Output) -> None:
    """Run client 1 from its first arrow to its last.

    Raises:
        ClientError: The exchange did not work.
        UsageError: `--peer` is the server.
    """
    server, peer = resolve(options)
    reply, reply_bytes = visit_server(server, options, output)
    if reply.status != STATUS_WAITING:
        raise status_error(reply.status, STATUS_WAITING, REPLY_ARROW)
    if not reply.secret:
        raise ClientError(f'the status is "{STATUS_WAITING}", but the secret is empty', SERVER_PORT_HELP, REPLY_ARROW)
    output.finished(f"client 1 is done: {hand_over(reply_bytes, peer, options, output)}")


def resolve(options: Options) -> tuple[wire.RemoteAddress, wire.RemoteAddress]:
    """Resolve the names of the server and of client 2, before anything is sent.

    Raises:
        ClientError: A name cannot be resolved.
        UsageError: Both are the same program.
    """
    arrow = WELCOME_ARROW
    try:
        server = wire.RemoteAddress(*options.server)
        arrow = HANDOVER_ARROW
        peer = wire.RemoteAddress(*options.peer)
    except ClientError as error:
        raise error.with_arrow(arrow) from None
    if peer.is_same_as(server):
        raise UsageError(
            f"--peer {peer.shown} is the server: client 2 is another program, with another port",
            f"the address that client 2 shows when it starts, such as HOST:{CLIENT_2_PORT}",
        )
    return server, peer


def visit_server(server: wire.RemoteAddress, options: Options, output: Output) -> tuple[Message, bytes]:
    """Send message 1 to the server: arrows 1 to 3 (PROTOCOL 4.1).

    Returns:
        The reply, and the bytes in which it came.

    Raises:
        ClientError: No reply came, or it is not a message.
    """
    visit = ServerVisit(server, options, output, arrows=(WELCOME_ARROW, 2, REPLY_ARROW))
    try:
        visit.receive_welcome()
        visit.send_message(message_1(**options.team, ip=visit.own_ip))
        return visit.receive_reply()
    finally:
        visit.close()


def hand_over(reply_bytes: bytes, peer: wire.RemoteAddress, options: Options, output: Output) -> str:
    """Send the bytes to client 2 unchanged, and wait until it has read them: arrow 4 (PROTOCOL 5.1).

    Returns:
        What is known of client 2 then, for the last line.

    Raises:
        ClientError: Client 2 could not be reached, the connection broke, or another program is there.
    """
    client_2 = f"client 2 at {peer.shown}"
    try:
        connection = connect_to_client_2(peer, options, output)
        try:
            wire.send(connection, reply_bytes, options.timeout_s, client_2)
            wire.end_sending(connection)
            output.arrow(HANDOVER_ARROW, reply_bytes, f"to {client_2}")
            came, is_closed = receive_until_close(connection, reply_bytes, peer, options)
        finally:
            connection.close()
    except ClientError as error:
        raise error.with_arrow(HANDOVER_ARROW) from None
    if came:
        output.note(f'client 2 sent "{excerpt(came)}"')
    end = "closed the connection after it" if is_closed else "keeps the connection open, and may not have read it yet"
    return f"{client_2} {end}; its screen shows the rest"


def connect_to_client_2(peer: wire.RemoteAddress, options: Options, output: Output) -> socket.socket:
    """Connect to client 2. Try again until `options.wait_s` has passed, because it may not listen yet.

    Raises:
        ClientError: Client 2 was not reached in time.
    """
    waited_s = 0.0
    failure = None
    while True:
        attempt_s = min(options.timeout_s, options.wait_s - waited_s)
        try:
            return wire.connect(peer, attempt_s)
        except ClientError as error:
            is_cut_short = attempt_s <= error.waited_s < options.timeout_s  # by --wait: an earlier error says more
            if not failure or not is_cut_short:
                if not failure or error.what != failure.what:
                    output.note(f"client 2 is not there yet ({error.what}); trying for {options.wait_s:g} s in all")
                    output.note(f"if that goes on: {error.help}")
                failure = error
            waited_s += error.waited_s
        left_s = options.wait_s - waited_s
        if left_s > 0:
            waited_s += wire.sleep(min(RETRY_INTERVAL_S, left_s))
        if left_s <= RETRY_INTERVAL_S:
            raise failure


def receive_until_close(
    connection: socket.socket, handed_over: bytes, peer: wire.RemoteAddress, options: Options
) -> tuple[bytes, bool]:
    """Wait until client 2 closes the connection, which means that it has read everything.

    Return after `options.timeout_s` in any case: a client 2 may keep the connection open.

    Returns:
        What came from client 2, and whether it closed the connection.

    Raises:
        ClientError: The connection broke, or another program than client 2 is there.
    """
    client_2 = f"client 2 at {peer.shown}"
    came = b""
    is_closed = False
    waited_s = 0.0
    while not is_closed and waited_s < options.timeout_s:
        try:
            data = wire.receive(connection, client_2)
            if data == b"":
                wire.raise_pending_error(connection, client_2)
                is_closed = True
        except ClientError as error:
            raise error.after(excerpt(came)) from None
        if data:
            came = (came + data)[:MAX_MESSAGE_BYTES]
            check_is_client_2(peer, why_not_client_2(came, handed_over, options.framing))
        if not is_closed:
            waited_s += wire.sleep()
    if is_part_of_echo(came, handed_over):
        check_is_client_2(peer, "it sent a part of the same bytes back, as an echo server does")
    return came, is_closed


def check_is_client_2(peer: wire.RemoteAddress, why_not: str) -> None:
    """Raise ClientError if there is a reason why the program at `peer` is not client 2."""
    if why_not:
        raise ClientError(
            f"{peer.shown} is not client 2: {why_not}",
            "start client 2, then client 1 with --peer and the address that client 2 shows",
        )
