"""What the clients print while they run: text for people, JSON for programs, and an output that cannot be written."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tandem.client import client2
from tandem.client.__main__ import main
from testing.clients import (
    REPLY_1,
    REPLY_2,
    RIGHT_1,
    RIGHT_2,
    SECRET,
    WELCOME,
    assert_done,
    assert_safe,
    client_1,
    client_2,
    meet,
)
from testing.other_side import Send, Wait, changed, scripted_server
from testing.processes import LIMIT, ROOT, TEAM, process, team_options


def test_client_1_prints_its_arrows_in_order() -> None:
    with scripted_server(*RIGHT_1) as server, scripted_server(Wait.END) as peer:
        client = meet(1, server, peer)
    assert re.findall(r"^  ([0-9])  ", client.out, re.MULTILINE) == ["1", "2", "3", "4"]
    assert SECRET not in client.out, "the bytes are for --verbose"


def test_verbose_shows_the_bytes() -> None:
    with scripted_server(*RIGHT_1) as server, scripted_server(Wait.END) as peer:
        client = meet(1, server, peer, "--verbose")
    for data in (WELCOME, server.came, REPLY_1):
        assert f"| {data.decode()}\n" in client.out


@pytest.mark.parametrize("clientid", [1, 2])
def test_json_for_programs(clientid: int) -> None:
    with scripted_server(*(RIGHT_1 if clientid == 1 else RIGHT_2)) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, "--format", "json")
    sent = server.came.decode()
    told = [json.loads(line) for line in client.out.splitlines()]
    arrows = [(line["arrow"], line["text"]) for line in told if "arrow" in line]
    if clientid == 1:
        assert arrows == [(1, WELCOME.decode()), (2, sent), (3, REPLY_1.decode()), (4, REPLY_1.decode())]
    else:
        assert arrows == [(4, REPLY_1.decode()), (5, WELCOME.decode()), (6, sent), (7, REPLY_2.decode())]
    assert all(line["bytes"] == len(line["text"].encode()) for line in told if "arrow" in line)
    assert list(told[-1]) == ["finished"]


def test_json_for_a_failure() -> None:
    refused = changed(REPLY_1, secret="", status="error: no class - give it")
    with (
        scripted_server(Send(WELCOME), Wait.MESSAGE, Send(refused), Wait.END) as server,
        client_1(server.address, "127.0.0.1:1", "--format", "json") as client,
    ):
        assert client.wait() == 1
    told = {"failed": "the server refused the message: no class", "try": "give it", "arrow": 3, "exit_code": 1}
    assert json.loads(client.out.splitlines()[-1]) == told
    assert client.err.startswith("tandem client: arrow 3 ")


WRONG_USAGE = {
    "in one": ("1", "--format=json"),
    "in two": ("1", "--format", "json"),
    "file": ("1", "x", "--format=json"),
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_json_for_wrong_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert list(told) == ["failed", "try", "arrow", "exit_code"]
    assert (told["arrow"], told["exit_code"]) == (None, 2)
    assert told["failed"] in err


def test_json_for_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client2, "run", interrupted)
    assert main(["2", "--server", "192.0.2.1", "--format", "json"]) == 130
    out, err = capsys.readouterr()
    assert json.loads(out) == {"failed": "stopped by Ctrl-C", "try": "", "arrow": None, "exit_code": 130}
    assert err == "tandem client: stopped by Ctrl-C\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_screen_that_lacks_characters(encoding: str) -> None:
    """A Windows console, or LANG=C: what cannot be shown is shown as an escape, and all goes on."""
    reply = changed(REPLY_1, teamname="Zoë 🙂")
    env = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    with (
        scripted_server(Send("🙂 connection".encode()), Wait.MESSAGE, Send(reply), Wait.END) as server,
        scripted_server(Wait.END) as peer,
    ):
        addresses = ("--server", server.address, "--peer", peer.address)
        arguments = ("1", *team_options(teamname="Zoë 🙂"), *addresses, "--verbose")
        with process("-m", "tandem.client", *arguments, env=env) as client:
            assert_done(client)
            assert ("🙂 connection" if encoding == "utf-8" else r"\U0001f642 connection") in client.out
    assert json.loads(server.came)["teamname"] == "Zoë 🙂"


CLOSED = {
    "client 1": ("1", *team_options(), "--server", "SERVER", "--peer", "127.0.0.1:1"),
    "client 2": ("2", "--server", "SERVER", "--listen", "127.0.0.1:0"),
    "help": ("--help",),
}


@pytest.mark.parametrize("arguments", CLOSED.values(), ids=CLOSED.keys())
def test_standard_output_is_closed_by_its_reader(arguments: tuple[str, ...]) -> None:
    """As in `tandem client … | head -1`: one line at most, no traceback."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        with scripted_server(*RIGHT_1) as server:
            done = subprocess.run(
                [sys.executable, "-m", "tandem.client", *(server.address if a == "SERVER" else a for a in arguments)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=subprocess.PIPE,
                text=True,
                timeout=LIMIT,
            )
    finally:
        os.close(write_end)
    assert done.returncode in (0, 1)
    assert done.stderr.count("\n") <= 1, done.stderr
    assert_safe(done.stderr)


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"], ids=["a full disk", "closed"])
def test_the_screen_cannot_be_written(redirection: str) -> None:
    command = (
        f"{sys.executable} -m tandem.client 1 {' '.join(team_options())} --server SERVER --peer 127.0.0.1:1 --wait 1"
    )
    with scripted_server(*RIGHT_1) as server:
        done = subprocess.run(
            ["sh", "-c", f"{command.replace('SERVER', server.address)} {redirection}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert_safe(done.stderr)


def test_ctrl_c() -> None:
    with scripted_server() as server:
        arguments = ("-m", "tandem.client", "2", "--server", server.address, "--listen", "127.0.0.1:0")
        # It may come while a socket is made, which then nobody can close: Python would warn of that.
        with process(*arguments, before=("env", "--default-signal=INT", "PYTHONWARNINGS=ignore")) as client:
            client.wait_for("listening on")
            client.signal(signal.SIGINT)
            assert client.wait() == 130
            assert client.err == "tandem client: stopped by Ctrl-C\n"


def test_the_same_program_as_a_command_of_tandem() -> None:
    with scripted_server(*RIGHT_1) as server, scripted_server(Wait.END) as peer:
        addresses = ("--server", server.address, "--peer", peer.address)
        with process("-m", "tandem", "client", "1", *team_options(), *addresses) as client:
            assert_done(client)
    assert peer.came == REPLY_1


def test_both_clients_together() -> None:
    """All seven arrows, with a scripted server."""
    with (
        scripted_server(*RIGHT_1) as server_1,
        scripted_server(*RIGHT_2) as server_2,
        client_2(server_2.address) as second,
        client_1(server_1.address, f"127.0.0.1:{second.port}") as first,
    ):
        assert_done(first)
        assert_done(second.process)
    swapped = json.loads(server_2.came)
    assert (swapped["studentnr1"], swapped["studentnr2"]) == (TEAM["studentnr2"], TEAM["studentnr1"])
