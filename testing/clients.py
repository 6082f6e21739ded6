"""Our two clients as processes, the messages of a right exchange, and what must hold however a client ends."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from testing.other_side import Finish, Script, ScriptedServer, Send, Wait, call, framed
from testing.processes import TEAM, Process, process, team_options

WELCOME = b"Test ground: socket connection established."
SECRET = "5ec4e7" * 10 + "0123"
DONE = " is done"
WAITING = "waiting for message 2"
FINISHED = "Finished successfully"


def _reply(status: str, number1: str, number2: str, clientid: int) -> bytes:
    fields = {
        "studentnr1": number1,
        "studentnr2": number2,
        "classname": TEAM["classname"],
        "clientid": clientid,
        "teamname": TEAM["teamname"],
        "ip": "127.0.0.1",
        "secret": SECRET,
        "status": status,
    }
    return json.dumps(fields).encode()


REPLY_1 = _reply(WAITING, TEAM["studentnr1"], TEAM["studentnr2"], 1)
REPLY_2 = _reply(FINISHED, TEAM["studentnr2"], TEAM["studentnr1"], 2)
REPLIES = {1: REPLY_1, 2: REPLY_2}

RIGHT_1: Script = (Send(WELCOME), Wait.MESSAGE, Send(REPLY_1), Wait.END)
RIGHT_2: Script = (Send(WELCOME), Wait.MESSAGE, Send(REPLY_2), Wait.END)


@contextmanager
def client_1(server: str, peer: str, *options: str) -> Iterator[Process]:
    """Run our client 1, killed at the end of the block."""
    addresses = ("--server", server, "--peer", peer)
    with process("-m", "tandem.client", "1", *team_options(), *addresses, *options) as running:
        yield running


class Client2:
    """Our client 2, which listens."""

    def __init__(self, running: Process) -> None:
        self.process = running
        said = running.wait_for("listening on")
        self.port = int(re.findall(r":(\d+) for client 1", said)[0])

    def hand_over(self, data: bytes = REPLY_1) -> None:
        """Do what client 1 does: send, shut the sending side, and wait until client 2 closes."""
        with call(self.port) as line:
            line.play((Send(data), Finish.HALF_CLOSE, Wait.END))


@contextmanager
def client_2(server: str, *options: str, **team: str) -> Iterator[Client2]:
    """Run our client 2 on a free port, killed at the end of the block. `team` has what differs from TEAM."""
    addresses = ("--server", server, "--listen", "127.0.0.1:0")
    with process("-m", "tandem.client", "2", *team_options(**team), *addresses, *options) as running:
        yield Client2(running)


def meet(clientid: int, server: ScriptedServer, peer: ScriptedServer, *options: str) -> Process:
    """Run client 1 or client 2 to its end, against this server. Client 1 hands over to `peer`."""
    if clientid == 1:
        with client_1(server.address, peer.address, *options) as first:
            first.wait()
            return first
    with client_2(server.address, *options) as second:
        second.hand_over(framed(REPLY_1) if "--framing" in options else REPLY_1)
        second.process.wait()
        return second.process


def assert_done(client: Process) -> None:
    """Assert that the client ended well, and said so on standard output only."""
    assert client.err == ""
    assert client.wait() == 0
    assert DONE in client.out
    assert_safe(client.out)


def assert_failed(client: Process, *wanted: str) -> None:
    """Assert exit code 1 and one line on standard error that matches each pattern, and no claim of success."""
    assert client.wait() == 1, client.out + client.err
    assert re.fullmatch(r"tandem client: [^\n]+\n", client.err), client.err
    for pattern in wanted:
        assert re.search(pattern, client.err), client.err
    assert ". Try: " in client.err
    assert DONE not in client.out
    assert_safe(client.out + client.err)


def assert_safe(shown: str) -> None:
    """Assert that nothing in the text steers a terminal."""
    assert shown.replace("\n", "").isprintable(), repr(shown)
