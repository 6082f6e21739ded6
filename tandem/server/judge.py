"""The judgement of a message that the fast path leaves: its reply, and what is recorded.

Pure: takes a diagnosis, the keys and a lookup.

Nothing is remembered between the two messages: the secret proves that message 1 came. So message 2 is judged from
itself and the key alone. The lookup in the records only makes the problems of a wrong message more exact.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tandem.diagnosis.diagnose import Diagnosis
from tandem.diagnosis.problem import MAX_FINDINGS, REFUSAL_HANDED_ON, Problem, error_status
from tandem.diagnosis.rules import is_secret, is_shared_by_router
from tandem.keys.secret import derive
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message
from tandem.records.visits import Outcome, Team
from tandem.server.message_2 import FindOwner, problems_of_message_2, team_of_message_2

MAX_REPLY_BYTES = 1000  # so that a program that receives once gets all of it: PROTOCOL 3.3

_SIGNED_FIELDS = ("studentnr1", "studentnr2", "classname", "teamname", "secret")


class Judgement(NamedTuple):
    """The judgement of a message in the slow path: its reply, and what is recorded."""

    outcome: Outcome
    reply: bytes
    team: Team | None
    secret: str = ""  # of a refused message: as it has it, if it has the form of a secret
    ip: str = ""  # as the message has it
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


class Accepted(NamedTuple):
    """The judgement of a right message, in the fast path or the slow path: its reply, and what is recorded."""

    outcome: Outcome
    reply: bytes
    team: Team
    secret: str
    ip: str  # as the message has it
    findings: str  # the remarks as a record holds them


def judge(diagnosis: Diagnosis, keys: Sequence[bytes], find_owner: FindOwner) -> Judgement:
    """Judge one message. The first of the keys makes secrets, each of them verifies secrets. PROTOCOL 4, 5, 7."""
    message = diagnosis.message
    if diagnosis.problems:
        besides = _problems_besides(diagnosis, keys, find_owner)
        room = MAX_FINDINGS - len(diagnosis.remarks) - len(besides)
        return reject(diagnosis, (*diagnosis.problems[:room], *besides))
    if message.clientid == 1:
        return _accept_message_1(diagnosis, message, keys[0])
    team = team_of_message_2(message, keys)
    if team is None:
        return reject(diagnosis, problems_of_message_2(message, keys, find_owner))
    return _accept_message_2(diagnosis, message, team, find_owner)


def reject(diagnosis: Diagnosis, problems: tuple[Problem, ...]) -> Judgement:
    """Return the judgement of a wrong message: the fields as read, no secret, the problems in words. PROTOCOL 7.1."""
    message = diagnosis.message
    room = MAX_REPLY_BYTES - len(message.answered("", "").encode())
    refused = message.answered("", error_status(problems, room))
    team = None
    if message.classname and message.teamname:
        numbers = message.studentnr1, message.studentnr2
        team = Team(message.classname, message.teamname, *(numbers[::-1] if message.clientid == 2 else numbers))
    outcome = Outcome.NOTHING if any(problem.id == "nothing-came" for problem in problems) else Outcome.REJECTED
    secret = message.secret if is_secret(message.secret) else ""
    return Judgement(outcome, refused.encode(), team, secret, message.ip, problems, diagnosis.remarks)


def _accept_message_1(diagnosis: Diagnosis, message: Message, key: bytes) -> Judgement:
    team = Team(message.classname, message.teamname, message.studentnr1, message.studentnr2)
    secret = derive(key, team)
    reply = message.answered(secret, STATUS_WAITING).encode()
    return Judgement(Outcome.MESSAGE_1, reply, team, secret, message.ip, (), diagnosis.remarks)


def _accept_message_2(diagnosis: Diagnosis, message: Message, team: Team, find_owner: FindOwner) -> Judgement:
    remarks = diagnosis.remarks
    elsewhere = next((remark for remark in remarks if remark.id == "ip-elsewhere"), None)
    if elsewhere and not is_shared_by_router(message.ip, elsewhere.facts["wanted"]):
        owner = find_owner(message)
        if owner and owner.ip == message.ip:
            remarks = tuple(_ip_of_client_1(remark) if remark is elsewhere else remark for remark in remarks)
    reply = message.answered(message.secret, STATUS_FINISHED).encode()
    return Judgement(Outcome.MESSAGE_2, reply, team, message.secret, message.ip, (), remarks)


def _ip_of_client_1(remark: Problem) -> Problem:
    """Return the remark for an ip that client 1's message had, too."""
    return Problem("ip-of-client-1", remark.offset, {"field": "ip", "found": remark.facts["found"]})


def _problems_besides(diagnosis: Diagnosis, keys: Sequence[bytes], find_owner: FindOwner) -> tuple[Problem, ...]:
    """Return what a wrong message gets wrong as message 2, too, so that one reply names all of it."""
    if any(problem.id == REFUSAL_HANDED_ON for problem in diagnosis.problems):
        return ()  # its cause is in message 1
    is_second = any(problem.id == "clientid-still-1" for problem in diagnosis.problems)
    message = diagnosis.message
    if diagnosis.repaired and not is_second:
        message = diagnosis.repaired
    elif any(problem.facts.get("field") in _SIGNED_FIELDS for problem in diagnosis.problems):
        return ()  # the secret is not compared with fields that could not be read for certain
    if not (is_second or message.clientid == 2) or not (message.secret and message.classname and message.teamname):
        return ()
    return problems_of_message_2(message, keys, find_owner)
