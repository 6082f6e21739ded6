"""Client 1: message 1 to the ground, and its reply on to client 2.

ground -> client 1   1  welcome
client 1 -> ground   2  message 1
ground -> client 1   3  the reply: secret and status filled in
client 1 -> client 2 4  the handover: the very bytes of the reply
"""

import socket

from tandem.client import wire
from tandem.client.failures import ClientError
from tandem.client.options import Options
from tandem.client.story import Output
from tandem.client.visit import ServerVisit, refused
from tandem.protocol.address import show_address
from tandem.protocol.message import STATUS_WAITING, Message, message_1

HANDOVER = 4
BETWEEN_TRIES = 0.25  # seconds; client 2 may be started after us


def run(options: Options, story: Output) -> None:
    """The whole of client 1. Raises ClientError where it does not work."""
    reply, carried = visit_ground(options, story)
    if reply.status != STATUS_WAITING:
        raise refused(reply.status, STATUS_WAITING, arrow=3)
    hand_over(carried, options, story)
    story.finished("client 1 has done its part; how it goes on, client 2's screen tells")


def visit_ground(options: Options, story: Output) -> tuple[Message, bytes]:
    """Arrows 1 to 3. Returns the reply, and the very bytes that carried it."""
    visit = ServerVisit(options, story, arrows=(1, 2, 3))
    try:
        visit.take_welcome()
        visit.send(message_1(**options.team, ip=visit.own_ip))
        return visit.take_reply()
    finally:
        visit.close()


def hand_over(carried: bytes, options: Options, story: Output) -> None:
    """Arrow 4: sends the bytes to client 2 as they are, and waits until it has taken them."""
    where = f"client 2 at {show_address(*options.peer)}"
    try:
        connection = reach_client_2(options, story)
        try:
            wire.send(connection, carried, options.timeout, where)
            wire.end(connection)
            story.arrow(HANDOVER, carried, f"to {where}")
            await_close(connection, options.timeout, where)
        finally:
            connection.close()
    except ClientError as failed:
        raise failed.at(HANDOVER) from None


def reach_client_2(options: Options, story: Output) -> socket.socket:
    """A connection to client 2; where nobody listens yet, tries again until options.wait has passed."""
    waited = 0.0
    told = ""
    while True:
        try:
            return wire.connect(*options.peer, limit=min(options.timeout, options.wait - waited))
        except ClientError as failed:
            waited += failed.waited + wire.pause(BETWEEN_TRIES)
            if failed.is_final or waited >= options.wait:
                raise
            if failed.what != told:
                told = failed.what
                story.note(f"client 2 is not there yet ({told}); trying for {options.wait:g} s")


def await_close(connection: socket.socket, limit: float, where: str) -> None:
    """Until client 2 has closed, which says that it has taken everything; or `limit`: it may keep it open."""
    waited = 0.0
    while waited < limit:
        came = wire.take(connection, where)
        if came == b"":
            wire.check(connection, where)
            return
        waited += wire.pause()
