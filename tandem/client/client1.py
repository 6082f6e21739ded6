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
from tandem.client.output import Output
from tandem.client.visit import ServerVisit, status_error
from tandem.protocol.address import show_address
from tandem.protocol.message import STATUS_WAITING, Message, message_1

HANDOVER_ARROW = 4
RETRY_INTERVAL_S = 0.25  # between two attempts to connect: client 2 may be started after client 1


def run(options: Options, output: Output) -> None:
    """Run client 1 from its first arrow to its last.

    Raises:
        ClientError: The exchange did not work.
    """
    reply, reply_bytes = visit_server(options, output)
    if reply.status != STATUS_WAITING:
        raise status_error(reply.status, STATUS_WAITING, arrow=3)
    hand_over(reply_bytes, options, output)
    output.finished("client 1 is done; client 2's screen shows the rest")


def visit_server(options: Options, output: Output) -> tuple[Message, bytes]:
    """Send message 1 to the server: arrows 1 to 3 (PROTOCOL 4.1).

    Returns:
        The reply, and the bytes in which it came.

    Raises:
        ClientError: No reply came, or it is not a message.
    """
    visit = ServerVisit(options, output, arrows=(1, 2, 3))
    try:
        visit.receive_welcome()
        visit.send_message(message_1(**options.team, ip=visit.own_ip))
        return visit.receive_reply()
    finally:
        visit.close()


def hand_over(reply_bytes: bytes, options: Options, output: Output) -> None:
    """Send the bytes to client 2 unchanged, and wait until it has read them: arrow 4 (PROTOCOL 5.1).

    Raises:
        ClientError: Client 2 could not be reached, or the connection broke.
    """
    peer = f"client 2 at {show_address(*options.peer)}"
    try:
        connection = connect_to_client_2(options, output)
        try:
            wire.send(connection, reply_bytes, options.timeout_s, peer)
            wire.end_sending(connection)
            output.arrow(HANDOVER_ARROW, reply_bytes, f"to {peer}")
            wait_for_close(connection, options.timeout_s, peer)
        finally:
            connection.close()
    except ClientError as error:
        raise error.with_arrow(HANDOVER_ARROW) from None


def connect_to_client_2(options: Options, output: Output) -> socket.socket:
    """Connect to client 2. Try again until `options.wait_s` has passed, because it may not listen yet.

    Raises:
        ClientError: Client 2 was not reached in time, or its name cannot be resolved.
    """
    waited_s = 0.0
    shown = ""
    while True:
        try:
            return wire.connect(*options.peer, timeout_s=min(options.timeout_s, options.wait_s - waited_s))
        except ClientError as error:
            waited_s += error.waited_s + wire.sleep(RETRY_INTERVAL_S)
            if error.is_permanent or waited_s >= options.wait_s:
                raise
            if error.what != shown:
                shown = error.what
                output.note(f"client 2 is not there yet ({shown}); trying for {options.wait_s:g} s")


def wait_for_close(connection: socket.socket, timeout_s: float, peer: str) -> None:
    """Wait until client 2 closes the connection, which means that it has read everything.

    Return after `timeout_s` in any case: a client 2 may keep the connection open.

    Raises:
        ClientError: The connection broke.
    """
    waited_s = 0.0
    while waited_s < timeout_s:
        data = wire.receive(connection, peer)
        if data == b"":
            wire.raise_pending_error(connection, peer)
            return
        waited_s += wire.sleep()
