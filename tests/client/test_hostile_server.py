"""Both clients against a server that does what it should not. A row: what the server does, what the client prints.

The scripts are for both clients: `reply` is the right reply to the client that connects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from testing.clients import REPLIES, WELCOME, assert_done, assert_failed, assert_safe, meet
from testing.other_side import (
    Finish,
    Pause,
    Send,
    SendForever,
    Step,
    Trickle,
    Wait,
    changed,
    framed,
    scripted_server,
)
from testing.processes import LIMIT

Script = Callable[[bytes], Sequence[Step]]

WELCOME_ARROW = {1: 1, 2: 5}  # by client id
MESSAGE_ARROW = {1: 2, 2: 6}
REPLY_ARROW = {1: 3, 2: 7}

PATIENT = ("--timeout", str(LIMIT))
HASTY = ("--timeout", "0.5")  # where nothing is going to come
FRAMED = ("--framing", "length")
BOTH_CLIENTS = pytest.mark.parametrize("clientid", [1, 2])


def padded(reply: bytes, size: int) -> bytes:
    """The reply with so much white space inside that it has `size` bytes."""
    return b"{" + b" " * (size - len(reply)) + reply[1:]


FINISHES: dict[str, Script] = {
    "as it should be": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply), Wait.END),
    "welcome byte by byte": lambda reply: (Trickle(WELCOME), Wait.MESSAGE, Send(reply), Wait.END),
    "reply byte by byte": lambda reply: (Send(WELCOME), Wait.MESSAGE, Trickle(reply), Wait.END),
    "reply in two pieces": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply[:9]), Pause(0.1), Send(reply[9:])),
    "reply glued to the welcome, too early": lambda reply: (Send(WELCOME + reply), Wait.MESSAGE, Wait.END),
    "late reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Pause(0.7), Send(reply), Wait.END),
    "late welcome": lambda reply: (Pause(0.7), Send(WELCOME), Wait.MESSAGE, Send(reply), Wait.END),
    "welcome in two parts": lambda reply: (
        Send(b"Welcome. A "),
        Pause(0.1),
        Send(b"connection was made."),
        Wait.MESSAGE,
        Send(reply),
        Wait.END,
    ),
    "second part of the welcome after the message": lambda reply: (
        Send(b"Welcome. "),
        Wait.MESSAGE,
        Send(b"A connection was made."),
        Pause(0.1),
        Send(reply),
        Wait.END,
    ),
    "second part of the welcome glued to the reply": lambda reply: (
        Send(b"Welcome. "),
        Wait.MESSAGE,
        Send(b"A connection was made." + reply),
        Wait.END,
    ),
    "welcome without the word": lambda reply: (Send(b"hello\n"), Wait.MESSAGE, Send(reply), Wait.END),
    "welcome that is not UTF-8": lambda reply: (Send(b"\xff\xfe connection \xc3"), Wait.MESSAGE, Send(reply), Wait.END),
    "newline after the reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply + b"\r\n"), Wait.END),
    "newline before the reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(b"\r\n" + reply), Wait.END),
    "end of stream after the reply": lambda reply: (
        Send(WELCOME),
        Wait.MESSAGE,
        Send(reply),
        Finish.HALF_CLOSE,
        Wait.END,
    ),
    "close after the reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply), Finish.CLOSE),
    "more after the reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply + b" bye {"), Wait.END),
    "extra key": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(changed(reply, hint="well done")), Wait.END),
}


@pytest.mark.parametrize("script", FINISHES.values(), ids=FINISHES.keys())
@BOTH_CLIENTS
def test_finishes_all_the_same(clientid: int, script: Script) -> None:
    with scripted_server(*script(REPLIES[clientid])) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, *PATIENT)
    assert_done(client)
    assert len(peer.lines) == (1 if clientid == 1 else 0)
    assert server.came.endswith(b"}")


FINISHES_FRAMED: dict[str, Script] = {
    "as it should be": lambda reply: (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(reply)), Wait.END),
    "byte by byte": lambda reply: (Trickle(framed(WELCOME)), Wait.MESSAGE, Trickle(framed(reply)), Wait.END),
    "glued": lambda reply: (Send(framed(WELCOME) + framed(reply)), Wait.MESSAGE, Wait.END),
    "length begins with a brace": lambda reply: (
        Send(framed(WELCOME)),
        Wait.MESSAGE,
        Trickle(framed(padded(reply, 0x017B))),
        Wait.END,
    ),
}


@pytest.mark.parametrize("script", FINISHES_FRAMED.values(), ids=FINISHES_FRAMED.keys())
@BOTH_CLIENTS
def test_finishes_with_lengths_on_the_wire(clientid: int, script: Script) -> None:
    with scripted_server(*script(REPLIES[clientid])) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, *PATIENT, *FRAMED)
    assert_done(client)
    assert server.came == framed(server.came[4:])
    if clientid == 1:
        assert peer.came == framed(peer.came[4:])


NO_WELCOME: dict[str, Script] = {
    "no welcome": lambda reply: (Wait.MESSAGE, Send(reply), Wait.END),
    "no welcome, reply byte by byte": lambda reply: (Wait.MESSAGE, Trickle(reply), Wait.END),
    "welcome glued to the reply, after the message": lambda reply: (Wait.MESSAGE, Send(WELCOME + reply), Wait.END),
}


@pytest.mark.parametrize("script", NO_WELCOME.values(), ids=NO_WELCOME.keys())
@BOTH_CLIENTS
def test_finishes_without_a_welcome(clientid: int, script: Script) -> None:
    with scripted_server(*script(REPLIES[clientid])) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, "--timeout", "2")
    assert_done(client)
    assert "no welcome within 2 s" in client.out


@dataclass(frozen=True)
class Fails:
    """What the server does, what the line on standard error must hold, and at which arrows it may be noticed."""

    script: Script
    says: str
    at: tuple[dict[int, int], ...] = (REPLY_ARROW,)
    options: tuple[str, ...] = PATIENT


def answers(make: Callable[[bytes], bytes], says: str) -> Fails:
    """A server that does everything right except its reply."""
    return Fails(lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(make(reply)), Wait.END), says)


FAILS: dict[str, Fails] = {
    # nothing comes, or not in time
    "never a reply": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Wait.END), "no reply: .* no complete reply within", options=HASTY
    ),
    "never a word": Fails(lambda _: (Wait.MESSAGE, Wait.END), "no reply: .* no complete reply within", options=HASTY),
    "too late": Fails(
        lambda reply: (Send(WELCOME), Wait.MESSAGE, Wait.END, Send(reply)), "no reply: .* 0.5 s", options=HASTY
    ),
    "text for a reply": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Send(b"wrong format"), Wait.END), "no reply", options=HASTY
    ),
    # cut off
    "stops in the middle": Fails(
        lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply[:-1]), Wait.END), "reply was cut off: ", options=HASTY
    ),
    "closes in the middle": Fails(
        lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply[:100]), Finish.CLOSE),
        "reply was cut off: .* closed the connection",
    ),
    "resets in the middle": Fails(
        lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply[:100]), Pause(0.1), Finish.RESET), "connection reset"
    ),
    "length longer than the reply": Fails(
        lambda reply: (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(reply + b"  ")[:-2]), Wait.END),
        "reply was cut off: ",
        options=(*HASTY, *FRAMED),
    ),
    "length, closes in the middle": Fails(
        lambda reply: (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(reply)[:50]), Finish.CLOSE),
        "reply was cut off: .* closed",
        options=FRAMED,
    ),
    # goes away
    "closes at once": Fails(lambda _: (Finish.CLOSE,), "closed the connection before", (WELCOME_ARROW,)),
    "resets at once": Fails(lambda _: (Finish.RESET,), "connection reset", (WELCOME_ARROW,)),
    "closes in the welcome": Fails(
        lambda _: (Send(b"Welc"), Finish.CLOSE), 'sent "Welc" and closed the connection', (WELCOME_ARROW,)
    ),
    "closes after the welcome": Fails(
        lambda _: (Send(WELCOME), Finish.CLOSE), "closed the connection|connection reset", (MESSAGE_ARROW, REPLY_ARROW)
    ),
    "resets after the welcome": Fails(
        lambda _: (Send(WELCOME), Finish.RESET), "connection reset", (WELCOME_ARROW, MESSAGE_ARROW, REPLY_ARROW)
    ),
    "ends after the message": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Finish.HALF_CLOSE, Wait.END), "no reply: .* closed the conn"
    ),
    "closes after the message": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Finish.CLOSE), "no reply: .* closed the connection"
    ),
    "resets after the message": Fails(lambda _: (Send(WELCOME), Wait.MESSAGE, Finish.RESET), "connection reset"),
    # another program, or a server that says why it closes
    "full": Fails(
        lambda _: (Send(b"server is full, try later\r\n"), Finish.CLOSE),
        'sent "server is full, try later" and closed the connection. Try: read what it sent',
        (WELCOME_ARROW,),
    ),
    "full, with a reset": Fails(
        lambda _: (Send(b"server is full, try later"), Pause(0.1), Finish.RESET),
        'connection reset.*; before that it sent "server is full, try later"',
        (WELCOME_ARROW, MESSAGE_ARROW, REPLY_ARROW),
    ),
    "full, and says connection": Fails(
        lambda _: (Send(b"too many connections, try later"), Wait.MESSAGE, Finish.HALF_CLOSE, Wait.END),
        'no reply: .* closed the connection; before that it sent "too many connections, try later"',
    ),
    "full, after the message": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Send(b"server is full"), Finish.HALF_CLOSE, Wait.END),
        'no reply: .* sent "server is full" and closed the connection. Try: read what it sent; check the message',
    ),
    "Redis": Fails(
        lambda _: (Wait.MESSAGE, Send(b"-ERR unknown command '{\"studentnr1\":'\r\n"), Finish.HALF_CLOSE, Wait.END),
        'cut off: .* sent "-ERR unknown command \'{"studentnr1":\'" and closed .*is this the server\'s port',
        options=HASTY,
    ),
    "VNC": Fails(
        lambda _: (Send(b"RFB 003.008\n"), Wait.MESSAGE, Finish.HALF_CLOSE, Wait.END),
        "no reply: .* closed the connection.*is this the server's port",
    ),
    "a name in braces": answers(lambda _: b"Invalid message {studentnr1} expected", "Invalid message {studentnr1} exp"),
    "a name in braces in the welcome": Fails(lambda _: (Send(b"hello {client}"), Wait.END), ': "hello {client}"'),
    "SSH": Fails(
        lambda _: (Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Wait.END),
        'speaks SSH: it sent "SSH-2.0-OpenSSH_9.6".*is this the server\'s port',
        (WELCOME_ARROW,),
    ),
    "mail": Fails(lambda _: (Send(b"220 mail ESMTP\r\n"), Wait.END), "speaks FTP or SMTP", (WELCOME_ARROW,)),
    "HTTP": Fails(
        lambda _: (Wait.MESSAGE, Send(b"HTTP/1.1 400 Bad\r\n\r\n<style>a {b: c}</style>"), Finish.HALF_CLOSE, Wait.END),
        "speaks HTTP: it sent \"HTTP/1.1 400 Bad.*is this the server's port",
        options=HASTY,
    ),
    "HTTP that waits for the end of a line": Fails(
        lambda _: (Wait.END, Send(b"<!DOCTYPE HTML>\n<html>"), Finish.HALF_CLOSE),
        'speaks HTTP: it sent "<!DOCTYPE HTML>',
        options=("--timeout", "1"),
    ),
    "echo": Fails(
        lambda _: (Wait.MESSAGE, lambda line: line.socket.sendall(line.came), Wait.END),
        "sent our own message back, as an echo server does.*is this the server's port",
        options=HASTY,
    ),
    "JSON for a welcome": Fails(
        lambda _: (Send(b'{"welcome": "connection established"}'), Wait.END),
        'sent an object that is not a reply, because it has none of the .*: "{"welc.*is this the server\'s port',
    ),
    # another status
    "other status": answers(
        lambda reply: changed(reply, status="being thought about"), 'is "being thought about", not'
    ),
    "nearly the right status": answers(
        lambda reply: changed(reply, status=f"{'Finished successfully' if reply == REPLIES[2] else 'waiting'}!"),
        'the status is "[^"]+!", not',
    ),
    "the other client's status": answers(
        lambda reply: changed(
            reply, secret="f" * 64, status="Finished successfully" if reply == REPLIES[1] else "waiting for message 2"
        ),
        'the status is "[^"]+", not',
    ),
    "refused": answers(
        lambda reply: changed(reply, secret="", status="error: the numbers are not swapped"),
        "refused the message: the numbers are not swapped",
    ),
    # not a message
    "not JSON": answers(lambda _: b"{'studentnr1': '0923456'}", "it is not JSON"),
    "not JSON, brackets without end": answers(lambda _: b'{"a": ' + b"[" * 8000 + b"}", "it is not JSON"),
    "endless number": answers(lambda _: b'{"clientid": ' + b"1" * 5000 + b"}", "it is not JSON"),
    "not UTF-8": answers(lambda reply: reply.replace(b"Team1", b"Team\xe9"), "byte [0-9]+ is not UTF-8"),
    "lone surrogate": answers(
        lambda reply: reply.replace(b"Team1", rb"Team\ud800"), "its teamname holds half of a surrogate pair"
    ),
    "empty object": answers(lambda _: b"{ }", "it has none of the eight fields"),
    "length shorter than the reply": Fails(
        lambda reply: (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(reply[:-9]) + reply[-9:]), Wait.END),
        "it is not JSON",
        options=FRAMED,
    ),
    "length zero before the reply": Fails(
        lambda reply: (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(b"") + reply), Wait.END),
        "not a message",
        options=FRAMED,
    ),
    "no lengths where they are wanted": Fails(
        lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(reply), Wait.END), 'not a message: "Test gr', options=FRAMED
    ),
    # too large
    "endless object": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Send(b'{"a": "'), SendForever(b"x" * 1000)),
        "too large: it did not end within 8,192 bytes",
    ),
    "endless object behind a length": Fails(
        lambda _: (Send(WELCOME), Wait.MESSAGE, Send(b'\xff\xff\0\0{"a": "'), SendForever(b"x" * 1000)),
        "too large: it did not end within 8,192 bytes|that is not a message",  # the length is wrong at once
    ),
    "endless welcome": Fails(lambda _: (SendForever(b"connection! " * 99),), "that is not a message"),
    "endless welcome without the word": Fails(lambda _: (SendForever(b"hello! " * 99),), "that is not a message"),
    "endless zeros": Fails(lambda _: (SendForever(b"\0" * 1000),), "that is not a message"),
}


@pytest.mark.parametrize("case", FAILS.values(), ids=FAILS.keys())
@BOTH_CLIENTS
def test_says_what_failed(clientid: int, case: Fails) -> None:
    with scripted_server(*case.script(REPLIES[clientid])) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, *case.options)
    arrows = "|".join(str(arrow[clientid]) for arrow in case.at)
    assert_failed(client, case.says, rf"^tandem client: arrow ({arrows}) \(")
    assert peer.lines == [], "client 1 went to client 2 without the right status"


@BOTH_CLIENTS
def test_an_object_in_place_of_the_welcome_is_shown_at_once(clientid: int) -> None:
    with scripted_server(Send(b'{"a": "connection"}'), Wait.END) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, *PATIENT)
    assert_failed(client, "sent an object that is not a reply")
    assert 'no welcome, but "{"a": "connection"}"; sending the message anyway' in client.out
    assert "no welcome within" not in client.out


def test_the_welcome_of_a_server_without_lengths_is_shown_whole() -> None:
    with scripted_server(Send(WELCOME), Wait.MESSAGE, Wait.END) as server:
        client = meet(2, server, server, *PATIENT, *FRAMED)
    assert f"bytes: {WELCOME.decode()}\n" in client.out


@BOTH_CLIENTS
def test_no_server_listens(clientid: int) -> None:
    with scripted_server() as server, scripted_server(Wait.END) as peer:
        server.stop()
        client = meet(clientid, server, peer)
    arrow = WELCOME_ARROW[clientid]
    assert_failed(
        client, rf"arrow {arrow} \(server -> client {clientid}, welcome\)", "connection refused", server.address
    )


STEERING = "\x1b]0;owned\x07\x1b[2J\r\x08\x9b31m\u202e\u2028"

ESCAPES: dict[str, Script] = {
    "in the welcome": lambda reply: (Send(WELCOME + STEERING.encode()), Wait.MESSAGE, Send(reply), Wait.END),
    "in the reply": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(changed(reply, teamname=STEERING)), Wait.END),
    "in the status": lambda reply: (Send(WELCOME), Wait.MESSAGE, Send(changed(reply, status=STEERING)), Wait.END),
    "in an error": lambda reply: (
        Send(WELCOME),
        Wait.MESSAGE,
        Send(changed(reply, status=f"error: {STEERING}")),
        Wait.END,
    ),
    "in what is no message": lambda _: (Send(WELCOME), Wait.MESSAGE, Send(STEERING.encode()), SendForever(b"\x1b[2J")),
    "in what is not JSON": lambda _: (Send(WELCOME), Wait.MESSAGE, Send(f"{{{STEERING}}}".encode()), Wait.END),
}


@pytest.mark.parametrize("options", [("--verbose",), ("--format", "json")], ids=("text", "json"))
@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES.keys())
@BOTH_CLIENTS
def test_nothing_from_the_wire_steers_the_terminal(clientid: int, script: Script, options: tuple[str, ...]) -> None:
    with scripted_server(*script(REPLIES[clientid])) as server, scripted_server(Wait.END) as peer:
        client = meet(clientid, server, peer, *options)
    assert client.wait() in (0, 1)
    assert client.err.count("\n") == client.wait()
    assert_safe(client.out + client.err)
