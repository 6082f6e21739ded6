"""The seeds of the guided campaigns: the rows of the tests' tables, each in the form that its target reads."""

import json
from collections.abc import Callable, Iterator
from itertools import product

from fuzz.diagnosis import STARTS, UNITS
from fuzz.targets import diagnosis, reader
from fuzz.targets.script import MESSAGES as IN_SCRIPTS
from fuzz.targets.script import TIMES, Act, written
from fuzz.targets.stretch import UNSTRETCHED
from tandem.keys.secret import derive
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.records.visits import Team
from testing.messages.corpus import CASES, SECRET
from testing.messages.mutations import RIGHT
from testing.messages.pieces import PIECES
from testing.messages.working import MESSAGES
from testing.other_side import framed
from testing.reader_cases import COMPLETE_ONES, MESSAGE, MORE_ONES, NEVER_ONES, TAILS

SHORT = 1000  # bytes: longer rows are stretched out of short ones here


def _for_reader() -> Iterator[bytes]:
    whole = bytes(reader.CUTS)
    complete = [b"".join((*parts, tail)) for parts in COMPLETE_ONES.values() for tail in TAILS]
    for data in (*complete, *NEVER_ONES.values(), *MORE_ONES.values()):
        if len(data) < SHORT:
            yield whole + UNSTRETCHED + data
    for data in (b'{"a":"x"}', b"  {}", b'  "{}', framed(MESSAGE), b"{{}}", rb'{"\\"}', b"Welcome {}"):
        for size in (MAX_MESSAGE_BYTES - 1, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES + 1, MAX_MESSAGE_BYTES + 5):
            for at in (0, 128):
                yield bytes((1, 60, 130, 254)) + bytes((at, 1)) + size.to_bytes(2, "little") + data


def _for_diagnosis() -> Iterator[bytes]:
    plain = bytes(diagnosis.HEAD) + UNSTRETCHED
    right = [*RIGHT, *(message.data for message in MESSAGES), *(case.data for case in CASES)]
    for number, data in enumerate((*right, *messages_2())):
        if len(data) < SHORT:
            yield plain + data
            yield bytes((number % 5, number % 3, number % 256, number % 2)) + UNSTRETCHED + data
    for start in STARTS:
        for unit in UNITS:
            size = MAX_MESSAGE_BYTES - 2 if len(unit) == 1 else MAX_MESSAGE_BYTES // 8
            yield bytes(diagnosis.HEAD) + _repeated(start, unit, size)
    for end in (b"", b"x"):  # a right message, and behind what may be in it white space, and more
        yield bytes(diagnosis.HEAD) + _repeated(RIGHT[0], b" ", MAX_MESSAGE_BYTES + 100, end)


def messages_2() -> Iterator[bytes]:
    """Right and wrong ones, with the secret of a team: as it was given, under the older key, and by another team."""
    for number, (team, changes) in enumerate(product((diagnosis.OWN, diagnosis.OTHER, ALONE), CHANGES)):
        message = {
            "studentnr1": team.studentnr2,
            "studentnr2": team.studentnr1,
            "classname": team.classname,
            "clientid": 2,
            "teamname": team.teamname,
            "ip": diagnosis.ADDRESSES[number % 2] or "10.0.0.7",
            "secret": derive(diagnosis.KEYS[number % 2], team),
            "status": "waiting for message 2",
        }
        yield json.dumps(message | changes).encode()


ALONE = Team("INF2C", "Lonely Pirate", "0987654", "")
CHANGES: list[dict[str, str | int | None]] = [
    {},
    {},  # the same under the other key
    {"studentnr1": "0987654", "studentnr2": "1023456"},
    {"studentnr1": "0987654", "studentnr2": ""},
    {"studentnr1": "0987654", "studentnr2": "0987654"},
    {"studentnr2": "7777777"},
    {"teamname": "Packet Pirate"},
    {"classname": "INF2D", "teamname": "Others"},
    {"secret": SECRET},
    {"secret": "x"},
    {"status": None},
    {"clientid": 1},
    {"ip": "localhost"},
]


def _repeated(start: bytes, unit: bytes, size: int, end: bytes = b"") -> bytes:
    """The unit over and over between the start and the end, as stretch.py has it."""
    mark = -(-len(start) * 256 // (len(start + unit + end) + 1))
    return bytes((mark, len(unit))) + size.to_bytes(2, "little") + start + unit + end


def _for_loop() -> Iterator[bytes]:
    connect = written(Act.CONNECT, needs=b"\0")
    for how in (0, 1, 2, 0x80):
        for number in range(len(IN_SCRIPTS)):
            for then in _ENDINGS:
                yield bytes((how, 7)) + connect + written(Act.SEND_MESSAGE, needs=bytes((number,))) + then
    yield from (bytes((how, 7)) + connect + story for how in (0, 1, 2) for story in _STORIES)
    yield from (bytes((0, 1)) + connect * callers + then for callers in (2, 5) for then in _ENDINGS)


def _passing(seconds: float) -> bytes:
    return written(Act.PASS, needs=bytes((TIMES.index(seconds),)))


_CONFIRMED, _REFUSED = written(Act.SEND_MESSAGE, needs=b"\1"), written(Act.SEND_MESSAGE, needs=b"\10")
_ENDINGS = [  # behind a message
    b"",
    written(Act.KEEP),
    written(Act.FAIL),
    written(Act.END) + written(Act.KEEP),
    written(Act.LEAVE) + written(Act.KEEP),
    written(Act.RESET) + written(Act.KEEP),
    _passing(30.0) + written(Act.KEEP),
    *(written(Act.STOP, needs=bytes((which,))) + written(Act.KEEP) for which in range(3)),
    *(written(Act.CLOG, needs=bytes((which,)), at_once=True) + written(Act.KEEP) for which in range(3)),
]
_STORIES = [  # of one who has connected
    written(Act.SEND, needs=b"\1{"),
    written(Act.SEND, needs=b"\1{") + _passing(3.0),
    written(Act.SEND, needs=b"\1{") + written(Act.END),
    written(Act.SEND, needs=b"\2\x20\0") + _passing(0.2),
    written(Act.SEND, needs=b"\4\x20\0\0\0") + _passing(3.0),
    written(Act.SEND_MANY, needs=b" \xff"),
    written(Act.SEND_MANY, needs=b"{\x10") * 9,
    written(Act.SEND_PART, needs=b"\0\0\x80") + _passing(1.0) + written(Act.SEND_PART, needs=b"\0\x80\xff"),
    written(Act.END, at_once=True) + written(Act.RESET),
    written(Act.LEAVE),
    written(Act.RESET),
    _passing(900.0),
    written(Act.STOP, needs=b"\0") + _REFUSED,
    written(Act.STOP, needs=b"\0") + written(Act.STOP, needs=b"\1"),
    *(written(Act.REFUSE, needs=bytes((which,))) + written(Act.CONNECT, needs=b"\1") for which in range(2)),
    *(written(Act.RECALL, needs=bytes((which,))) + _REFUSED for which in range(4)),
    written(Act.CONNECT, needs=b"\2") + (_CONFIRMED + written(Act.LOOK)) * 2 + written(Act.FAIL) + written(Act.KEEP),
]

SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "reader": _for_reader,
    "diagnosis": _for_diagnosis,
    "loop": _for_loop,
}
WORDS = {  # what chance puts in, besides single bytes
    "reader": [word for word in PIECES if len(word) < 5],
    "diagnosis": UNITS,
    "loop": [word for word in PIECES if len(word) < 5],
}
