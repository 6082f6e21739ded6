"""Client 2: wait for the handover, make message 2 from it, and send that to the server.

client 1 -> client 2 4  handover: the server's reply to message 1
server -> client 2   5  welcome
client 2 -> server   6  message 2: numbers swapped, own client id and ip
server -> client 2   7  reply: Finished successfully

Which connections and messages are refused as a handover: handover_listener.py.
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.handover_listener import HANDOVER_ARROW, HandoverListener
from tandem.client.options import Options
from tandem.client.output import Output
from tandem.client.visit import ServerVisit, status_error
from tandem.protocol.address import ALL_ADDRESSES, accepted_families, family_of, is_loopback, show_address
from tandem.protocol.message import STATUS_FINISHED, Message, message_2

WELCOME_ARROW = 5


def run(options: Options, output: Output) -> None:
    """Run client 2 from its first arrow to its last.

    Raises:
        ClientError: The exchange did not work.
    """
    try:
        server = wire.RemoteAddress(*options.server)
    except ClientError as error:
        raise error.with_arrow(WELCOME_ARROW) from None
    handover = await_handover(server, options, output)
    reply = visit_server(server, handover, options, output)
    if reply.status != STATUS_FINISHED:
        raise status_error(reply.status, STATUS_FINISHED, arrow=7)
    output.finished(f"client 2 is done: {STATUS_FINISHED}")


def await_handover(server: wire.RemoteAddress, options: Options, output: Output) -> Message:
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
        reach = how_to_reach(listening_socket, server)
        output.note(reach)
        waited_s = 0.0
        while waited_s < options.wait_s:
            listener.accept_waiting()
            message = listener.receive_message()
            if message:
                return message
            waited_s += wire.sleep()
        failure = listener.failure()
        help = "look at client 1's screen, fix that" if failure and not listener.met_other_program else reach
    finally:
        listener.close()
    raise ClientError(
        f"no message came from client 1 within {options.wait_s:g} s: {failure or 'nothing has connected'}",
        f"{help}, then start both again",
        HANDOVER_ARROW,
    )


def how_to_reach(listening_socket: socket.socket, server: wire.RemoteAddress) -> str:
    """Return what client 1 has to be given, in words.

    Of the addresses of this machine, client 1 can most likely use the one on the way to the server.
    """
    ip, port = listening_socket.getsockname()[:2]
    if is_loopback(ip):
        shown = show_address(ip, port)
        return (
            f"only this machine can connect: start client 1 here with --peer {shown}, or leave the host out of --listen"
        )
    families = accepted_families(listening_socket)
    ips = [server.own_ip(), *wire.own_ips(), "127.0.0.1", "::1"] if ip in ALL_ADDRESSES else [ip]
    usable = [own for own in ips if _can_be_typed(own, families)]
    here = usable[0] if usable else "THIS-MACHINE"
    elsewhere = ""
    if is_loopback(here):
        others = [f"--peer {show_address(own, port)}" for own in usable if not is_loopback(own)]
        elsewhere = f", or on another machine with {others[0] if others else 'an address of this one'}"
    return (
        f"{families} can connect: start client 1 with --peer {show_address(here, port)}{elsewhere}; "
        "if it cannot connect, check this machine's firewall"
    )


def _can_be_typed(ip: str, families: str) -> bool:
    """Return whether client 1 can use the address. With fe80: it would need the name of its own network interface."""
    return ip != "" and not ip.startswith("fe80:") and family_of(ip) in families


def visit_server(server: wire.RemoteAddress, handover: Message, options: Options, output: Output) -> Message:
    """Send message 2 to the server, and return the reply: arrows 5 to 7 (PROTOCOL 5.2).

    Raises:
        ClientError: No reply came, or it is not a message.
    """
    visit = ServerVisit(server, options, output, arrows=(WELCOME_ARROW, 6, 7))
    try:
        visit.receive_welcome()
        visit.send_message(message_2(handover, visit.own_ip))
        reply, _ = visit.receive_reply()
        return reply
    finally:
        visit.close()
