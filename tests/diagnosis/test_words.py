"""The words for a mistake name the very place: what an id alone does not show."""

import json

import pytest

from testing.messages.corpus import LINES, ONE, PROXY_HEADER_V1, PROXY_HEADER_V2, SECOND, SECRET, TEAM, but, second
from testing.messages.sending import diagnosed

# what was sent -> the sentence of its first problem
WORDS = [
    (but(ONE, ('"INF2C"', 'INF2C"')), "the opening quote is missing before `INF2C` - "),
    (but(ONE, ('"classname"', 'classname"')), "the opening quote is missing before `classname` - "),
    (but(ONE, ('"INF2C"', '"INF2C')), "the closing quote is missing after the value of classname - "),
    (but(ONE, ('"classname"', '"classname')), "the closing quote is missing after the name classname - "),
    (but(ONE, ('"clientid": 1', '"clientid": None')), "not str(data), and here the number 1 or 2"),
    (but(ONE, ('"0987654"', "None")), "not str(data), and here a text in quotes"),
    (but(ONE, ('"clientid": 1', '"clientid": ')), "clientid has no value - give it one: the number 1 or 2"),
    (but(ONE, ('"secret": ""', '"secret": ')), "give it one: an empty text, or what the server sent"),
    (second(secret=SECRET + "0"), "send exactly what came in the reply to message 1"),
    (b" " * 9000 + ONE.encode(), "more than 8192 bytes came"),
    (b"", "no message came: 0 bytes were received - "),
    (b"\n", "no message came: only white space - "),
    (b"\0\0\0\0", "only zero bytes came (4) - "),
    (
        but(ONE, ("Packet", "Zoë")).encode("latin-1"),
        "byte 104 is EB, which is not UTF-8 (in Latin-1 or Windows-1252 it is <U+00EB>)",
    ),
    (
        but(ONE, ("Packet", "€")).encode("cp1252"),
        "byte 102 is 80, which is not UTF-8 (in Latin-1 or Windows-1252 it is <U+20AC>)",
    ),
    (ONE.encode().replace(b"Packet", b"\xff\x00"), "byte 102 is FF, which is not UTF-8"),
    (but(ONE, ('"INF2C"', "'INF2C'")), "there are single quotes near classname"),
    (
        but(ONE, ('"INF2C"', "“INF2C”")),
        "there is a quote that is not straight (<U+201C>) near classname, as a word processor writes it",
    ),
    (but(ONE, ('"clientid": 1,', '"clientid": 1, // or 2')), "`//` near clientid begins a comment"),
    (but(ONE, ('"ip": ', '"": "x",, "ip": ')), "one comma too many after an empty name"),
    (json.dumps({"type": "msg", "payload": TEAM}), "one level too deep, inside the field `payload` - "),
    (but(SECOND, ('"clientid": 2', '"clientid": 1')), "clientid is still 1"),
    (PROXY_HEADER_V2, "a load balancer put a PROXY header (version 2) before the message - "),
    (PROXY_HEADER_V1 + ONE.encode(), "a load balancer put a PROXY header (version 1) before the message - "),
    (
        PROXY_HEADER_V2 + ONE.encode(),
        "start the server with --proxy-from ADDRESS of the balancer, or turn send-proxy off",
    ),
]


@pytest.mark.parametrize(("sent", "words"), WORDS, ids=[words for _, words in WORDS])
def test_the_first_sentence(sent: str | bytes, words: str) -> None:
    data = sent.encode() if isinstance(sent, str) else sent
    assert words in diagnosed(data).problems[0].sentence


def test_a_line_and_a_byte_are_counted_in_the_message_behind_a_balancers_header() -> None:
    for data in (but(LINES, ("Packet", "Zoë")).encode("latin-1"), but(LINES, ('"INF2C",', '"INF2C"')).encode()):
        [bare], [header, behind] = diagnosed(data).problems, diagnosed(PROXY_HEADER_V2 + data).problems
        assert header.sentence.startswith("a load balancer put a PROXY header")
        assert behind.sentence == bare.sentence


def test_what_repeats_is_told_three_times_at_most() -> None:
    told = [problem.sentence for problem in diagnosed(b"{" + b'"a": NaN, ' * 20).problems]
    assert max(map(told.count, told)) == 3
