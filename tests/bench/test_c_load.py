"""The load in C: whole exchanges, every reply checked, bounded in count and time, this machine alone."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench.contenders import PEERS, built, ground, running
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.records.queries import open_records
from testing.processes import LIMIT
from testing.raw_sockets import encoded

SECRET = "0123456789abcdef" * 4
WELCOME = b"connection established"
Talk = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def program(compiler: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(PEERS / "load.c", tmp_path_factory.mktemp("load"))


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


def load(program: Path, address: str, count: int = 10, concurrency: int = 4, tag: int = 1, seconds: int = 10) -> Any:
    done = run(program, address, count, concurrency, tag, seconds)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """The address of a server that talks with one connection after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return  # the test is over
                with client, suppress(ConnectionError):  # the load closes when it has seen enough
                    client.settimeout(LIMIT)
                    talk(client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            thread.join()


def right_reply(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"secret": SECRET, "status": STATUS_WAITING if message["clientid"] == 1 else STATUS_FINISHED}


def replying(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Talk:
    """A conversation whose replies are the right ones, changed."""

    def talk(client: socket.socket) -> None:
        client.sendall(WELCOME)
        client.sendall(encoded(change(right_reply(json.loads(client.recv(2000))))))

    return talk


def test_every_exchange_with_the_server_is_recorded(program: Path, tmp_path: Path) -> None:
    with running(ground(data=tmp_path)) as started:
        for tag in (1, 2):
            told = load(program, started.address, count=50, concurrency=8, tag=tag)
            assert (told["finished"], told["failed"], told["first_failure"]) == (50, 0, "")
            assert 0 < told["p50_ms"] <= told["p99_ms"] <= told["seconds"] * 1000
    records = open_records(tmp_path)
    try:
        rows = list(records.teams())
    finally:
        records.close()
    assert [(row.state, row.visits) for row in rows] == [("finished", 2)] * 100  # of two tags: all are new teams


def test_message_2_is_made_from_the_reply(program: Path) -> None:
    messages: list[dict[str, Any]] = []

    def talk(client: socket.socket) -> None:
        client.sendall(WELCOME[:4])
        client.sendall(WELCOME[4:])
        messages.append(json.loads(client.recv(2000)))
        reply = encoded(right_reply(messages[-1]))
        client.sendall(reply[:10])
        client.sendall(reply[10:])

    with server(talk) as address:
        assert load(program, address, count=1)["finished"] == 1
    first, second = messages
    assert (first["clientid"], first["secret"], first["status"]) == (1, "", "")
    assert second == right_reply(first) | {
        "clientid": 2,
        "studentnr1": first["studentnr2"],
        "studentnr2": first["studentnr1"],
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda reply: reply | {"secret": SECRET[1:]},
        lambda reply: reply | {"secret": SECRET.upper()},
        lambda reply: reply | {"secret": "f" * 64 if reply["clientid"] == 2 else SECRET},
        lambda reply: reply | {"status": STATUS_FINISHED if reply["clientid"] == 1 else STATUS_WAITING},
        lambda reply: reply | {"status": "error: no"},
        lambda reply: reply | {"teamname": "another"},
        lambda reply: reply | {"studentnr1": reply["studentnr2"]},
        lambda reply: reply | {"more": ""},
    ],
    ids=["short", "upper case", "another secret", "another status", "error", "another team", "numbers", "a field more"],
)
def test_a_wrong_reply_is_a_failure(program: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with server(replying(change)) as address:
        told = load(program, address, count=3)
    assert (told["finished"], told["failed"]) == (0, 3)
    assert told["first_failure"] == "the reply is not the right one"


def test_a_server_that_closes_at_once_is_a_failure(program: Path) -> None:
    with server(lambda client: client.sendall(WELCOME[:4])) as address:
        told = load(program, address, count=3)
    assert (told["failed"], told["first_failure"]) == (3, "the server closed without a reply")


def test_an_endless_reply_is_a_failure(program: Path) -> None:
    def talk(client: socket.socket) -> None:
        client.sendall(WELCOME)
        client.recv(2000)
        client.sendall(b"{" * 4000)
        client.recv(1)

    with server(talk) as address:
        told = load(program, address, count=1)
    assert (told["failed"], told["first_failure"]) == (1, "the reply is too long")


def test_a_server_that_is_not_there_is_a_failure(program: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        told = load(program, f"127.0.0.1:{unused.getsockname()[1]}")
    assert (told["finished"], told["failed"], told["first_failure"]) == (0, 10, "the connection was refused")


def test_the_time_is_bounded(program: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = load(program, f"127.0.0.1:{silent.getsockname()[1]}", seconds=1)
    assert (told["finished"], told["failed"], told["first_failure"]) == (0, 10, "the time was over")
    assert told["seconds"] >= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "usage: "),
        (("127.0.0.1:9", 1, 1, 1), "usage: "),
        (("192.0.2.1:9", 1, 1, 1, 1), "only a server at 127.0.0.1"),
        (("127.0.0.10:9", 1, 1, 1, 1), "only a server at 127.0.0.1"),
        (("localhost:9", 1, 1, 1, 1), "only a server at 127.0.0.1"),
        (("127.0.0.1:65536", 1, 1, 1, 1), "an argument is not a number"),
        (("127.0.0.1:9", 0, 1, 1, 1), "an argument is not a number"),
        (("127.0.0.1:9", 1_000_001, 1, 1, 1), "an argument is not a number"),
        (("127.0.0.1:9", 1, "1x", 1, 1), "an argument is not a number"),
        (("127.0.0.1:9", 1, 1, "-1", 1), "an argument is not a number"),
        (("127.0.0.1:9", 1, 1, 1, 601), "an argument is not a number"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(program: Path, arguments: tuple[object, ...], words: str) -> None:
    done = run(program, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr
