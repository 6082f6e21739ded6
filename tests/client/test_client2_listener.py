"""Client 2's listening port: only the real message ends the wait, and every other connection is named."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator, Sequence

import pytest

from tandem.client import wire
from tandem.client.client2 import how_to_reach
from tandem.client.handover_listener import SILENCE_S, HandoverListener, check_handover
from tandem.client.output import Output
from tandem.protocol.message import decode
from tandem.protocol.printable import printable
from testing.clients import (
    REPLY_1,
    REPLY_2,
    RIGHT_2,
    WELCOME,
    Client2,
    assert_done,
    assert_failed,
    assert_safe,
    client_2,
)
from testing.other_side import (
    Finish,
    Pause,
    ScriptedServer,
    Send,
    Step,
    Trickle,
    Wait,
    call,
    changed,
    framed,
    scripted_server,
    without,
)
from testing.processes import LIMIT, TEAM, process, wait_until

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:5551\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
MESSAGE_1 = changed(REPLY_1, secret="", status="")

Stranger = tuple[tuple[Step, ...], str]  # what it does, and what the screen says of it ("": nothing)

STRANGERS: dict[str, Stranger] = {
    "idle": ((), ""),
    "port probe": ((Finish.CLOSE,), "closed before it sent anything"),
    "port probe with a reset": ((Finish.RESET,), "connection reset before it sent anything"),
    "browser": ((Send(GET),), 'speaks HTTP, and sent something that is not a message: "GET / HTTP/1.1'),
    "secure browser": ((Send(b"\x16\x03\x01\x02\x00\x01"),), "speaks TLS, and sent something that is not a message"),
    "SSH": ((Send(b"SSH-2.0-OpenSSH_9.6\r\n"),), 'speaks SSH, and sent something that is not a message: "SSH-2.0'),
    "half a message, left open": ((Send(REPLY_1[:50]),), ""),
    "slow half message": ((Trickle(REPLY_1[:50]),), ""),
    "half a message, closed": ((Send(REPLY_1[:50]), Finish.CLOSE), "closed in the middle of a message"),
    "half a message, ended": ((Send(REPLY_1[:50]), Finish.HALF_CLOSE), "closed in the middle of a message"),
    "half a message, reset": (
        (Send(REPLY_1[:50]), Pause(0.1), Finish.RESET),
        "connection reset in the middle of a message",
    ),
    "one letter, left open": ((Send(b"G"),), 'sent something that is not a message: "G'),
    "three letters, closed": ((Send(b"hi\0"), Finish.CLOSE), r'sent something that is not a message: "hi\x00'),
    "white space, closed": ((Send(b" \r\n" * 9), Finish.CLOSE), "closed in the middle of a message"),
    "garbage": ((Send(b"\x1b[2J\xff\xfe\x00"),), r'sent something that is not a message: "\x1b[2J\xff\xfe\x00'),
    "endless garbage": ((Send(b"{" + b"x" * 9000),), 'sent something that is not a message: "{xxx'),
    "object that is no JSON": ((Send(b"{status: 'waiting for message 2'}"),), "it is not JSON"),
    "str of a dict": ((Send(b"{'status': 'waiting for message 2'}"),), "it is str() of a dict, with single quotes"),
    "missing field": ((Send(without(REPLY_1, "ip")),), "it has no ip"),
    "half of a surrogate pair": ((Send(REPLY_1.replace(b"Team1", rb"\ud800")),), "half of a surrogate pair"),
    "message 1 itself": ((Send(MESSAGE_1),), "it is message 1"),
    "no secret": ((Send(changed(REPLY_1, secret="")),), "it has no secret"),
    "error handed over": (
        (Send(changed(REPLY_1, secret="", status="error: the classname is empty")),),
        'it is the server\'s refusal of message 1, "error: the classname is empty": fix that first',
    ),
    "error alone handed over": (
        (Send(b'{"status": "error: the classname is empty"}'),),
        'it is the server\'s refusal of message 1, "error: the classname is empty": fix that first',
    ),
    "finished handed over": ((Send(changed(REPLY_1, status="Finished successfully")),), "Finished successfully"),
    "other team": ((Send(changed(REPLY_1, teamname="Team2")),), 'its teamname is "Team2", ours is "Team1"'),
    "other class": ((Send(changed(REPLY_1, classname="INF2B")),), 'its classname is "INF2B", ours is "INF2A"'),
    "another object around it": ((Send(b'{"message": %b}' % REPLY_1),), "it is another object, with the reply inside;"),
    "another object": ((Send(b'{"message": 1}'),), "it has none of the eight fields"),
    "other students": ((Send(changed(REPLY_1, studentnr2="0999999")),), "its student numbers are not ours"),
    "a length": ((Send(framed(REPLY_1)),), "(there is a length before it: --framing length is for both"),
    "length of nothing": ((Send(b"\0\0\0\0"),), r'sent something that is not a message: "\x00\x00\x00\x00'),
}


def test_classes_are_compared_without_regard_to_letter_case() -> None:
    check_handover(decode(changed(REPLY_1, classname="inf2a")), TEAM)


STRANGERS_FRAMED: dict[str, tuple[tuple[Step, ...], str]] = {
    "no length": ((Send(REPLY_1),), "(there is no length before it: --framing length is for both"),
    "other team": ((Send(framed(changed(REPLY_1, teamname="\x1bT"))),), r'its teamname is "\x1bT"'),
    "length that never ends": ((Send(b"\xff\0\0\0{"), Finish.HALF_CLOSE), "closed in the middle of a message"),
}


@pytest.mark.parametrize(("script", "said"), STRANGERS_FRAMED.values(), ids=STRANGERS_FRAMED.keys())
def test_with_lengths_a_stranger_is_named_and_the_real_message_accepted(script: Sequence[Step], said: str) -> None:
    server_script = (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(REPLY_2)), Wait.END)
    with (
        scripted_server(*server_script) as server,
        client_2(server.address, "--framing", "length") as client,
        call(client.port) as stranger,
    ):
        stranger.play(script)
        assert "still listening" in client.process.wait_for(said)
        with call(client.port) as line:
            line.play((Trickle(framed(REPLY_1)), Finish.HALF_CLOSE, Wait.END))
        assert_done(client.process)
    assert server.came == framed(server.came[4:])


def assert_accepted(client: Client2, server: ScriptedServer) -> None:
    """The real message was accepted, and message 2 was made from it."""
    assert_done(client.process)
    sent = json.loads(server.came)
    assert (sent["studentnr1"], sent["studentnr2"], sent["clientid"]) == (TEAM["studentnr2"], TEAM["studentnr1"], 2)
    assert (sent["secret"], sent["status"]) == (json.loads(REPLY_1)["secret"], "waiting for message 2")


@pytest.mark.parametrize(("script", "said"), STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_is_named_and_the_real_message_accepted(script: Sequence[Step], said: str) -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client, call(client.port) as stranger:
        stranger.play(script)
        if said:
            assert "still listening" in client.process.wait_for(said)
        client.hand_over()
        assert_accepted(client, server)
    assert client.process.out.count("still listening") == bool(said)


def test_all_strangers_at_once_do_not_delay_the_message() -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client, contextlib.ExitStack() as calls:
        for script, _ in STRANGERS.values():
            calls.enter_context(call(client.port)).play(script)
        client.hand_over()
        assert_accepted(client, server)
    assert_safe(client.process.out)


def test_an_early_idle_client_1_brings_the_message_later() -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client, call(client.port) as early:
        with call(client.port) as probe:
            probe.play((Finish.CLOSE,))
        client.process.wait_for("before it sent anything")
        early.play((Send(REPLY_1), Finish.HALF_CLOSE, Wait.END))
        assert_accepted(client, server)


def test_many_connections_from_one_address_do_not_evict_another_address() -> None:
    """300 idle connections at once; client 1 called before them from another address, and sends after them."""
    with (
        scripted_server(*RIGHT_2) as server,
        client_2(server.address) as client,
        call(client.port, "127.0.0.2") as early,
        contextlib.ExitStack() as crowd,
    ):
        for _ in range(300):
            crowd.enter_context(call(client.port))
        client.process.wait_for("too many connections")
        early.play((Send(REPLY_1), Finish.HALF_CLOSE, Wait.END))
        assert_accepted(client, server)


def test_many_connections_do_not_keep_out_a_later_one() -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client, contextlib.ExitStack() as crowd:
        for _ in range(300):
            crowd.enter_context(call(client.port))
        client.hand_over()
        assert_accepted(client, server)


def test_many_probes_are_named_once() -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client:
        for _ in range(300):
            with call(client.port) as probe:
                probe.play((Finish.CLOSE,))
        client.hand_over()
        assert_accepted(client, server)
    assert client.process.out.count("closed before it sent anything") == 1


NAME = REPLY_1.replace(b"Team1", "Zoë".encode())  # with a character of two bytes

HANDOVERS: dict[str, tuple[Step, ...]] = {
    "in one piece": (Send(REPLY_1), Finish.HALF_CLOSE),
    "left open": (Send(REPLY_1),),
    "byte by byte": (Trickle(REPLY_1), Finish.HALF_CLOSE),
    "first byte alone": (Send(REPLY_1[:1]), Pause(0.1), Send(REPLY_1[1:]), Finish.HALF_CLOSE),
    "last byte alone": (Send(REPLY_1[:-1]), Pause(0.1), Send(REPLY_1[-1:]), Finish.HALF_CLOSE),
    "stops for longer than a length may take": (Send(REPLY_1[:2]), Pause(0.8), Send(REPLY_1[2:]), Finish.HALF_CLOSE),
    "white space around": (Send(b" \r\n" + REPLY_1 + b"\n"), Finish.HALF_CLOSE),
    "white space, then a long stop": (Send(b"\n"), Pause(0.8), Send(REPLY_1), Finish.HALF_CLOSE),
    "more behind it": (Send(REPLY_1 + b"bye {"), Finish.HALF_CLOSE),
    "extra key": (Send(changed(REPLY_1, hint="go on")), Finish.HALF_CLOSE),
    "pretty-printed": (Send(json.dumps(json.loads(REPLY_1), indent=4).encode()), Finish.HALF_CLOSE),
    "reset behind it": (Send(REPLY_1), Pause(0.2), Finish.RESET),
}


@pytest.mark.parametrize("script", HANDOVERS.values(), ids=HANDOVERS.keys())
def test_the_real_message_is_accepted_however_it_is_cut(script: Sequence[Step]) -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address) as client, call(client.port) as line:
        line.play(script)
        assert_accepted(client, server)


def test_a_character_cut_in_two() -> None:
    half = NAME.index("ë".encode()) + 1
    with (
        scripted_server(*RIGHT_2) as server,
        client_2(server.address, teamname="Zoë") as client,
        call(client.port) as line,
    ):
        line.play((Send(NAME[:half]), Pause(0.1), Send(NAME[half:]), Finish.HALF_CLOSE, Wait.END))
        assert_accepted(client, server)
    assert json.loads(server.came)["teamname"] == "Zoë"


@pytest.mark.parametrize("name", ["studentnr1", "studentnr2"])
def test_a_single_student_number_is_compared(name: str) -> None:
    with scripted_server(*RIGHT_2) as server:
        arguments = ("2", f"--{name}", "7777777", "--server", server.address, "--listen", "127.0.0.1:0")
        with process("-m", "tandem.client", *arguments) as running:
            Client2(running).hand_over()
            running.wait_for("its student numbers are not ours")


def test_listens_on_all_addresses_and_prints_the_port_it_took() -> None:
    with scripted_server(*RIGHT_2) as server:
        arguments = ("-m", "tandem.client", "2", "--server", server.address, "--listen", "0")
        with process(*arguments) as running:
            assert re.search(r"listening on \*:[1-9][0-9]* for client 1", running.wait_for("listening on"))
            client = Client2(running)
            client.hand_over()
            assert_accepted(client, server)


def test_no_connection_at_all() -> None:
    """Only then it can be the firewall, or a wrong address."""
    with scripted_server() as server, client_2(server.address, "--wait", "0.3") as client:
        assert_failed(
            client.process,
            r"arrow 4 \(client 1 -> client 2, handover\)",
            "no message came from client 1 within 0.3 s: nothing has connected",
            f"--peer 127.0.0.1:{client.port}",
        )
    assert server.lines == []


Listening = tuple[HandoverListener, int]


@pytest.fixture
def listening() -> Iterator[Listening]:
    """A listener of client 2 in this process, and its port."""
    listener = wire.listen("127.0.0.1", 0)
    handover = HandoverListener(listener, TEAM, "plain", Output())
    yield handover, listener.getsockname()[1]
    handover.close()
    wire.close_sleep_sockets()


def until_it_says(listener: HandoverListener, says: str) -> None:
    """Do what client 2 does, until this would be in its last line."""

    def says_it() -> bool:
        listener.accept_waiting()
        assert listener.receive_message() is None
        return says in printable(listener.failure())

    wait_until(says_it)


STILL_OPEN = {
    "idle": "it is connected, but has sent nothing",
    "half a message, left open": "it sent 50 bytes of a message, but not its end",
    "slow half message": "it sent 50 bytes of a message, but not its end",
}


@pytest.mark.parametrize("name", STRANGERS)
def test_the_last_line_names_the_last_connection(name: str, listening: Listening) -> None:
    listener, port = listening
    script, says = STRANGERS[name]
    assert listener.failure() == ""
    with call(port) as probe:
        probe.play((Finish.CLOSE,))
    until_it_says(listener, "closed before it sent anything")
    with call(port) as stranger:
        host, number = stranger.socket.getsockname()
        stranger.play(script)
        until_it_says(listener, f"the last connection, from {host}:{number}: ")
        until_it_says(listener, says or STILL_OPEN[name])
        assert listener.met_other_program == says.startswith("speaks ")
        assert "; before it, from" not in listener.failure()


def test_a_port_probe_does_not_hide_the_refusal_that_came_before_it(listening: Listening) -> None:
    listener, port = listening
    with call(port) as refused, call(port) as probe:
        refused.play((Send(changed(REPLY_1, secret="", status="error: no class")),))
        until_it_says(listener, "it is connected, but has sent nothing; before it, from 127.0.0.1:")
        probe.play((Finish.CLOSE,))
        until_it_says(listener, "closed before it sent anything; before it, from 127.0.0.1:")
    assert 'it is the server\'s refusal of message 1, "error: no class"' in listener.failure()


LAST_LINES = {
    "message 1": (MESSAGE_1, "it is message 1", "look at client 1's screen"),
    "browser": (GET, "speaks HTTP", "start client 1 here with --peer 127.0.0.1:"),
}


@pytest.mark.parametrize(("sent", "says", "help"), LAST_LINES.values(), ids=LAST_LINES.keys())
def test_the_last_line_of_the_process(sent: bytes, says: str, help: str) -> None:
    with scripted_server() as server, client_2(server.address, "--wait", "2") as client, call(client.port) as stranger:
        stranger.play((Send(sent),))
        assert_failed(
            client.process, rf"within 2 s: the last connection, from 127\.0\.0\.1:[0-9]+: {says}", rf"Try: .*{help}"
        )
    assert "firewall" not in client.process.err


ROUNDS = round(SILENCE_S / wire.POLL_INTERVAL_S)


@pytest.mark.parametrize("sent", [b"", REPLY_1[:50]], ids=("silent", "half a message"))
def test_a_silent_caller_is_named_after_3_s_and_its_message_taken(
    sent: bytes, listening: Listening, capsys: pytest.CaptureFixture[str]
) -> None:
    listener, port = listening
    with call(port) as silent:
        silent.play((Send(sent),))
        until_it_says(listener, "it sent 50 bytes" if sent else "it is connected")
        assert capsys.readouterr().out == ""
        for _ in range(2 * ROUNDS):
            assert listener.receive_message() is None
        out = capsys.readouterr().out
        assert out.count("no message yet, from 127.0.0.1:") == 1, out
        silent.play((Send(REPLY_1[len(sent) :]),))
        wait_until(lambda: listener.receive_message() is not None)


def test_bytes_that_come_slowly_are_not_silence(listening: Listening, capsys: pytest.CaptureFixture[str]) -> None:
    listener, port = listening
    with call(port) as slow:
        for count in range(1, 4):
            slow.play((Send(REPLY_1[count - 1 : count]),))
            until_it_says(listener, f"it sent {count} bytes")
            for _ in range(ROUNDS - 2):
                assert listener.receive_message() is None
    assert capsys.readouterr().out == ""


REACH = {
    "this machine alone": (
        "127.0.0.1",
        "127.0.0.1",
        "only this machine can connect: start client 1 here with --peer 127",
    ),
    "all addresses": ("", "127.0.0.1", "IPv4 and IPv6 can connect: start client 1 with --peer 127.0.0.1:"),
    "all of IPv4": ("0.0.0.0", "127.0.0.1", "only IPv4 can connect: start client 1 with --peer 127.0.0.1:"),
    "all of IPv6": ("::", "::1", "only IPv6 can connect: start client 1 with --peer [::1]:"),
    "another family than the server's": ("::", "127.0.0.1", "only IPv6 can connect: start client 1 with --peer [::1]:"),
}


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
@pytest.mark.parametrize(("host", "server", "says"), REACH.values(), ids=REACH.keys())
def test_says_how_client_1_reaches_it(host: str, server: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "own_ips", list)
    with wire.listen(host, 0) as listener:
        found = how_to_reach(listener, wire.RemoteAddress(server, 5550))
        assert found.startswith(says)
        assert ("firewall" in found) == (host != "127.0.0.1")
        reached = {family for family, ip in (("IPv4", "127.0.0.1"), ("IPv6", "::1")) if can_connect(ip, listener)}
    assert all((family in reached) == (family in found) for family in ("IPv4", "IPv6")) or host == "127.0.0.1"


ELSEWHERE: dict[str, tuple[str, str, list[str], str]] = {  # --listen, the server, own addresses, what client 1 is given
    "server here": (
        "",
        "127.0.0.1",
        ["10.0.0.7"],
        "--peer 127.0.0.1:{}, or on another machine with --peer 10.0.0.7:{};",
    ),
    "server here, IPv6": (
        "",
        "::1",
        ["2001:db8::7"],
        "--peer [::1]:{}, or on another machine with --peer [2001:db8::7]:{};",
    ),
    "other family": ("::", "127.0.0.1", ["10.0.0.7", "2001:db8::7"], "--peer [2001:db8::7]:{};"),
    "other family, none of ours": (
        "::",
        "127.0.0.1",
        ["10.0.0.7"],
        "--peer [::1]:{}, or on another machine with an addr",
    ),
    "link-local": (
        "::",
        "127.0.0.1",
        ["fe80::7"],
        "--peer [::1]:{}, or on another machine with an address of this one;",
    ),
    "not known": (
        "0.0.0.0",
        "127.0.0.1",
        [],
        "--peer 127.0.0.1:{}, or on another machine with an address of this one;",
    ),
    "the name is loopback": (
        "0.0.0.0",
        "::1",
        ["127.0.1.1", "10.0.0.7"],
        "or on another machine with --peer 10.0.0.7:{}",
    ),
}


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
@pytest.mark.parametrize(("host", "server", "own", "says"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_says_how_client_1_reaches_it_from_another_machine(
    host: str, server: str, own: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "own_ips", lambda: own)
    with wire.listen(host, 0) as listener:
        found = how_to_reach(listener, wire.RemoteAddress(server, 5550))
        assert says.replace("{}", str(listener.getsockname()[1])) in found


def can_connect(ip: str, listener: socket.socket) -> bool:
    try:
        socket.create_connection((ip, listener.getsockname()[1]), LIMIT).close()
    except OSError:
        return False
    return True
