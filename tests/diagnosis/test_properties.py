"""What holds for any bytes at all, not only for the rows of a table."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tandem.diagnosis import rules
from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose, recover
from tandem.diagnosis.problem import MAX_FINDINGS
from tandem.diagnosis.recovery.fields import distance
from tandem.protocol.framing import PLAIN
from tandem.protocol.message import FIELDS, Message
from tandem.protocol.reader import MAX_MESSAGE_BYTES, Reader
from tandem.report.check import as_json, as_text, check
from tandem.server.handler import NOT_STORED, SERVER_BUG
from tandem.server.judge import MAX_REPLY_BYTES, reject
from testing.messages.corpus import CASES, ONE, SECOND, SECRET, TEAM, Case
from testing.messages.oracle import is_right
from testing.messages.pieces import PIECES
from testing.messages.sending import diagnosed, diagnosed_in_pieces, ids
from testing.messages.steps import steps

quickly = settings(max_examples=150, deadline=None, derandomize=True)

broken = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=40).map(b"".join)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A right message into which something was put, or from which something was cut."""
    data = draw(st.sampled_from((ONE, SECOND))).encode()
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted(draw(st.tuples(st.integers(0, len(data)), st.integers(0, len(data)))))
        data = data[:at] + draw(st.one_of(st.sampled_from(PIECES), broken)) + data[min(end, at + 6) :]
    return data


anything = st.one_of(st.binary(max_size=200), broken, spoiled(), st.sampled_from([case.data for case in CASES]))


@quickly
@given(anything)
def test_any_bytes_give_a_diagnosis_that_agrees_with_the_oracle(data: bytes) -> None:
    diagnosis = diagnosed(data)
    assert is_right(data) == (not diagnosis.problems)
    assert len(diagnosis.problems) + len(diagnosis.remarks) <= MAX_FINDINGS
    for problem in (*diagnosis.problems, *diagnosis.remarks):
        assert problem.offset is not None
        assert 0 <= problem.offset <= len(data)


@quickly
@given(anything, st.lists(st.integers(0, 200), max_size=5))
def test_any_cut_gives_the_same_diagnosis(data: bytes, cuts: list[int]) -> None:
    marks = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(marks)]
    assert diagnosed_in_pieces(pieces) == diagnosed(data)


@pytest.mark.parametrize("case", CASES[::7], ids=lambda case: "+".join(dict.fromkeys(case.ids)))
def test_byte_by_byte_gives_the_same_diagnosis(case: Case) -> None:
    data = case.data
    assert diagnosed_in_pieces(data[i : i + 1] for i in range(len(data))) == diagnosed(data)


@quickly
@given(anything)
def test_what_is_offered_instead_is_right(data: bytes) -> None:
    repaired = diagnosed(data).repaired
    if repaired is not None:
        assert is_right(repaired.encode())
        assert diagnosed(repaired.encode()).problems == ()


@quickly
@given(spoiled())
def test_what_is_offered_instead_keeps_the_secret(data: bytes) -> None:
    diagnosis = diagnosed(data)
    if diagnosis.repaired and f'"secret": "{SECRET}"'.encode() in data and "two-messages" not in ids(diagnosis):
        assert diagnosis.repaired.secret == SECRET


@quickly
@given(anything)
def test_a_reply_always_fits_and_a_status_keeps_to_its_room(data: bytes) -> None:
    diagnosis = diagnosed(data)
    if diagnosis.problems:
        reply = reject(diagnosis, diagnosis.problems).reply
        assert len(reply) <= MAX_REPLY_BYTES
        assert json.loads(reply).keys() == set(FIELDS)


def longest_message() -> Message:
    """The message whose reply is longest: every character of every field needs an escape."""
    texts = {name: '"' * size for name, size in rules.MAX_LENGTHS.items()}
    return Message(**texts | {"secret": "", "status": ""}, clientid=10**rules.MAX_CLIENTID - 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(dict.fromkeys(case.ids)))
def test_the_first_problem_fits_behind_the_longest_fields(case: Case) -> None:
    problems = diagnosed(case.data).problems
    assert len(reject(Diagnosis(longest_message()), problems).reply) <= MAX_REPLY_BYTES
    assert problems[0].sentence


def as_concatenated(reply: bytes) -> object:
    """Read a reply as programs do that make text of bytes with str() and cut what it adds."""
    return json.loads(str(reply)[2:-1])


@quickly
@given(anything)
def test_a_status_survives_a_program_that_cuts_str_of_bytes(data: bytes) -> None:
    diagnosis = diagnosed(data)
    if diagnosis.problems:
        reply = json.loads(reject(diagnosis, diagnosis.problems).reply)
        status = Message(status=reply["status"])
        assert as_concatenated(status.encode()) == status.fields()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(dict.fromkeys(case.ids)))
def test_a_reply_survives_it_if_its_fields_do_and_splits_into_its_problems(case: Case) -> None:
    diagnosis = diagnosed(case.data)
    judged = reject(diagnosis, diagnosis.problems)
    reply = json.loads(judged.reply)
    sentences = reply["status"].removeprefix("error: ").split("; ")
    assert sentences == [problem.sentence for problem in judged.problems[: len(sentences)]]
    fields = diagnosis.message.answered("", "").encode()
    if fields.isascii() and not {b"'", b"\\"} & {fields[at : at + 1] for at in range(len(fields))}:
        assert as_concatenated(judged.reply) == reply
    status = Message(status=reply["status"])
    assert as_concatenated(status.encode()) == status.fields()


@pytest.mark.parametrize("status", [SERVER_BUG, NOT_STORED])
def test_the_servers_other_refusals_survive_it_too(status: str) -> None:
    assert as_concatenated(Message(status=status).encode()) == Message(status=status).fields()
    assert "; " not in status


@quickly
@given(anything)
def test_what_is_shown_obeys_no_terminal_command(data: bytes) -> None:
    diagnosis = check(data)
    assert as_text(diagnosis, data, colour=False).replace("\n", "").isprintable()
    for line in json.loads(as_json(diagnosis, data))["problems"]:
        assert all(str(value).isprintable() for value in line.values())


names = st.sampled_from(FIELDS)
values = st.one_of(
    st.text(max_size=40),
    st.text("0123456789", max_size=9),
    st.integers(-2, 4),
    st.none(),
    st.sampled_from(("", "0000000", "1", "127.0.0.1", "::1", "YOURCLASSCODE", "waiting for message 2", "x" * 65)),
)


@quickly
@given(st.dictionaries(names, values, max_size=4), st.booleans())
def test_the_fast_path_and_the_recovering_one_agree(changes: dict[str, object], ascii_only: bool) -> None:
    data = json.dumps(TEAM | changes, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    fast = diagnosed(data, "145.137.54.21")
    slow = recover(data, Ending.SILENCE, "145.137.54.21", PLAIN)
    assert [problem.id for problem in fast.problems] == [problem.id for problem in slow.problems]
    assert [(remark.id, remark.offset) for remark in fast.remarks] == [
        (remark.id, remark.offset) for remark in slow.remarks
    ]
    if not fast.problems:
        assert fast.message.fields() == slow.fields


EXTREMES = [
    b"[" * 8000,
    b'{"studentnr1":' * 500,
    ONE.replace('"clientid": 1', '"clientid": ' + "[" * 4000).encode(),
    ONE.replace('"clientid": 1', '"clientid": ' + "9" * 5000).encode(),
    ONE.replace('"clientid": 1', '"clientid": -' + "9" * 700).encode(),
    ONE.replace('"clientid": 1', '"clientid": 1e400').encode(),
    ONE.replace('"clientid": 1', '"clientid": 1' + "0" * 20 + ".5e-7").encode(),
    ONE.replace('"clientid": 1', '"clientid": -0').encode(),
    ONE.replace("Packet", "\\ud800" * 900).encode(),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (300, 960, 980, 1000)),
    b" " * 9000,
    b" " * 8100 + ONE.encode(),
    ONE.encode() + b" " * 9000,
    ONE.encode() + b" " * 9000 + b"x",
    b"\0" * 9000,
    b"\xff" * 9000,
]


@pytest.mark.parametrize("data", EXTREMES, ids=lambda data: data[:30].decode("latin-1"))
def test_extremes_are_diagnosed_like_anything_else(data: bytes) -> None:
    diagnosis = diagnosed(data)
    assert is_right(data) == (not diagnosis.problems)
    assert "not-json" not in ids(diagnosis) or data.lstrip()[:1] != b"{"
    assert len(as_text(diagnosis, data, colour=False)) < 60_000


@pytest.mark.parametrize("unit", PIECES, ids=repr)
@pytest.mark.parametrize("start", [b"", b"{", b'{"teamname": ', b'{"teamname": "', ONE.encode()[:-1] + b", "], ids=repr)
def test_twice_the_bytes_take_at_most_about_twice_the_steps(start: bytes, unit: bytes) -> None:
    small, large = (start + unit * (size // len(unit)) for size in (2000, 4000))
    assert steps(large) <= 2.5 * steps(small) + 500


FOUND_BY_CAMPAIGNS = [
    b'{"clientid": 1\x1c, "teamname": "Packet Pirates"',
    b'{"s"studentnr2": tudentnr2": "102"classname": "INF2C", ntid": 1\x1c,\n "teamname": "x"}',
]


@pytest.mark.parametrize("data", FOUND_BY_CAMPAIGNS)
def test_what_a_campaign_found_does_not_come_back(data: bytes) -> None:
    assert diagnosed(data).problems


@pytest.mark.parametrize("space", ["\x1c", "\x85", "\xa0", "\u2003"])
def test_a_clientid_in_quotes_may_have_any_white_space_after_it(space: str) -> None:
    diagnosis = diagnosed(('{"clientid": "1' + space + '"}').encode())
    assert "clientid-in-quotes" in ids(diagnosis)
    assert diagnosis.message.clientid == 0


@pytest.mark.parametrize(
    "member", [b"f%d: True, ", b"'studentnr1' = None; f%d: x, ", b"\xffip = \xe2\x80\x9cYOUR%d\xe2\x80\x9d, "]
)
def test_what_is_found_is_bounded_in_a_message_that_is_too_large(member: bytes) -> None:
    reader = Reader()
    reader.feed(b"{" + b"".join(member % number for number in range(40)) + b" " * MAX_MESSAGE_BYTES)
    diagnosis = diagnose(reader, Ending.DECIDED, "127.0.0.1")
    assert len(diagnosis.problems) + len(diagnosis.remarks) <= MAX_FINDINGS


def slow_distance(one: str, other: str) -> int:
    """Return how many letters to insert, delete, replace or swap with the next: every way is tried."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        slow_distance(one[1:], other) + 1,
        slow_distance(one, other[1:]) + 1,
        slow_distance(one[1:], other[1:]) + (one[0] != other[0]),
    ]
    if len(one) > 1 and one[:2] == other[1::-1]:
        ways.append(slow_distance(one[2:], other[2:]) + 1)
    return min(ways)


words = st.text("abc", max_size=6)


@quickly
@given(words, words, st.integers(1, 3))
@example("ca", "ab", 2)  # one letter is in the other's place, and not the other way round
def test_typos_are_counted_up_to_a_limit(one: str, other: str, limit: int) -> None:
    assert min(distance(one, other, limit), limit + 1) == min(slow_distance(one, other), limit + 1)
