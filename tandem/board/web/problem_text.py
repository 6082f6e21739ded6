"""Problems and remarks as a page shows them: the words, the place with its mark, the line as it should be. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.diagnosis import explain
from tandem.diagnosis.diagnose import Diagnosis
from tandem.diagnosis.excerpt import Excerpt, excerpt
from tandem.diagnosis.problems import CATALOGUE, Problem
from tandem.protocol.message import Message, NotAMessageError, decode, message_2
from tandem.records.queries import VisitRow
from tandem.report.check import check

_NEW_SECRET_NEEDED = {"secret-expired"}  # the one in the reply to message 1 counts no more


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them, ready to be shown."""

    id: str
    severity: str
    title: str
    what: str
    help: str
    clause: str  # of PROTOCOL.md
    place: Excerpt | None


def findings(found: Iterable[Problem], data: bytes) -> list[Finding]:
    """What was found in `data`; what this version does not know is left out."""
    return [
        Finding(
            problem.id,
            problem.kind.severity.value,
            problem.kind.title,
            explain.what(problem),
            explain.help_for(problem),
            problem.kind.clause,
            excerpt(data, problem),
        )
        for problem in found
        if problem.id in CATALOGUE
    ]


def recorded_findings(recorded: Iterable[Problem], data: bytes) -> list[Finding]:
    """What is on record of a visit. How to set it right is not: that is found once more, in what came."""
    edits = {(problem.id, problem.offset): problem for problem in _all(check(data))} if data else {}
    return findings((edits.get((problem.id, problem.offset), problem) for problem in recorded), data)


def repaired(data: bytes) -> str:
    """The message that was probably meant, as one writes it by hand; "" if nobody can tell."""
    meant = check(data).repaired if data else None
    return written(meant) if meant else ""


def right_message_2(refused: VisitRow, answered: bytes) -> str:
    """What client 2 should have sent, made of the reply to message 1; "" if it was not client 2, or that will not do.

    The ip stays as it was sent, unless it can be nobody's: then it is where the visit came from.
    """
    problems = {problem.id for problem in refused.findings}
    came = check(refused.received).message
    if problems & _NEW_SECRET_NEEDED or not (came.clientid == 2 or "clientid-still-1" in problems):
        return ""
    try:
        reply = decode(answered)
    except NotAMessageError:
        return ""
    meant = message_2(reply, came.ip)
    if any(found.facts.get("field") == "ip" for found in _all(check(meant.encode()))):
        meant.ip = refused.address
    return "" if check(meant.encode()).problems else written(meant)


def written(message: Message) -> str:
    return json.dumps(message.fields(), indent=4)


def _all(diagnosis: Diagnosis) -> tuple[Problem, ...]:
    return (*diagnosis.problems, *diagnosis.remarks)
