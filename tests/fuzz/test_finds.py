"""What the guided campaigns found: the input that showed it."""

from importlib import import_module
from typing import NamedTuple

import pytest

from fuzz.targets.diagnosis import KEYS, OWN
from fuzz.targets.script import MESSAGES, Act, written
from fuzz.targets.stretch import UNSTRETCHED
from tandem.keys.secret import derive

MESSAGE_1, MESSAGE_2 = b"\0", b"\1"  # which of the MESSAGES
HALF = b"\0"  # which of the CLOGS
OWN_TEAM_ON_RECORD = b"\0\1\0\0"
UNKNOWN_KEY = derive(b"x" * 32, OWN).encode()


class Find(NamedTuple):
    """An input that broke a law once."""

    what: str
    target: str
    data: bytes


def story(*events: bytes) -> bytes:
    """What happens to one who has connected, to a server that explains."""
    return b"\0\7" + written(Act.CONNECT, needs=b"\0") + b"".join(events)


FINDS = [
    Find(
        "the key of a secret has been rotated away, its team is on record: nothing was found wrong, and that raised",
        "diagnosis",
        OWN_TEAM_ON_RECORD + UNSTRETCHED + MESSAGES[1].replace(derive(KEYS[0], OWN).encode(), UNKNOWN_KEY),
    ),
    Find(
        "a commit ends when the loop has ended: waking it raised in the recorder's thread",
        "loop",
        story(written(Act.SEND_MESSAGE, needs=MESSAGE_2, at_once=True), written(Act.RESET)),
    ),
    Find(
        "a reply does not fit into the socket: the visit was recorded twice",
        "loop",
        story(written(Act.CLOG, needs=HALF), written(Act.SEND_MESSAGE, needs=MESSAGE_1)),
    ),
]


@pytest.mark.parametrize("find", FINDS, ids=lambda find: find.what)
def test_what_a_campaign_found_does_not_come_back(find: Find) -> None:
    import_module(f"fuzz.targets.{find.target}").run(find.data)
