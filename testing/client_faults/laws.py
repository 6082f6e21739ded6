"""Laws that hold however the other sides behave. Independent of the clients' code: own reading, own words.

Where it cannot be told whether a client has to finish, both ends are lawful, a false "finished" never.
"""

import json

from testing.client_faults.runner import Outcome
from testing.client_faults.scenarios import Scenario
from testing.client_faults.scripts import PEER
from testing.clients import FINISHED, WAITING
from testing.other_side import Finish, Script

DONE = " is done"
FIELDS = {"studentnr1", "studentnr2", "classname", "clientid", "teamname", "ip", "secret", "status"}


def broken_laws(scenario: Scenario, outcome: Outcome) -> list[str]:
    """Return the laws that this outcome breaks, in words."""
    code, out, err = outcome.code, outcome.out, outcome.err
    laws = {
        "it ends": code is not None,
        "its exit code is 0 or 1": code in (0, 1, None),
        "one line on standard error says why, none that it worked": _lines_are_right(code, err),
        "nothing on the screen steers a terminal": (out + err).replace("\n", "").isprintable(),
        "it says that it is done when it is, and only then": (DONE in out) == (code == 0),
        "it has finished only if everything was there": code != 0 or _may_be_done(scenario, outcome),
        "harmless faults do not keep it from finishing": code == 0 or not scenario.is_harmless,
    }
    return [law for law, holds in laws.items() if not holds]


def _lines_are_right(code: int | None, err: str) -> bool:
    if code == 1:
        return err.startswith("tandem client: ") and err.endswith("\n") and err.count("\n") == 1
    return err == ""


def _may_be_done(scenario: Scenario, outcome: Outcome) -> bool:
    """Return whether the server sent the right status, and client 1 handed over the bytes that it had sent."""
    if scenario.client == 2:
        return FINISHED in _statuses(outcome.server_sent)
    if _hides_the_loss(scenario.script(PEER)):
        return WAITING in _statuses(outcome.server_sent)
    handed_over = outcome.handed_over
    return bool(handed_over) and handed_over in outcome.server_sent and WAITING in _statuses(handed_over)


def _hides_the_loss(peer: Script) -> bool:
    """Return whether client 2 shuts its side and throws away later what it has not received. No client can tell."""
    return Finish.HALF_CLOSE in peer and (Finish.CLOSE in peer or Finish.RESET in peer)


def _statuses(data: bytes) -> set[str]:
    """Return the status of every object with the eight fields that begins anywhere in these bytes."""
    text = data.decode(errors="replace")
    found = set()
    for begin, character in enumerate(text):
        if character == "{":
            try:
                value, _ = json.JSONDecoder().raw_decode(text, begin)
            except (ValueError, RecursionError):
                continue
            if value.keys() >= FIELDS and isinstance(value["status"], str):
                found.add(value["status"])
    return found
