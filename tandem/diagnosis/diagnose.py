"""From what came to the fields that could be read, and everything that is wrong or odd about them.

Pure and total: for any bytes it returns. A right message pays nothing for the rest. What needs the key or the
records (is this secret right?) is the judge's business, not decided here.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from tandem.diagnosis import rules
from tandem.diagnosis.problems import Problem
from tandem.diagnosis.recovery.findings import MAX_FINDINGS, in_order
from tandem.diagnosis.recovery.recover import recover
from tandem.protocol.message import FIELDS, TEXT_FIELDS, Message
from tandem.protocol.reader import COMPLETE, LIMIT, NEVER, Reader

_SPACE = b" \t\r\n"
_LOOPBACK = ("127.", "::1")


class Ending(Enum):
    """Why the ground stopped reading."""

    DECIDED = auto()  # the reader said COMPLETE or NEVER
    SILENCE = auto()  # nothing came for a while, in the middle of a message
    END_OF_STREAM = auto()  # the sender closed its side


class Diagnosis(NamedTuple):
    """What could be read, and what is wrong or odd about it. No problem: the message is right in itself."""

    message: Message  # fields that could not be read are "", clientid 0; never more than a reply can carry
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    repaired: Message | None = None  # the message that was probably meant: it has no problem any more


def diagnose(reader: Reader, ending: Ending, address: str = "") -> Diagnosis:
    """Reads what came; `address` is where it came from ("" if that is not known)."""
    if reader.state is COMPLETE and not reader.tail.strip(_SPACE):
        right = _read_right(reader, address)
        if right is not None:
            return right
    reading = recover(bytes(reader.received), _CAME_THEN[ending], address)
    readable = {name: value for name, value in reading.fields.items() if rules.is_repeatable(name, value)}
    problems = reading.problems
    if not reading.is_whole and _is_too_large(reader):
        before = problems[: MAX_FINDINGS - len(reading.remarks) - 1]
        problems = in_order((Problem("too-large", LIMIT, {"wanted": str(LIMIT)}), *before))
    if not problems:
        problems = (Problem("not-json", 0, {"found": bytes(reader.received[:60]).decode("latin-1")}),)
    return Diagnosis(Message(**readable), problems, reading.remarks, reading.meant)  # type: ignore[arg-type]


def _is_too_large(reader: Reader) -> bool:
    """Whether an object began, and did not end within the limit."""
    begins = bytes(reader.received[:LIMIT]).lstrip(_SPACE)[:1] == b"{"
    return begins and reader.state is NEVER and len(reader.received) >= LIMIT


_CAME_THEN = {
    Ending.DECIDED: "nothing more",
    Ending.SILENCE: "silence",
    Ending.END_OF_STREAM: "the end of the connection",
}

# The shape of eight members whose values are flat. What is not like this is no right message, and may take more memory
# to parse than there should be for one.
_MEMBER = rb'\s*+"(?:[^"\\]++|\\.)*+"\s*+:\s*+(?:"(?:[^"\\]++|\\.)*+"|[^][{}",\s]++)\s*+'
_EIGHT_MEMBERS = re.compile(rb"\{%b(?:,%b){7}\}" % (_MEMBER, _MEMBER), re.DOTALL).fullmatch
_pairs = json.JSONDecoder(object_pairs_hook=tuple).decode  # an object is a tuple then, and shows what it has twice


def _read_right(reader: Reader, address: str) -> Diagnosis | None:
    """The diagnosis of a right message; None if anything about it is wrong."""
    text = reader.text.strip(_SPACE)
    if not _EIGHT_MEMBERS(text):
        return None
    try:
        pairs = _pairs(text.decode())
    except ValueError:
        return None
    if type(pairs) is not tuple or len(pairs) != len(FIELDS):
        return None
    values = dict(pairs)
    if len(values) != len(FIELDS):
        return None
    try:
        message = Message(**values)
    except TypeError:  # a name that is not one of the eight
        return None
    if not rules.is_spotless(message):
        return _look_closer(message, reader, address)
    if message.ip == address and not address.startswith(_LOOPBACK):
        return Diagnosis(message)
    return Diagnosis(message, (), with_offsets(rules.remarks_on_ip(message.ip, address), reader.received))


def _look_closer(message: Message, reader: Reader, address: str) -> Diagnosis | None:
    """The same for a message that may be right but unusual: every rule is asked."""
    nulls = [name for name in ("secret", "status") if getattr(message, name) is None]
    for name in nulls:
        setattr(message, name, "")
    values = message.fields()
    if type(message.clientid) is not int or any(type(values[name]) is not str for name in TEXT_FIELDS):
        return None
    remarks = [Problem("null-as-empty", facts={"field": name}) for name in nulls]
    for problem in rules.check_fields(values, address):
        if not problem.is_remark:
            return None
        if problem.facts["field"] not in nulls:
            remarks.append(problem)
    return Diagnosis(message, (), with_offsets(remarks, reader.received))


def with_offsets(problems: Sequence[Problem], received: bytearray) -> tuple[Problem, ...]:
    """The problems, first things first. One without a place gets the one where the value of its field stands."""
    if not problems:
        return ()
    return in_order(
        problem
        if problem.at is not None or "field" not in problem.facts
        else replace(problem, at=_place_of(problem.facts["field"], received))
        for problem in problems
    )


_BEFORE_VALUE = {name: re.compile(rb'"%b"[ \t\r\n]*+:[ \t\r\n]*+"?+' % name.encode()) for name in FIELDS}


def _place_of(name: str, received: bytearray) -> int | None:
    """Where the value of a field begins, behind its quote. A right message has its name and a colon only once."""
    found = _BEFORE_VALUE[name].search(received)
    return found.end() if found else None
