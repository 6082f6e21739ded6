"""The judge, without a socket: what each message deserves, and what is remembered of it."""

import json
from typing import Any

import pytest

from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose
from tandem.diagnosis.problem import MAX_FINDINGS, Problem
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message, decode
from tandem.protocol.reader import Reader
from tandem.records.visits import Outcome, Team
from tandem.server.judge import Judgement, judge
from tandem.server.message_2 import SecretOwner
from testing.raw_sockets import encoded, message_1, message_2

KEY = b"k" * 32
OLD_KEY = b"o" * 32
ADDRESS = "192.0.2.7"


def judged(message: dict[str, Any], known: SecretOwner | None = None) -> Judgement:
    reader = Reader()
    reader.feed(encoded(message))
    return judge(diagnose(reader, Ending.DECIDED, ADDRESS), [KEY], lambda secret: known)


def reply(judgement: Judgement) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(judgement.reply)
    return fields


FIRST = message_1(ip=ADDRESS)
HANDOVER = reply(judged(FIRST))
SECOND = message_2(HANDOVER, ip=ADDRESS)
ON_RECORD = SecretOwner(Team("INF2A", "Team1", "0923456", "0934567"), "192.0.2.6")


def test_both_right_messages() -> None:
    first, second = judged(FIRST), judged(SECOND)
    assert (first.outcome, second.outcome) == (Outcome.MESSAGE_1, Outcome.MESSAGE_2)
    assert (HANDOVER["status"], reply(second)["status"]) == (STATUS_WAITING, STATUS_FINISHED)
    assert first.team == second.team == ON_RECORD.team
    assert first.secret == second.secret == HANDOVER["secret"]
    assert first.problems == second.problems == first.remarks == second.remarks == ()


# what is changed in message 2 -> ids without a record of message 1, and with one
WRONG = [
    ({"studentnr1": "0923456", "studentnr2": "0934567"}, ["not-swapped"], ["not-swapped"]),
    ({"classname": "INF9Z"}, ["secret-wrong"], ["field-changed classname"]),
    ({"teamname": "other"}, ["secret-wrong"], ["field-changed teamname"]),
    ({"studentnr1": "7654321"}, ["secret-wrong"], ["number-changed studentnr1 of studentnr2"]),
    (
        {"studentnr1": "0923456", "studentnr2": "7654321"},
        ["secret-wrong"],
        ["not-swapped", "number-changed studentnr2 of studentnr2"],
    ),
    (
        {"classname": "INF9Z", "teamname": "other"},
        ["secret-wrong"],
        ["field-changed classname", "field-changed teamname"],
    ),
    ({"teamname": "x", "studentnr1": "1", "studentnr2": "2"}, ["secret-wrong"], ["secret-of-another-team"]),
    (  # INF2A and inf2a are one class, in which this is the team that the records count it for
        {"classname": "inf2a", "studentnr1": "7654321", "studentnr2": "7654322"},
        ["secret-wrong"],
        [
            "field-changed classname",
            "number-changed studentnr1 of studentnr2",
            "number-changed studentnr2 of studentnr1",
        ],
    ),
]


@pytest.mark.parametrize(("changed", "alone", "recorded"), WRONG)
def test_wrong_messages_2(changed: dict[str, Any], alone: list[str], recorded: list[str]) -> None:
    for known, expected in ((None, alone), (ON_RECORD, recorded)):
        judgement = judged(SECOND | changed, known)
        assert [named(problem) for problem in judgement.problems] == expected
        assert judgement.outcome is Outcome.REJECTED
        assert reply(judgement)["status"].startswith("error: ")
        assert reply(judgement)["secret"] == ""
        sent = (SECOND | changed)["secret"]
        assert judgement.secret == (sent if len(sent) == 64 and sent.isalnum() and sent.islower() else "")


def named(problem: Problem) -> str:
    """The id, and which field was changed: for a number also which one it was in message 1."""
    if problem.id == "number-changed":
        return f"{problem.id} {problem.facts['field']} of {problem.facts['other']}"
    return f"{problem.id} {problem.facts['field']}" if problem.id == "field-changed" else problem.id


ALONE = SecretOwner(Team("INF2A", "Team1", "0923456", ""), ADDRESS)
NUMBERS = [
    ("a typing error", ON_RECORD, "0934568", "0923456", ["number-changed studentnr1 of studentnr2"]),
    ("a = b; b = a", ON_RECORD, "0934567", "0934567", ["number-lost"]),
    (
        "another teammate, not swapped",
        ON_RECORD,
        "0923456",
        "7",
        ["not-swapped", "number-changed studentnr2 of studentnr2"],
    ),
    ("alone, a typing error", ALONE, "0923457", "", ["number-changed studentnr1 of studentnr1"]),
    ("alone and swapped, a typing error", ALONE, "", "0923457", ["number-changed studentnr2 of studentnr1"]),
]


@pytest.mark.parametrize(
    ("known", "first", "second", "expected"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS]
)
def test_changed_numbers_are_named_as_they_were_in_message_1(
    known: SecretOwner, first: str, second: str, expected: list[str]
) -> None:
    judgement = judged(SECOND | {"secret": "0" * 64, "studentnr1": first, "studentnr2": second}, known)
    assert [named(problem) for problem in judgement.problems] == expected


def test_the_same_team_name_in_another_class_is_another_team() -> None:
    other = SecretOwner(Team("INF2B", "Team1", "1111111", "2222222"), ADDRESS)
    judgement = judged(SECOND | {"secret": "0" * 64}, other)
    assert [problem.id for problem in judgement.problems] == ["secret-of-another-team"]
    assert b"1111111" not in judgement.reply


# what else is wrong with a message 2 that has another mistake already
BESIDES = [
    ({"clientid": "2", "studentnr1": "0923456", "studentnr2": "0934567"}, ["clientid-in-quotes", "not-swapped"]),
    ({"extra": 1, "secret": "0" * 64}, ["extra-key", "secret-wrong"]),
    ({"clientid": 1}, ["clientid-still-1"]),
    ({"clientid": 1, "studentnr1": "0923456", "studentnr2": "0934567"}, ["clientid-still-1", "not-swapped"]),
    ({"studentnr1": 934567}, ["studentnr-as-number"]),
    ({"secret": "0" * 63}, ["secret-damaged"]),
    ({"secret": HANDOVER["secret"].upper()}, ["secret-damaged"]),
]


@pytest.mark.parametrize(("changed", "expected"), BESIDES)
def test_one_reply_names_everything_that_is_wrong(changed: dict[str, Any], expected: list[str]) -> None:
    assert sorted(problem.id for problem in judged(SECOND | changed).problems) == expected


def test_a_secret_that_was_never_given_is_wrong() -> None:
    assert [problem.id for problem in judged(SECOND | {"secret": "f" * 64}).problems] == ["secret-wrong"]


def test_a_secret_made_with_another_key_does_not_serve() -> None:
    assert judge_with(b"x" * 32).outcome is Outcome.REJECTED
    assert judge_with(KEY).outcome is Outcome.MESSAGE_2


def test_a_secret_made_with_an_older_key_still_serves() -> None:
    assert judge_with(OLD_KEY, KEY).outcome is Outcome.MESSAGE_2


def judge_with(*keys: bytes) -> Judgement:
    reader = Reader()
    reader.feed(encoded(SECOND))
    return judge(diagnose(reader, Ending.DECIDED, ADDRESS), keys, lambda secret: None)


def test_client_1s_ip_in_message_2_is_a_remark_where_it_is_on_record() -> None:
    sent = SECOND | {"ip": ON_RECORD.ip}
    assert [remark.id for remark in judged(sent).remarks] == ["ip-elsewhere"]
    assert [remark.id for remark in judged(sent, ON_RECORD).remarks] == ["ip-of-client-1"]
    assert judged(sent, ON_RECORD).outcome is Outcome.MESSAGE_2


def test_the_team_of_a_refused_message_2_has_its_numbers_as_in_message_1() -> None:
    team = judged(SECOND | {"secret": "0" * 64}).team
    assert team == ON_RECORD.team


def test_without_class_or_team_name_nobody_is_remembered() -> None:
    assert judged(FIRST | {"teamname": 5}).team is None
    assert judged(FIRST | {"classname": None}).team is None


def test_nothing_that_came_is_an_outcome_of_its_own() -> None:
    judgement = judge(diagnose(Reader(), Ending.END_OF_STREAM), [KEY], lambda secret: None)
    assert judgement.outcome is Outcome.NOTHING
    assert reply(judgement)["status"].startswith("error: ")


def test_a_right_message_asks_nothing_of_the_records() -> None:
    def never(message: Message) -> SecretOwner | None:
        raise AssertionError("the records were asked")

    for message in (FIRST, SECOND):
        reader = Reader()
        reader.feed(encoded(message))
        judge(diagnose(reader, Ending.DECIDED, ADDRESS), [KEY], never)


def test_the_judges_own_problems_have_room_however_many_the_message_has() -> None:
    """What the judge finds goes before the last of those that the message itself has."""
    message = decode(encoded(SECOND | {"secret": "0" * 64}))
    many = tuple(Problem("extra-key", number, {"found": str(number)}) for number in range(MAX_FINDINGS - 2))
    remarks = (Problem("ip-elsewhere"), Problem("studentnr-unusual"))
    found = judge(Diagnosis(message, many, remarks), [KEY], lambda secret: None)
    assert len(found.problems) + len(found.remarks) == MAX_FINDINGS
    assert found.problems[-1].id == "secret-wrong"
