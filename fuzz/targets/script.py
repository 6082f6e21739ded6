"""A script of events for a server: any bytes are a script, and each of its bytes has a meaning.

Two bytes in front: how errors are told and how the welcome goes out; how many connections may be open. Then events,
each a byte: its act in the lower half, whose it is (0 to 7) in the next three bits, and whether the next event
happens before the server looks up again in the highest; then what the act needs.
"""

import json
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from fuzz.targets.diagnosis import KEYS, OTHER, OWN
from fuzz.targets.stretch import place
from tandem.keys.secret import derive
from tandem.protocol.framing import LENGTH, PLAIN, frame
from tandem.protocol.message import STATUS_WAITING
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.records.visits import Team
from tandem.server.serve_options import ERRORS
from testing.other_side import Finish, Send

HEAD = 2
MAX_EVENTS = 60
MAX_CALLERS = 12


class Act(IntEnum):
    """The kinds of events, and the meaning of their bytes."""

    CONNECT = 0  # from which of the ADDRESSES
    SEND = 1  # how many bytes, and they
    SEND_MESSAGE = 2  # which of the MESSAGES
    SEND_PART = 3  # which of the MESSAGES, from where, to where: in 256ths
    SEND_MANY = 4  # a byte, and how often; 255: as often as is too much
    END = 5  # closes the sending side
    LEAVE = 6  # reads what there is, and closes
    RESET = 7  # closes without having read
    PASS = 8  # which of the TIMES
    KEEP = 9  # the commit under way succeeds
    FAIL = 10  # it fails
    REFUSE = 11  # which of the REFUSALS the next accept gives
    CLOG = 12  # what becomes of the reply: which of the CLOGS
    RECALL = 13  # which of the RECALLS the records tell from now on
    STOP = 14  # which of the PATIENCES
    LOOK = 15  # the server looks up once more


_NEEDS = {Act.CONNECT: 1, Act.SEND_MESSAGE: 1, Act.SEND_PART: 3, Act.SEND_MANY: 2, Act.PASS: 1}
_NEEDS |= dict.fromkeys((Act.REFUSE, Act.CLOG, Act.RECALL, Act.STOP), 1)
_FINISHES = {Act.END: Finish.HALF_CLOSE, Act.LEAVE: Finish.CLOSE, Act.RESET: Finish.RESET}


class Event(NamedTuple):
    """One thing that happens."""

    act: Act
    who: int  # of those who have connected, the last ones first
    value: int  # an index, where the act needs one
    step: Send | Finish | None  # what a caller does, in the words of testing.other_side
    at_once: bool  # does the next event happen before the server looks up?


class Script(NamedTuple):
    """The whole story."""

    errors: str
    framing: str
    most: int
    events: list[Event]


def parse(data: bytes) -> Script:
    """The script that the bytes stand for. Missing bytes are zero; what is too much is not read."""
    how, most = data[:HEAD].ljust(HEAD, b"\0")
    events = list(_events(data[HEAD:]))
    return Script(ERRORS[how % len(ERRORS)], LENGTH if how & 0x80 else PLAIN, most % 8 + 1, events)


def written(event: Act, who: int = 0, needs: bytes = b"", at_once: bool = False) -> bytes:
    """An event as it stands in a script."""
    return bytes([event | who << 4 | at_once << 7]) + needs


def _events(data: bytes) -> Iterator[Event]:
    at = 0
    for _ in range(MAX_EVENTS):
        if at >= len(data):
            return
        act, who, at_once = Act(data[at] & 15), data[at] >> 4 & 7, data[at] >= 0x80
        needs = _NEEDS.get(act, 0)
        if act is Act.SEND:
            needs = 1 + int.from_bytes(data[at + 1 : at + 2], "little")
        given = data[at + 1 : at + 1 + needs].ljust(needs, b"\0")
        at += 1 + needs
        yield Event(act, who, given[0] if given else 0, _step(act, given), at_once)


def _step(act: Act, given: bytes) -> Send | Finish | None:
    if act is Act.SEND:
        return Send(given[1:])
    if act is Act.SEND_MANY:
        return Send(given[:1] * (given[1] if given[1] < 255 else MAX_MESSAGE_BYTES))
    if act in (Act.SEND_MESSAGE, Act.SEND_PART):
        message = MESSAGES[given[0] % len(MESSAGES)]
        start, stop = (place(mark, len(message)) for mark in (given[1:] or (0, 255)))
        return Send(message[start:stop])
    return _FINISHES.get(act)


def _message(team: Team, clientid: int = 1, **changes: str | None) -> bytes:
    """Message 1 of a team; or its message 2, as it follows from the server's reply."""
    numbers = (team.studentnr1, team.studentnr2) if clientid == 1 else (team.studentnr2, team.studentnr1)
    fields = {
        "studentnr1": numbers[0],
        "studentnr2": numbers[1],
        "classname": team.classname,
        "clientid": clientid,
        "teamname": team.teamname,
        "ip": "192.0.2.7",
        "secret": derive(KEYS[0], team) if clientid == 2 else "",
        "status": STATUS_WAITING if clientid == 2 else "",
    }
    return json.dumps(fields | changes).encode()


ALONE = Team("INF2C", "Lonely Pirate", "0987654", "")
_MESSAGE_1, _MESSAGE_2 = _message(OWN), _message(OWN, 2)
MESSAGES = (
    _MESSAGE_1,
    _MESSAGE_2,
    frame(_MESSAGE_1, LENGTH),
    frame(_MESSAGE_2, LENGTH),
    _message(ALONE),
    _message(ALONE, 2),
    _message(OTHER, 2, ip="192.0.2.8"),
    _message(OWN, 2, studentnr1=OWN.studentnr1, studentnr2=OWN.studentnr2),  # not swapped
    _message(OWN, 2, teamname="Packet Pirate"),  # changed
    _message(OWN, 2, secret=derive(KEYS[1], OWN)),  # under the older key
    _message(OWN, 2, secret="0" * 64),
    _message(OWN, 2, status=None),
    _MESSAGE_1[:-1],  # never closed
    _MESSAGE_2 + b"\n",
    _MESSAGE_2 + b"x",
    _MESSAGE_1.replace(b'", "ip"', b'" "ip"'),
)
ADDRESSES = ("192.0.2.7", "192.0.2.8", "::ffff:192.0.2.7", "2001:db8::7", "fe80::1%eth0")
UNTIL_DUE = 0.0
TIMES = (UNTIL_DUE, 0.05, 0.2, 0.5, 1.0, 3.0, 5.0, 30.0, 60.0, 900.0)  # seconds
PATIENCES = (5.0, 0.0, 0.3)  # seconds
