"""Every wrong message gives exactly the problems it has: none is missed, none is made up."""

import json
from collections.abc import Callable

import pytest

from tandem.diagnosis.problem import CATALOGUE, Edit, Problem
from tandem.diagnosis.recovery.foreign import SIGNATURES
from tandem.protocol.framing import LENGTH
from tandem.protocol.message import Message
from tandem.report.check import check
from testing.messages import corpus
from testing.messages.corpus import CASES, FRAMED_CASES, FRAMED_RIGHT, Case
from testing.messages.oracle import is_right
from testing.messages.sending import diagnosed, ids
from testing.messages.working import MESSAGES


def test_every_mistake_is_found_and_no_other(record_property: Callable[[str, object], None]) -> None:
    for case in CASES:
        assert ids(diagnosed(case.data)) == case.ids, case.data
    mistakes = sum(len(case.ids) for case in CASES)
    record_property("figure", f"{len(CASES)} wrong messages with {mistakes} mistakes: all found, and no others")


@pytest.mark.parametrize("case", FRAMED_CASES, ids=lambda case: "+".join(case.ids))
def test_every_mistake_is_found_where_lengths_are_wanted(case: Case) -> None:
    assert not is_right(case.data, LENGTH)
    assert ids(diagnosed(case.data, framing=LENGTH)) == case.ids


@pytest.mark.parametrize("data", FRAMED_RIGHT)
def test_a_right_message_behind_its_length_is_accepted_where_lengths_are_wanted(data: bytes) -> None:
    assert is_right(data, LENGTH)
    assert ids(diagnosed(data, framing=LENGTH)) == ()


def test_the_corpus_is_large_and_each_of_its_messages_is_wrong() -> None:
    assert len({case.data for case in CASES}) >= 300
    assert [case.data for case in CASES if is_right(case.data)] == []


def test_every_kind_that_a_message_can_show_alone_is_in_the_corpus_or_among_what_works() -> None:
    seen = {id for case in CASES for id in case.ids} | {id for message in MESSAGES for id in message.remarks}
    judged = {id for id, kind in CATALOGUE.items() if kind.needs}
    assert seen | judged == set(CATALOGUE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(dict.fromkeys(case.ids)))
def test_a_case_is_the_same_in_a_file_and_its_places_are_inside_of_it(case: Case) -> None:
    diagnosis = check(case.data)
    assert ids(diagnosis) == case.ids
    for problem in (*diagnosis.problems, *diagnosis.remarks):
        assert problem.offset is not None
        assert 0 <= problem.offset <= len(case.data)
        assert all(0 <= edit.start <= edit.end <= len(case.data) for edit in problem.edits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(dict.fromkeys(case.ids)))
def test_what_was_probably_meant_has_no_problem_any_more(case: Case) -> None:
    repaired = diagnosed(case.data).repaired
    if repaired is not None:
        assert diagnosed(repaired.encode()).problems == ()
        assert is_right(repaired.encode())


# Kinds that take something away which only the sender knows.
NOBODY_KNOWS = {
    *(signature.id for signature in SIGNATURES),
    "nothing-came",
    "proxy-header",  # which may come alone, as a balancer sends it
    "telnet-negotiation",  # the same
    "zero-bytes-only",
    "not-text",
    "not-utf-8",
    "null-message",
    "null-value",
    "ip-as-list",
    "studentnr-beside",
    "refusal-handed-on",
    "too-large",
    "not-json",
    "cut-off",
    "not-a-number",
    "field-missing",
    "missing-value",
    "python-value",
    "studentnr-single",
    "studentnr-as-number",
    "field-type",
    "field-empty",
    "field-too-long",
    "control-character",
    "newline-in-text",
    "bad-escape",
    "lone-surrogate",
    "placeholder",
    "clientid-not-1-or-2",
    "clientid-still-1",
    "secret-missing",
    "secret-damaged",
    "key-twice",
    "length-in-digits",
    "bad-number",
}


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not NOBODY_KNOWS & set(case.ids) and len(case.data) > 4],
    ids=lambda case: "+".join(case.ids),
)
def test_the_whole_message_is_offered_where_nothing_has_to_be_invented(case: Case) -> None:
    assert diagnosed(case.data).repaired is not None


@pytest.mark.parametrize(
    "data",
    [case.data for case in CASES if (d := diagnosed(case.data)).repaired and all(p.edits for p in d.problems)],
    ids=lambda data: data[:60].decode("latin-1"),
)
def test_all_corrections_together_make_the_message_right(data: bytes) -> None:
    assert diagnosed(edited(data, diagnosed(data).problems)).problems == ()


def edited(data: bytes, problems: tuple[Problem, ...]) -> bytes:
    """The bytes with every correction made; of two that overlap, the outer one."""
    result, done = b"", 0
    edits: list[Edit] = sorted(edit for problem in problems for edit in problem.edits)
    for edit in edits:
        if edit.start >= done:
            result += data[done : edit.start] + edit.text.encode()
            done = edit.end
    return result + data[done:]


@pytest.mark.parametrize("header", [corpus.PROXY_HEADER_V2, corpus.PROXY_HEADER_V1, corpus.PROXY_HEADER_V2 * 2])
@pytest.mark.parametrize("message", [corpus.ONE.encode(), corpus.LINES.encode(), corpus.SECOND.encode()])
def test_without_a_balancers_header_the_rest_is_the_message(header: bytes, message: bytes) -> None:
    diagnosis = diagnosed(header + message)
    [problem] = diagnosis.problems
    assert problem.offset == 0
    assert edited(header + message, (problem,)) == message
    assert diagnosis.repaired == diagnosed(message).message


@pytest.mark.parametrize("header", [corpus.PROXY_HEADER_V2, corpus.PROXY_HEADER_V1])
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not {"proxy-header", "nothing-came", "refusal-handed-on"} & set(case.ids)][::3],
    ids=lambda case: "+".join(dict.fromkeys(case.ids)),
)
def test_behind_a_balancers_header_everything_is_told_as_without_it(header: bytes, case: Case) -> None:
    bare, behind = diagnosed(case.data), diagnosed(header + case.data)
    moved = [_moved(problem, len(header)) for problem in (*bare.problems, *bare.remarks)]
    assert behind.problems[0].id == "proxy-header"
    if "too-large" in case.ids:  # what is read of it ends sooner, because the header counts
        assert ids(behind) == tuple(sorted((*case.ids, "proxy-header")))
        return
    assert [(p.id, p.offset, p.edits) for p in (*behind.problems[1:], *behind.remarks)] == moved
    assert behind.message == bare.message


def _moved(problem: Problem, by: int) -> tuple[str, int, tuple[Edit, ...]]:
    """What tells a problem and its place, if so many bytes came before it."""
    assert problem.offset is not None
    return problem.id, problem.offset + by, tuple(Edit(e.start + by, e.end + by, e.text) for e in problem.edits)


NOT_OFFERED = [
    corpus.second(clientid=1),  # message 1, as it says, or message 2, as its secret says?
    corpus.second(clientid="1"),
    corpus.but(corpus.ONE, ('"Packet Pirates"', '"Jan", Piet')),
    corpus.but(corpus.ONE, ('"Packet Pirates"', "Jan, Piet")),
    corpus.but(corpus.ONE, ("Packet Pirates", 'De "beste", Pakketjes')),
    corpus.but(corpus.ONE, ('"clientid": 1', '"clientid": None')),
]


@pytest.mark.parametrize("data", NOT_OFFERED)
def test_no_message_is_offered_that_would_lose_what_was_written(data: str) -> None:
    assert diagnosed(data.encode()).repaired is None


def test_none_for_secret_and_status_is_read_as_empty() -> None:
    repaired = diagnosed(str(corpus.TEAM | {"secret": None, "status": None}).encode()).repaired
    assert repaired is not None
    assert repaired.fields() == corpus.TEAM


def test_the_fields_that_could_be_read_come_back_as_received_and_no_others() -> None:
    data = {"studentnr1": 987654, "Teamname": "Packet Pirates", "clientid": "1", "ip": None, "classname": "x" * 65}
    message = diagnosed(json.dumps(data).encode()).message
    assert message == Message(teamname="Packet Pirates")


def test_the_assignments_own_example_gives_its_four_mistakes_in_one_answer() -> None:
    data = corpus.ASSIGNMENT_EXAMPLE.encode()
    diagnosis = diagnosed(data)
    assert [(problem.id, data.count(b"\n", 0, problem.offset) + 1) for problem in diagnosis.problems] == [
        ("wrong-separator", 2),
        ("missing-comma", 3),
        ("missing-comma", 8),
        ("never-closed", 9),
    ]
    assert diagnosis.repaired is not None
    assert diagnosis.repaired.fields() == {
        "studentnr1": "0923456",
        "studentnr2": "0934567",
        "classname": "INF2A",
        "clientid": 1,
        "teamname": "Team1",
        "ip": "192.168.1.2",
        "secret": "",
        "status": "",
    }
    assert json.loads(edited(data, diagnosis.problems)) == diagnosis.repaired.fields()
