"""Client 2 in a flood of connections: whether the real message gets through, and how soon."""

import re
import socket
import time

from testing.clients import REPLY_1, REPLY_2, WELCOME
from testing.processes import LIMIT, process, team_options


def seconds_until_taken(kind: str, count: int, where: str) -> float:
    """Return the seconds from client 1's connect to client 2's visit, in a flood.

    Args:
        kind: As in testing.client_faults.flood, as are the next two.
        count: How many connections.
        where: "one" or "many" addresses.

    Raises:
        AssertionError: Client 2 did not finish.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        server = f"127.0.0.1:{listener.getsockname()[1]}"
        options = ("--server", server, "--listen", "0")
        with process("-m", "tandem.client", "2", *team_options(), *options) as client:
            port = re.findall(r":(\d+) for client 1", client.wait_for("listening on"))[0]
            with process("-m", "testing.client_faults.flood", kind, str(count), port, where) as flood:
                flood.wait_for("the flood stands")
                begun = time.monotonic()
                with socket.create_connection(("127.0.0.1", int(port)), LIMIT) as call:
                    call.sendall(REPLY_1)
                    call.shutdown(socket.SHUT_WR)
                    visit, _ = listener.accept()
                seconds = time.monotonic() - begun
                with visit:
                    visit.settimeout(LIMIT)
                    visit.sendall(WELCOME)
                    visit.recv(2000)
                    visit.sendall(REPLY_2)
                    assert client.wait() == 0, client.err
                assert client.err == ""
    return seconds
