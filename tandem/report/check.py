"""`tandem check`: one message checked as the server checks it, with all problems and remarks.

Pure: bytes in, text out. Diagnosis and sentences are those of the server.
"""

import json
from collections.abc import Iterator

from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose
from tandem.diagnosis.excerpt import Excerpt, as_encoded, excerpt
from tandem.diagnosis.problem import Problem, Severity
from tandem.protocol.message import Message, message_1
from tandem.protocol.reader import Reader
from tandem.protocol.team_fields import team_in

_ANY_IP = "192.0.2.1"  # client 1 puts its own in its place

_PLAIN = {"problem": "", "remark": "", "right": "", "bold": "", "end": ""}
_COLOURED = {
    "problem": "\x1b[31m",
    "remark": "\x1b[33m",
    "right": "\x1b[32m",
    "bold": "\x1b[1m",
    "end": "\x1b[0m",
}


def check_report(data: bytes, format: str, colour: bool, encoding: str | None = None) -> tuple[str, bool]:
    """Return the text to print about a message, and whether it is accepted: by the server, or as a TEAM.json.

    `format` is "text" or "json". `encoding` is that of the terminal (default: UTF-8).
    """
    diagnosis = _as_team_file(check(data))
    text = as_json(diagnosis, data) if format == "json" else as_text(diagnosis, data, colour, encoding)
    return text, not diagnosis.problems


def is_team_file(data: bytes) -> bool:
    """Return whether the data is a TEAM.json from which client 1 makes a right message 1."""
    try:
        team = team_in(json.loads(data.decode("utf-8-sig")), "")
        made = message_1(**team, ip=_ANY_IP).encode()
    except (ValueError, TypeError, RecursionError):  # it is none, or one of the four fields is missing
        return False
    return not check(made).problems


def check(data: bytes, address: str = "") -> Diagnosis:
    """Return the diagnosis of a connection from `address` that sends `data` and then ends."""
    reader = Reader()
    reader.feed(data)
    return diagnose(reader, Ending.END_OF_STREAM, address)


def _as_team_file(diagnosis: Diagnosis) -> Diagnosis:
    """Make remarks of the problems that the clients do not mind in a TEAM.json.

    The remark on a loopback address is dropped: it is right where server and clients are on one machine.
    """
    allowed = tuple(problem for problem in diagnosis.problems if _is_allowed_in_team_file(problem))
    problems = tuple(problem for problem in diagnosis.problems if problem not in allowed)
    remarks = tuple(remark for remark in diagnosis.remarks if remark.id != "ip-loopback")
    return diagnosis._replace(problems=problems, remarks=(*allowed, *remarks))


def _is_allowed_in_team_file(problem: Problem) -> bool:
    return problem.id == "byte-order-mark" or (problem.id == "field-empty" and problem.facts.get("field") == "ip")


def _severity(problem: Problem) -> Severity:
    return Severity.REMARK if _is_allowed_in_team_file(problem) else problem.kind.severity


_SAVE = "save the file as UTF-8, or use .encode() without an argument in the program that makes it"
_FILE_HELP = {  # by the id of a problem: what to try if the message is in a file
    "nothing-came": "write the message into the file, and save it",
    "latin-1": _SAVE,
    "not-utf-8": _SAVE,
    "utf-16": "save the file as UTF-8; in Windows PowerShell use Set-Content -Encoding utf8, as > writes UTF-16",
    "two-messages": "check one message at a time: a program sends each of them on a connection of its own",
}


def _what(problem: Problem) -> str:
    return "there is no message in it, at most white space" if problem.id == "nothing-came" else problem.what


def _help(problem: Problem) -> str:
    if problem.id in _FILE_HELP:
        return _FILE_HELP[problem.id]
    if _is_allowed_in_team_file(problem):
        return f"it may stay in a TEAM.json, but as message 1 the server would refuse it: {problem.help}"
    return problem.help


def as_json(diagnosis: Diagnosis, data: bytes) -> str:
    """Return JSON: every problem and remark with its place, its sentences and the corrected line."""
    whole = {
        "accepted": not diagnosis.problems,
        "team_file": is_team_file(data),
        "problems": [_entry(problem, data) for problem in diagnosis.problems],
        "remarks": [_entry(remark, data) for remark in diagnosis.remarks],
        "repaired": diagnosis.repaired.fields() if diagnosis.repaired else None,
    }
    return json.dumps(whole, indent=2) + "\n"


def _entry(problem: Problem, data: bytes) -> dict[str, str | int | None]:
    place = excerpt(data, problem)
    return {
        "id": problem.id,
        "severity": _severity(problem).value,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "what": _what(problem),
        "help": _help(problem),
        "clause": problem.kind.clause,
        "excerpt": place.shown if place else None,
        "corrected": place.corrected if place else None,
    }


def as_text(diagnosis: Diagnosis, data: bytes, colour: bool, encoding: str | None = None) -> str:
    """Return text: each problem with its line, a mark under the place, and the corrected line."""
    style = _COLOURED if colour else _PLAIN
    lines = [_verdict(diagnosis, style)]
    if diagnosis.problems and is_team_file(data):
        lines.append(
            "but right as a TEAM.json, of which the clients use studentnr1, studentnr2, classname and teamname"
        )
    for number, problem in enumerate((*diagnosis.problems, *diagnosis.remarks), 1):
        place = excerpt(data, problem)
        lines += ["", *_lines(number, problem, as_encoded(place, encoding) if place else None, style)]
    if diagnosis.repaired:
        lines += ["", f"{style['bold']}Did you mean{style['end']}", "", *_message(diagnosis.repaired)]
    return "\n".join(lines) + "\n"


def _verdict(diagnosis: Diagnosis, style: dict[str, str]) -> str:
    problems, remarks = _count(diagnosis.problems, "problem"), _count(diagnosis.remarks, "remark")
    if diagnosis.problems:
        return f"{style['problem']}not accepted: {problems}, {remarks}{style['end']}"
    known = "; only the server can tell whether its secret is right" if diagnosis.message.clientid == 2 else ""
    return f"{style['right']}accepted: {problems}, {remarks}{style['end']}{known}"


def _count(found: tuple[Problem, ...], noun: str) -> str:
    return f"{len(found) or 'no'} {noun}{'' if len(found) == 1 else 's'}"


def _lines(number: int, problem: Problem, place: Excerpt | None, style: dict[str, str]) -> Iterator[str]:
    kind = problem.kind
    severity = _severity(problem)
    ink = style[severity]
    remark = "remark: " if severity is Severity.REMARK else ""
    yield f"{number}. {remark}{style['bold']}{kind.title}{style['end']} ({kind.id}; PROTOCOL.md {kind.clause})"
    if place:
        yield f"   line {place.line}, column {place.column}"
        yield f"       {place.shown}"
        yield f"       {ink}{place.mark}{style['end']}"
    yield f"   what  {_what(problem)}"
    yield f"   try   {_help(problem)}"
    if place and place.corrected is not None:
        yield f"   so    {style['right']}{place.corrected}{style['end']}"


def _message(message: Message) -> Iterator[str]:
    """Yield the message as indented JSON, whose escapes make it safe for a terminal."""
    yield from json.dumps(message.fields(), indent=4).splitlines()
