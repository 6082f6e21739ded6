"""Both clients against a ground that does everything it should not. A row: what the ground does, what the client says.

The scripts are for both clients: `reply` stands for the right reply to whoever comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from testing.clients import REPLIES, WELCOME, assert_done, assert_failed, assert_safe, meet
from testing.other_side import (
    Step,
    changed,
    close,
    end,
    endless,
    framed,
    message,
    reset,
    send,
    server,
    silence,
    trickle,
    until_end,
    without,
)
from testing.processes import LIMIT

Script = Callable[[bytes], Sequence[Step]]

WELCOME_ARROW = {1: 1, 2: 5}  # by client id
MESSAGE_ARROW = {1: 2, 2: 6}
REPLY_ARROW = {1: 3, 2: 7}

PATIENT = ("--timeout", str(LIMIT))
HASTY = ("--timeout", "0.5")  # where nothing is going to come
ON_WIRE = ("--on-wire", "length")
BOTH_CLIENTS = pytest.mark.parametrize("clientid", [1, 2])


def padded(reply: bytes, size: int) -> bytes:
    """The reply with so much white space inside that it has `size` bytes."""
    return b"{" + b" " * (size - len(reply)) + reply[1:]


FINISHES: dict[str, Script] = {
    "as it should be": lambda reply: (send(WELCOME), message, send(reply), until_end),
    "welcome byte by byte": lambda reply: (trickle(WELCOME), message, send(reply), until_end),
    "reply byte by byte": lambda reply: (send(WELCOME), message, trickle(reply), until_end),
    "reply in two pieces": lambda reply: (send(WELCOME), message, send(reply[:9]), silence(0.1), send(reply[9:])),
    "reply glued to the welcome, too early": lambda reply: (send(WELCOME + reply), message, until_end),
    "late reply": lambda reply: (send(WELCOME), message, silence(0.7), send(reply), until_end),
    "late welcome": lambda reply: (silence(0.7), send(WELCOME), message, send(reply), until_end),
    "welcome in two parts": lambda reply: (
        send(b"Welcome. A "),
        silence(0.1),
        send(b"connection was made."),
        message,
        send(reply),
        until_end,
    ),
    "second part of the welcome after the message": lambda reply: (
        send(b"Welcome. "),
        message,
        send(b"A connection was made."),
        silence(0.1),
        send(reply),
        until_end,
    ),
    "second part of the welcome glued to the reply": lambda reply: (
        send(b"Welcome. "),
        message,
        send(b"A connection was made." + reply),
        until_end,
    ),
    "welcome without the word": lambda reply: (send(b"hello\n"), message, send(reply), until_end),
    "welcome that is not UTF-8": lambda reply: (send(b"\xff\xfe connection \xc3"), message, send(reply), until_end),
    "newline after the reply": lambda reply: (send(WELCOME), message, send(reply + b"\r\n"), until_end),
    "newline before the reply": lambda reply: (send(WELCOME), message, send(b"\r\n" + reply), until_end),
    "end of stream after the reply": lambda reply: (send(WELCOME), message, send(reply), end, until_end),
    "close after the reply": lambda reply: (send(WELCOME), message, send(reply), close),
    "more after the reply": lambda reply: (send(WELCOME), message, send(reply + b" bye {"), until_end),
    "extra key": lambda reply: (send(WELCOME), message, send(changed(reply, hint="well done")), until_end),
    "framed welcome": lambda reply: (send(framed(WELCOME)), message, send(reply), until_end),
    "framed welcome byte by byte": lambda reply: (trickle(framed(WELCOME)), message, send(reply), until_end),
    "framed reply": lambda reply: (send(WELCOME), message, send(framed(reply)), until_end),
    "both framed": lambda reply: (send(framed(WELCOME)), message, send(framed(reply)), until_end),
    "both framed and glued": lambda reply: (send(framed(WELCOME) + framed(reply)), message, until_end),
    "length begins with a brace": lambda reply: (
        send(framed(WELCOME)),
        message,
        trickle(framed(padded(reply, 0x017B))),
        until_end,
    ),
}


@pytest.mark.parametrize("script", FINISHES.values(), ids=FINISHES.keys())
@BOTH_CLIENTS
def test_finishes_all_the_same(clientid: int, script: Script) -> None:
    with server(*script(REPLIES[clientid])) as ground, server(until_end) as peer:
        client = meet(clientid, ground, peer, *PATIENT)
    assert_done(client)
    assert len(peer.lines) == (1 if clientid == 1 else 0)
    assert ground.came.endswith(b"}")


@pytest.mark.parametrize("name", ["as it should be", "both framed", "framed reply", "length begins with a brace"])
@BOTH_CLIENTS
def test_finishes_with_lengths_on_the_wire(clientid: int, name: str) -> None:
    with server(*FINISHES[name](REPLIES[clientid])) as ground, server(until_end) as peer:
        client = meet(clientid, ground, peer, *PATIENT, *ON_WIRE)
    assert_done(client)
    assert ground.came == framed(ground.came[4:])


NO_WELCOME: dict[str, Script] = {
    "no welcome": lambda reply: (message, send(reply), until_end),
    "no welcome, framed reply": lambda reply: (message, send(framed(reply)), until_end),
    "no welcome, reply byte by byte": lambda reply: (message, trickle(reply), until_end),
    "welcome glued to the reply, after the message": lambda reply: (message, send(WELCOME + reply), until_end),
    "framed and glued, after the message": lambda reply: (message, send(framed(WELCOME) + framed(reply)), until_end),
}


@pytest.mark.parametrize("script", NO_WELCOME.values(), ids=NO_WELCOME.keys())
@BOTH_CLIENTS
def test_finishes_without_a_welcome(clientid: int, script: Script) -> None:
    with server(*script(REPLIES[clientid])) as ground, server(until_end) as peer:
        client = meet(clientid, ground, peer, "--timeout", "2")
    assert_done(client)
    assert "no welcome within 2 s" in client.out


@dataclass(frozen=True)
class Fails:
    """What the ground does, what the line on standard error must hold, and at which arrows it may be noticed."""

    script: Script
    says: str
    at: tuple[dict[int, int], ...] = (REPLY_ARROW,)
    options: tuple[str, ...] = PATIENT


def answers(make: Callable[[bytes], bytes], says: str) -> Fails:
    """A ground that does everything right but for its reply."""
    return Fails(lambda reply: (send(WELCOME), message, send(make(reply)), until_end), says)


FAILS: dict[str, Fails] = {
    # nothing comes, or not in time
    "never a reply": Fails(
        lambda _: (send(WELCOME), message, until_end), "no reply: .* no whole reply within", options=HASTY
    ),
    "never a word": Fails(lambda _: (message, until_end), "no reply: .* no whole reply within", options=HASTY),
    "too late": Fails(
        lambda reply: (send(WELCOME), message, until_end, send(reply)), "no reply: .* 0.5 s", options=HASTY
    ),
    "text for a reply": Fails(
        lambda _: (send(WELCOME), message, send(b"wrong format"), until_end), "no reply", options=HASTY
    ),
    # cut off
    "stops in the middle": Fails(
        lambda reply: (send(WELCOME), message, send(reply[:-1]), until_end), "reply was cut off: ", options=HASTY
    ),
    "closes in the middle": Fails(
        lambda reply: (send(WELCOME), message, send(reply[:100]), close), "reply was cut off: .* closed the connection"
    ),
    "resets in the middle": Fails(
        lambda reply: (send(WELCOME), message, send(reply[:100]), silence(0.1), reset), "connection reset"
    ),
    "length longer than the reply": Fails(
        lambda reply: (send(WELCOME), message, send(framed(reply + b"  ")[:-2]), until_end),
        "reply was cut off: ",
        options=HASTY,
    ),
    "length, closes in the middle": Fails(
        lambda reply: (send(WELCOME), message, send(framed(reply)[:50]), close), "reply was cut off: .* closed"
    ),
    # goes away
    "closes at once": Fails(lambda _: (close,), "closed the connection before", (WELCOME_ARROW,)),
    "resets at once": Fails(lambda _: (reset,), "connection reset", (WELCOME_ARROW,)),
    "closes in the welcome": Fails(lambda _: (send(b"Welc"), close), "closed the connection before", (WELCOME_ARROW,)),
    "closes after the welcome": Fails(
        lambda _: (send(WELCOME), close), "closed the connection|connection reset", (MESSAGE_ARROW, REPLY_ARROW)
    ),
    "resets after the welcome": Fails(
        lambda _: (send(WELCOME), reset), "connection reset", (WELCOME_ARROW, MESSAGE_ARROW, REPLY_ARROW)
    ),
    "ends after the message": Fails(lambda _: (send(WELCOME), message, end, until_end), "no reply: .* closed the conn"),
    "closes after the message": Fails(lambda _: (send(WELCOME), message, close), "no reply: .* closed the connection"),
    "resets after the message": Fails(lambda _: (send(WELCOME), message, reset), "connection reset"),
    # another status
    "other status": answers(
        lambda reply: changed(reply, status="being thought about"), 'is "being thought about", not'
    ),
    "empty status": answers(lambda reply: changed(reply, status=""), 'the status is "", not'),
    "nearly the right status": answers(
        lambda reply: changed(reply, status=f"{'Finished successfully' if reply == REPLIES[2] else 'waiting'}!"),
        'the status is "[^"]+!", not',
    ),
    "the other client's status": answers(
        lambda reply: changed(
            reply, status="Finished successfully" if reply == REPLIES[1] else "waiting for message 2"
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
    "missing field": answers(lambda reply: without(reply, "secret"), "it has no secret"),
    "empty object": answers(lambda _: b"{ }", "it has no studentnr1 and no "),
    "null secret": answers(lambda reply: changed(reply, secret=None), "its secret is not text"),
    "null status": answers(lambda reply: changed(reply, status=None), "its status is not text"),
    "number for text": answers(lambda reply: changed(reply, studentnr1=923456), "its studentnr1 is not text"),
    "text for a number": answers(lambda reply: changed(reply, clientid="1"), "its clientid is not a number"),
    "true for a number": answers(lambda reply: changed(reply, clientid=True), "its clientid is not a number"),
    "length shorter than the reply": answers(lambda reply: framed(reply[:-9]) + reply[-9:], "it is not JSON"),
    "length zero before the reply": answers(lambda reply: framed(b"") + reply, "no message"),
    # too large
    "endless object": Fails(
        lambda _: (send(WELCOME), message, send(b'{"a": "'), endless(b"x" * 1000)), "too large: after 8,192 bytes"
    ),
    "endless object behind a length": Fails(
        lambda _: (send(WELCOME), message, send(b'\xff\xff\0\0{"a": "'), endless(b"x" * 1000)),
        "too large: after 8,192 bytes|that is no message",  # the length is wrong already; more may have come or not
    ),
    "endless welcome": Fails(lambda _: (endless(b"connection! " * 99),), "that is no message"),
    "endless welcome without the word": Fails(lambda _: (endless(b"hello! " * 99),), "that is no message"),
    "endless zeros": Fails(lambda _: (endless(b"\0" * 1000),), "that is no message"),
}


@pytest.mark.parametrize("case", FAILS.values(), ids=FAILS.keys())
@BOTH_CLIENTS
def test_says_what_failed(clientid: int, case: Fails) -> None:
    with server(*case.script(REPLIES[clientid])) as ground, server(until_end) as peer:
        client = meet(clientid, ground, peer, *case.options)
    arrows = "|".join(str(arrow[clientid]) for arrow in case.at)
    assert_failed(client, case.says, rf"^tandem client: arrow ({arrows}) \(")
    assert peer.lines == [], "client 1 went to client 2 without the right status"


@BOTH_CLIENTS
def test_nobody_listens_at_the_ground(clientid: int) -> None:
    with server() as ground, server(until_end) as peer:
        ground.stop()
        client = meet(clientid, ground, peer)
    arrow = WELCOME_ARROW[clientid]
    assert_failed(
        client, rf"arrow {arrow} \(server -> client {clientid}, welcome\)", "connection refused", ground.address
    )


STEERING = "\x1b]0;owned\x07\x1b[2J\r\x08\x9b31m\u202e\u2028"

ESCAPES: dict[str, Script] = {
    "in the welcome": lambda reply: (send(WELCOME + STEERING.encode()), message, send(reply), until_end),
    "in the reply": lambda reply: (send(WELCOME), message, send(changed(reply, teamname=STEERING)), until_end),
    "in the status": lambda reply: (send(WELCOME), message, send(changed(reply, status=STEERING)), until_end),
    "in an error": lambda reply: (send(WELCOME), message, send(changed(reply, status=f"error: {STEERING}")), until_end),
    "in what is no message": lambda _: (send(WELCOME), message, send(STEERING.encode()), endless(b"\x1b[2J")),
    "in what is not JSON": lambda _: (send(WELCOME), message, send(f"{{{STEERING}}}".encode()), until_end),
}


@pytest.mark.parametrize("options", [("--verbose",), ("--format", "json")], ids=("text", "json"))
@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES.keys())
@BOTH_CLIENTS
def test_nothing_from_the_wire_steers_the_terminal(clientid: int, script: Script, options: tuple[str, ...]) -> None:
    with server(*script(REPLIES[clientid])) as ground, server(until_end) as peer:
        client = meet(clientid, ground, peer, *options)
    assert client.wait() in (0, 1)
    assert client.err.count("\n") == client.wait()
    assert_safe(client.out + client.err)
