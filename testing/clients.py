"""Our two clients as processes, the messages that a right exchange has, and what every end of a client must keep to."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from testing.other_side import Finish, Script, ScriptedServer, Send, Wait, call
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
def client_1(ground: str, peer: str, *options: str) -> Iterator[Process]:
    """Our client 1, on its way."""
    addresses = ("--server", ground, "--peer", peer)
    with process("-m", "tandem.client", "1", *team_options(), *addresses, *options) as running:
        yield running


class Client2:
    """Our client 2, once it listens."""

    def __init__(self, running: Process) -> None:
        self.process = running
        said = running.wait_for("listening on")
        self.port = int(re.findall(r":(\d+) for client 1", said)[0])

    def hand_over(self, data: bytes = REPLY_1) -> None:
        """What client 1 does: sends, ends, and waits until client 2 has taken it."""
        with call(self.port) as line:
            line.play((Send(data), Finish.HALF_CLOSE, Wait.END))


@contextmanager
def client_2(ground: str, *options: str, **team: str) -> Iterator[Client2]:
    """Our client 2, waiting for the handover on a free port; `team` has what differs from TEAM."""
    addresses = ("--server", ground, "--listen", "127.0.0.1:0")
    with process("-m", "tandem.client", "2", *team_options(**team), *addresses, *options) as running:
        yield Client2(running)


def meet(clientid: int, ground: ScriptedServer, peer: ScriptedServer, *options: str) -> Process:
    """Runs client 1 or client 2 to its end, against this ground. Client 1 hands over to `peer`."""
    if clientid == 1:
        with client_1(ground.address, peer.address, *options) as first:
            first.wait()
            return first
    with client_2(ground.address, *options) as second:
        second.hand_over()
        second.process.wait()
        return second.process


def assert_done(client: Process) -> None:
    """It ended well, and said so on standard output only."""
    assert client.err == ""
    assert client.wait() == 0
    assert DONE in client.out
    assert_safe(client.out)


def assert_failed(client: Process, *wanted: str) -> None:
    """It ended with exit code 1 and one line that holds what is wanted (patterns), and never claimed success."""
    assert client.wait() == 1, client.out + client.err
    assert re.fullmatch(r"tandem client: [^\n]+\n", client.err), client.err
    for pattern in wanted:
        assert re.search(pattern, client.err), client.err
    assert ". Try: " in client.err
    assert DONE not in client.out
    assert_safe(client.out + client.err)


def assert_safe(shown: str) -> None:
    """Nothing that steers a terminal."""
    assert shown.replace("\n", "").isprintable(), repr(shown)
