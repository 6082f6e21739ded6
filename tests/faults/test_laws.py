"""What judges others is judged itself: a lawful outcome passes, each broken law is seen."""

import json

import pytest

from testing.client_faults.laws import broken_laws
from testing.client_faults.runner import Outcome
from testing.client_faults.scenarios import Fault, Scenario
from testing.client_faults.scripts import PEER
from testing.clients import FINISHED, REPLY_1, REPLY_2, WAITING, WELCOME

CLIENT_1 = Scenario("0:0", 1, "text", ())
CLIENT_2 = Scenario("0:0", 2, "text", ())
HARMED = (Fault(PEER, "stop", (3,)),)

DONE_1 = Outcome(0, "client 1 is done; client 2's screen shows the rest\n", "", WELCOME + REPLY_1, REPLY_1, 0.1)
DONE_2 = Outcome(0, "client 2 is done\n", "", WELCOME + REPLY_2, b"", 0.1)
FAILED = Outcome(1, "", "tandem client: no reply. Try: start again\n", WELCOME, b"", 0.1)


def _with_status(reply: bytes, status: str) -> bytes:
    return json.dumps(json.loads(reply) | {"status": status}).encode()


LAWFUL = {
    "client 1 done": (CLIENT_1, DONE_1),
    "client 2 done": (CLIENT_2, DONE_2),
    "client 1 harmed": (CLIENT_1._replace(faults=HARMED), FAILED),
    "done all the same": (CLIENT_1._replace(faults=HARMED), DONE_1),
    "a reply glued to the welcome, and more": (CLIENT_2, DONE_2._replace(server_sent=b"{x" + REPLY_2 + b"\xff{")),
}

BROKEN = {
    "does not end": (CLIENT_1, FAILED._replace(code=None, err=""), "it ends"),
    "exit code 2": (CLIENT_1, FAILED._replace(code=2), "exit code"),
    "killed by a signal": (CLIENT_1, FAILED._replace(code=-11), "exit code"),
    "no line": (CLIENT_1, FAILED._replace(err=""), "one line"),
    "two lines": (CLIENT_1, FAILED._replace(err=FAILED.err * 2), "one line"),
    "traceback": (CLIENT_1, FAILED._replace(err="Traceback (most recent call last):\n"), "one line"),
    "a line though it worked": (CLIENT_2, DONE_2._replace(err=FAILED.err), "one line"),
    "an escape": (CLIENT_2, DONE_2._replace(out=DONE_2.out + "\x1b[2J\n"), "steers a terminal"),
    "no UTF-8": (CLIENT_2, DONE_2._replace(out=DONE_2.out + "\udcff\n"), "steers a terminal"),
    "done without a word": (CLIENT_2, DONE_2._replace(out=""), "says that it is done"),
    "done in words only": (CLIENT_2, FAILED._replace(out=DONE_2.out), "says that it is done"),
    "not sent": (CLIENT_2, DONE_2._replace(server_sent=WELCOME), "only if everything was there"),
    "sent in part": (CLIENT_2, DONE_2._replace(server_sent=REPLY_2[:-1]), "only if everything was there"),
    "another status": (
        CLIENT_2,
        DONE_2._replace(server_sent=_with_status(REPLY_2, WAITING)),
        "only if everything was there",
    ),
    "finished, but client 1": (
        CLIENT_1,
        DONE_1._replace(server_sent=_with_status(REPLY_1, FINISHED), handed_over=_with_status(REPLY_1, FINISHED)),
        "only if everything was there",
    ),
    "nothing handed over": (CLIENT_1, DONE_1._replace(handed_over=b""), "only if everything was there"),
    "handed over in part": (CLIENT_1, DONE_1._replace(handed_over=REPLY_1[:-1]), "only if everything was there"),
    "handed over changed": (
        CLIENT_1,
        DONE_1._replace(handed_over=REPLY_1.replace(b": ", b":")),
        "only if everything was there",
    ),
    "failed for nothing": (CLIENT_1, FAILED, "harmless faults"),
}


@pytest.mark.parametrize(("scenario", "outcome"), LAWFUL.values(), ids=LAWFUL.keys())
def test_a_lawful_outcome_passes(scenario: Scenario, outcome: Outcome) -> None:
    assert broken_laws(scenario, outcome) == []


@pytest.mark.parametrize(("scenario", "outcome", "law"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_law_is_seen(scenario: Scenario, outcome: Outcome, law: str) -> None:
    assert any(law in broken for broken in broken_laws(scenario, outcome))
