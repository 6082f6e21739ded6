"""Wrong messages as real programs send them, each with the exact set of ids it must give.

A case is a row: what was sent, and the ids, remarks included. `but` changes a right message in a few places.
"""

import base64
import bz2
import gzip
import json
import lzma
import pickle
import struct
import zlib
from typing import NamedTuple
from urllib.parse import quote, urlencode

from tandem.diagnosis.recovery.foreign import SIGNATURES
from testing.proxy_headers import LOCAL, PROXY, TCP6, UNSPECIFIED, addresses, introduces, note
from testing.proxy_headers import header as introduced

TEAM = {
    "studentnr1": "0987654",
    "studentnr2": "1023456",
    "classname": "INF2C",
    "clientid": 1,
    "teamname": "Packet Pirates",
    "ip": "145.137.54.21",
    "secret": "",
    "status": "",
}
SECRET = "9c1f6e0b7a5d4c3e2f1089a7b6c5d4e3f2a1b0c9d8e7f60514233241506f7e8d"
TEAM_2 = {
    **TEAM,
    "studentnr1": "1023456",
    "studentnr2": "0987654",
    "clientid": 2,
    "ip": "145.137.54.99",
    "secret": SECRET,
    "status": "waiting for message 2",
}

ONE = json.dumps(TEAM)  # on one line, as most programs send it
LINES = json.dumps(TEAM, indent=4)
TIGHT = json.dumps(TEAM, separators=(",", ":"))
SECOND = json.dumps(TEAM_2)

ASSIGNMENT_EXAMPLE = """{
       "studentnr1": "0923456".
       "studentnr2": "0934567"
       "classname": "INF2A",
       "clientid": 1,
       "teamname": "Team1",
       "ip":"192.168.1.2",
       "secret": ""
       "status": ""
"""

ASSIGNMENT_FORMAT = """"studentnr1": "Your_studentnumber",
       "studentnr2": "The student number of your teammate"
       "classname": "YOURCLASSCODE",
       "clientid": 1 or 2,
       "teamname": "YOUR TEAM NAME SHOULD BE HERE",
       "ip": "YOUROWNIPADDRESS",
       "secret": ""
       "status": ""
"""


class Case(NamedTuple):
    """One wrong message."""

    data: bytes
    ids: tuple[str, ...]  # sorted; as often as each must be reported


def case(data: str | bytes, *ids: str) -> Case:
    """Return a row of the corpus."""
    return Case(data.encode() if isinstance(data, str) else data, tuple(sorted(ids)))


def but(text: str, *changes: tuple[str, str]) -> str:
    """Return the text with each change made once.

    Raises:
        ValueError: What is to be changed is not in the text.
    """
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old!r} is not in the message")
        text = text.replace(old, new, 1)
    return text


def team(**changes: object) -> str:
    """Return message 1 with some fields changed, as json.dumps writes it."""
    return json.dumps(TEAM | changes)


def without(*names: str) -> str:
    """Return message 1 without some fields."""
    return json.dumps({name: value for name, value in TEAM.items() if name not in names})


def renamed(**names: str) -> str:
    """Return message 1 with some fields under other names."""
    return json.dumps({names.get(name, name): value for name, value in TEAM.items()})


def second(**changes: object) -> str:
    """Return message 2 with some fields changed."""
    return json.dumps(TEAM_2 | changes)


SIZE = len(ONE)

PROXY_HEADER_V2 = introduces("198.51.100.7", 51234)
PROXY_HEADER_V1 = b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\r\n"

BYTES = [
    case(b"", "nothing-came"),
    case(b"\n", "nothing-came"),
    case(b"   \r\n\r\n", "nothing-came"),
    case(b"GET / HTTP/1.1\r\nHost: localhost:5550\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n", "http-request"),
    case(
        b"GET /favicon.ico HTTP/1.1\r\nHost: 192.168.1.10:5550\r\nConnection: keep-alive\r\n\r\n",
        "http-request",
    ),
    case(
        f"POST / HTTP/1.1\r\nHost: 10.0.0.4:5550\r\nContent-Type: application/json\r\n"
        f"Content-Length: {SIZE}\r\n\r\n{ONE}",
        "http-request",
    ),
    case(b"GET /\n", "http-request"),
    case(bytes.fromhex("16030102000100 01fc0303") + bytes(range(64)), "tls-hello"),
    case(bytes.fromhex("160303007a010000760303") + b"\x5a" * 70, "tls-hello"),
    case(b"SSH-2.0-OpenSSH_for_Windows_8.6\r\n", "ssh-hello"),
    case(b"SSH-2.0-PuTTY_Release_0.80\r\n", "ssh-hello"),
    case(PROXY_HEADER_V2, "proxy-header"),
    case(PROXY_HEADER_V2 + ONE.encode(), "proxy-header"),
    case(PROXY_HEADER_V2 + b"\n", "proxy-header"),
    case(PROXY_HEADER_V2[:20], "proxy-header"),
    case(introduced(PROXY, TCP6, addresses("2001:db8::7", 51234, "2001:db8::1")) + LINES.encode(), "proxy-header"),
    case(introduced(LOCAL, UNSPECIFIED), "proxy-header"),
    case(introduced(LOCAL, UNSPECIFIED, note(0x04, bytes(8))) + SECOND.encode(), "proxy-header"),
    case(PROXY_HEADER_V2 * 2 + ONE.encode(), "proxy-header"),
    case(PROXY_HEADER_V2 + PROXY_HEADER_V1 + ONE.encode(), "proxy-header"),
    case(PROXY_HEADER_V2 + struct.pack("<I", SIZE) + ONE.encode(), "length-not-wanted", "proxy-header"),
    case(PROXY_HEADER_V1, "proxy-header"),
    case(PROXY_HEADER_V1 + ONE.encode(), "proxy-header"),
    case(b"PROXY TCP6 2001:db8::7 2001:db8::1 51234 5550\r\n" + LINES.encode(), "proxy-header"),
    case(b"PROXY UNKNOWN\r\n" + SECOND.encode(), "proxy-header"),
    case(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n" + ONE.encode(), "proxy-header"),
    case(PROXY_HEADER_V2 + without("status").encode(), "field-missing", "proxy-header"),
    case(PROXY_HEADER_V2 + str(TEAM).encode(), "proxy-header", "single-quotes"),
    case(PROXY_HEADER_V2 + but(LINES, ("Packet", "Zoë")).encode("latin-1"), "latin-1", "proxy-header"),
    case(PROXY_HEADER_V2 + struct.pack(">I", SIZE) + ONE.encode(), "length-big-endian", "proxy-header"),
    case(PROXY_HEADER_V1 + ONE.encode() * 2, "proxy-header", "two-messages"),
    case(PROXY_HEADER_V1 + ONE[:-1].encode(), "never-closed", "proxy-header"),
    case(PROXY_HEADER_V1 + b"GET / HTTP/1.1\r\n\r\n", "http-request", "proxy-header"),
    case(PROXY_HEADER_V2 + b"hello", "not-json", "proxy-header"),
    case(b"PROXY " + ONE.encode(), "text-before-object"),
    case(b"PROXY TCP4 " + ONE.encode(), "text-before-object"),
    case(b"PROXY TCP5 198.51.100.7 192.0.2.1 51234 5550\r\n" + ONE.encode(), "text-before-object"),
    case(b"proxy tcp4 198.51.100.7 192.0.2.1 51234 5550\r\n" + ONE.encode(), "text-before-object"),
    case(b"hello\r\n" + PROXY_HEADER_V1 + ONE.encode(), "text-before-object"),
    case(ONE.encode() + b"\n" + PROXY_HEADER_V1, "text-after-object"),
    case(b"PROXY TCP4 or not", "not-json"),
    case(pickle.dumps(TEAM), "pickle"),
    case(pickle.dumps(TEAM, protocol=0), "pickle"),
    case(pickle.dumps(TEAM, protocol=2), "pickle"),
    case(pickle.dumps(ONE), "pickle"),
    case(ONE.encode("utf-16"), "utf-16"),
    case(ONE.encode("utf-16-le"), "utf-16"),
    case(ONE.encode("utf-16-be"), "utf-16"),
    case(LINES.encode("utf-32"), "utf-16"),
    case(ONE.encode("utf-32-be"), "utf-16"),
    case(ONE.encode("utf-8-sig"), "byte-order-mark"),
    case(LINES.encode("utf-8-sig"), "byte-order-mark"),
    case(but(ONE, ("Packet Pirates", "Zoë en René")).encode("latin-1"), "latin-1"),
    case(but(ONE, ("Packet", "Größe")).encode("cp1252"), "latin-1"),
    case(but(ONE, ("Packet", "€Packet")).encode("cp1252"), "latin-1"),
    case(but(ONE, ("Packet", "“Packet”")).encode("cp1252"), "latin-1"),
    case(ONE.encode().replace(b"Pirates", "€".encode()[:2]), "not-utf-8"),
    case(but(LINES, ("Pirates", "Señor")).encode("latin-1"), "latin-1"),
    case(but(ONE, ("Packet", "Zoë")).encode()[:104].replace("ë".encode(), b"\xc3"), "cut-off", "not-utf-8"),
    case(ONE.encode().replace(b"Pirates", b"\xff\xfe\x00"), "control-character", "not-utf-8"),
    case(ONE.encode().replace(b"Pirates", "😀".encode()[:2]), "not-utf-8"),
    case(struct.pack(">I", SIZE) + ONE.encode(), "length-big-endian"),
    case(struct.pack("!I", len(LINES)) + LINES.encode(), "length-big-endian"),
    case(struct.pack("<H", SIZE) + ONE.encode(), "length-of-other-size"),
    case(struct.pack("!H", SIZE) + ONE.encode(), "length-of-other-size"),
    case(struct.pack("<Q", SIZE) + ONE.encode(), "length-of-other-size"),
    case(struct.pack("!Q", SIZE) + ONE.encode(), "length-of-other-size"),
    case(struct.pack("<H", len(SECOND)) + SECOND.encode(), "length-of-other-size"),
    case(struct.pack("<H", 0x0102) + ONE.ljust(0x0102).encode(), "length-of-other-size"),  # no byte of it is zero
    case(f"{SIZE:<64}{ONE}", "length-in-digits"),
    case(f"{SIZE:<10}{ONE}", "length-in-digits"),
    case(f"{SIZE}\n{ONE}", "length-in-digits"),
    case(f"{SIZE:04}{ONE}", "length-in-digits"),
    case(f"{SIZE:<64}", "length-in-digits"),
    case(struct.pack("<I", SIZE) + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", len(LINES)) + LINES.encode(), "length-not-wanted"),
    case(struct.pack("<I", SIZE + 2) + b"\r\n" + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", SIZE + 4) + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", SIZE - 1) + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", 4096) + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", 0) + ONE.encode(), "length-not-wanted"),
    case(struct.pack("<I", SIZE), "length-not-wanted"),
    case(struct.pack(">I", SIZE), "length-big-endian"),
    case(struct.pack("<I", SIZE) + str(TEAM).encode(), "length-not-wanted", "single-quotes"),
    case((struct.pack("<I", SIZE) + ONE.encode()) * 2, "length-not-wanted", "two-messages"),
    case(team(teamname="Packet Pirates" * 700), "too-large"),
    case(ONE[:-1] + ", " + '"padding": "' + "x" * 9000 + '"}', "too-large"),
    case(b" " * 9000 + ONE.encode(), "too-large"),
    case(ONE + ONE, "two-messages"),
    case(ONE + "\n" + ONE + "\n", "two-messages"),
    case(ONE + SECOND, "two-messages"),
    case(LINES + LINES, "two-messages"),
    case(ONE + "," + ONE, "two-messages"),
    case(ONE + "quit", "text-after-object"),
    case(ONE + "\n\nsent by client 1\n", "text-after-object"),
    case(ONE + ";", "text-after-object"),
    case(ONE + "}", "text-after-object"),
    case(ONE.encode() + b"\0", "zero-bytes"),
    case(struct.pack("1024s", ONE.encode()), "zero-bytes"),
    case(struct.pack("200s", ONE.encode()) + b'rest"}\0', "zero-bytes"),
    case(ONE.encode() + b"\0" + ONE.encode(), "two-messages"),
    case('{"length": 155}' + ONE, "object-before-message"),
    case(str({"length": 155}) + ONE, "object-before-message"),
    case('{"byteorder": "little", "content-length": 155}\n' + LINES, "object-before-message"),
    case(LINES + "<EOF>", "text-after-object"),
    case('{"studentnr1": "09' + ONE, "second-try"),
    case('{"studentnr1": "0987654", "studentnr2": ' + ONE, "second-try"),
    case(ONE[:-1] + "\n" + ONE, "second-try"),
    case('{"stud' + ONE, "second-try"),
    case(ONE[:60] + ONE[:90] + ONE, "second-try"),
    case("message 1: " + ONE, "text-before-object"),
    case("data=" + ONE, "text-before-object"),
    case("Hello server!\n" + LINES, "text-before-object"),
    case("`" + ONE, "object-in-backticks"),
    case(ONE + "```\n", "object-in-backticks"),
    case(bytes(16) + b"\n" + ONE.encode(), "zero-bytes-before"),
]

JSON = [
    case("hello", "not-json"),
    case("hello server, here is client 1\n", "not-json"),
    case("0987654,1023456,INF2C,1,Packet Pirates,145.137.54.21,,", "not-json"),
    case("studentnr1 0987654\nstudentnr2 1023456\n", "not-json"),
    case('"hello"', "not-json"),
    case("null", "null-message"),
    case("None\n", "null-message"),
    case("155\n", "not-json"),
    case("true", "not-json"),
    case("[object Object]", "object-repr"),
    case("<__main__.Message object at 0x7f2b5c1d0a90>", "object-repr"),
    case("Message@1b6d3586", "object-repr"),
    case("Message(studentnr1='0987654', clientid=1)", "object-repr"),
    case("System.Collections.Generic.Dictionary`2[System.String,System.Object]", "object-repr"),
    case(f"{{{', '.join(f'{name}={value}' for name, value in TEAM.items())}}}", "object-repr"),
    case(json.dumps({"data": ONE}), "object-as-text"),
    case(json.dumps({"type": "message", "data": LINES}), "object-as-text"),
    case(json.dumps({"a": json.dumps({"b": ONE})}), "object-as-text"),
    case(json.dumps([ONE]), "object-as-text"),
    case(json.dumps({"data": str(ONE.encode())}), "bytes-as-text", "object-as-text"),
    case(json.dumps({"data": str(TEAM)}), "object-as-text", "single-quotes"),
    case(json.dumps({"data": json.dumps({"message": TEAM})}), "object-as-text", "wrapped-object"),
    case(json.dumps({"data": json.dumps([TEAM])}), "list-around-object", "object-as-text"),
    case(json.dumps({"type": "m", "data": base64.b64encode(ONE.encode()).decode()}), "encoded-text"),
    case(str({"v": 1, "data": LINES, "type": "msg"}), "object-as-text", "single-quotes"),
    case(str({"data": str(TEAM)}), "object-as-text", "single-quotes"),
    case(str({"data": json.dumps({"message": TEAM})}), "object-as-text", "single-quotes", "wrapped-object"),
    case(json.dumps({"data": [TEAM], "v": 1}), "extra-key", "wrapped-object"),
    case(json.dumps({"data": team(clientid="1")}), "clientid-in-quotes", "object-as-text"),
    case(json.dumps(json.dumps(json.dumps(ONE))), "json-twice"),
    case("12345", "not-json"),
    case("<message><studentnr1>0987654</studentnr1></message>", "other-notation"),
    case("\n".join(f"{name}: {value}" for name, value in TEAM.items()), "other-notation"),
    case("studentnr1=0987654&studentnr2=1023456&clientid=1", "form"),
    case(json.dumps(ONE), "json-twice"),
    case(json.dumps(json.dumps(ONE)), "json-twice"),
    case(json.dumps(LINES), "json-twice"),
    case(str(ONE.encode()), "bytes-as-text"),
    case(repr(LINES.encode()), "bytes-as-text"),
    case(str(bytearray(ONE.encode())), "bytes-as-text"),
    case(str(but(ONE, ("Packet", "Zoë")).encode()), "bytes-as-text"),
    case(json.dumps(str(ONE.encode())), "bytes-as-text", "json-twice"),
    case(json.dumps(str(str(TEAM).encode())), "bytes-as-text", "json-twice", "single-quotes"),
    case(str(ONE.encode()).encode() + b"\n", "bytes-as-text"),
    case(str(LINES.encode())[2:-1], "bytes-as-text"),
    case(repr(ONE), "object-in-quotes"),
    case('"' + ONE + '"', "object-in-quotes"),
    case(repr(str(TEAM)), "object-in-quotes", "single-quotes"),
    case(ONE.replace('"', '\\"'), "escaped-quotes"),
    case(TIGHT.replace('"', '\\"'), "escaped-quotes"),
    case(ONE.replace('"', "\\u0022"), "escaped-quotes"),
    case(ONE.replace('": ', ':" '), *["colon-in-quotes"] * 8),
    case(ONE.replace('"clientid": ', '"clientid:" '), "colon-in-quotes"),
    case(ONE.replace('"secret": ""', '"secret:" ""'), "colon-in-quotes"),
    case(ONE.replace('"ip":', '\\"ip\\":'), "escaped-quotes"),
    case(ONE.replace('"ip":', '\\"ip\\":').replace('"clientid":', '\\"clientid\\":'), "escaped-quotes"),
    case(ONE.replace('"status":', '\\"status\\":'), "escaped-quotes"),
    case(ONE.replace('"145.137.54.21"', '\\"145.137.54.21\\"'), "escaped-quotes"),
    case(ONE.replace('"studentnr1":', '\\"studentnr1\\":'), "escaped-quotes"),
    case("[" + ONE + "]", "list-around-object"),
    case(json.dumps([TEAM], indent=2), "list-around-object"),
    case(json.dumps({"message": TEAM}), "wrapped-object"),
    case(json.dumps({"data": TEAM}, indent=4), "wrapped-object"),
    case(json.dumps({"type": "msg", "payload": TEAM}), "extra-key", "wrapped-object"),
    case(json.dumps({"ok": True, "message": TEAM, "v": 1}), *["extra-key"] * 2, "wrapped-object"),
    case(json.dumps({"message": TEAM, "v": 1}), "extra-key", "wrapped-object"),
    case(json.dumps({"method": "send", "params": TEAM, "id": 1}), *["extra-key"] * 2, "wrapped-object"),
    case(json.dumps({"id": 7, "message": TEAM}), "extra-key", "wrapped-object"),
    case(json.dumps({"message": TEAM}) + "quit", "text-after-object", "wrapped-object"),
    case(json.dumps({"data": {"message": TEAM, "v": 1}, "v": 1}), "extra-key", "wrapped-object"),
    case(json.dumps([{"message": TEAM}]), "list-around-object", "wrapped-object"),
    case(json.dumps({"message": TEAM}) + "}", "text-after-object", "wrapped-object"),
    case(json.dumps({"message": TEAM}) * 2, "two-messages", "wrapped-object"),
    case("{" + ONE + "}", "brace-twice"),
    case("{{" + ONE[1:], "brace-twice"),
    case(ONE[1:], "never-opened"),
    case(ONE[1:-1], "never-opened"),
    case(ONE[:-1], "never-closed"),
    case(LINES[:-1], "never-closed"),
    case(SECOND[:-1] + "\n", "never-closed"),
    case(ONE[:17], "cut-off"),
    case(ONE[:22], "cut-off"),
    case(ONE[:100], "cut-off"),
    case(ONE[:-3], "cut-off"),
    case("{", "cut-off"),
    case('{"', "cut-off"),
    case('{"a":' * 20, "cut-off"),
    case(SECOND[:200], "cut-off"),
    case(but(ONE, ('"1023456",', '"1023456"},')), "closed-early"),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1},')), "closed-early"),
    case(ONE[:-1] + "]", "wrong-bracket"),
    case(ONE[:-1] + ")", "wrong-bracket"),
    case("[" + ONE[1:-1] + "]", "wrong-bracket"),
    case("(" + ONE[1:-1] + ")", "wrong-bracket"),
    case(str(TEAM), "single-quotes"),
    case(str(TEAM_2), "single-quotes"),
    case(str(TEAM | {"teamname": "Team's best"}), "single-quotes"),
    case(str(TEAM | {"teamname": 'the "best"'}), "single-quotes"),
    case(str(TEAM | {"teamname": "A\x07"}), "control-character", "single-quotes"),
    case(LINES.replace('"', "'"), "single-quotes"),
    case(but(ONE, ('"INF2C"', "'INF2C'")), "single-quotes"),
    case(ONE.replace('"', "`"), "backtick-quotes"),
    case(but(ONE, ('"INF2C"', "`INF2C`")), "backtick-quotes"),
    case(but(ONE, ('"INF2C"', "'INF2C\"")), "single-quotes"),
    case(LINES.replace('"', "“"), "typographic-quotes"),
    case(but(LINES, ('"studentnr1"', "“studentnr1”")), "typographic-quotes"),
    case(but(ONE, ('"0987654"', "”0987654”"), ('"INF2C"', "„INF2C“")), "typographic-quotes"),
    case(but(ONE, ('"0987654"', "‘0987654’")), "typographic-quotes"),
    case(but(ONE, ('"Packet Pirates"', "´Packet Pirates´")), "typographic-quotes"),
    case(but(ONE, ('"INF2C"', '"INF2C')), "quote-never-closed"),
    case(but(LINES, ('"INF2C"', '"INF2C')), "quote-never-closed"),
    case(but(ONE, ('"teamname"', '"teamname')), "quote-never-closed"),
    case(but(LINES, ('"teamname"', '"teamname')), "quote-never-closed"),
    case(but(LINES, ('"status": ""', '"status": "')), "quote-never-closed"),
    case(but(ONE, ('"status": ""', '"status": "')), "quote-never-closed"),
    case(but(SECOND, ('message 2"', "message 2")), "quote-never-closed"),
    case(but(ONE, ('"INF2C"', 'INF2C"')), "quote-never-opened"),
    case(but(ONE, ('"teamname"', 'teamname"')), "quote-never-opened"),
    case(but(LINES, ('"145.137.54.21"', '145.137.54.21"')), "quote-never-opened"),
    case(but(ONE, ("Packet Pirates", 'Packet "the" Pirates')), "quote-in-text"),
    case(but(ONE, ("Packet Pirates", '"Packet" Pirates')), "quote-in-text"),
    case(but(LINES, ("Packet Pirates", 'Packet "Pirates"')), "quote-in-text"),
    case(but(ONE, ("Packet Pirates", "Packet Pirates\n")), "newline-in-text"),
    case(but(ONE, ("INF2C", "INF2C\r\n")), "newline-in-text"),
    case(but(ONE, ("Packet Pirates", "Packet\nPirates")), "newline-in-text"),
    case(but(LINES, ("0987654", "0987654\n")), "newline-in-text"),
    case(but(ONE, ("INF2C", "HR\\INF2C")), "bad-escape"),
    case(str(but(ONE, ("Packet", "Zoë")).encode())[2:-1], "escaped-bytes"),
    case(str(str(TEAM | {"teamname": "Zoë 😀"}).encode())[2:-1], "escaped-bytes", "single-quotes"),
    case(but(ONE, ("Packet", "\\x1b")), "bad-escape"),
    case(but(ONE, ("Packet Pirates", "Team\\'s best")), "escaped-apostrophe"),
    case(but(ONE, ("INF2C", "INF2C\\")), "bad-escape"),
    case(but(ONE, ('"1023456",', '"1023456"')), "missing-comma"),
    case(but(LINES, ('"1023456",', '"1023456"')), "missing-comma"),
    case(but(TIGHT, ('"INF2C",', '"INF2C"')), "missing-comma"),
    case(but(ONE, ('"INF2C",', '"INF2C"'), ("Packet Pirates", "the {studentnr1: team}")), "missing-comma"),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1')), "missing-comma"),
    case(LINES.replace(",\n", "\n"), *["missing-comma"] * 7),
    case(but(ONE, ('"clientid": 1', '"clientid" 1')), "missing-colon"),
    case(but(LINES, ('"ip": ', '"ip" ')), "missing-colon"),
    case(but(LINES, ('"teamname": ', '"teamname"')), "missing-colon"),
    case(but(ONE, ('"secret": ""', '"secret": ')), "missing-value"),
    case(but(LINES, ('"classname": "INF2C"', '"classname":')), "missing-value"),
    case(but(ONE, ('"status": ""', '"status"')), "missing-value"),
    case(but(LINES, ('"secret": "",', '"secret":')), "missing-value"),
    case(but(ONE, ('"clientid": 1', '"clientid": ')), "missing-value"),
    case(but(ONE, ('"Packet Pirates"', '"Jan", Piet')), "bare-key", "extra-key", "missing-value"),
    case(but(ONE, ('"Packet Pirates"', "Jan, Piet")), "bare-key", "bare-value", "extra-key", "missing-value"),
    case(
        but(ONE, ("Packet Pirates", 'De "beste", Pakketjes')),
        "extra-key",
        "missing-value",
        "quote-in-text",
        "quote-never-opened",
    ),
    case(but(LINES, ('"0987654",', '"0987654".')), "wrong-separator"),
    case(but(ONE, ('"0987654",', '"0987654";')), "wrong-separator"),
    case(LINES.replace(",\n", ";\n"), *["wrong-separator"] * 7),
    case(LINES.replace(": ", " = "), *["wrong-separator"] * 8),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1.')), "wrong-separator"),
    case(but(ONE, ('"ip": ', '"ip"; ')), "wrong-separator"),
    case(but(ONE, ('"ip": ', '"ip", ')), "wrong-separator"),
    case(LINES.replace(": ", " => "), *["wrong-separator"] * 8),
    case(but(ONE, ('"INF2C",', '"INF2C"，')), "wrong-separator"),
    case(but(ONE, ('"clientid": 1,', '"clientid": 1；')), "wrong-separator"),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1、')), "wrong-separator"),
    case(ONE.replace('": ', '"：'), *["wrong-separator"] * 8),
    case(LINES.replace(",\n", "，\n"), *["wrong-separator"] * 7),
    case(ONE[:-1] + ",}", "trailing-comma"),
    case(LINES[:-2] + ",\n}", "trailing-comma"),
    case(but(LINES, ('"INF2C",', '"INF2C",,')), "extra-comma"),
    case(but(ONE, ("{", "{,")), "extra-comma"),
    case(but(ONE, ('"classname"', "classname")), "bare-key"),
    case(but(TIGHT, ('"ip"', "ip")), "bare-key"),
    case("{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in TEAM.items()) + "}", "bare-key"),
    case(but(ONE, ('"INF2C"', "INF2C")), "bare-value"),
    case(but(ONE, ('"145.137.54.21"', "145.137.54.21")), "bare-value"),
    case(but(LINES, ('"Packet Pirates"', "Packet Pirates")), "bare-value"),
    case(but(ONE, ('"secret": ""', '"secret": None')), "python-value"),
    case(but(ONE, ('"secret": "", "status": ""', '"secret": None, "status": None')), *["python-value"] * 2),
    case(but(ONE, ('"clientid": 1', '"clientid": None')), "python-value"),
    case(but(ONE, ('"0987654"', "None")), "python-value"),
    case(but(ONE, ('"clientid": 1', '"clientid": True')), "python-value"),
    case(but(ONE, ('"clientid": 1', '"clientid": NaN')), "not-a-number"),
    case(but(ONE, ('"clientid": 1', '"clientid": Infinity')), "not-a-number"),
    case(but(ONE, ('"clientid": 1', '"clientid": -Infinity')), "not-a-number"),
    case(but(ONE, ('"clientid": 1', '"clientid": 01')), "bad-number"),
    case(but(ONE, ('"clientid": 1', '"clientid": +1')), "bad-number"),
    case(but(ONE, ('"clientid": 1', '"clientid": 0x1')), "bad-number"),
    case(but(ONE, ('"INF2C"', '"INF2C", "classname": "INF2C"')), "key-twice"),
    case(but(ONE, ('"secret": ""', '"secret": "", "secret": "x"')), "key-twice", "secret-in-message-1"),
    case(but(LINES, ('"studentnr2"', '"studentnr1"')), "field-missing", "key-twice"),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1,  // or 2')), "comment"),
    case(but(LINES, ('"clientid": 1,', '"clientid": 1,  # the first client')), "comment"),
    case(but(LINES, ("{", "{\n    /* message 1 */")), "comment"),
    case(but(ONE, ('"clientid": 1,', '"clientid": 1, // or 2')), "comment"),
    case(LINES.replace("    ", "\N{NO-BREAK SPACE}" * 4), "odd-space"),
    case(but(ONE, (': "INF2C"', ':\N{ZERO WIDTH SPACE}"INF2C"')), "odd-space"),
    case(but(ONE, ('"INF2C",', '"INF2C"*,')), "stray-character"),
    case(but(ONE, ('"ip":', '"ip"::')), "stray-character"),
    case(but(ONE, ('"INF2C", ', '"INF2C", x')), "stray-character"),
]

FIELDS = [
    case("{}", *["field-missing"] * 8),
    case(without("status"), "field-missing"),
    case(without("secret", "status"), *["field-missing"] * 2),
    case(without("ip"), "field-missing"),
    case(without("studentnr2"), "field-missing"),
    case(without("clientid"), "field-missing"),
    case(renamed(studentnr1="student1", studentnr2="student2"), *["key-misspelt"] * 2),
    case(renamed(studentnr1="studentnr_1", studentnr2="studentnr_2"), *["key-misspelt"] * 2),
    case(renamed(studentnr1="studentnumber1"), "key-misspelt"),
    case(renamed(classname="classcode"), "key-misspelt"),
    case(renamed(classname="class"), "key-misspelt"),
    case(renamed(classname="calssname"), "key-misspelt"),
    case(renamed(clientid="client_id"), "key-misspelt"),
    case(renamed(clientid="id"), "key-misspelt"),
    case(renamed(teamname="team"), "key-misspelt"),
    case(renamed(teamname="team name"), "key-misspelt"),
    case(renamed(ip="ipaddress"), "key-misspelt"),
    case(renamed(ip="ip "), "key-misspelt"),
    case(renamed(status="satus"), "key-misspelt"),
    case(renamed(secret="secet"), "key-misspelt"),
    case(renamed(clientid="clientId"), "key-case"),
    case(renamed(clientid="ClientID", ip="IP"), *["key-case"] * 2),
    case(json.dumps({name.capitalize(): value for name, value in TEAM.items()}), *["key-case"] * 8),
    case(json.dumps({"studentnr": "0987654"} | json.loads(without("studentnr1", "studentnr2"))), "studentnr-single"),
    case(
        json.dumps({"studentnumber": "0987654"} | json.loads(without("studentnr1", "studentnr2"))), "studentnr-single"
    ),
    case(team(course="networking"), "extra-key"),
    case(team(version=2, port=5550), *["extra-key"] * 2),
    case(json.dumps({"header": {"clientid": 1}} | TEAM), "extra-key"),
    case(team(header={"clientid": 1}, name={"ip": "x"}), *["extra-key"] * 2),
    case(json.dumps({"greeting": "the {studentnr1: team}"}), "extra-key", *["field-missing"] * 8),
    case(team(Team="Packet Pirates"), "extra-key"),
    case(renamed(ip="description"), "extra-key", "field-missing"),
    case(team(classname=["INF2C"]), "field-type"),
    case(team(teamname=None), "null-value"),
    case(team(studentnr2=None), "null-value"),
    case(str(TEAM | {"studentnr2": None}), "python-value", "single-quotes"),
    case(team(ip=["145.137.54.21", 51234]), "ip-as-list"),
    case(str(TEAM | {"ip": ("145.137.54.21", 51234)}), "ip-as-list", "single-quotes"),
    case(str(TEAM | {"ip": b"145.137.54.21"}), "bytes-as-text", "single-quotes"),
    case(str(TEAM | {"clientid": (1,)}), "field-type", "single-quotes"),
    case(str(TEAM | {"clientid": {1}}), "field-type", "single-quotes"),
    case(str(TEAM | {"clientid": True}), "python-value", "single-quotes"),
    case(second(clientid=2.0), "clientid-float"),
    case(but(ONE, ('"clientid": 1', '"clientid": 1e0')), "clientid-float"),
    case(team(clientid=1.5), "field-type"),
    case(team(clientid="-1"), "field-type"),
    case(team(clientid="1.0"), "field-type"),
    case(team(clientid=""), "field-type"),
    case(team(clientid=float("inf")), "not-a-number"),
    case(json.dumps(TEAM | {"studentnr": "0987654"}), "studentnr-beside"),
    case(json.dumps(TEAM_2 | {"studentnr": "1023456"}), "studentnr-beside"),
    case(json.dumps(TEAM | {"studentnr": "7777777"}), "studentnr-beside"),
    case(json.dumps(json.loads(without("studentnr2")) | {"studentnr": "0987654"}), "field-missing", "studentnr-beside"),
    case(team(teamname=42), "field-type"),
    case(team(ip={"v4": "145.137.54.21"}), "field-type"),
    case(team(clientid=1.0), "clientid-float"),
    case(team(clientid=True), "field-type"),
    case(team(clientid=None), "field-type"),
    case(team(clientid="client1"), "field-type"),
    case(team(clientid="one"), "field-type"),
    case(but(ONE, ('"clientid": 1', '"clientid": one')), "field-type"),
    case(team(clientid=[1]), "field-type"),
    case(team(secret=0), "field-type"),
    case(team(status=False), "field-type"),
    case(team(studentnr1=987654), "studentnr-as-number"),
    case(team(studentnr1=987654, studentnr2=1023456), *["studentnr-as-number"] * 2),
    case(but(ONE, ('"0987654"', "0987654")), "studentnr-as-number"),
    case(but(LINES, ('"0987654"', "0987654"), ('"1023456"', "1023456")), *["studentnr-as-number"] * 2),
    case(team(clientid="1"), "clientid-in-quotes"),
    case(second(clientid="2"), "clientid-in-quotes"),
    case(team(classname=""), "field-empty"),
    case(team(teamname="", ip=""), *["field-empty"] * 2),
    case(team(studentnr1=""), "field-empty"),
    case(second(studentnr1="", studentnr2=""), "field-empty"),
    case(team(studentnr1="0" * 33), "field-too-long"),
    case(team(classname="INF2C" * 13), "field-too-long"),
    case(team(teamname="ë" * 65), "field-too-long"),
    case(second(secret=SECRET + "0"), "secret-damaged"),
    case(second(secret="ë" * 33), "secret-damaged"),
    case(team(teamname="Packet Pirates\n"), "control-character"),
    case(team(teamname="Packet\x1b[31mPirates"), "control-character"),
    case(team(ip="145.137.54.21\r"), "control-character"),
    case(team(classname="INF\x7f2C"), "control-character"),
    case(but(ONE, ("Packet Pirates", "Packet\tPirates")), "control-character"),
    case(but(ONE, ("Packet Pirates", "Packet\N{NEXT LINE}Pirates")), "control-character"),
    case(but(ONE, ("Packet", "\\ud83d")), "lone-surrogate"),
    case(team(teamname="\udc00"), "lone-surrogate"),
    case(team(studentnr1="Your_studentnumber"), "placeholder"),
    case(team(studentnr2="The student number of your teammate"), "placeholder"),
    case(team(classname="YOURCLASSCODE"), "placeholder"),
    case(team(classname="Your class code"), "placeholder"),
    case(team(teamname="YOUR TEAM NAME SHOULD BE HERE"), "placeholder"),
    case(team(ip="YOUROWNIPADDRESS"), "placeholder"),
    case(team(ip="<your ip address>"), "placeholder"),
    case(but(ONE, ('"clientid": 1', '"clientid": 1 or 2')), "placeholder"),
    case(team(clientid="1 or 2"), "placeholder"),
]

EXCHANGE = [
    case(team(clientid=0), "clientid-not-1-or-2"),
    case(team(clientid=3), "clientid-not-1-or-2"),
    case(team(clientid=-1), "clientid-not-1-or-2"),
    case(team(clientid=10**400), "clientid-not-1-or-2"),
    case(team(secret="geheim"), "secret-in-message-1"),
    case(team(secret=SECRET[:10]), "secret-in-message-1"),
    case(team(status="waiting for message 2"), "status-in-message-1"),
    case(team(status="ok"), "status-in-message-1"),
    case(team(secret="none", status="none"), "secret-in-message-1", "status-in-message-1"),
    case(second(clientid=1), "clientid-still-1"),
    case(team(secret=SECRET, status="waiting for message 2"), "clientid-still-1"),
    case(second(secret="", status="error: classname is empty - fill it in"), "refusal-handed-on"),
    case(team(status="error: classname is empty - fill it in"), "refusal-handed-on"),
    case(second(secret="", teamname="", clientid=0, status="error: teamname is missing"), "refusal-handed-on"),
    case(second(secret="", status="error: " + "x" * 400), "refusal-handed-on"),
    case(second(secret="", status="error: x", clientid="2"), "clientid-in-quotes", "refusal-handed-on"),
    case(second(secret="None", status="error: ip is empty - fill it in"), "refusal-handed-on"),
    case(second(secret=SECRET + "\n"), "secret-damaged"),
    case(second(secret=str(SECRET.encode())), "secret-damaged"),
    case(second(secret=json.dumps(SECRET)), "secret-damaged"),
    case(second(secret=""), "secret-missing"),
    case(second(secret="", status=""), "secret-missing", "status-blanked"),
    case(second(secret=None), "null-as-empty", "secret-missing"),
]

COMBINED = [
    case(ASSIGNMENT_EXAMPLE, "missing-comma", "missing-comma", "never-closed", "wrong-separator"),
    case(ASSIGNMENT_FORMAT, *["missing-comma"] * 2, "never-opened", *["placeholder"] * 6),
    case(
        but(ASSIGNMENT_EXAMPLE, ("INF2A", "YOURCLASSCODE")),
        *["missing-comma"] * 2,
        "never-closed",
        "placeholder",
        "wrong-separator",
    ),
    case(str(TEAM | {"secret": None, "status": None}), *["python-value"] * 2, "single-quotes"),
    case(str(TEAM | {"studentnr1": 987654}), "single-quotes", "studentnr-as-number"),
    case(str(str(TEAM).encode()), "bytes-as-text", "single-quotes"),
    case(json.dumps(str(TEAM)), "object-in-quotes", "single-quotes"),
    case(json.dumps(team(clientid="1")), "clientid-in-quotes", "json-twice"),
    case(str(team(clientid="1").encode()), "bytes-as-text", "clientid-in-quotes"),
    case("[" + team(clientid="1") + "]", "clientid-in-quotes", "list-around-object"),
    case(team(clientid="1").encode("utf-16"), "clientid-in-quotes", "utf-16"),
    case(without("status").encode("utf-8-sig"), "byte-order-mark", "field-missing"),
    case(str(TEAM).encode("utf-8-sig"), "byte-order-mark", "single-quotes"),
    case(struct.pack("!I", SIZE) + str(TEAM).encode(), "length-big-endian", "single-quotes"),
    case(f"{SIZE:<64}{team(clientid='1')}", "clientid-in-quotes", "length-in-digits"),
    case(renamed(clientid="clientId", classname="classcode"), "key-case", "key-misspelt"),
    case(renamed(studentnr1="student1")[:-1], "key-misspelt", "never-closed"),
    case(but(ONE, ('"INF2C",', '"INF2C"'))[:-1] + ",}", "missing-comma", "trailing-comma"),
    case(
        but(LINES, ('"INF2C",', '"INF2C"'), ('"clientid": 1', '"clientid": "1"')), "clientid-in-quotes", "missing-comma"
    ),
    case(but(LINES, ('"0987654",', '"0987654";'), ('"INF2C"', "INF2C")), "bare-value", "wrong-separator"),
    case(but(ONE, ('"classname"', "classname"), ('"INF2C"', "INF2C")), "bare-key", "bare-value"),
    case(but(ONE, ("INF2C", ""), ("Packet Pirates", "")), *["field-empty"] * 2),
    case(
        but(LINES, ('"INF2C"', "“INF2C”"), ('"clientid": 1,', '"clientid": 1, // first'))[:-2] + ",\n}",
        "comment",
        "trailing-comma",
        "typographic-quotes",
    ),
    case(
        str(
            {"studentnr1": 987654, "studentnr2": "1023456"} | json.loads(without("studentnr1", "studentnr2", "status"))
        ),
        "field-missing",
        "single-quotes",
        "studentnr-as-number",
    ),
    case(second(clientid=1, teamname="") + second(), "clientid-still-1", "field-empty", "two-messages"),
    case(team(clientid=3, secret="x", teamname=""), "clientid-not-1-or-2", "field-empty"),
    case(but(ONE, ("Packet Pirates", "Packet Pirates\n"), ('"INF2C",', '"INF2C"')), "missing-comma", "newline-in-text"),
    case(team(studentnr1=None, secret=None), "null-as-empty", "null-value"),
    case(team(studentnr1="S0987654", clientid="1"), "clientid-in-quotes", "studentnr-unusual"),
    case(team(ip="localhost", course="x"), "extra-key", "ip-not-an-address"),
    case(but(ONE, ('"secret": "", "status": ""', '"secret": None, "status": NaN')), "not-a-number", "python-value"),
]

TELNET = b"\xff\xfb\x1f\xff\xfb \xff\xfb\x18\xff\xfb'\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03"
JSON_HEADER = (
    b'{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 168}'
)


def behind_length(data: bytes, length: str = ">I") -> bytes:
    """Return the data behind its length."""
    return struct.pack(length, len(data)) + data


FOREIGN = [
    case(b"\0" * 4, "zero-bytes-only"),
    case(bytes(1024), "zero-bytes-only"),
    case(TELNET, "telnet-negotiation"),
    case(TELNET + ONE.encode() + b"\r\n", "telnet-negotiation"),
    case(TELNET + ONE[:-1].encode() + b"\r\n", "never-closed", "telnet-negotiation"),
    case(bytes([SIZE & 127 | 128, SIZE >> 7]) + ONE.encode(), "length-7-bit"),
    case(bytes([len(SECOND) & 127 | 128, len(SECOND) >> 7]) + SECOND.encode(), "length-7-bit"),
    case(behind_length(JSON_HEADER, ">H") + ONE.encode(), "json-header"),
    case(behind_length(JSON_HEADER, ">I") + ONE.encode(), "json-header"),
    case(behind_length(JSON_HEADER, ">H") + str(TEAM).encode(), "json-header", "single-quotes"),
    case(behind_length(ONE.encode(), ">H"), "length-of-other-size"),
    case(behind_length(ONE.encode())[:40], "cut-off", "length-big-endian"),
    case(behind_length(ONE.encode("utf-16-le")), "length-big-endian", "utf-16"),
    case(behind_length(pickle.dumps(TEAM)), "pickle"),
    case(f"{SIZE:<10}".encode() + pickle.dumps(TEAM), "pickle"),
    case(gzip.compress(ONE.encode(), mtime=0), "compressed"),
    case(behind_length(gzip.compress(ONE.encode(), mtime=0)), "compressed"),
    case(zlib.compress(ONE.encode()), "compressed"),
    case(bz2.compress(ONE.encode()), "compressed"),
    case(lzma.compress(ONE.encode()), "compressed"),
    case(base64.b64encode(ONE.encode()), "encoded-text"),
    case(base64.encodebytes(LINES.encode()), "encoded-text"),
    case(str(base64.b64encode(ONE.encode())), "encoded-text"),
    case(ONE.encode().hex(), "encoded-text"),
    case(ONE.encode().hex(" ").upper(), "encoded-text"),
    case(str(list(ONE.encode())), "encoded-text"),
    case(json.dumps({"type": "Buffer", "data": list(ONE.encode())}), "encoded-text"),
    case(ONE.replace('"', "&quot;"), "encoded-text"),
    case(b"OPTIONS / RTSP/1.0\r\nCSeq: 1\r\n\r\n", "other-protocol"),
    case(urlencode(TEAM), "form"),
    case(urlencode({"data": ONE}), "form"),
    case(quote(ONE), "form"),
    case(b"\x80\x81\x82\x83", "not-text"),
    case(b"\x05\x01\0", "not-text"),
    case(b"\x04\r\n", "not-text"),
    case(struct.pack("<4i", 60, 1, 0, 2013) + bytes(44), "not-text"),
    case(b"z\0o\0\xeb\0\0\0", "not-text"),
    case(b"\x9b\x02\x88" + ONE.encode(), "text-before-object"),
    *(case(row.specimen, row.id) for row in SIGNATURES),
]

# For a server that wants lengths (--framing length).

FRAMED_RIGHT = [
    struct.pack("<I", SIZE) + ONE.encode(),
    struct.pack("<I", len(LINES)) + LINES.encode() + b"\n",
    struct.pack("<I", SIZE + 2) + b"\r\n" + ONE.encode(),
]
FRAMED_CASES = [
    case(ONE, "length-missing"),
    case(LINES, "length-missing"),
    case("\n" + ONE, "length-missing"),
    case(str(TEAM), "length-missing", "single-quotes"),
    case(struct.pack(">I", SIZE) + ONE.encode(), "length-big-endian"),
    case(struct.pack("<H", SIZE) + ONE.encode(), "length-of-other-size"),
    case(struct.pack("!Q", SIZE) + ONE.encode(), "length-of-other-size"),
    case(f"{SIZE:<64}{ONE}", "length-in-digits"),
    case(bytes([SIZE % 128 + 128, SIZE // 128]) + ONE.encode(), "length-7-bit"),
    case(struct.pack("<I", 8193) + ONE.encode(), "length-too-large"),
    case(struct.pack("<I", 3) + b"   ", "nothing-came"),
    case(struct.pack("<I", SIZE + 4) + ONE.encode(), "length-wrong"),
    case(struct.pack("<I", SIZE - 1) + ONE.encode(), "length-wrong"),
    case(struct.pack("<I", 4096) + ONE.encode(), "length-wrong"),
    case(struct.pack("<I", 0) + ONE.encode(), "length-wrong"),
    case(struct.pack("<I", 0), "nothing-came"),
    case(struct.pack("<I", SIZE) + ONE.encode() + struct.pack("<I", SIZE) + ONE.encode(), "two-messages"),
    case(struct.pack("<I", len(str(TEAM))) + str(TEAM).encode(), "single-quotes"),
]

CASES = [*FOREIGN, *BYTES, *JSON, *FIELDS, *EXCHANGE, *COMBINED]
