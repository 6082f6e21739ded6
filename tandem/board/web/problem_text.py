"""Converts problems and remarks to what a page shows: text, the excerpt with its mark, the corrected line. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.diagnosis.diagnose import Diagnosis
from tandem.diagnosis.excerpt import Excerpt, excerpt, split_at_mark
from tandem.diagnosis.problem import CATALOGUE, Problem
from tandem.protocol.message import Message, NotAMessageError, decode, message_2
from tandem.records.queries import VisitRow
from tandem.report.check import check

_NEW_SECRET_NEEDED = {"secret-expired"}  # the secret in the reply to message 1 is no longer accepted


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or remark as a page shows it."""

    id: str
    severity: str
    title: str
    what: str
    help: str
    clause: str  # of PROTOCOL.md
    excerpt: Excerpt | None

    @property
    def marked(self) -> tuple[str, str, str]:
        """Return the line of the excerpt before the mark, the character over it, and the rest. There is an excerpt."""
        assert self.excerpt
        return split_at_mark(self.excerpt)


def findings(found: Iterable[Problem], data: bytes) -> list[Finding]:
    """Return the problems and remarks found in `data`, without those that this version does not know."""
    return [
        Finding(
            problem.id,
            problem.kind.severity.value,
            problem.kind.title,
            problem.what,
            problem.help,
            problem.kind.clause,
            excerpt(data, problem),
        )
        for problem in found
        if problem.id in CATALOGUE
    ]


def recorded_findings(recorded: Iterable[Problem], data: bytes) -> list[Finding]:
    """Return the recorded problems and remarks of a visit.

    The records do not hold the corrections. They are computed again from the bytes that came.
    """
    edits = {(problem.id, problem.offset): problem for problem in _all(check(data))} if data else {}
    return findings((edits.get((problem.id, problem.offset), problem) for problem in recorded), data)


def repaired(data: bytes) -> str:
    """Return the message that was probably meant, as indented JSON; "" if that is unknown."""
    meant = check(data).repaired if data else None
    return indented_json(meant) if meant else ""


def right_message_2(refused: VisitRow, answered: bytes) -> str:
    """Return what client 2 should have sent, made from the reply to message 1.

    The ip stays as it was sent if it is valid, else it is the address that the visit came from.

    Returns:
        Indented JSON; "" if the visit was not client 2's, or if the reply cannot be used.
    """
    problems = {problem.id for problem in refused.findings}
    sent = check(refused.received).message
    if problems & _NEW_SECRET_NEEDED or not (sent.clientid == 2 or "clientid-still-1" in problems):
        return ""
    try:
        reply = decode(answered)
    except NotAMessageError:
        return ""
    meant = message_2(reply, sent.ip)
    if any(found.facts.get("field") == "ip" for found in _all(check(meant.encode()))):
        meant.ip = refused.address
    return "" if check(meant.encode()).problems else indented_json(meant)


def indented_json(message: Message) -> str:
    """Return the message as JSON, one field a line."""
    return json.dumps(message.fields(), indent=4)


def _all(diagnosis: Diagnosis) -> tuple[Problem, ...]:
    return (*diagnosis.problems, *diagnosis.remarks)
