"""From the bytes of one visit to its message, and everything that is wrong or odd about it.

Pure. Any bytes give a diagnosis and no exception, in time proportional to their number. A right message is read by
`_read_right` alone. Of any other one `recover` reads as much as it can, layer by layer (recovery/). What needs the
server's key or the records is checked by the server's judge.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from tandem.diagnosis import rules
from tandem.diagnosis.problem import MAX_FINDINGS, Edit, Findings, Problem, in_order
from tandem.diagnosis.recovery.envelope import BACKTICKS, Place, find_object, to_text
from tandem.diagnosis.recovery.fields import FieldReader, meant_field
from tandem.diagnosis.recovery.members import MemberReader, ObjectEnd
from tandem.diagnosis.recovery.scanner import SPACE, Scanner
from tandem.net.proxy_header import end_of_headers, version_of
from tandem.protocol.framing import LENGTH, LENGTH_BYTES
from tandem.protocol.message import FIELDS, TEXT_FIELDS, Message
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA, Reader

_SPACE = b" \t\r\n"
_HEADER_BEGINS = (b"P", b"\r")  # the first byte of a PROXY header, of version 1 and 2
_MAX_SHOWN = 60  # characters of unknown content in a fact


class Ending(Enum):
    """The reason why the server stopped reading."""

    DECIDED = auto()  # the reader's state is final
    SILENCE = auto()  # nothing came for a while, in the middle of a message
    END_OF_STREAM = auto()  # the sender closed its side


class Diagnosis(NamedTuple):
    """The fields that could be read, with problems and remarks. Without problems the message is right in itself."""

    message: Message  # fields that could not be read are "", clientid 0; never more than a reply can carry
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    repaired: Message | None = None  # the message that was probably meant; no rule finds a problem in it


def diagnose(reader: Reader, ending: Ending, address: str = "") -> Diagnosis:
    """Diagnose what the reader received from `address` ("" if not known). A final state of the reader is DECIDED."""
    if reader.state is COMPLETE and not reader.tail.strip(_SPACE):
        right = _read_right(reader, address)
        if right is not None:
            return right
    if reader.state is not NEED_DATA:
        ending = Ending.DECIDED  # the answer is the same for silence and for the end of the stream
    recovered = recover(_looked_at(reader), ending, address, reader.framing)
    problems = recovered.problems
    if not recovered.is_whole and _is_too_large(reader):
        too_large = Problem("too-large", MAX_MESSAGE_BYTES, {"wanted": str(MAX_MESSAGE_BYTES)})
        problems = in_order((too_large, *problems[: MAX_FINDINGS - len(recovered.remarks) - 1]))
    if not problems:
        problems = (Problem("not-json", 0, {"found": bytes(reader.received[:_MAX_SHOWN]).decode("latin-1")}),)
    message = Message(**rules.repeatable(recovered.fields))  # type: ignore[arg-type]
    return Diagnosis(message, problems, recovered.remarks, recovered.repaired)


def _looked_at(reader: Reader) -> bytes:
    """Return what the diagnosis reads. How much more came depends on how TCP cut it (PROTOCOL 3.4)."""
    if reader.state is COMPLETE:
        return bytes(reader.received)
    return bytes(reader.received[: MAX_MESSAGE_BYTES + LENGTH_BYTES * (reader.framing == LENGTH)])


def _is_too_large(reader: Reader) -> bool:
    """Return whether an object began and did not end within the limit."""
    begins = bytes(reader.received[:MAX_MESSAGE_BYTES]).lstrip(_SPACE)[:1] == b"{"
    return begins and reader.state is INVALID and len(reader.received) >= MAX_MESSAGE_BYTES


# A right message

# Eight members with flat values. Anything else is not a right message, and parsing it may take too much memory.
_MEMBER = rb'\s*+"(?:[^"\\]++|\\.)*+"\s*+:\s*+(?:"(?:[^"\\]++|\\.)*+"|[^][{}",\s]++)\s*+'
_EIGHT_MEMBERS = re.compile(rb"\{%b(?:,%b){7}\}" % (_MEMBER, _MEMBER), re.DOTALL).fullmatch
_pairs = json.JSONDecoder(object_pairs_hook=tuple).decode  # an object becomes a tuple, which shows repeated names


def _read_right(reader: Reader, address: str) -> Diagnosis | None:
    """Return the diagnosis of a right message; None if anything is wrong with it."""
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
        return _read_unusual(message, reader, address)
    if message.ip == address:
        return Diagnosis(message)
    return Diagnosis(message, (), with_offsets(rules.remarks_on_ip(message.ip, address), reader.received))


def _read_unusual(message: Message, reader: Reader, address: str) -> Diagnosis | None:
    """Return the same for a message that may be right but unusual: apply every rule."""
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
    """Return the problems in order. One without an offset gets that of the value of its field."""
    if not problems:
        return ()
    return in_order(
        [
            problem
            if problem.offset is not None or "field" not in problem.facts
            else replace(problem, offset=_offset_of(problem.facts["field"], received))
            for problem in problems
        ]
    )


_BEFORE_VALUE = {name: re.compile(rb'"%b"[ \t\r\n]*+:[ \t\r\n]*+"?+' % name.encode()) for name in FIELDS}


def _offset_of(name: str, received: bytearray) -> int | None:
    """Return where the value of a field begins, after its quote. A right message has each name only once."""
    found = _BEFORE_VALUE[name].search(received)
    return found.end() if found else None


# Any other message

_ENDINGS = {  # in words, for a fact
    Ending.DECIDED: "no closing brace came",
    Ending.SILENCE: "no more bytes came",
    Ending.END_OF_STREAM: "the data ended",
}


class Recovered(NamedTuple):
    """The readable part of a wrong message."""

    fields: dict[str, str | int]  # by name: those that could be read
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...] = ()
    repaired: Message | None = None  # the message that was probably meant, if nothing had to be invented
    is_whole: bool = True  # False: so much is wrong with it that the rest was not read


def recover(data: bytes, ending: Ending, address: str, framing: str) -> Recovered:
    """Read as much as possible of a message, whatever is wrong with it."""
    findings = Findings()
    start = end_of_headers(data) if data[:1] in _HEADER_BEGINS else 0
    if start:
        found = f"a PROXY header (version {version_of(data)})"
        findings.add("proxy-header", 0, Edit(0, start, ""), found=found)
        findings.origin = start
        data = data[start:]
        if not data.strip(_SPACE):
            if start + len(data) >= MAX_MESSAGE_BYTES:
                findings.add("too-large", MAX_MESSAGE_BYTES, wanted=str(MAX_MESSAGE_BYTES))
            return Recovered({}, findings.results()[0])
    return _read_object(data, ending, address, framing, findings)


def _read_object(data: bytes, ending: Ending, address: str, framing: str, findings: Findings) -> Recovered:
    """Read a message that has no PROXY header before it (any more)."""
    place = _find_place(data, framing, findings)
    if place is None:
        return Recovered({}, findings.results()[0])
    start = place.start + 1 if place.opened else place.start
    scanner = Scanner(place.text, start, place.stop, findings, place.json_stop)
    reader = MemberReader(scanner)
    end = reader.read()
    fields = FieldReader(place.text, findings)
    fields.read(reader.members)
    if end is ObjectEnd.CLOSED:
        _report_rest(scanner, place, data)
    elif not place.text.is_whole:
        end = ObjectEnd.NOT_SEEN
    elif end is not ObjectEnd.NOT_SEEN:
        end = _report_unfinished(scanner, place, reader, findings.origin + len(data), ending)
    fields.report_missing(place.start, cut_off=end in (ObjectEnd.CUT_OFF, ObjectEnd.NOT_SEEN))
    fields.check_rules(address)
    repaired = fields.repaired() if end in (ObjectEnd.CLOSED, ObjectEnd.OPEN) else None
    problems, remarks = (_with_lines(found, data, findings.origin) for found in findings.results())
    return Recovered(fields.as_received(), problems, remarks, repaired, end is not ObjectEnd.NOT_SEEN)


def _find_place(data: bytes, framing: str, findings: Findings) -> Place | None:
    """Return where the object is, in a text without what is around it. None if there is no object."""
    text = to_text(data, framing, findings)
    return find_object(text, findings) if text else None


def _with_lines(problems: tuple[Problem, ...], data: bytes, start: int) -> tuple[Problem, ...]:
    """Add the fact `line`, if the message has several lines. It begins at offset `start`."""
    if b"\n" not in data.strip():
        return problems
    return tuple(
        problem
        if problem.offset is None or problem.offset < start
        else replace(problem, facts=problem.facts | {"line": str(data.count(b"\n", 0, problem.offset - start) + 1)})
        for problem in problems
    )


_MESSAGE = re.compile(rf"[,;\0]*+[{SPACE}]*+\{{")
_CLOSERS = {"list-around-object": "]", "wrapped-object": "}", "brace-twice": "}"}


def _report_rest(scanner: Scanner, place: Place, data: bytes) -> None:
    """Report what follows the object, but for what closes the wrapping around it."""
    scanner.skip_space()
    if place.end:
        scanner.add_once("wrapped-object", scanner.position, *scanner.text.edit(scanner.position, place.end, ""))
        scanner.position = place.end
        scanner.skip_space()
    if place.wrapping in _CLOSERS and scanner.peek() == _CLOSERS[place.wrapping]:
        fix = scanner.text.edit(scanner.position, scanner.position + 1, "")
        scanner.add_once(place.wrapping, scanner.position, *fix)
        scanner.position += 1
        scanner.skip_space()
    at, end = scanner.position, len(scanner.chars)
    if _MESSAGE.match(scanner.chars, at):
        scanner.add("two-messages", at, *scanner.text.edit(at, end, ""))
    elif at < end and BACKTICKS.fullmatch(scanner.chars, at, end):
        scanner.add_once("object-in-backticks", at, *scanner.text.edit(at, end, ""))
    elif at < end:
        rest = scanner.peek(_MAX_SHOWN).rstrip(SPACE)
        scanner.add("text-after-object", at, *scanner.text.edit(at, end, ""), found=rest)
    elif len(data) > MAX_MESSAGE_BYTES and data[MAX_MESSAGE_BYTES:].strip(_SPACE):
        rest = data[MAX_MESSAGE_BYTES:].strip()[:_MAX_SHOWN].decode("latin-1")
        scanner.findings.add("text-after-object", MAX_MESSAGE_BYTES, found=rest)


def _report_unfinished(scanner: Scanner, place: Place, reader: MemberReader, size: int, ending: Ending) -> ObjectEnd:
    """Report why the object does not end. Return OPEN if only its last brace is missing, else CUT_OFF."""
    if place.wrapping == "object-before-message" and ending is Ending.DECIDED:
        return ObjectEnd.CUT_OFF  # the server stopped reading after the object before the message
    end = scanner.text.offsets[len(scanner.chars) - scanner.chars.endswith("\n")]
    members = reader.members
    if size >= MAX_MESSAGE_BYTES:
        scanner.findings.add("too-large", end, wanted=str(MAX_MESSAGE_BYTES))
        return ObjectEnd.CUT_OFF
    is_whole = reader.end is ObjectEnd.OPEN and (len(members) >= len(FIELDS) or meant_field(scanner.near, ["status"]))
    if not is_whole:
        scanner.findings.add("cut-off", end, near=scanner.near, ending=_ENDINGS[ending])
        return ObjectEnd.CUT_OFF
    at = members[-1].value.end
    fix = scanner.text.edit(at, at, "}")
    if place.opened:
        scanner.add("never-closed", at, *fix, ending=_ENDINGS[ending])
    else:
        scanner.add_once(place.wrapping, at, *fix)  # neither of the two braces is there: one mistake
    return ObjectEnd.OPEN
