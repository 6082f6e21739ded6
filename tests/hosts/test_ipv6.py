"""The exchange over IPv6, on this machine alone."""

import json
import os
import socket
from pathlib import Path

import pytest

from testing.processes import TEAM, process, running_server, tandem, team_options


@pytest.fixture(autouse=True)
def _ipv6() -> None:
    """Where this machine has no IPv6, the test is skipped; with CI=true it fails."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"this machine has no IPv6: {error.strerror}")


@pytest.mark.parametrize(
    ("listen", "ip_1", "ip_2"),
    [
        ("[::1]:0", "::1", "::1"),
        ("[::]:0", "::1", "::1"),
        (":0", "::1", "127.0.0.1"),
        (":0", "127.0.0.1", "::1"),
    ],
)
def test_exchange(tmp_path: Path, listen: str, ip_1: str, ip_2: str) -> None:
    """Who listens on all addresses hears both families; an IPv4 address is recorded as one, not as ::ffff:127.0.0.1."""
    reach = {"::1": "[::1]", "127.0.0.1": "127.0.0.1"}
    client = ("-m", "tandem", "client")
    with running_server(tmp_path, listen=listen) as records:
        server_1, server_2 = (f"{reach[ip]}:{records.port}" for ip in (ip_1, ip_2))
        with process(*client, "2", *team_options(), "--server", server_2, "--listen", listen) as client_2:
            port = client_2.wait_for("listening on").split()[2].rpartition(":")[2]
            peer = f"{reach[ip_1]}:{port}"
            with process(*client, "1", *team_options(), "--server", server_1, "--peer", peer) as client_1:
                assert client_1.wait() == 0, client_1.err
            assert client_2.wait() == 0, client_2.err
            assert f"from client 1 at {reach[ip_1]}:" in client_2.out
        [team] = records.results()
        assert (team["state"], team["visits"]) == ("finished", 2)
        visits = records.results("--visits", TEAM["teamname"])
        assert [visit["address"] for visit in visits] == [ip_1, ip_2]
        assert [json.loads(visit["received"])["ip"] for visit in visits] == [ip_1, ip_2]


def test_nobody_listens() -> None:
    """The line shows the address as it has to be written."""
    with socket.socket(socket.AF_INET6) as closed:
        closed.bind(("::1", 0))
        server = f"[::1]:{closed.getsockname()[1]}"
        code, _, said = tandem("client", "1", *team_options(), "--server", server, "--peer", "[::1]:1")
    assert code == 1
    assert said.startswith("tandem client: arrow 1 (server -> client 1, welcome): connection refused: ")
    assert f"nothing listens on {server}. Try: " in said
    assert said.count("\n") == 1
