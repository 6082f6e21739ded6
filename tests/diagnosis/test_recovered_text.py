"""What follows a mistake is read as it was meant: no second problem, and the place of each is exact."""

import json

import pytest

from tandem.diagnosis.problem import MAX_FINDINGS, Findings
from tandem.diagnosis.recovery.envelope import to_text
from tandem.protocol.framing import LENGTH, PLAIN
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from testing.messages.corpus import LINES, ONE, but
from testing.messages.sending import diagnosed, ids

# what was sent -> all problems
ALONE = {
    "a comment over two lines": (but(LINES, ('"INF2C",', '"INF2C", /* one\n"two": 2 */')), ["comment"]),
    "a comment to the end of its line": (but(LINES, ('"INF2C",', '"INF2C", // one */')), ["comment"]),
    "two kinds of comments": (
        but(LINES, ('"INF2C",', '"INF2C", // one'), ('"clientid": 1,', '"clientid": 1, /* two */')),
        ["comment"],
    ),
    "a quote after clientid": (but(ONE, ('"clientid": 1', '"clientid": 1"')), ["stray-character"]),
    "a quote after a number": (but(ONE, ('"INF2C"', '12"')), ["quote-never-opened"]),
    "no comma and no opening quote": (
        but(ONE, ('"INF2C", "clientid"', '"INF2C" clientid"')),
        ["missing-comma", "quote-never-opened"],
    ),
    "one kind of curly quotes, and one of them missing": (
        but(ONE, ('Pirates"', "Pirates")).replace('"', "”"),
        ["typographic-quotes", "quote-never-closed"],
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_mistake_does_not_bring_others(name: str) -> None:
    sent, wanted = ALONE[name]
    assert [problem.id for problem in diagnosed(sent.encode()).problems] == wanted


@pytest.mark.parametrize("extra", ['"extra": 1,', "extra: 1,"])
def test_an_unknown_name_is_pointed_at_behind_its_quote(extra: str) -> None:
    sent = but(ONE, ('"clientid": 1,', f"'clientid': 1, {extra}")).encode()
    [problem] = [problem for problem in diagnosed(sent).problems if problem.id == "extra-key"]
    assert problem.offset == sent.index(b"extra")


def test_a_comma_is_missing_after_the_closing_quote_even_if_the_opening_one_is_missing_too() -> None:
    sent = but(ONE, ('"INF2C", ', 'INF2C" ')).encode()
    assert [(problem.id, problem.offset) for problem in diagnosed(sent).problems] == [
        ("quote-never-opened", sent.index(b"INF2C")),
        ("missing-comma", sent.index(b' "clientid"')),
    ]


def test_an_escaped_text_has_no_edits_of_its_bytes() -> None:
    problems = diagnosed(json.dumps(but(ONE, ('"clientid"', "'clientid'"))).encode()).problems
    assert [(problem.id, problem.edits) for problem in problems] == [("json-twice", ()), ("single-quotes", ())]


def test_a_text_that_is_too_long_is_cut_between_two_characters() -> None:
    findings = Findings()
    text = to_text(("{" + "é" * MAX_MESSAGE_BYTES).encode(), PLAIN, findings)
    assert text is not None
    assert text.chars == "{" + "é" * ((MAX_MESSAGE_BYTES - 1) // 2)
    assert findings.empty


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_half_a_character_at_the_end_of_a_wide_text_is_no_mistake_of_its_own(codec: str) -> None:
    sent = ONE.encode(codec)
    for missing in range(1, len("}".encode(codec))):
        closed = not sent[-missing:].strip(b"\0")
        assert ids(diagnosed(sent[:-missing])) == (("utf-16",) if closed else ("never-closed", "utf-16"))


@pytest.mark.parametrize("header", ['{"content-length": 153}', "{'length': 153}"])
def test_behind_a_closed_object_nothing_is_said_of_what_the_server_did_not_wait_for(header: str) -> None:
    first_seen = len('{"studentnr1":') if "'" in header else 0  # such a header is no JSON
    for end in range(first_seen, len(ONE)):
        assert ids(diagnosed((header + ONE[:end]).encode())) == ("object-before-message",), end


def test_a_length_of_0_bytes_is_pointed_at() -> None:
    [problem] = diagnosed(bytes(4), framing=LENGTH).problems
    assert (problem.id, problem.offset) == ("nothing-came", 0)


def test_so_many_problems_are_found_and_no_more() -> None:
    findings = Findings()
    for number in range(MAX_FINDINGS + 1):
        assert findings.full == (number >= MAX_FINDINGS)
        findings.add("extra-key", number, found=str(number))
