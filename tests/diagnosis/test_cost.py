"""What one diagnosis may cost, whatever the bytes: work, memory, and what is held afterwards; mostly counted."""

import json
import time

import pytest

from fuzz.diagnosis import ENDS, STARTS, UNITS
from fuzz.shapes import Shape, answer, data_of, kept, memory_of, read
from tandem.diagnosis.problem import Edit, Findings, Problem
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from testing.messages.corpus import ONE, TEAM
from testing.messages.sending import diagnosed, ids
from testing.messages.steps import steps

MAX_LINES = 8_000  # lines of Python for one diagnosis; most of those of the corpus take some 500
MAX_KIB = 100
MAX_HELD_KIB = 45
MAX_EDITS = 128
MAX_FACT = 80
SECONDS = 0.02  # ten times what the slowest may take on a machine that is not busy

REPEATED: list[Shape] = [
    ((start, 1), (unit, MAX_MESSAGE_BYTES // len(unit)), (end, 1)) for start in STARTS for unit in UNITS for end in ENDS
]
WIDE = ["\N{LATIN SMALL LETTER E WITH DIAERESIS}", "\u4e2d", "\U0001f3f4"]  # 1, 2 and 4 bytes of memory a character
ELSEWHERE: list[Shape] = [
    *(
        ((start, 1), (letter.encode() + b" " * blanks, MAX_MESSAGE_BYTES))
        for letter in WIDE
        for start in STARTS
        for blanks in (0, 9)
    ),
    *(
        ((wide.encode() + b'"' + b"{", 1), (b"x" * 300 + sign, MAX_MESSAGE_BYTES))
        for wide in WIDE
        for sign in (b'"', b'\\"', b"\n")
    ),
    *(
        ((header, 1), (b"\xff\xfe", 1), (b'{\0"\0a\0"\0:\0', MAX_MESSAGE_BYTES))
        for header in (b"", b"PROXY UNKNOWN\r\n")
    ),
    ((b"\xff\xfe\0\0", 1), ('{"a":'.encode("utf-32-le"), MAX_MESSAGE_BYTES)),
    ((b"{", 1), *((f'"estudent{number}r1": 1,'.encode(), 1) for number in range(400))),
]
SHAPES = [*kept(), *ELSEWHERE, *REPEATED[::5]]


def name_of(shape: Shape) -> str:
    return data_of(shape)[:40].decode("latin-1")


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_no_input_takes_many_steps_or_much_memory(shape: Shape) -> None:
    data = data_of(shape)
    answer(read(data))  # fills the caches, once for all
    assert steps(data) < MAX_LINES + MAX_MESSAGE_BYTES * 11  # and eleven lines of the reader for a byte
    peak, held = memory_of(data)
    assert peak < MAX_KIB
    assert held < MAX_HELD_KIB


@pytest.mark.parametrize("shape", kept(), ids=name_of)
def test_the_slowest_inputs_that_are_known_take_little_time(shape: Shape) -> None:
    reader = read(data_of(shape))
    took = []
    for _ in range(5):
        began = time.thread_time()
        answer(reader)
        took.append(time.thread_time() - began)
    assert min(took) < SECONDS


@pytest.mark.parametrize("size", [2 * MAX_MESSAGE_BYTES, 3 * MAX_MESSAGE_BYTES - 1])
@pytest.mark.parametrize("shape", kept()[::3], ids=name_of)
def test_more_bytes_than_a_message_may_have_cost_no_more_than_their_copies(shape: Shape, size: int) -> None:
    data = data_of(tuple((piece, count * 3) for piece, count in shape), size)
    answer(read(data))
    assert memory_of(data)[0] < MAX_KIB + 3 * (size - MAX_MESSAGE_BYTES) / 1024


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_what_is_found_is_bounded(shape: Shape) -> None:
    judgement = answer(read(data_of(shape)))
    found = (*judgement.problems, *judgement.remarks)
    assert sum(len(problem.edits) for problem in found) <= MAX_EDITS
    assert all(len(fact) <= MAX_FACT for problem in found for fact in problem.facts.values())


OVER = {"cut-off", "never-closed", "too-large", "not-json", "quote-never-closed", "stray-character"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (dict.fromkeys(map(str, range(700)), 1), "extra-key"),
        (TEAM | {"teamname": [[]] * 700}, "field-type"),
        ({"teamname": {"a": [{}] * 700}} | TEAM, "key-twice"),
        (TEAM | {"x": {str(number): '", "ip": "' for number in range(300)}}, "extra-key"),
        (TEAM | {"teamname": "\n" * 1200}, "field-too-long"),
        (TEAM | {"teamname": '", "ip": "' * 500}, "field-too-long"),
        (TEAM | {"teamname": "\U0001f3f4" * 600}, "field-too-long"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:30],
)
def test_of_json_that_has_too_much_in_it_nothing_is_said_that_is_not_so(message: object, expected: str) -> None:
    text = json.dumps(message)
    if expected == "key-twice":
        text = text[:-1] + ', "teamname": 1}'
    found = ids(diagnosed(text.encode()))
    assert expected in found
    assert not OVER & set(found)


def test_a_message_that_is_too_large_is_told_so_even_if_its_reading_stopped_before() -> None:
    data = json.dumps(TEAM | {"teamname": '", "ip": "' * 600}).encode()
    assert diagnosed(data).problems[0].id == "too-large"


def test_a_message_that_was_escaped_and_is_long_is_not_told_to_break_off() -> None:
    data = json.dumps(json.dumps(TEAM | {"x": '"' * 900})).encode()
    assert set(ids(diagnosed(data))) == {"json-twice"}


def test_of_a_text_that_is_too_long_to_be_kept_the_size_is_told_as_far_as_it_is_known() -> None:
    data = ONE.replace('"Packet Pirates"', "'" + "x" * 5000 + "'").encode()
    [problem] = [problem for problem in diagnosed(data).problems if problem.id == "field-too-long"]
    assert problem.what == "teamname has more than 1024 bytes, but at most 128 are allowed"


def test_a_line_is_corrected_as_a_whole_or_not_at_all() -> None:
    few, many = (_with_edits(count) for count in (MAX_EDITS, MAX_EDITS + 1))
    assert [len(problem.edits) for problem in (few, many)] == [MAX_EDITS, 0]


def _with_edits(count: int) -> Problem:
    findings = Findings()
    for at in range(count):
        findings.add_once("odd-space", at, Edit(at, at + 1, " "), found="U+00A0")
    [problem], _ = findings.results()
    return problem
