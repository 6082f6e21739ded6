"""What a message deserves. Pure: a diagnosis, the key and what is on record go in, a judgement comes out.

The secret carries the state: message 2 is judged from itself and the key alone. What is on record only
makes the words for a wrong message better, and is asked for wrong messages only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tandem.exchange.message import FINISHED, WAITING, Message, is_team_of_one
from tandem.ground import explain
from tandem.ground.diagnose import Diagnosis
from tandem.ground.problems import Problem
from tandem.ground.record import Outcome, Team
from tandem.ground.secret import belongs, derive

LONGEST_REPLY = 1000  # bytes, so that a program that receives once has it all

Recall = Callable[[str], "Recalled | None"]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is on record of the team that a secret was given to: the team, and the ip in its message 1."""

    team: Team
    ip: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a message: the reply, and what is to be remembered."""

    outcome: Outcome
    reply: bytes
    team: Team | None
    secret: str = ""
    ip: str = ""  # as the message has it
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


def judge(diagnosis: Diagnosis, keys: Sequence[bytes], recall: Recall) -> Judgement:
    """Judges one message. The first of the keys makes secrets, each of them checks.

    `recall(secret)` tells what is on record of the team that has the secret, None for nothing.
    """
    message = diagnosis.message
    if diagnosis.problems:
        return reject(diagnosis, diagnosis.problems)
    if message.clientid == 1:
        return _accept_message_1(diagnosis, message, keys[0])
    return _judge_message_2(diagnosis, message, keys, recall)


def reject(diagnosis: Diagnosis, problems: tuple[Problem, ...]) -> Judgement:
    """The judgement of a wrong message: fields as they could be read, no secret, the problems in words."""
    message = diagnosis.message
    refused = Message(
        message.studentnr1, message.studentnr2, message.classname, message.clientid, message.teamname, message.ip
    )
    room = LONGEST_REPLY - len(refused.encode())
    refused.status = explain.status(problems, room)
    team = None
    if message.classname and message.teamname:
        numbers = message.studentnr1, message.studentnr2
        team = Team(message.classname, message.teamname, *(numbers[::-1] if message.clientid == 2 else numbers))
    outcome = Outcome.NOTHING if any(problem.id == "nothing-came" for problem in problems) else Outcome.REJECTED
    return Judgement(outcome, refused.encode(), team, "", message.ip, problems, diagnosis.remarks)


def _accept_message_1(diagnosis: Diagnosis, message: Message, key: bytes) -> Judgement:
    team = Team(message.classname, message.teamname, message.studentnr1, message.studentnr2)
    message.secret = derive(key, team)
    message.status = WAITING
    return Judgement(Outcome.MESSAGE_1, message.encode(), team, message.secret, message.ip, (), diagnosis.remarks)


def _judge_message_2(diagnosis: Diagnosis, message: Message, keys: Sequence[bytes], recall: Recall) -> Judgement:
    swapped = Team(message.classname, message.teamname, message.studentnr2, message.studentnr1)
    unswapped = Team(message.classname, message.teamname, message.studentnr1, message.studentnr2)
    if belongs(message.secret, swapped, keys):
        return _accept_message_2(diagnosis, message, swapped, recall)
    if belongs(message.secret, unswapped, keys):
        if is_team_of_one(message.studentnr1, message.studentnr2):
            return _accept_message_2(diagnosis, message, unswapped, recall)
        return reject(diagnosis, (Problem("not-swapped", facts={"found": message.studentnr1}),))
    return reject(diagnosis, _why_secret_is_wrong(message, recall))


def _accept_message_2(diagnosis: Diagnosis, message: Message, team: Team, recall: Recall) -> Judgement:
    message.status = FINISHED
    remarks = diagnosis.remarks
    if any(remark.id == "ip-elsewhere" for remark in remarks):
        recalled = recall(message.secret)
        if recalled and recalled.ip == message.ip:
            kept = tuple(remark for remark in remarks if remark.id != "ip-elsewhere")
            remarks = (*kept, Problem("ip-of-client-1", facts={"field": "ip", "found": message.ip}))
    return Judgement(Outcome.MESSAGE_2, message.encode(), team, message.secret, message.ip, (), remarks)


def _why_secret_is_wrong(message: Message, recall: Recall) -> tuple[Problem, ...]:
    """The secret fits these fields in neither order: is it nobody's, another team's, or were fields changed?"""
    recalled = recall(message.secret)
    if recalled is None:
        return (Problem("secret-wrong", facts={"field": "secret"}),)
    was = recalled.team
    changed = _changed_numbers(message, was)
    is_own = message.teamname == was.teamname or {message.studentnr1, message.studentnr2} & {
        was.studentnr1,
        was.studentnr2,
    }
    if not is_own:
        return (Problem("secret-of-another-team", facts={"field": "secret"}),)
    for name, now, before in (
        ("teamname", message.teamname, was.teamname),
        ("classname", message.classname, was.classname),
    ):
        if now != before:
            changed.insert(0, Problem("field-changed", facts={"field": name, "found": now, "wanted": before}))
    return tuple(changed)


def _changed_numbers(message: Message, was: Team) -> list[Problem]:
    """How the numbers of a message 2 differ from message 1's, read swapped or not, whichever differs less."""
    swapped = _differences(message, was.studentnr2, was.studentnr1)
    unswapped = _differences(message, was.studentnr1, was.studentnr2)
    if len(swapped) <= len(unswapped) or is_team_of_one(was.studentnr1, was.studentnr2):
        return swapped
    return [Problem("not-swapped", facts={"found": message.studentnr1}), *unswapped]


def _differences(message: Message, studentnr1: str, studentnr2: str) -> list[Problem]:
    return [
        Problem("field-changed", facts={"field": name, "found": found, "wanted": wanted})
        for name, found, wanted in (
            ("studentnr1", message.studentnr1, studentnr1),
            ("studentnr2", message.studentnr2, studentnr2),
        )
        if found != wanted
    ]
