"""Client 1's handover: the bytes of the reply, unchanged, to a client 2 that is late, rude, slow or absent."""

import json
import socket

import pytest

from tandem.protocol.framing import FRAMINGS, frame
from testing.clients import REPLY_1, RIGHT_1, WELCOME, assert_done, assert_failed, client_1
from testing.other_side import Finish, Send, Wait, changed, scripted_server

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


def test_client_2_that_answers() -> None:
    """Nothing that it says is expected; nothing of it does any harm."""
    rude = (Send(b"thank you"), Wait.END)
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(*rude) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_done(client)
    assert peer.came == REPLY_1


def test_client_2_that_resets() -> None:
    rude = (Wait.END, Finish.RESET)
    with (
        scripted_server(*RIGHT_1) as server,
        scripted_server(*rude) as peer,
        client_1(server.address, peer.address) as client,
    ):
        assert_failed(client, ARROW_4, "connection reset", peer.address)


def test_client_2_keeps_its_side_open() -> None:
    """It has all the bytes and closes only after client 1 has gone: client 1 waits no longer than its limit."""
    with scripted_server(*RIGHT_1) as server, socket.create_server(("127.0.0.1", 0)) as peer:
        address = f"127.0.0.1:{peer.getsockname()[1]}"
        with client_1(server.address, address, "--timeout", "1") as client, peer.accept()[0] as connection:
            assert connection.makefile("rb").read() == REPLY_1
            assert_done(client)


NAMES: dict[str, tuple[str, str]] = {
    "not known": ("nowhere.invalid:5551", "there is no machine called nowhere.invalid:5551"),
    "too long": (f"{'a' * 70}.invalid:5551", "is not the name of a machine"),
    "two dots": ("a..b:5551", "is not the name of a machine"),
}


@pytest.mark.parametrize(("peer", "says"), NAMES.values(), ids=NAMES.keys())
def test_a_name_that_no_machine_has(peer: str, says: str) -> None:
    """Another attempt would fail in the same way, so it does not wait for --wait."""
    with scripted_server(*RIGHT_1) as server, client_1(server.address, peer) as client:
        assert_failed(client, ARROW_4, says, "use the IP address")
