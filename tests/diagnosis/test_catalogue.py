"""The catalogue is whole: each kind has a specimen that gives it and nothing else, and words that always fit."""

import re
import string
from collections.abc import Callable

import pytest

from tandem.diagnosis.catalogue.kind import RIGHT, RIGHT_2, but
from tandem.diagnosis.problem import (
    CATALOGUE,
    MAX_SENTENCE,
    Family,
    Kind,
    Problem,
    Severity,
    error_status,
    size_in_json,
)
from tandem.keys.secret import derive
from tandem.protocol.framing import FRAMINGS
from tandem.protocol.message import ERROR_PREFIX, Message, message_2
from tandem.records.visits import Team
from tandem.server.judge import judge
from tandem.server.message_2 import SecretOwner
from testing.messages.corpus import FRAMED_CASES
from testing.messages.sending import diagnosed, ids

KINDS = list(CATALOGUE.values())
FACTS = {"other", "found", "wanted", "field", "near", "meant", "ending", "place"}

by_id = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.needs], ids=lambda kind: kind.id)
def test_the_specimen_gives_its_kind_and_no_other(kind: Kind) -> None:
    diagnosis = diagnosed(kind.specimen)
    assert ids(diagnosis) == (kind.id,)
    assert bool(diagnosis.remarks) == (kind.severity is Severity.REMARK)


@pytest.mark.parametrize("right", [RIGHT, RIGHT_2])
def test_a_right_message_gives_none_of_them(right: bytes) -> None:
    assert ids(diagnosed(right)) == ()


# What the judge finds: each from a right message 2 of a team, and what the server has on record of it.

KEY = b"a server's own key"
FIRST = Message("0923456", "0934567", "INF2A", 1, "Team1", "192.168.1.2")


def _judged(data: bytes, record: Team | None, address: str = "192.168.1.3") -> tuple[str, ...]:
    recalled = SecretOwner(record, FIRST.ip) if record else None
    judgement = judge(diagnosed(data, address), [KEY], lambda secret: recalled)
    return tuple(problem.id for problem in (*judgement.problems, *judgement.remarks))


@pytest.fixture(scope="module")
def second() -> bytes:
    """Message 2 as it is right, with the secret that this key gives."""
    reply = judge(diagnosed(FIRST.encode()), [KEY], lambda secret: None)
    handover = diagnosed(reply.reply.replace(b'"clientid": 1', b'"clientid": 2')).message
    return message_2(handover, "192.168.1.3").encode()


OWN = Team("INF2A", "Team1", "0923456", "0934567")
SECRET = derive(KEY, OWN).encode()
OTHER = Team("INF2B", "Team9", "1111111", "2222222")

JUDGED = [
    ("secret-wrong", (b"Team1", b"Team2"), None, ""),
    ("secret-of-another-team", (b"Team1", b"Team2"), OTHER, ""),
    ("secret-expired", (SECRET, derive(b"the key before", OWN).encode()), OWN, ""),
    ("not-swapped", (b'"0934567", "studentnr2": "0923456"', b'"0923456", "studentnr2": "0934567"'), OWN, ""),
    ("field-changed", (b"INF2A", b"INF2B"), OWN, ""),
    ("secret-damaged", (SECRET, SECRET[:60]), None, ""),
    ("number-changed", (b"0934567", b"0934568"), OWN, ""),
    ("field-looks-alike", (b"Team1", b"Team1 "), OWN, ""),
    ("number-lost", (b"0923456", b"0934567"), OWN, ""),
    ("ip-of-client-1", (b"192.168.1.3", b"192.168.1.2"), OWN, "192.168.1.3"),
    ("ip-elsewhere", (b"192.168.1.3", b"10.8.0.6"), OWN, "192.168.1.3"),
]


@pytest.mark.parametrize(("id", "change", "record", "address"), JUDGED, ids=[row[0] for row in JUDGED])
def test_what_the_judge_must_know_more_for(
    id: str, change: tuple[bytes, bytes], record: Team | None, address: str, second: bytes
) -> None:
    assert _judged(second, record) == ()
    assert _judged(but(*change, second), record, address) == (id,)


def test_the_judged_kinds_are_the_ones_that_say_what_they_need() -> None:
    of_framing = {id for case in FRAMED_CASES for id in case.ids if "framing" in CATALOGUE[id].needs}
    elsewhere = {"bytes-after-reply"}
    assert {row[0] for row in JUDGED} | of_framing | elsewhere == {kind.id for kind in KINDS if kind.needs}
    for kind in KINDS:
        if kind.needs:
            assert diagnosed(kind.specimen).problems == ()


@by_id
def test_a_kind_is_filled_in(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.id)
    assert re.fullmatch(r"\d(\.\d)?", kind.clause)
    assert kind.family in Family
    for text in (kind.title, kind.what, kind.help, kind.help_framed):
        assert text == text.strip()
        assert not text.endswith(".")
    texts = (kind.what, kind.help, kind.help_framed)
    fields = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    assert fields <= FACTS
    assert "{" not in kind.title


@by_id
@pytest.mark.parametrize("fact", ['"' * 500, "\\" * 500, "ë" * 500, "\x1b" * 500, "😀" * 500, "\ud800" * 500, ""])
def test_a_sentence_is_bounded_whatever_the_facts(kind: Kind, fact: str) -> None:
    for framing in FRAMINGS:
        problem = Problem(kind.id, 0, dict.fromkeys(FACTS, fact) | {"line": "8192", "framing": framing})
        sentence = problem.sentence
        assert sentence.isprintable()
        assert size_in_json(sentence) <= MAX_SENTENCE


@by_id
def test_a_fact_that_is_missing_becomes_a_question_mark(kind: Kind) -> None:
    problem = Problem(kind.id)
    for template, words in ((kind.what, problem.what), (kind.help, problem.help)):
        assert words == template.format_map(dict.fromkeys(FACTS, "?"))


def test_titles_are_different() -> None:
    assert len({kind.title for kind in KINDS}) == len(KINDS)


def test_a_status_holds_as_many_whole_problems_as_fit_and_always_the_first() -> None:
    problems = [Problem("field-missing", 0, {"field": name}) for name in ("ip", "secret", "status")]
    sentences = [problem.sentence for problem in problems]
    whole = ERROR_PREFIX + "; ".join(sentences)
    assert error_status(problems, len(whole)) == whole
    assert error_status(problems, len(whole) - 1) == ERROR_PREFIX + "; ".join(sentences[:2])
    assert error_status(problems, 0) == ERROR_PREFIX + sentences[0]


def test_room_is_counted_as_json_writes_the_words() -> None:
    problems = [Problem("missing-comma", 0, {"near": "ip"})] * 2
    whole = ERROR_PREFIX + "; ".join(problem.sentence for problem in problems)
    assert size_in_json(whole) == len(whole)
    assert error_status(problems, len(whole) - 1) == ERROR_PREFIX + problems[0].sentence
    assert error_status(problems, len(whole)) == whole


def test_a_fact_is_cut_only_where_a_sentence_has_no_room_for_it() -> None:
    short, long = (Problem("extra-key", 0, {"found": "x" * length}) for length in (60, MAX_SENTENCE))
    assert f"`{'x' * 60}`" in short.what
    assert f"`{'x' * 60}`" in short.sentence
    assert "x" * MAX_SENTENCE in long.what
    assert "x..." in long.sentence


def test_a_short_fact_leaves_its_room_to_a_long_one() -> None:
    changed = Problem("field-changed", 0, {"field": "classname", "found": "x", "wanted": "y" * 70})
    assert "y" * 70 in changed.sentence


# Problems are split at "; " by clients, and a reply may be read as str(reply)[2:-1]
FORBIDDEN = ("'", '"', "\\", "; ")


@by_id
def test_no_sentence_of_the_catalogue_has_a_quote_a_backslash_or_what_separates_problems(kind: Kind) -> None:
    for text in (kind.what, kind.help, kind.help_framed):
        assert text.isascii()
        assert not [sign for sign in FORBIDDEN if sign in text]


@by_id
@pytest.mark.parametrize(
    "fact", ["it's", 'a "b"', "a\\b", "a; b;  c", "Zo\u00eb", "\r\n", "\udcff", "\udcff\ud800", "\U0001f600"]
)
def test_no_fact_brings_them_into_a_sentence(kind: Kind, fact: str) -> None:
    sentence = Problem(kind.id, 0, dict.fromkeys(FACTS, fact)).sentence
    assert sentence.isascii()
    assert sentence.isprintable()
    assert not [sign for sign in FORBIDDEN if sign in sentence]


def test_what_a_sentence_cannot_show_is_there_by_its_code_point() -> None:
    assert "`Zo<U+00EB>`" in Problem("extra-key", 0, {"found": "Zo\u00eb"}).sentence
    assert "`<0xFF>`" in Problem("extra-key", 0, {"found": "\udcff"}).sentence
    assert "`Zo\u00eb`" in Problem("extra-key", 0, {"found": "Zo\u00eb"}).what


def test_the_catalogue_and_the_summary_are_counted(record_property: Callable[[str, object], None]) -> None:
    problems = sum(kind.severity is Severity.PROBLEM for kind in KINDS)
    record_property("figure", f"{problems} kinds of problems, {len(KINDS) - problems} of remarks in the catalogue")
    assert len(KINDS) >= 80
