"""Troubles of real programs and public bug reports: what their sender must read first, and what would mislead."""

import json
import struct
from typing import NamedTuple

import pytest

from tandem.diagnosis.diagnose import Diagnosis
from tandem.protocol.message import ERROR_PREFIX
from tandem.report.check import check, check_report
from tandem.server.judge import judge
from testing.messages.corpus import (
    JSON_HEADER,
    ONE,
    SECOND,
    SECRET,
    TEAM,
    TEAM_2,
    TELNET,
    behind_length,
    but,
    second,
    team,
)
from testing.messages.sending import diagnosed, diagnosed_in_pieces


class Trouble(NamedTuple):
    """One message."""

    name: str
    data: bytes
    told: tuple[str, ...]  # what the status must say
    misleading: tuple[str, ...] = ()  # what it must not say


def trouble(name: str, data: str | bytes, told: tuple[str, ...], *misleading: str) -> Trouble:
    """Return a row of the table."""
    return Trouble(name, data.encode() if isinstance(data, str) else data, told, misleading)


OLD = {name: value for name, value in TEAM_2.items() if not name.startswith("studentnr")} | {"studentnr": "1023456"}
REFUSED = "clientid is the text 1 - send the number 1 or 2, without quotes"

TROUBLES = [
    trouble(
        "a big-endian length",
        behind_length(ONE.encode()),
        ("big-endian length", "comes first"),
        "UTF-8",
        "encode(",
    ),
    trouble(
        "Java's writeChars", ONE.encode("utf-16-be"), ("UTF-16",), "not complete", "nothing more", "without an arg"
    ),
    trouble(
        "C# BinaryWriter",
        bytes([len(ONE) & 127 | 128, len(ONE) >> 7]) + ONE.encode(),
        (f"A8 01 = {len(ONE)}", "BinaryWriter"),
        "not UTF-8",
        "Latin-1",
    ),
    trouble(
        "a tutorial's header",
        behind_length(JSON_HEADER, ">H") + ONE.encode(),
        ("a header of", "send the message alone"),
        "before the first one was closed",
        "byteorder",
    ),
    trouble("PuTTY in telnet mode", TELNET, ("telnet", "FF FB", "Raw", "nc"), "UTF-8", "encode("),
    trouble("a C string", ONE.encode() + b"\0", ("zero byte", "strlen", "sizeof"), "last byte"),
    trouble(
        "a whole buffer", ONE.encode().ljust(1024, b"\0"), ("zero byte", "only the bytes that were filled"), "last byte"
    ),
    trouble("an empty buffer", bytes(1024), ("only zero bytes", "1024"), "length"),
    trouble("getsockname() as a list", team(ip=["145.137.54.21", 51234]), ("getsockname()", "[0]"), "send text"),
    trouble("getsockname() as a tuple", str(TEAM | {"ip": ("145.137.54.21", 51234)}), ("[0]",), "does not belong"),
    trouble("clientid 1.0", team(clientid=1.0), ("1.0", "the right number", "integer"), "not the number 1"),
    trouble("clientid -1 in quotes", team(clientid="-1"), ("the text `-1`",), "clientid is -1"),
    trouble("null for the teammate", team(studentnr2=None), ("studentnr2 is null", "0000000"), "None", "send text"),
    trouble("None for the teammate", str(TEAM | {"studentnr2": None}), ("0000000",)),
    trouble("the object as a text", json.dumps({"data": ONE}), ("a text inside `data`",), "is missing", "extra"),
    trouble(
        "rich text",
        b'{\\rtf1\\ansi\\deff0 {\\fonttbl {\\f0 Courier;}}\n\\{"studentnr1": "0987654"\\}\n}',
        ("rich text", "plain text"),
        "str() makes",
        "does not belong",
    ),
    trouble("a line end in a name", team(teamname="Pirates\n"), ("U+000A", "a line end", ".strip()")),
    trouble("null alone", "null", ("null", "d.update()", "list.append()", "print()"), "a dict of the eight fields"),
    trouble(
        "a refusal handed on",
        second(secret="", status=ERROR_PREFIX + REFUSED),
        ("refusal of message 1", f"`{REFUSED}`", "fix that first", "`waiting for message 2`"),
        "secret",
        "as it came",
    ),
    trouble(
        "a refusal handed on with str(None)",
        second(secret="None", status=ERROR_PREFIX + REFUSED),
        ("refusal of message 1", f"`{REFUSED}`"),
        "the secret",
    ),
    trouble("a secret and its line end", second(secret=SECRET + "\n"), ("a line end", ".strip()"), "65"),
    trouble("a secret as str() of bytes", second(secret=str(SECRET.encode())), ("str()", ".decode()"), "67"),
    trouble("a secret with its quotes", second(secret=json.dumps(SECRET)), ("quotes around it",), "66"),
    trouble(
        "the old field beside the new ones", json.dumps(TEAM_2 | {"studentnr": "1023456"}), ("studentnr1", "sender")
    ),
    trouble("the old field in message 2", json.dumps(OLD), ("older assignment",), "swapped", "empty", "studentnr2 is"),
    trouble("digits alone", "155\n", ("not a JSON object", "`155`"), "length", "comes before"),
    trouble("digits before a pickle", b"155       \x80\x04\x95\x28\0\0\0\0\0\0\0}.", ("pickle",), "length", "UTF-8"),
    trouble("base64", "eyJzdHVkZW50bnIxIjogIjA5ODc2NTQifQ==", ("base64",), "encode("),
    trouble("hexadecimal digits", ONE.encode().hex(), ("hexadecimal",), "encode("),
    trouble(
        "str() of bytes, cut",
        str(but(ONE, ("Packet", "Zoë")).encode())[2:-1],
        ("`xc3` in teamname", ".decode()"),
        "two backslashes",
    ),
    trouble("backticks as quotes", ONE.replace('"', "`"), ("backticks",), "single", "str(data)"),
    trouble(
        "escaped quotes of one key", but(ONE, ('"ip"', '\\"ip\\"')), ("backslashes before the quotes",), "stray", "miss"
    ),
    trouble("quotes as \\u0022", ONE.replace('"', "\\u0022"), ("backslashes",), "stray", "comma"),
    trouble(
        "a colon in the quotes",
        ONE.replace('nr1": ', 'nr1:" '),
        ("the colon after studentnr1",),
        "missing",
        "inside the",
    ),
    trouble("JSON-RPC", json.dumps({"method": "send", "params": TEAM, "id": 1}), ("one level too deep",), "closes"),
    trouble("MongoDB", struct.pack("<4i", 60, 1, 0, 2013) + bytes(44), ("no text",), "UTF-", "json.dumps"),
    trouble("a proxy's SOCKS", b"\x05\x01\0", ("no text", "05 01 00"), "json.dumps"),
    trouble(
        "Dutch names", but(ONE, ("classname", "klasnaam"), ("secret", "geheim")), ("call it classname",), "missing"
    ),
    trouble("telnet, nothing typed", b"\xff\xfb\x18\xff\xfb\x1f", ("option bytes", "nc"), "UTF-8", "no text"),
    trouble(
        "a length and a line end", struct.pack("<I", 3) + b"\r\n" + ONE.encode(), ("a length of 4 bytes",), "U+0003"
    ),
    trouble("JavaScript's String(object)", "[object Object]", ("how a program shows an object", "JSON.stringify")),
]

rows = pytest.mark.parametrize("row", TROUBLES, ids=lambda row: row.name)


def status_of(diagnosis: Diagnosis) -> str:
    """Return the status of the server's reply."""
    status: str = json.loads(judge(diagnosis, [b"a key"], lambda message: None).reply)["status"]
    return status


@rows
def test_the_sender_reads_the_cause_and_nothing_that_misleads(row: Trouble) -> None:
    status = status_of(diagnosed(row.data))
    for words in row.told:
        assert words in status
    for words in row.misleading:
        assert words not in status


@rows
def test_the_words_are_the_same_wherever_it_is_cut(row: Trouble) -> None:
    whole = status_of(diagnosed(row.data))
    for at in range(1, len(row.data), 3):
        assert status_of(diagnosed_in_pieces([row.data[:at], row.data[at:]])) == whole


@rows
def test_tandem_check_says_the_same(row: Trouble) -> None:
    problems = check(row.data).problems
    assert [problem.id for problem in problems] == [problem.id for problem in diagnosed(row.data).problems]
    text, accepted = check_report(row.data, "text", colour=False)
    assert not accepted
    assert problems[0].what in text


def test_the_cause_is_the_first_problem_and_the_only_one_where_nothing_else_is_wrong() -> None:
    for row in TROUBLES:
        if not row.name.endswith(("as a tuple", "None for the teammate", "JSON-RPC", "Dutch names")):
            assert len(diagnosed(row.data).problems) == 1, row.name


def test_the_old_number_is_put_where_it_belongs_in_what_is_offered() -> None:
    repaired = diagnosed(
        json.dumps(TEAM_2 | {"studentnr1": "0987654", "studentnr2": "1023456", "studentnr": "1023456"}).encode()
    ).repaired
    assert repaired is not None
    assert repaired.fields() == TEAM_2
    assert diagnosed(json.dumps(TEAM | {"studentnr": "7777777"}).encode()).repaired is None


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (SECRET.upper(), "the secret has capital letters, but a secret has 64 characters, 0-9 and small a-f"),
        (SECRET[:60].upper(), "the secret has 60 characters"),
        ("g" + SECRET[1:], "the secret has `g` in it"),
        (f"b'{SECRET[:60]}'", "the secret has b and quotes around it"),
    ],
)
def test_a_damaged_secret_is_told_by_what_is_wrong_with_it(secret: str, told: str) -> None:
    assert told in status_of(diagnosed(second(secret=secret).encode()))


def test_a_joined_emoji_is_accepted() -> None:
    assert diagnosed(team(teamname="\U0001f469\u200d\U0001f4bb crew").encode()).problems == ()


def test_a_secret_that_came_is_not_a_refusal() -> None:
    assert "refusal-handed-on" not in [p.id for p in diagnosed(second(status="error: x").encode()).remarks]
    assert SECRET in SECOND
