"""Every reply that is an object: what both clients make of it, field by field, and the line that they end with."""

import json
from collections.abc import Callable

import pytest

from tandem.client import client2
from tandem.client.__main__ import main
from tandem.client.other_programs import why_not_client_2
from tandem.protocol.framing import PLAIN
from tandem.protocol.message import FIELDS, TEXT_FIELDS, decode, refusal_in
from testing.clients import REPLIES, REPLY_1, WELCOME
from testing.other_side import Finish, Send, Wait, changed, framed, scripted_server, without
from testing.processes import team_options

Capture = pytest.CaptureFixture[str]
Make = Callable[[bytes], bytes]

NO_REPLY = "sent an object that is not a reply, because "
REFUSAL = "error: teamname is empty - give it; ip is `x` - leave it out; secret is gone - send it"
REFUSED = "the server refused the message: teamname is empty (and 2 more, shown above). Try: give it"


def missing(name: str) -> Make:
    return lambda reply: without(reply, name)


def with_value(name: str, value: object) -> Make:
    return lambda reply: changed(reply, **{name: value})


def refusal_without(*names: str) -> Make:
    return lambda reply: without(changed(reply, secret="", status=REFUSAL), *names)


FAILS: dict[str, tuple[Make, str]] = {  # the reply, made from the right one, and the line on standard error
    **{f"no {name}": (missing(name), f"{NO_REPLY}it has no {name}: ") for name in FIELDS},
    **{f"number {name}": (with_value(name, 5), f"{NO_REPLY}its {name} is not text: ") for name in TEXT_FIELDS},
    **{f"null {name}": (with_value(name, None), f"{NO_REPLY}its {name} is not ") for name in FIELDS},
    "clientid in quotes": (with_value("clientid", "1"), f"{NO_REPLY}its clientid is not a number: "),
    "clientid true": (with_value("clientid", True), f"{NO_REPLY}its clientid is not a number: "),
    "clientid 1.0": (with_value("clientid", 1.0), f"{NO_REPLY}its clientid is 1.0: a number, but not an integer"),
    "refusal": (refusal_without(), REFUSED),
    **{f"refusal without {name}": (refusal_without(name), REFUSED) for name in FIELDS if name != "status"},
    "refusal alone": (refusal_without(*(set(FIELDS) - {"status"})), REFUSED),
    "refusal with null": (lambda reply: changed(refusal_without()(reply), secret=None, ip=None), REFUSED),
    "refusal without a hint": (
        with_value("status", "error: bad class; bad team"),
        "bad class (and 1 more, shown above)",
    ),
    "refusal without a word": (with_value("status", "error: "), "the server refused the message: "),
    "other status": (with_value("status", "thinking"), 'the status is "thinking", not "'),
    "status in capitals": (with_value("status", "FINISHED SUCCESSFULLY"), 'the status is "FINISHED SUCCESSFULLY", not'),
    "empty status": (with_value("status", ""), 'the status is "", not "'),
    "half of it": (lambda reply: reply[:90], "the reply was cut off: the server at 127.0.0.1:"),
    "a text in a text": (
        lambda reply: json.dumps(reply.decode()).encode(),
        "the reply is a text with an object in it: ",
    ),
    "in another object": (lambda reply: b'{"data": %b}' % reply, f"{NO_REPLY}it has none of the eight fields"),
}
DONE: dict[str, Make] = {
    "as it should be": lambda reply: reply,
    "one field more": with_value("hint", {"a": [1]}),
    "secret of another form": with_value("secret", "?"),
    "in a list": lambda reply: b"[%b]" % reply,
}


@pytest.fixture(autouse=True)
def handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let client 2 begin with what client 1 handed over."""
    monkeypatch.setattr(client2, "await_handover", lambda *_: decode(REPLY_1))


def ends(clientid: int, reply: bytes, capsys: Capture) -> tuple[int, str, str, list[bytes]]:
    """Run a client against a server with this reply. Return its exit code, what it printed, what client 2 was sent."""
    script = (Send(WELCOME), Wait.MESSAGE, Send(reply), Finish.HALF_CLOSE, Wait.END)
    with scripted_server(*script) as server, scripted_server(Wait.END) as peer:
        to_peer = ("--peer", peer.address) if clientid == 1 else ()
        code = main([str(clientid), *team_options(), "--server", server.address, *to_peer])
    out, err = capsys.readouterr()
    return code, out, err, [line.came for line in peer.lines]


@pytest.mark.parametrize("clientid", [1, 2])
@pytest.mark.parametrize(("make", "says"), FAILS.values(), ids=FAILS.keys())
def test_fails(clientid: int, make: Make, says: str, capsys: Capture) -> None:
    code, out, err, handed = ends(clientid, make(REPLIES[clientid]), capsys)
    assert (code, handed) == (1, [])
    assert err.startswith(f"tandem client: arrow {3 if clientid == 1 else 7} (server -> client {clientid}, ")
    assert (says in err, err.count("\n"), ". Try: " in err) == (True, 1, True), err
    assert " is done" not in out


@pytest.mark.parametrize("clientid", [1, 2])
@pytest.mark.parametrize("make", DONE.values(), ids=DONE.keys())
def test_done(clientid: int, make: Make, capsys: Capture) -> None:
    code, out, err, _ = ends(clientid, make(REPLIES[clientid]), capsys)
    assert (code, err) == (0, "")
    assert f"client {clientid} is done: " in out.splitlines()[-1]


def test_a_reply_without_a_secret_is_not_handed_over(capsys: Capture) -> None:
    code, _, err, handed = ends(1, changed(REPLY_1, secret=""), capsys)
    assert (code, handed) == (1, [])
    assert 'the status is "waiting for message 2", but the secret is empty' in err


def test_a_length_before_the_welcome_is_named(capsys: Capture) -> None:
    script = (Send(framed(WELCOME)), Wait.MESSAGE, Send(framed(REPLY_1)), Wait.END)
    with scripted_server(*script) as server, scripted_server(Wait.END) as peer:
        assert main(["1", *team_options(), "--server", server.address, "--peer", peer.address]) == 0
    assert (
        "a length comes before the welcome: if the server wants lengths, use --framing length"
        in capsys.readouterr().out
    )


def test_each_problem_has_a_line(capsys: Capture) -> None:
    _, out, _, _ = ends(1, changed(REPLY_1, secret="", status=REFUSAL), capsys)
    problems = [line.strip() for line in out.splitlines() if line.startswith("     - ")]
    assert problems == [f"- {problem}" for problem in REFUSAL.removeprefix("error: ").split("; ")]


ANSWERS: dict[str, tuple[bytes, bool]] = {  # what came back after the handover, whether it is a server's refusal
    "a refusal": (refusal_without()(REPLY_1), True),
    **{f"a refusal without {name}": (refusal_without(name)(REPLY_1), name != "status") for name in FIELDS},
    "a refusal with null": (changed(refusal_without()(REPLY_1), secret=None), True),
    "a refusal alone": (b'{"status": "error: no"}', True),
    "a status that begins otherwise": (b'{"status": "errors: 0"}', False),
    "a status that is no text": (b'{"status": ["error: no"]}', False),
    "an object of its own": (b'{"hello": 1}', False),
    "a list": (b'["error: no"]', False),
    "not JSON": (b"{'status': 'error: no'}", False),
    "not UTF-8": (b'{"status": "error: \xff"}', False),
    "brackets without end": (b'{"status": ' + b"[" * 8000 + b"}", False),
    "a text in a text": (json.dumps('{"status": "error: no"}').encode(), False),
}


@pytest.mark.parametrize(("answer", "is_refusal"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_refusal_is_known_by_its_status(answer: bytes, is_refusal: bool) -> None:
    assert (refusal_in(answer) != "") == is_refusal
    assert ("it answered as the server does" in why_not_client_2(answer, REPLY_1, PLAIN)) == is_refusal
