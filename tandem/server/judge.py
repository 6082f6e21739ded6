"""What a message deserves. Pure: a diagnosis, the key and what is on record go in, a judgement comes out.

The secret carries the state: message 2 is judged from itself and the key alone. What is on record only
makes the words for a wrong message better, and is asked for wrong messages only.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tandem.diagnosis import explain
from tandem.diagnosis.diagnose import Diagnosis
from tandem.diagnosis.problems import Problem
from tandem.keys.secret import derive
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message
from tandem.records.visits import Outcome, Team
from tandem.server.message_2 import Recall, problems_of_message_2, team_of_message_2

MAX_REPLY = 1000  # bytes, so that a program that receives once has it all

_IN_SECRET = ("studentnr1", "studentnr2", "classname", "teamname", "secret")


class Judgement(NamedTuple):
    """What becomes of a message that went the long way: the reply, and what is to be recorded."""

    outcome: Outcome
    reply: bytes
    team: Team | None
    secret: str = ""
    ip: str = ""  # as the message has it
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


class Accepted(NamedTuple):
    """A right message: its reply, and what is to be recorded. The fast lane and the long way both end here."""

    outcome: Outcome
    reply: bytes
    team: Team
    secret: str
    ip: str  # as the message has it
    findings: str  # the remarks as a record holds them


def judge(diagnosis: Diagnosis, keys: Sequence[bytes], recall: Recall) -> Judgement:
    """Judges one message. The first of the keys makes secrets, each of them checks.

    `recall(message)` tells what is known of the team that the secret was given to, None for nothing.
    """
    message = diagnosis.message
    if diagnosis.problems:
        return reject(diagnosis, (*diagnosis.problems, *_problems_besides(diagnosis, keys, recall)))
    if message.clientid == 1:
        return _accept_message_1(diagnosis, message, keys[0])
    team = team_of_message_2(message, keys)
    if team is None:
        return reject(diagnosis, problems_of_message_2(message, keys, recall))
    return _accept_message_2(diagnosis, message, team, recall)


def reject(diagnosis: Diagnosis, problems: tuple[Problem, ...]) -> Judgement:
    """The judgement of a wrong message: fields as they could be read, no secret, the problems in words."""
    message = diagnosis.message
    room = MAX_REPLY - len(message.answered("", "").encode())
    refused = message.answered("", explain.status(problems, room))
    team = None
    if message.classname and message.teamname:
        numbers = message.studentnr1, message.studentnr2
        team = Team(message.classname, message.teamname, *(numbers[::-1] if message.clientid == 2 else numbers))
    outcome = Outcome.NOTHING if any(problem.id == "nothing-came" for problem in problems) else Outcome.REJECTED
    return Judgement(outcome, refused.encode(), team, "", message.ip, problems, diagnosis.remarks)


def _accept_message_1(diagnosis: Diagnosis, message: Message, key: bytes) -> Judgement:
    team = Team(message.classname, message.teamname, message.studentnr1, message.studentnr2)
    secret = derive(key, team)
    reply = message.answered(secret, STATUS_WAITING).encode()
    return Judgement(Outcome.MESSAGE_1, reply, team, secret, message.ip, (), diagnosis.remarks)


def _accept_message_2(diagnosis: Diagnosis, message: Message, team: Team, recall: Recall) -> Judgement:
    remarks = diagnosis.remarks
    if any(remark.id == "ip-elsewhere" for remark in remarks):
        recalled = recall(message)
        if recalled and recalled.ip == message.ip:
            remarks = tuple(_of_client_1(remark) if remark.id == "ip-elsewhere" else remark for remark in remarks)
    reply = message.answered(message.secret, STATUS_FINISHED).encode()
    return Judgement(Outcome.MESSAGE_2, reply, team, message.secret, message.ip, (), remarks)


def _of_client_1(remark: Problem) -> Problem:
    """What "ip-elsewhere" really is, where client 1's message had the same ip."""
    return Problem("ip-of-client-1", remark.offset, {"field": "ip", "found": remark.facts["found"]})


def _problems_besides(diagnosis: Diagnosis, keys: Sequence[bytes], recall: Recall) -> tuple[Problem, ...]:
    """What a wrong message gets wrong as message 2, too, so that all of it is told at once."""
    is_second = any(problem.id == "clientid-still-1" for problem in diagnosis.problems)
    message = diagnosis.message
    if diagnosis.repaired and not is_second:
        message = diagnosis.repaired
    elif any(problem.facts.get("field") in _IN_SECRET for problem in diagnosis.problems):
        return ()  # what could not be read for certain is not held against the secret
    if not (is_second or message.clientid == 2) or not (message.secret and message.classname and message.teamname):
        return ()
    return problems_of_message_2(message, keys, recall)
