"""Bytes that are another program's: which protocol, file format or encoding they are, as far as that is certain.

One table. Each row has a specimen, and a counter-specimen that looks like it and is not. The first row that matches
counts. Nothing is decoded as a whole: each row looks at a bounded part. A beginning that is too short to be certain
matches no row.
"""

import base64
import json
import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

from tandem.diagnosis.rules import is_known_name
from tandem.protocol.reader import MAX_MESSAGE_BYTES


class Signature(NamedTuple):
    """One row: how to recognise a format."""

    id: str  # of the problem
    name: str  # the fact `found`; "" for the first line of what came
    matches: Callable[[bytes], object]
    specimen: bytes
    counter: bytes  # looks like it, and is not
    follows_length: bool = False  # recognised after a length, too


class Found(NamedTuple):
    """A format that was recognised."""

    id: str
    name: str


def identify(data: bytes) -> Found | None:
    """Return what the bytes are if they cannot hold a message; None if they may."""
    behind = data[_length_size(data) :]
    for signature in SIGNATURES:
        if signature.matches(data) or (signature.follows_length and signature.matches(behind)):
            return Found(signature.id, signature.name or _first_line(data))
    return None


_SHOWN = 80  # bytes of a first line


def _first_line(data: bytes) -> str:
    return data[:_SHOWN].partition(b"\n")[0].rstrip(b"\r").decode("latin-1")


def _starts(pattern: bytes) -> Callable[[bytes], object]:
    """Return the function that matches a pattern at the beginning."""
    return re.compile(pattern, re.DOTALL).match


# Lengths before something that is not an object

_DIGITS = re.compile(rb"[0-9]{1,10}[ \n:]{0,64}")


def _length_size(data: bytes) -> int:
    """Return how many bytes a length before a format takes: 2, 4 or 8 bytes, or digits; 0 if there is none."""
    for size in (4, 8, 2):
        for order in ("big", "little"):
            number = int.from_bytes(data[:size], "big" if order == "big" else "little")
            if number and number == len(data) - size:
                return size
    digits = _DIGITS.match(data)
    return digits.end() if digits else 0


# Encodings of a text

_BEGINS_OBJECT = re.compile(rb"\s*+[\[{]\s*+[\"'{]|\s*+\[?\s*+\{\s*+\Z")
_BASE64 = re.compile(rb"(?:b?[\"'])?([A-Za-z0-9+/_-]{12,})[=\s]*+")
_SEPARATORS = re.compile(rb"0x|\\x|[\s:,\[\]-]")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){4,}")
_BITS = re.compile(rb"[01]{24,}")
_NUMBERS = re.compile(rb"\s*+(?:\{[^\[{}]{0,60}\[|[\[(]|bytearray\(\[)?\s*+((?:-?[0-9]{1,3}+[\s,]++){4,})")
_LOOKED_AT = 96  # bytes


def _is_base64(data: bytes) -> bool:
    found = _BASE64.match(data[:_LOOKED_AT])
    if not found:
        return False
    plain = found[1].translate(bytes.maketrans(b"-_", b"+/"))
    return _begins_object(base64.b64decode(plain[: len(plain) // 4 * 4]))


def _is_hex(data: bytes) -> bool:
    digits = _HEX.match(_SEPARATORS.sub(b"", data[:_LOOKED_AT]))
    return digits is not None and _begins_object(bytes.fromhex(digits[0].decode()))


def _is_bits(data: bytes) -> bool:
    bits = _BITS.match(_SEPARATORS.sub(b"", data[:_LOOKED_AT]))
    if bits is None:
        return False
    size = len(bits[0]) // 8
    return _begins_object(int(bits[0][: 8 * size], 2).to_bytes(size, "big"))


def _is_byte_list(data: bytes) -> bool:
    found = _NUMBERS.match(data[:_LOOKED_AT])
    if not found:
        return False
    numbers = [int(number) for number in found[1].replace(b",", b" ").split()]
    return all(0 <= number < 256 for number in numbers) and _begins_object(bytes(numbers))


_TEXT_INSIDE = re.compile(rb"[\"']([\w-]{1,24})[\"']\s{0,9}:\s{0,9}[\"']([A-Za-z0-9+/_-]{12,96})")
_OUTSIDE = 256  # bytes of an outer object that are looked at


def _text_inside(data: bytes) -> bytes:
    """Return the beginning of the first long word in an object that is no field of ours; b"" if there is none."""
    found = _TEXT_INSIDE.search(data[:_OUTSIDE]) if data.lstrip()[:1] == b"{" else None
    return found[2] if found and not is_known_name(found[1].decode("latin-1")) else b""


def _begins_object(data: bytes) -> bool:
    return _BEGINS_OBJECT.match(data) is not None


def _is_zlib(data: bytes) -> bool:
    if data[:1] != b"x" or len(data) < 8:
        return False
    try:
        return _begins_object(zlib.decompressobj().decompress(data[:_LOOKED_AT], 16))
    except zlib.error:
        return False


# Forms

_PAIR = rb"([\w.%+\[\]-]{1,64})=[^&\s{}\"]*"
_FORM = re.compile(_PAIR + rb"(?:&" + _PAIR + rb")*+")


def _is_form(data: bytes) -> bool:
    found = _FORM.match(data[:MAX_MESSAGE_BYTES])
    if not found or found[2] is None:
        return False
    return any(is_known_name(name.decode("latin-1")) for name in found.groups() if name)


_YAML = re.compile(
    rb"(?:---\s{0,64}\n)?+\s{0,64}+(\w{1,24}+):[^\n{}\",]{0,200}+\n\s{0,64}+(\w{1,24}+):[^\n{}\",]{0,200}+(?:\n|\Z)"
)


def _is_yaml(data: bytes) -> bool:
    """Return whether it begins with two lines of a name of ours and a value, without quotes or a comma."""
    found = _YAML.match(data[:MAX_MESSAGE_BYTES])
    return found is not None and all(is_known_name(name.decode("latin-1")) for name in found.groups())


_JAVA_MAP = re.compile(rb"\{(\w{1,24})=[^,={}\"']{0,130}, (\w{1,24})=")


def _is_java_map(data: bytes) -> bool:
    found = _JAVA_MAP.match(data)
    return found is not None and all(is_known_name(name.decode("latin-1")) for name in found.groups())


# Binary formats

_CBOR_TEXT, _BSON_TYPES = 0x60, b"\x01\x02\x03\x04\x08\x0a\x10\x12"
_KNOWN_FROM = 3  # texts one after another
_MAX_TEXTS = 16


def _is_message_pack(data: bytes) -> bool:
    """Return whether it is a map of at most 15 members whose first name is one of ours."""
    return 0x80 <= (data[:1] or b"\0")[0] <= 0x8F and _is_known_text(data, 1, 0xA0)


def _is_cbor(data: bytes) -> bool:
    return 0xA0 <= (data[:1] or b"\0")[0] <= 0xB7 and _is_known_text(data, 1, _CBOR_TEXT)


def _is_known_text(data: bytes, at: int, base: int) -> bool:
    """Return whether one of our names is at `at`, after a byte that is `base` and its size."""
    size = (data[at : at + 1] or b"\0")[0] - base
    return 0 < size < 32 and is_known_name(data[at + 1 : at + 1 + size].decode("latin-1"))


def _is_bson(data: bytes) -> bool:
    end = data.find(b"\0", 5, 64)
    return (
        int.from_bytes(data[:4], "little") >= len(data) > 5
        and data[4] in _BSON_TYPES
        and end > 5
        and is_known_name(data[5:end].decode("latin-1"))
    )


def _is_protobuf(data: bytes) -> bool:
    """Return whether it is fields with growing numbers, each a short text or a small number, and nothing else."""
    at, field, count = 0, 0, 0
    while at + 1 < min(len(data), MAX_MESSAGE_BYTES):
        number, kind = data[at] >> 3, data[at] & 7
        if number <= field or kind not in (0, 2) or data[at + 1] >= 0x80:
            return False
        at += 2 + (data[at + 1] if kind == 2 else 0)
        field, count = number, count + 1
    return at == len(data) and count > _KNOWN_FROM


def _is_texts_with_lengths(data: bytes) -> bool:
    """Return whether it is printable texts, each after its length in one or two bytes, and nothing else."""
    return any(_count_texts(data, size) > _KNOWN_FROM for size in (1, 2))


def _count_texts(data: bytes, size: int) -> int:
    """Return how many texts there are, each after a length of `size` bytes; 0 if there is anything else."""
    at = count = 0
    for _ in range(_MAX_TEXTS):
        length = int.from_bytes(data[at : at + size], "big")
        text = data[at + size : at + size + length]
        if length > 127 or len(text) < length or not text.decode("latin-1").isprintable():
            return 0
        at += size + length
        count += length > 0
        if at >= len(data):
            return count
    return 0


# Bytes of other protocols before a message, which are taken off


class Prefix(NamedTuple):
    """Bytes of another protocol before the message."""

    id: str  # of the problem
    size: int  # bytes
    found: str  # the fact of this name


_TELNET = re.compile(
    rb"(?:\xff(?:[\xfb-\xfd][\0-\x7f\xff]|\xfe[\0-\x31](?=\xff|\Z)|[\xf1-\xf9]|\xfa[^\xff]{1,64}\xff\xf0))++", re.DOTALL
)
_HEADER_NAME = re.compile(rb"\{\s*\"(?:byteorder|content-(?:type|encoding|length))\"")


def prefix_of(data: bytes) -> Prefix | None:
    """Return what another program's protocol puts before the message, None if nothing is there."""
    telnet = _TELNET.match(data[:MAX_MESSAGE_BYTES])
    if telnet:
        return Prefix("telnet-negotiation", telnet.end(), data[:3].hex(" ").upper())
    for size in (2, 4):
        if _HEADER_NAME.match(data, size):
            length = int.from_bytes(data[:size], "big")
            return Prefix("json-header", min(size + length, len(data)), str(length))
    return _seven_bit_length(data)


_MAX_GUESSED = 511  # a length that is more than what came is believed up to here: no right message is much longer


def _seven_bit_length(data: bytes) -> Prefix | None:
    """Return a length as C# BinaryWriter writes it, seven bits in each byte, if an object follows it."""
    size = 2 if data[:1] >= b"\x80" else 1
    if data[size : size + 1] != b"{":
        return None
    length = data[0] if size == 1 else (data[0] & 0x7F) + (data[1] << 7)
    rest = len(data) - size
    if length == rest or (size == 2 and rest < length <= _MAX_GUESSED):
        return Prefix("length-7-bit", size, f"{data[:size].hex(' ').upper()} = {length}")
    return None


# The table

_PROTOCOL_HINTS = rb"GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|PRI"
_OBJECT = b'{"studentnr1": "0923456", "studentnr2": "0934567"}'
_FORM_DATA = b"studentnr1=0923456&studentnr2=0934567&clientid=1"
_TEXTS = (b"0923456", b"0934567", b"INF2A", b"Team1", b"192.168.1.2")

SIGNATURES = (
    Signature(
        "http-request",
        "",
        _starts(rb"(?:" + _PROTOCOL_HINTS + rb") (?!\S{1,200} (?:RTSP|SIP)/)(?:/|[^\n]{0,1000}HTTP/)"),
        b"GET / HTTP/1.1\r\nHost: 192.168.1.10:5550\r\n\r\n",
        b"GET the secret",
    ),
    Signature(
        "other-protocol",
        "the answer of a web server",
        _starts(rb"HTTP/[0-9.]+ [0-9]{3}"),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
        b"HTTP/1.1 is old",
    ),
    Signature(
        "tls-hello",
        "TLS",
        _starts(rb"\x16\x03[\x01-\x03]"),
        bytes.fromhex("16030100c8010000c40303") + bytes(range(40)),
        b"\x16\x03\x09",
    ),
    Signature("ssh-hello", "SSH", _starts(rb"SSH-"), b"SSH-2.0-OpenSSH_9.6\r\n", b"SSH is my team"),
    Signature(
        "pickle",
        "pickle",
        _starts(rb"\x80[\x02-\x05][^\0]|\(dp|\}q\0"),
        b"\x80\x04\x95\x28\0\0\0\0\0\0\0}\x94(\x8c\nstudentnr1\x94\x8c\x070923456\x94u.",
        b"\x80\x04\0\0",
        follows_length=True,
    ),
    Signature(
        "serialised-object",
        "Java (ObjectOutputStream)",
        _starts(rb"\xac\xed\0\x05"),
        b"\xac\xed\0\x05t\0\x32" + _OBJECT,
        b"\xac\xed\0\x06",
        follows_length=True,
    ),
    Signature(
        "serialised-object",
        ".NET (BinaryFormatter)",
        _starts(rb"\0\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0"),
        b"\0\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\x06\x01\0\0\0\x07Message",
        b"\0\x01\0\0\0\xff",
        follows_length=True,
    ),
    Signature(
        "serialised-object",
        "PHP (serialize)",
        _starts(rb"[aO]:\d+:(?:\"\w+\":\d+:)?\{(?:[si](?::|\Z)|\Z)"),
        b'a:2:{s:10:"studentnr1";s:7:"0923456";s:8:"clientid";i:1;}',
        b"a:2: {",
    ),
    Signature(
        "compressed",
        "gzip",
        _starts(rb"\x1f\x8b\x08"),
        bytes.fromhex("1f8b0800000000000003ab562a2e294d49cd2b29ca2b32"),
        b"\x1f\x8b\x07",
        follows_length=True,
    ),
    Signature(
        "compressed",
        "zlib",
        _is_zlib,
        zlib.compress(_OBJECT),
        zlib.compress(b"no message at all"),
        follows_length=True,
    ),
    Signature(
        "compressed",
        "bz2",
        _starts(rb"BZh[1-9]1AY&SY"),
        b"BZh91AY&SY\x8a\x3b\x01\x02\0\0",
        b"BZh91 is my team",
        follows_length=True,
    ),
    Signature(
        "compressed",
        "xz",
        _starts(rb"\xfd7zXZ\0"),
        b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
        b"\xfd7zip",
        follows_length=True,
    ),
    Signature(
        "compressed",
        "zstd",
        _starts(rb"\x28\xb5\x2f\xfd"),
        b"\x28\xb5\x2f\xfd\x04\x58\x91\x01\0",
        b"(B/}",
        follows_length=True,
    ),
    Signature(
        "encoded-text",
        "base64",
        _is_base64,
        base64.b64encode(_OBJECT),
        base64.b64encode(b"no message at all"),
        follows_length=True,
    ),
    Signature(
        "encoded-text",
        "hexadecimal digits",
        _is_hex,
        _OBJECT.hex().encode(),
        b"0923456 0934567",
        follows_length=True,
    ),
    Signature(
        "encoded-text",
        "base64, as a text inside another object",
        lambda data: _is_base64(_text_inside(data)),
        json.dumps({"data": base64.b64encode(_OBJECT).decode()}).encode(),
        json.dumps({"data": base64.b64encode(b"no message at all").decode()}).encode(),
    ),
    Signature(
        "encoded-text",
        "hexadecimal digits, as a text inside another object",
        lambda data: _is_hex(_text_inside(data)),
        json.dumps({"data": _OBJECT.hex()}).encode(),
        json.dumps({"data": "09234560934567"}).encode(),
    ),
    Signature(
        "encoded-text",
        "binary digits",
        _is_bits,
        "".join(f"{byte:08b}" for byte in _OBJECT).encode(),
        b"0" * 64,
    ),
    Signature(
        "encoded-text",
        "a list of byte values",
        _is_byte_list,
        json.dumps(list(_OBJECT)).encode(),
        b"[1, 2, 3, 4, 5]",
    ),
    Signature(
        "form",
        "application/x-www-form-urlencoded",
        _is_form,
        _FORM_DATA,
        b"studentnr1=0923456",
    ),
    Signature(
        "form",
        "percent-encoding",
        _starts(rb"(?:[\w.-]{1,64}=)?%7[Bb](?:%[02][0-9A-Da-d]|\+)*%2[27]"),
        b"%7B%22studentnr1%22%3A%20%220923456%22%7D",
        b"100%7B is too much",
    ),
    Signature(
        "form",
        "multipart/form-data",
        _starts(rb"--[^\r\n]{1,70}\r?\n[Cc]ontent-[Dd]isposition: ?form-data"),
        b'--boundary\r\nContent-Disposition: form-data; name="studentnr1"\r\n\r\n0923456\r\n--boundary--\r\n',
        b"-- client 1\r\nContent",
    ),
    Signature(
        "document",
        "rich text (RTF)",
        _starts(rb"\s{0,64}+\{\\r(?:tf|t?\Z)"),
        b'{\\rtf1\\ansi\\deff0 {\\fonttbl {\\f0 Courier;}}\n\\{"studentnr1": "0923456"\\}\n}',
        b'{\\r"studentnr1": "0923456"}',
    ),
    Signature("document", "PDF", _starts(rb"%PDF-"), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", b"%PDF 1.7"),
    Signature(
        "document",
        "a zip file, as Word and LibreOffice write it",
        _starts(rb"PK\x03\x04"),
        b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml",
        b"PK is my team",
    ),
    Signature(
        "document",
        "an old Word file",
        _starts(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16),
        b"\xd0\xcf\x11\xe0",
    ),
    Signature("document", "a PNG image", _starts(rb"\x89PNG\r\n"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\x89PNG image"),
    Signature(
        "document",
        "a JPEG image",
        _starts(rb"\xff\xd8\xff[\xc0-\xfe]"),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"\xff\xd8\xff",
    ),
    Signature(
        "encoded-text",
        "HTML (&quot;)",
        _starts(rb"\s{0,64}+\{\s{0,64}+&(?:quot|#34|#x22);"),
        b"{&quot;studentnr1&quot;: &quot;0923456&quot;}",
        b"{&quot",
    ),
    Signature(
        "other-notation",
        "HTML",
        _starts(rb"\s{0,64}+<(?i:!doctype html|html[ >])"),
        b"<!DOCTYPE html>\n<html><body>hello</body></html>",
        b"<your html>",
    ),
    Signature(
        "other-notation",
        "XML",
        _starts(rb"\s{0,64}+<(?:\?xml |([A-Za-z_][\w.:-]{0,60})(?:>|\s[^<>]{0,200}>).{0,8192}</[\w.:-]{1,60}>)"),
        b"<message><studentnr1>0923456</studentnr1></message>",
        b"<message> studentnr1 < studentnr2",
    ),
    Signature(
        "other-notation",
        "YAML",
        _is_yaml,
        b"---\nstudentnr1: 0923456\nstudentnr2: 0934567\nclientid: 1\n",
        b'studentnr1: "0923456",\nstudentnr2: "0934567"\n',
    ),
    Signature(
        "object-repr",
        "",
        _is_java_map,
        b"{studentnr1=0923456, studentnr2=0934567, clientid=1}",
        b"{studentnr1=0923456}",
    ),
    Signature(
        "binary-format",
        "MessagePack",
        _is_message_pack,
        b"\x82\xaastudentnr1\xa70923456\xa8clientid\x01",
        b"\x82\xaanot a name\xa70923456",
        follows_length=True,
    ),
    Signature(
        "binary-format",
        "CBOR",
        _is_cbor,
        b"\xa2\x6astudentnr1\x670923456\x68clientid\x01",
        b"\xa2\x6anot a name\x670923456",
        follows_length=True,
    ),
    Signature(
        "binary-format",
        "BSON",
        _is_bson,
        b"\x1e\0\0\0\x02studentnr1\0\x08\0\0\x000923456\0\0",
        b"\x1e\0\0\0\x02not a name\0\x08\0\0\x000923456\0\0",
    ),
    Signature(
        "binary-format",
        "Protocol Buffers",
        _is_protobuf,
        b"\x0a\x070923456\x12\x070934567\x1a\x05INF2A\x20\x01\x2a\x05Team1",
        b"\n{\x12\x07",
        follows_length=True,
    ),
    Signature(
        "binary-format",
        "texts with a length before each",
        _is_texts_with_lengths,
        b"".join(bytes([len(text)]) + text for text in _TEXTS),
        b"\x07" + _TEXTS[0] + b"\x09" + _TEXTS[1],
    ),
    Signature(
        "other-protocol",
        "MQTT",
        _starts(rb"\x10[\x0a-\x7f]\0(?:\x04MQTT|\x06MQIsdp)"),
        b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",
        b"\x10\x0c\0\x04mqtt",
    ),
    Signature("other-protocol", "AMQP", _starts(rb"AMQP[\0\x02\x03]"), b"AMQP\0\0\x09\x01", b"AMQP is my team"),
    Signature(
        "other-protocol",
        "Redis",
        _starts(rb"\*\d+\r\n\$\d+\r\n"),
        b"*1\r\n$4\r\nPING\r\n",
        b"*1\r\n*2\r\n",
    ),
    Signature(
        "other-protocol",
        "PostgreSQL",
        _starts(rb"\0\0(?:\0\x08\x04\xd2\x16[\x2f\x30]|..\0\x03\0\0[a-z])"),
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\x08message",
    ),
    Signature(
        "other-protocol",
        "remote desktop (RDP)",
        _starts(rb"\x03\0\0..\xe0\0\0"),
        b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        b"\x03\0\0\x13{",
    ),
    Signature(
        "other-protocol",
        "Windows file sharing (SMB)",
        _starts(rb"\0\0..[\xff\xfe]SMB"),
        b"\0\0\0\x45\xffSMBr\0\0\0\0",
        b"\0\0\0\x45SMB",
    ),
    Signature(
        "other-protocol",
        "SIP or RTSP",
        _starts(rb"[A-Z]{3,12} (?:(?:sips?|rtsp):|[/*])[^\n]{0,200} (?:SIP|RTSP)/"),
        b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n",
        b"OPTIONS sip:nm",
    ),
)
