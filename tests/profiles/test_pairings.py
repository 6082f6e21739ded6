"""Every client 1 with every client 2, students' and ours, at a real server: each pair finishes and is in the results.

A pair is a team of its own, so that all of them can share one server.
"""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tandem.cli import main
from tandem.protocol.address import show_address
from testing.clients import assert_done
from testing.processes import LIMIT, TEAM, Process, RunningServer, process, running_server
from testing.student_programs import Student1, Student2, pretty_printed, with_escapes, without_spaces

OURS = None  # our own program, as a process

CLIENTS_1: dict[str, Student1 | None] = {
    "ours": OURS,
    "receives 500": Student1(size=500),
    "receives 1000": Student1(size=1000),
    "receives 1024": Student1(size=1024),
    "receives 2000": Student1(size=2000),
    "receives 11000": Student1(size=11000),
    "sends nulls": Student1(nothing=None),
    "calls client 2 first": Student1(calls_client_2_first=True),
    "tries in a tight loop": Student1(in_a_hurry=True),
    "host name for an ip": Student1(ip="laptop-of-zoe.local"),
    "ip of a loopback": Student1(ip="127.0.1.1"),
    "pretty-printed": Student1(write=pretty_printed),
    "no spaces": Student1(write=without_spaces),
    "escapes": Student1(write=with_escapes),
}
CLIENTS_2: dict[str, Student2 | None] = {
    "ours": OURS,
    "receives 500": Student2(size=500),
    "receives 1000": Student2(size=1000),
    "receives 1024": Student2(size=1024),
    "receives 2000": Student2(size=2000),
    "receives 11000": Student2(size=11000),
    "calls the server first": Student2(calls_server_first=True),
    "reads to the end": Student2(reads_to_the_end=True),
    "host name for an ip": Student2(ip="localhost"),
    "pretty-printed": Student2(write=pretty_printed),
    "no spaces": Student2(write=without_spaces),
    "escapes": Student2(write=with_escapes),
}
PAIRS = [
    pytest.param(client_1, client_2, id=f"{name_1} - {name_2}")
    for name_1, client_1 in CLIENTS_1.items()
    for name_2, client_2 in CLIENTS_2.items()
]

ALONE = {"no number": "", "zeros": "0000000", "own number again": TEAM["studentnr1"]}  # studentnr2 of a team of one
ALONE_1: dict[str, Student1 | None] = {"ours": OURS, "theirs": Student1()}
ALONE_2: dict[str, Student2 | None] = {"ours": OURS, "swaps": Student2(), "leaves": Student2(swaps=False)}
ALONE_PAIRS = [
    pytest.param(number, client_1, client_2, id=f"{way} - {name_1} - {name_2}")
    for way, number in ALONE.items()
    for name_1, client_1 in ALONE_1.items()
    for name_2, client_2 in ALONE_2.items()
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


End = Callable[[], object]  # waits until a client has done its part; fails if it has not


def exchange(shared: RunningServer, team: dict[str, str], first: Student1 | None, second: Student2 | None) -> None:
    """One exchange, to its end. Client 2 is there first, unless client 1 is one that tries all the time."""
    refused = Event()
    with ThreadPoolExecutor(2) as threads, ExitStack() as processes, free_port() as listener:
        address = listener.getsockname()

        def ours(*arguments: str) -> Process:
            options = [word for name, value in team.items() for word in (f"--{name}", value)]
            command = ("-m", "tandem.client", *arguments, *options, "--server", shared.address)
            return processes.enter_context(process(*command))

        def start_1() -> End:
            if first:
                return threads.submit(first.run, (shared.host, shared.port), address, team, refused).result
            client = ours("1", "--peer", show_address(*address))
            return lambda: assert_done(client)

        def start_2() -> End:
            if second:
                listener.listen()
                return threads.submit(second.run, (shared.host, shared.port), listener).result
            client = ours("2", "--listen", show_address(*address))
            client.wait_for("listening on")
            return lambda: assert_done(client)

        if first and first.in_a_hurry:
            end_1 = start_1()
            assert refused.wait(LIMIT)
            end_2 = start_2()
        else:
            end_2 = start_2()
            end_1 = start_1()
        end_1()
        end_2()


def free_port() -> socket.socket:
    """A socket that keeps a port, but does not listen yet. Our client 2 may listen there instead."""
    keeper = socket.socket()
    keeper.settimeout(LIMIT)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    return keeper


def rows_of(teamname: str, data: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `tandem results` has of one team."""
    assert main(["results", "--data", str(data), "--format", "json"]) == 0
    return [row for row in json.loads(capsys.readouterr().out) if row["teamname"] == teamname]


def assert_finished(team: dict[str, str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = rows_of(team["teamname"], data, capsys)
    assert row["state"] == "finished"
    assert row["problems"] == []
    assert row["visits"] == 2
    assert {name: row[name] for name in team} == team


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_pair_finishes(
    first: Student1 | None,
    second: Student2 | None,
    shared: RunningServer,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team = TEAM | {"teamname": f"Zoë: {request.node.callspec.id}"}
    exchange(shared, team, first, second)
    assert_finished(team, shared.data, capsys)


@pytest.mark.parametrize(("number", "first", "second"), ALONE_PAIRS)
def test_a_team_of_one_finishes(
    number: str,
    first: Student1 | None,
    second: Student2 | None,
    shared: RunningServer,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team = TEAM | {"teamname": f"alone: {request.node.callspec.id}", "studentnr2": number}
    exchange(shared, team, first, second)
    assert_finished(team, shared.data, capsys)
