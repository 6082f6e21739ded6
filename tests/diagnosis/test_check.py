"""What `tandem check` shows: the line, a mark under the place, the line as it should be, the whole message."""

import json

import pytest

from tandem.diagnosis.excerpt import excerpt
from tandem.diagnosis.problem import Edit, Problem
from tandem.report.check import check, check_report
from testing.messages.corpus import ASSIGNMENT_EXAMPLE, ONE, SECOND, TEAM, team

PAGE = """\
not accepted: 4 problems, no remarks

1. The wrong separator (wrong-separator; PROTOCOL.md 2.1)
   line 2, column 31
              "studentnr1": "0923456".
                                     ^
   what  near studentnr1 there is `.`, where `,` belongs
   try   write `,` there
   so           "studentnr1": "0923456",

2. A comma is missing (missing-comma; PROTOCOL.md 2.1)
   line 3, column 31
              "studentnr2": "0934567"
                                     ^
   what  a comma is missing after the value of studentnr2
   try   put a comma there
   so           "studentnr2": "0934567",

3. A comma is missing (missing-comma; PROTOCOL.md 2.1)
   line 8, column 20
              "secret": ""
                          ^
   what  a comma is missing after the value of secret
   try   put a comma there
   so           "secret": "",

4. The last brace is missing (never-closed; PROTOCOL.md 2.4)
   line 9, column 20
              "status": ""
                          ^
   what  the last brace is missing: the data ended after status
   try   send the whole object, with its last }
   so           "status": ""}

Did you mean

{
    "studentnr1": "0923456",
    "studentnr2": "0934567",
    "classname": "INF2A",
    "clientid": 1,
    "teamname": "Team1",
    "ip": "192.168.1.2",
    "secret": "",
    "status": ""
}
"""


def test_the_assignments_own_example_as_a_page() -> None:
    assert check_report(ASSIGNMENT_EXAMPLE.encode(), "text", colour=False) == (PAGE, False)


def test_a_right_message() -> None:
    assert check_report(ONE.encode() + b"\n", "text", colour=False) == ("accepted: no problems, no remarks\n", True)
    text, accepted = check_report(SECOND.encode(), "text", colour=False)
    assert accepted
    assert "only the server can tell whether its secret is right" in text


def test_a_remark_is_shown_and_accepted() -> None:
    text, accepted = check_report(team(ip="localhost").encode(), "text", colour=False)
    assert accepted
    assert text.startswith("accepted: no problems, 1 remark\n")
    assert "1. remark: A name in place of an address" in text
    assert "Did you mean" not in text


def test_an_empty_ip_is_accepted_with_a_remark_as_in_the_file_of_a_client() -> None:
    text, accepted = check_report(team(ip="").encode(), "text", colour=False)
    assert accepted
    assert "as message 1 the server would refuse it" in text
    assert [problem.id for problem in check(team(ip="").encode()).problems] == ["field-empty"]
    text, accepted = check_report(team(ip="", teamname="").encode(), "text", colour=False)
    assert not accepted
    assert "teamname is empty" in text


FOR_A_FILE = [
    (b"", "write the message into the file"),
    (ONE.encode().replace(b"Packet", b"Zo\xeb"), "save the file as UTF-8"),
    (ONE.encode("utf-16"), "save the file as UTF-8; in Windows PowerShell"),
    (ONE.encode().replace(b"Packet", b"Pack\xc3"), "save the file as UTF-8"),
    (f"{ONE}\n{ONE}".encode(), "check one message at a time"),
]


def test_the_words_are_those_for_a_file_and_not_for_a_connection() -> None:
    for data, words in FOR_A_FILE:
        text, accepted = check_report(data, "text", colour=False)
        assert not accepted
        assert words in text
        assert "welcome" not in text
    assert check_report(team(ip="127.0.0.1").encode(), "text", colour=False)[0].startswith("accepted: no problems, no")


def test_colour_comes_only_on_request() -> None:
    plain, _ = check_report(ASSIGNMENT_EXAMPLE.encode(), "text", colour=False)
    coloured, _ = check_report(ASSIGNMENT_EXAMPLE.encode(), "text", colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31m" in coloured
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_for_programs() -> None:
    text, accepted = check_report(ASSIGNMENT_EXAMPLE.encode(), "json", colour=True)
    page = json.loads(text)
    assert (page["accepted"], accepted) == (False, False)
    assert page["repaired"]["studentnr1"] == "0923456"
    assert page["remarks"] == []
    assert page["problems"][0] == {
        "id": "wrong-separator",
        "severity": "problem",
        "line": 2,
        "column": 31,
        "what": "near studentnr1 there is `.`, where `,` belongs",
        "help": "write `,` there",
        "clause": "2.1",
        "excerpt": '       "studentnr1": "0923456".',
        "corrected": '       "studentnr1": "0923456",',
    }


def test_nothing_at_all_for_programs() -> None:
    page = json.loads(check_report(b"", "json", colour=False)[0])
    assert page["repaired"] is None
    [problem] = page["problems"]
    assert (problem["id"], problem["line"], problem["excerpt"]) == ("nothing-came", None, None)


# where -> line, column, what is shown of it, where the mark is
PLACES = [
    (b"abc", 0, 1, 1, "abc", "^"),
    (b"abc", 3, 1, 4, "abc", "   ^"),
    (b"abc\ndef", 5, 2, 2, "def", " ^"),
    (b"abc\r\ndef\r\n", 1, 1, 2, "abc", " ^"),
    ("Zoë!".encode(), 4, 1, 4, "Zoë!", "   ^"),
    (b"Zo\xeb!", 3, 1, 4, "Zo\\xeb!", "      ^"),
    ("漢字!".encode(), 6, 1, 3, "漢字!", "    ^"),
    ("e\u0301!".encode(), 3, 1, 3, "e\u0301!", " ^"),
    (b"a\x1b[31m!", 6, 1, 7, "a\\x1b[31m!", "         ^"),
    (b"a" * 200 + b"!" + b"b" * 200, 200, 1, 201, "..." + "a" * 57 + "!" + "b" * 32 + "...", " " * 60 + "^"),
]


@pytest.mark.parametrize(("data", "at", "line", "column", "shown", "mark"), PLACES)
def test_the_mark_stands_under_the_place(data: bytes, at: int, line: int, column: int, shown: str, mark: str) -> None:
    place = excerpt(data, Problem("stray-character", at))
    assert place is not None
    assert (place.line, place.column, place.shown, place.mark) == (line, column, shown, mark)
    assert place.corrected is None


def test_a_problem_that_is_nowhere_has_no_excerpt() -> None:
    assert excerpt(b"abc", Problem("not-swapped")) is None


# the edits -> the line as it should be
CORRECTIONS = [
    ((Edit(4, 5, "X"),), "Xef"),
    ((Edit(5, 5, ","),), "d,ef"),
    ((Edit(4, 5, "X"), Edit(6, 7, "Y")), "XeY"),
    ((Edit(0, 1, "X"), Edit(5, 6, "")), "df"),
    ((Edit(0, 1, "X"),), None),
    ((Edit(4, 11, ""),), None),
    ((Edit(6, 9, ""),), "dehi"),
]


@pytest.mark.parametrize(("edits", "corrected"), CORRECTIONS)
def test_the_corrected_line_has_the_edits_that_begin_in_it(edits: tuple[Edit, ...], corrected: str | None) -> None:
    place = excerpt(b"abc\ndef\nghi", Problem("stray-character", 5, edits=edits))
    assert place is not None
    assert place.corrected == corrected


def test_a_hostile_name_cannot_steer_the_terminal() -> None:
    data = json.dumps(TEAM | {"teamname": "x"}).replace('"x"', '"\x1b]0;owned\x07"')
    text, accepted = check_report(data.encode(), "text", colour=False)
    assert not accepted
    assert "\x1b" not in text
    assert "\\x1b" in text
