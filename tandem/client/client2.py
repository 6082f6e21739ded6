"""Client 2: wait for the handover, make message 2 from it, and send that to the server.

client 1 -> client 2 4  handover: the server's reply to message 1
server -> client 2   5  welcome
client 2 -> server   6  message 2: numbers swapped, own client id and ip
server -> client 2   7  reply: Finished successfully
"""

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.handover import HANDOVER_ARROW, HandoverListener
from tandem.client.options import Options
from tandem.client.output import Output
from tandem.client.visit import ServerVisit, status_error
from tandem.protocol.address import show_address
from tandem.protocol.message import STATUS_FINISHED, Message, message_2

BUSY_ROUND_S = 0.001  # seconds that a round of `await_handover` counts for when it does not sleep


def run(options: Options, output: Output) -> None:
    """Run client 2 from its first arrow to its last.

    Raises:
        ClientError: The exchange did not work.
    """
    handover = await_handover(options, output)
    reply = visit_server(handover, options, output)
    if reply.status != STATUS_FINISHED:
        raise status_error(reply.status, STATUS_FINISHED, arrow=7)
    output.finished(f"client 2 is done: {STATUS_FINISHED}")


def await_handover(options: Options, output: Output) -> Message:
    """Listen until client 1 has brought its message: arrow 4. Other connections do not end the wait.

    Raises:
        ClientError: The port cannot be used, or no usable message came within `options.wait_s`.
    """
    try:
        listening_socket = wire.listen(*options.listen)
    except ClientError as error:
        raise error.with_arrow(HANDOVER_ARROW) from None
    listener = HandoverListener(listening_socket, options.team, options.framing, output)
    try:
        port = listening_socket.getsockname()[1]
        output.note(f"listening on {show_address(options.listen[0], port)} for client 1")
        waited_s = 0.0
        while waited_s < options.wait_s:
            listener.accept_waiting()
            message = listener.receive_message()
            if message:
                return message
            waited_s += BUSY_ROUND_S if listener.is_busy else wire.sleep()
    finally:
        listener.close()
    raise ClientError(
        f"no message came from client 1 within {options.wait_s:g} s",
        f"start client 1 with --peer THIS-MACHINE:{port}; if it cannot connect, check this machine's firewall",
        HANDOVER_ARROW,
    )


def visit_server(handover: Message, options: Options, output: Output) -> Message:
    """Send message 2 to the server, and return the reply: arrows 5 to 7 (PROTOCOL 5.2).

    Raises:
        ClientError: No reply came, or it is not a message.
    """
    visit = ServerVisit(options, output, arrows=(5, 6, 7))
    try:
        visit.receive_welcome()
        visit.send_message(message_2(handover, visit.own_ip))
        reply, _ = visit.receive_reply()
        return reply
    finally:
        visit.close()
