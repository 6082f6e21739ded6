"""Client 1's handover: the bytes of the reply, unchanged, to a client 2 that is late, rude, slow or absent."""

import json
import socket

import pytest

from tandem.client.__main__ import main
from tandem.client.other_programs import is_part_of_echo
from tandem.protocol.framing import FRAMINGS, frame
from tandem.protocol.printable import printable_bytes
from testing.clients import REPLY_1, REPLY_2, RIGHT_1, WELCOME, assert_done, assert_failed, client_1
from testing.other_side import Finish, Line, Script, Send, Trickle, Wait, changed, scripted_server
from testing.processes import team_options

ARROW_4 = r"arrow 4 \(client 1 -> client 2, handover\)"

FIELDS = json.loads(REPLY_1)

REPLIES: dict[str, bytes] = {
    "as the server writes it": REPLY_1,
    "no spaces": json.dumps(FIELDS, separators=(",", ":")).encode(),
    "odd spaces": REPLY_1.replace(b":", b" :\t ").replace(b", ", b"\r\n,"),
    "pretty-printed": json.dumps(FIELDS, indent=4).encode(),
    "keys the other way round": json.dumps(dict(reversed(FIELDS.items()))).encode(),
    "escapes": REPLY_1.replace(b"Team1", rb"T\u0065am\ud83d\ude00\"}{\\"),
    "raw UTF-8": changed(REPLY_1, teamname="?").replace(b'"?"', '"Zoë 🙂"'.encode()),
    "extra key": changed(REPLY_1, hint={"a": [1, None]}),
    "a key twice": REPLY_1[:-1] + b', "status": "waiting for message 2"}',
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_the_bytes_are_handed_over_unchanged(reply: bytes, framing: str) -> None:
    carried = frame(reply, framing)
    script = (Send(frame(WELCOME, framing)), Wait.MESSAGE, Send(carried + b"\r\n"), Wait.END)
    with (
        scripted_server(*script) as server,
        scripted_server(Wait.END) as peer,
        client_1(server.address, peer.address, "--framing", framing) as client,
    ):
        assert_done(client)
    assert peer.came == carried


def test_message_1_is_one_object_and_nothing_else() -> None:
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(Wait.END) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_done(client)
    fields = {"clientid": 1, "ip": "127.0.0.1", "secret": "", "status": ""}
    assert server.came == json.dumps(FIELDS | fields, ensure_ascii=False).encode()


def test_client_2_may_be_started_later() -> None:
    with socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        late.bind(("127.0.0.1", 0))  # the port is ours, but nobody listens there yet
        peer = f"127.0.0.1:{late.getsockname()[1]}"
        with scripted_server(*RIGHT_1) as server, client_1(server.address, peer) as client:
            client.wait_for("client 2 is not there yet (connection refused")
            late.listen()
            with late.accept()[0] as connection:
                assert connection.makefile("rb").read() == REPLY_1
            assert_done(client)


def test_client_2_never_listens() -> None:
    with scripted_server(*RIGHT_1) as server, scripted_server() as peer:
        peer.stop()
        with client_1(server.address, peer.address, "--wait", "0.3") as client:
            assert_failed(client, ARROW_4, "connection refused", peer.address)


def echo(line: Line) -> None:
    line.socket.sendall(line.came)


def refusal(message: str) -> bytes:
    return changed(REPLY_1, secret="", status=f"error: {message}")


HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<style>p {color: red}</style>"

NOT_CLIENT_2: dict[str, tuple[Script, str]] = {  # what comes back after the handover, what the line says
    "a server": (
        (Send(WELCOME), Wait.MESSAGE, Send(refusal("the secret must be empty - send it")), Finish.HALF_CLOSE),
        'it sent a welcome, as the server does: "Test ground: socket connection|it answered as the server does',
    ),
    "a server that closes": ((Send(WELCOME), Wait.END), 'it sent a welcome, as the server does: "Test ground'),
    "a framed server": ((Send(frame(WELCOME, "length")), Wait.END), "it sent a welcome, as the server does"),
    "a refusal alone": ((Wait.END, Send(refusal("bad clientid"))), 'it answered as the server does: "error: bad'),
    "a refusal byte by byte": (
        (Wait.END, Trickle(refusal("bad clientid"))),
        'it answered as the server does: "error: bad',
    ),
    "a web server": ((Wait.END, Send(HTTP)), 'it speaks HTTP: it sent "HTTP/1.1 400 Bad Request'),
    "a secure web server": ((Wait.END, Send(b"\x15\x03\x01\0\x02\x02\x16")), "it speaks TLS"),
    "SSH": ((Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Wait.END), 'it speaks SSH: it sent "SSH-2.0-OpenSSH_9.6'),
    "an echo": ((Wait.END, echo), "it sent the same bytes back, as an echo server does"),
    "half an echo": ((Wait.END, Send(REPLY_1[:50])), "it sent a part of the same bytes back, as an echo server does"),
    "an echo that greets": ((Send(b"hello\r\n"), Wait.END, echo), "it sent the same bytes back"),
}


@pytest.mark.parametrize(("script", "says"), NOT_CLIENT_2.values(), ids=NOT_CLIENT_2.keys())
def test_another_program_is_not_client_2(script: Script, says: str) -> None:
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(*script) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_failed(client, ARROW_4, f"{peer.address} is not client 2: ({says})", "the address that client 2 shows")


CLIENT_2_SAYS: dict[str, bytes] = {
    "thanks": b"thank you",
    "steering": b"\x1b[2J\r\n",
    "an object of its own": b'{"hello": "client 1"}',
    "half an object": b'{"status": "error: ',
    "what the server told it": REPLY_2,
    "an object that begins like what it got": REPLY_1[:50] + b'"}',
    "much": b"x" * 100_000,
}


@pytest.mark.parametrize("says", CLIENT_2_SAYS.values(), ids=CLIENT_2_SAYS.keys())
@pytest.mark.parametrize("greets", [True, False], ids=("first", "afterwards"))
def test_what_client_2_says_is_shown_and_does_no_harm(says: bytes, greets: bool) -> None:
    script = (Send(says), Wait.END) if greets else (Wait.END, Send(says))
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(*script) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_done(client)
        assert f'client 2 sent "{printable_bytes(says[:10].rstrip())}' in client.out
    assert peer.came == REPLY_1


def test_says_only_what_is_known_of_client_2() -> None:
    """Whether it took the message cannot be known: another team's client 2 reads it and closes, too."""
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(Wait.END) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_done(client)
        known = f"client 2 at {peer.address} closed the connection after it; its screen shows the rest"
        assert f"client 1 is done: {known}\n" in client.out


SAME = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")


@pytest.mark.parametrize("host", SAME)
def test_the_peer_is_the_server(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(*RIGHT_1) as server:
        peer = f"{host}:{server.port}"
        assert main(["1", *team_options(), "--server", server.address, "--peer", peer]) == 2
        assert server.lines == [], "nothing is sent"
    assert f"--peer {peer} is the server: client 2 is another program" in capsys.readouterr().err


def test_client_2_that_resets() -> None:
    rude = (Send(b"go away"), Wait.END, Finish.RESET)
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(*rude) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_failed(client, ARROW_4, 'connection reset.*; before that it sent "go away"', peer.address)


PARTS: dict[str, tuple[bytes, bool]] = {  # what came back, whether it is a part of an echo
    "half": (REPLY_1[:50], True),
    "all but the brace": (REPLY_1[:-1] + b"\r\n", True),
    "behind a greeting": (b"hello\r\n" + REPLY_1[:50], True),
    "an object that begins alike": (REPLY_1[:50] + b'"}', False),
    "too little to tell": (REPLY_1[:15], False),
    "what the server told it": (REPLY_2, False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize(("came", "is_echo"), PARTS.values(), ids=PARTS.keys())
def test_a_part_of_an_echo(came: bytes, is_echo: bool) -> None:
    assert is_part_of_echo(came, REPLY_1) == is_echo


def test_client_2_keeps_its_side_open() -> None:
    """It has all the bytes and closes only after client 1 has gone: client 1 waits no longer than its limit."""
    with scripted_server(*RIGHT_1) as server, socket.create_server(("127.0.0.1", 0)) as peer:
        address = f"127.0.0.1:{peer.getsockname()[1]}"
        with client_1(server.address, address, "--timeout", "1") as client, peer.accept()[0] as connection:
            assert connection.makefile("rb").read() == REPLY_1
            assert_done(client)


NAMES: dict[str, tuple[str, str]] = {
    "not known": ("nowhere.invalid:5551", "there is no machine called nowhere.invalid:5551"),
}


@pytest.mark.parametrize(("peer", "says"), NAMES.values(), ids=NAMES.keys())
def test_a_name_that_no_machine_has(peer: str, says: str) -> None:
    """Another attempt would fail in the same way, so it does not wait for --wait."""
    with scripted_server(*RIGHT_1) as server, client_1(server.address, peer) as client:
        assert_failed(client, ARROW_4, says, "use the IP address")
