"""Reads a message that is not right, whatever it is, and tells everything that is wrong with it.

Pure and total: any bytes give a reading. It never takes longer than in proportion to what came.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from tandem.diagnosis import rules
from tandem.diagnosis.problems import Edit, Problem
from tandem.diagnosis.recovery import names
from tandem.diagnosis.recovery.ahead import SPACE
from tandem.diagnosis.recovery.decoding import to_text
from tandem.diagnosis.recovery.fields import FieldReader
from tandem.diagnosis.recovery.findings import Findings
from tandem.diagnosis.recovery.members import MemberReader, ObjectEnd
from tandem.diagnosis.recovery.scanner import Scanner
from tandem.diagnosis.recovery.values import Type
from tandem.diagnosis.recovery.wrapping import Place, find_object
from tandem.net.proxy_header import end_of_headers, version_of
from tandem.protocol.message import FIELDS, Message
from tandem.protocol.reader import LIMIT

_MAX_MEANT = 1024  # characters of a text, the white space around it included
_SHOWN = 60  # characters of what stands behind the object, in a fact


class Recovered(NamedTuple):
    """What a wrong message says, as far as that can be known."""

    fields: Mapping[str, str | int]  # by name: those that could be read
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    meant: Message | None  # the message that was probably meant, where nothing had to be invented
    is_whole: bool = True  # False: so much is wrong with it that the rest was not read


def recover(data: bytes, ending: str, address: str) -> Recovered:
    """Reads `data`, all that came; `ending` says in words what came then, `address` where it came from."""
    findings = Findings()
    start = end_of_headers(data)
    if not start:
        return _read(data, ending, address, findings)
    findings.add("proxy-header", 0, Edit(0, start, ""), found=f"a PROXY header (version {version_of(data)})")
    findings.origin = start
    data = data[start:]
    if not data.strip(SPACE.encode()):
        return Recovered({}, findings.problems(), (), None)
    return _read(data, ending, address, findings)


def _read(data: bytes, ending: str, address: str, findings: Findings) -> Recovered:
    """The same, and no balancer's header is before it any more."""
    place = _place(data, findings)
    if place is None:
        return Recovered({}, _with_lines(findings.problems(), data, findings.origin), (), None)
    scanner = Scanner(place.text, place.start + place.opened, place.stop, findings, place.json_stop)
    reader = MemberReader(scanner)
    end = reader.read()
    fields = FieldReader(place.text, findings)
    fields.read(reader.members)
    if end is ObjectEnd.CLOSED:
        _tell_behind(scanner, place, data)
    elif not place.text.is_whole:
        end = ObjectEnd.ENOUGH
    elif end is not ObjectEnd.ENOUGH:
        end = _tell_unfinished(scanner, place, reader, len(data), ending)
    _tell_missing(fields, end, place)
    _tell_rules(fields, findings, address)
    meant = _meant(fields) if end in (ObjectEnd.CLOSED, ObjectEnd.OPEN) else None
    told = (findings.problems(), findings.remarks())
    problems, remarks = (_with_lines(found, data, findings.origin) for found in told)
    return Recovered(fields.as_received(), problems, remarks, meant, end is not ObjectEnd.ENOUGH)


def _place(data: bytes, findings: Findings) -> Place | None:
    """Where the object is, in a text without what was around it. None if there is none."""
    text = to_text(data, findings)
    return find_object(text, findings) if text else None


def _with_lines(problems: tuple[Problem, ...], data: bytes, start: int) -> tuple[Problem, ...]:
    """The same problems; where the message, which begins at `start`, has several lines, each knows the one it is in."""
    if b"\n" not in data.strip():
        return problems
    return tuple(
        problem
        if problem.at is None or problem.at < start
        else replace(problem, facts=problem.facts | {"line": str(data.count(b"\n", 0, problem.at - start) + 1)})
        for problem in problems
    )


_MESSAGE = re.compile(rf"[,;]*+[{SPACE}]*+\{{")
_CLOSERS = {"list-around-object": "]", "wrapped-object": "}", "brace-twice": "}"}


def _tell_behind(scanner: Scanner, place: Place, data: bytes) -> None:
    """Names what follows the object, but for what closes what is around it."""
    scanner.skip_space()
    if place.end:
        scanner.add_once("wrapped-object", scanner.at, *scanner.text.edit(scanner.at, place.end, ""))
        scanner.at = place.end
        scanner.skip_space()
    if place.wrapping in _CLOSERS and scanner.peek() == _CLOSERS[place.wrapping]:
        scanner.add_once(place.wrapping, scanner.at, *scanner.text.edit(scanner.at, scanner.at + 1, ""))
        scanner.at += 1
        scanner.skip_space()
    end = len(scanner.chars)
    if _MESSAGE.match(scanner.chars, scanner.at):
        scanner.add("two-messages", scanner.at, *scanner.text.edit(scanner.at, end, ""))
    elif scanner.at < end:
        rest = scanner.peek(_SHOWN).rstrip(SPACE)
        scanner.add("text-after-object", scanner.at, *scanner.text.edit(scanner.at, end, ""), found=rest)
    elif len(data) > LIMIT and data[LIMIT:].strip(SPACE.encode()):
        scanner.findings.add("text-after-object", LIMIT, found=data[LIMIT:].strip()[:_SHOWN].decode("latin-1"))


def _tell_unfinished(scanner: Scanner, place: Place, reader: MemberReader, size: int, ending: str) -> ObjectEnd:
    """Names why the object does not end, and returns whether all of it came but for the brace."""
    end = scanner.text.offsets[len(scanner.chars) - scanner.chars.endswith("\n")]
    members = reader.members
    if size >= LIMIT:
        scanner.findings.add("too-large", end, wanted=str(LIMIT))
        return ObjectEnd.CUT_OFF
    is_whole = reader.end is ObjectEnd.OPEN and (len(members) >= len(FIELDS) or names.meant(scanner.near, ["status"]))
    if not is_whole:
        scanner.findings.add("cut-off", end, near=scanner.near, ending=ending)
        return ObjectEnd.CUT_OFF
    at = members[-1].value.end
    fix = scanner.text.edit(at, at, "}")
    if place.opened:
        scanner.add("never-closed", at, *fix, ending=ending)
    else:
        scanner.add_once(place.wrapping, at, *fix)  # neither of the two braces is there: one mistake
    return ObjectEnd.OPEN


def _tell_missing(fields: FieldReader, end: ObjectEnd, place: Place) -> None:
    """Names the fields that did not come. Of a message that was cut off: those before the last that did."""
    expected = list(FIELDS)
    if end in (ObjectEnd.CUT_OFF, ObjectEnd.ENOUGH):
        came = [FIELDS.index(name) for name in fields.found]
        expected = expected[: max(came, default=0)] if came == sorted(came) else []
    at = place.start
    for name in FIELDS:
        if name in fields.found:
            at = fields.found[name].value.end
        elif name in expected:
            fields.findings.add("field-missing", place.text.offsets[at], field=name)


def _tell_rules(fields: FieldReader, findings: Findings, address: str) -> None:
    """Applies the rules to what could be read, each problem where the field's value stands."""
    if findings.has("not-utf-8"):
        fields.forget_undecoded()
    for problem in rules.check_fields(fields.values, address):
        name = problem.facts["field"]
        member = fields.found.get(name)
        if member is None:
            continue  # a value that only stands for what did not come
        if problem.id == "status-blanked" and member.value.type is Type.NULL:
            continue  # that it is null was told
        facts = problem.facts
        if problem.id in ("field-too-long", "secret-damaged") and not member.value.is_whole:
            facts = facts | {"found": f"more than {facts['found']}"}
        findings.add(problem.id, fields.offset_of(problem), *fields.fix_of(problem), **facts)


def _meant(fields: FieldReader) -> Message | None:
    """The message with every mistake repaired, if it obeys every rule then."""
    if any(len(value) > _MAX_MEANT for value in fields.values.values() if isinstance(value, str)):
        return None
    values = {name: value.strip() if isinstance(value, str) else value for name, value in fields.values.items()}
    if values.get("clientid") == 1:
        if len(str(values.get("secret", ""))) == rules.MAX_LENGTHS["secret"]:
            return None  # clientid-still-1: what was meant is message 2, and what it says only its sender knows
        values |= {"secret": "", "status": ""}
    if not fields.certain or values.keys() != set(FIELDS):
        return None
    if any(not problem.is_remark for problem in rules.check_fields(values, "")):
        return None
    return Message(**{name: values[name] for name in FIELDS})  # type: ignore[arg-type]
