"""From the bytes that came to the place where the object begins, through everything that may be around it.

First the bytes become characters: lengths, other encodings and other protocols are reported. Then quotes, b'…', a
second json.dumps, a list, an outer object or an earlier try are reported and taken off. Any bytes give a result,
in linear time.
"""

import re
import string
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from tandem.diagnosis.problem import Edit, Findings
from tandem.diagnosis.recovery.foreign import identify, prefix_of
from tandem.diagnosis.recovery.scanner import (
    QUOTES,
    SPACE,
    EncodedOffsets,
    NestedOffsets,
    PieceOffsets,
    Text,
    end_of_json,
    is_known_member,
    is_large,
    is_member,
    name_at,
    next_char,
    parse,
    run_end,
    skip,
    skip_all,
    skip_back,
    string_at,
)
from tandem.diagnosis.rules import MAX_NAME, is_known_name, normalise
from tandem.protocol.framing import LENGTH, LENGTH_BYTES
from tandem.protocol.message import FIELDS
from tandem.protocol.reader import MAX_MESSAGE_BYTES

_SPACE_BYTES = SPACE.encode()


def to_text(data: bytes, framing: str, findings: Findings) -> Text | None:
    """Return the characters that came; None if they cannot hold a message, which `findings` explains then."""
    if not data[:MAX_MESSAGE_BYTES].strip(_SPACE_BYTES):
        _report_blank(data, findings)
        return None
    if _is_only_zeros(data, framing):
        findings.add("zero-bytes-only", 0, found=str(data.count(b"\0")))
        return None
    foreign = identify(data)
    if foreign:
        findings.add(foreign.id, 0, found=foreign.name)
        return None
    codec = _wide_codec(data)
    if codec:
        return _from_wide(data, 0, codec, findings)
    start, end = _without_prefix(data, framing, findings)
    text = data[start : min(end, start + MAX_MESSAGE_BYTES)]
    if not text.strip(_SPACE_BYTES):
        if findings.empty:
            findings.add("nothing-came", 0, found=_after_length(data))
        return None
    codec = _wide_codec(text)
    if codec:
        return _from_wide(data[:end], start, codec, findings)
    if data.startswith(b"\xef\xbb\xbf", start):
        findings.add("byte-order-mark", start, Edit(start, start + 3, ""))
        start += 3
    data = data[: _end_before_zeros(data, start, end, findings)]
    brace = data.find(b"{", start)
    if brace < 0 and (data[start : start + 1] in _CONTROLS or not _is_text(data[start:])):
        findings.add("not-text", start, found=_hex(data[start:]))
        return None
    if brace > start and not _is_text(data[start:brace]):
        findings.add("text-before-object", start, Edit(start, brace, ""), found=_hex(data[start:brace]))
        start = brace
    return _from_utf_8(data, start, findings)


_BYTES_SHOWN = 8
_CONTROLS = [bytes((byte,)) for byte in range(0x20) if byte not in b"\b\t\n\v\f\r\x1b"]  # no key of a terminal
_LETTERS_FOR_ONE = 5  # plain letters for each byte that may be a letter of Latin-1
_LETTERS_SEEN = 256
_ASCII_LETTERS = string.ascii_letters.encode()


def _end_before_zeros(data: bytes, start: int, end: int, findings: Findings) -> int:
    """Return where the text ends: before a zero byte that follows a brace. The rest of a C buffer is no text."""
    zero = data.find(b"\0", start, end)
    if (
        zero < 0
        or data[start:zero].rstrip(_SPACE_BYTES)[-1:] != b"}"
        or data[zero:end].strip(_SPACE_BYTES + b"\0")[:1] == b"{"
    ):
        return end
    findings.add("zero-bytes", zero, Edit(zero, end, ""))
    return zero


def _is_text(data: bytes) -> bool:
    """Return whether bytes without an object may be text all the same: UTF-8, or letters of Latin-1 among others."""
    chars = data[:MAX_MESSAGE_BYTES].decode(errors="surrogateescape")
    wrong = [found.start() for found in islice(_WRONG.finditer(chars), _MAX_LETTERS + 1)]
    if not wrong:
        return True
    letters = sum(byte in _ASCII_LETTERS for byte in data[:_LETTERS_SEEN])
    return _LETTERS_FOR_ONE * len(wrong) <= letters and _may_be_letters(chars, wrong)


def _is_only_zeros(data: bytes, framing: str) -> bool:
    """Return whether nothing but zero bytes and white space came. A length may consist of both."""
    came = data[LENGTH_BYTES if framing == LENGTH else 0 : MAX_MESSAGE_BYTES]
    return b"\0" in came and not came.strip(_SPACE_BYTES + b"\0")


def _after_length(data: bytes) -> str:
    """Return in words what came after a length, if that is no text."""
    return "only white space comes after the length" if any(data[:LENGTH_BYTES]) else "the length says 0 bytes"


def _hex(data: bytes) -> str:
    return data[:_BYTES_SHOWN].hex(" ").upper()


def _report_blank(data: bytes, findings: Findings) -> None:
    if len(data) >= MAX_MESSAGE_BYTES:
        findings.add("too-large", MAX_MESSAGE_BYTES, wanted=str(MAX_MESSAGE_BYTES))
    else:
        findings.add("nothing-came", 0, found="only white space" if data else "0 bytes were received")


# UTF-16 and UTF-32

_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ZEROS_SEEN = 8  # bytes; a beginning that is shorter must look like that of an object
_NOT_IN_ASCII_TEXT = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f-\xff]")
_OBJECT_BEGINS = (b"{", b"[", b'"', b" ", b"\n", b"\r")
_ZEROS: dict[tuple[bool, ...], str] = {  # which of the first 8 bytes are zero, if they are ASCII characters
    (False, True, False, True, False, True, False, True): "utf-16-le",
    (True, False, True, False, True, False, True, False): "utf-16-be",
    (False, True, True, True, False, True, True, True): "utf-32-le",
    (True, True, True, False, True, True, True, False): "utf-32-be",
}


def _wide_codec(data: bytes) -> str:
    """Return the codec if each of the first characters takes 2 or 4 bytes, else ""."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec
    if _NOT_IN_ASCII_TEXT.search(data[:_ZEROS_SEEN]):
        return ""
    zeros = tuple(byte == 0 for byte in data[:_ZEROS_SEEN])
    if len(zeros) < _ZEROS_SEEN and data[:2].strip(b"\0") not in _OBJECT_BEGINS:
        return ""
    return next((codec for pattern, codec in _ZEROS.items() if len(zeros) > 2 and pattern[: len(zeros)] == zeros), "")


def _from_wide(data: bytes, start: int, codec: str, findings: Findings) -> Text:
    findings.add("utf-16", start, found=codec[:6].upper())
    mark = "\ufeff".encode(codec)
    if data.startswith(mark, start):
        start += len(mark)
    chars = _whole(data[start : start + MAX_MESSAGE_BYTES * len(mark)], codec).decode(codec, errors="replace")
    return Text(chars, EncodedOffsets(data, start, codec, "replace"), as_sent=False)


def _whole(data: bytes, codec: str) -> bytes:
    """Complete the last character if only zero bytes of it are missing, else drop what came of it."""
    size = len("{".encode(codec))
    missing = -len(data) % size
    return data + bytes(missing) if codec.endswith("le") else data[: len(data) // size * size]


# Lengths and other bytes before the text


def _without_prefix(data: bytes, framing: str, findings: Findings) -> tuple[int, int]:
    """Return where the text begins and ends, without what another protocol or a length puts before it."""
    prefix = prefix_of(data)
    if prefix is None:
        return _without_length(data, framing, findings)
    facts = {"framing": framing} if framing == LENGTH else {}
    findings.add(prefix.id, 0, Edit(0, prefix.size, ""), found=prefix.found, **facts)
    return prefix.size, len(data)


# Lengths

_SIZES = {1: "1 byte", 2: "2 bytes", 8: "8 bytes"}  # other than ours
_MAX_BELIEVED = 0xFFFF  # a number up to here is a length: one of a message that is too large, too
_PADDING = (b"  ", b"\0\0")  # behind a length in a field of fixed size; a number that somebody typed has none
_IN_DIGITS = re.compile(rb"[ \t\r\n]*([0-9]{1,20})[ \t\r\n:;,|#\0]*")


def _without_length(data: bytes, framing: str, findings: Findings) -> tuple[int, int]:
    """Return where the text begins and ends: after a length of any form, and before a second one (PROTOCOL 6.1)."""
    facts = {"framing": framing} if framing == LENGTH else {}
    for size, order in ((8, "big"), (8, "little"), (2, "big"), (2, "little"), (1, "big")):
        if _is_length(data, size, order):
            findings.add("length-of-other-size", 0, Edit(0, size, ""), found=_SIZES[size], **facts)
            return size, len(data)
    if _begins_with_length(data, framing):
        return _after_little_endian(data, framing, findings)
    if _is_length(data, LENGTH_BYTES, "big") or _is_alone(data, slice(0, 2)):
        findings.add("length-big-endian", 0, Edit(0, LENGTH_BYTES, ""), found=data[:LENGTH_BYTES].hex(" "), **facts)
        return LENGTH_BYTES, len(data)
    digits = _IN_DIGITS.match(data)
    if digits:
        start = digits.end()
        if data[start : start + 1] == b"{" or (start == len(data) and data.endswith(_PADDING)):
            findings.add("length-in-digits", 0, Edit(0, start, ""), found=digits[1].decode(), **facts)
            return start, len(data)
    if framing == LENGTH:
        findings.add("length-missing", 0)
    return 0, len(data)


def _is_length(data: bytes, size: int, order: str) -> bool:
    """Return whether an object follows `size` bytes that hold a number about as large as what follows."""
    if not _object_follows(data, size):
        return False
    number = int.from_bytes(data[:size], "big" if order == "big" else "little")
    rest = len(data) - size
    return number in (rest, rest + size) or (size > 1 and 0 in data[:size] and number <= _MAX_BELIEVED)


def _object_follows(data: bytes, size: int) -> bool:
    return data[size:MAX_MESSAGE_BYTES].lstrip(_SPACE_BYTES)[:1] == b"{"


def _is_alone(data: bytes, zeros: slice) -> bool:
    """Return whether the data is a length and nothing else: 4 bytes, of which the upper two are zero."""
    return len(data) == LENGTH_BYTES and not any(data[zeros]) and any(data)


def _begins_with_length(data: bytes, framing: str) -> bool:
    """Return whether a little-endian length comes first. Where none is expected, be sure that it is one."""
    if len(data) < LENGTH_BYTES or any(data[2:LENGTH_BYTES]):
        return False
    counts_the_rest = 0 < int.from_bytes(data[:LENGTH_BYTES], "little") == len(data) - LENGTH_BYTES
    return framing == LENGTH or _object_follows(data, LENGTH_BYTES) or counts_the_rest or _is_alone(data, slice(2, 4))


def _after_little_endian(data: bytes, framing: str, findings: Findings) -> tuple[int, int]:
    """Report a length where none is expected. Where one is expected, it must be the number of bytes after it."""
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    came = len(data) - LENGTH_BYTES
    rest = data[LENGTH_BYTES + length :]
    if framing != LENGTH:
        findings.add("length-not-wanted", 0, Edit(0, LENGTH_BYTES, ""), found=data[:LENGTH_BYTES].hex(" "))
    if length > MAX_MESSAGE_BYTES:
        if framing == LENGTH and came < MAX_MESSAGE_BYTES:  # else the reading of the object finds that it is too large
            findings.add("length-too-large", 0, found=str(length), wanted=str(MAX_MESSAGE_BYTES))
        return LENGTH_BYTES, len(data)
    if length and _is_length(rest, LENGTH_BYTES, "little"):
        findings.add("two-messages", LENGTH_BYTES + length, Edit(LENGTH_BYTES + length, len(data), ""))
        return LENGTH_BYTES, LENGTH_BYTES + length
    cut = length < came and data[: LENGTH_BYTES + length].rstrip(_SPACE_BYTES)[-1:] != b"}"
    if framing == LENGTH and (length > came or cut):
        findings.add("length-wrong", 0, found=str(length), wanted=str(came))
    return LENGTH_BYTES, len(data)


# UTF-8


def _as_letter(byte: int) -> str:
    """Return what a byte that is not UTF-8 means on Windows if that is a letter, a quote or a euro; else "".

    C2, C3 and F0 are letters, too, but far more often what is left of one in UTF-8.
    """
    letter = bytes([byte]).decode("cp1252", errors="replace")
    return letter if (letter.isalpha() or letter in "“”„‘’–—…€™") and byte not in (0xC2, 0xC3, 0xF0) else ""


_MAX_CUT = 3  # bytes of a character whose last one is missing
_MAX_LETTERS = 32  # bytes that are not UTF-8 in a message that is taken for Latin-1
_LETTERS = {chr(0xDC00 + byte): _as_letter(byte) for byte in range(0x80, 0x100)}  # by what Python makes of the byte
_ESCAPED = "".join(_LETTERS)
_WRONG = re.compile("[\udc80-\udcff]")
_NO_TEXT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\U00010000-\U0010ffff]")  # what no text in Latin-1 has


def _from_utf_8(data: bytes, start: int, findings: Findings) -> Text:
    """Decode UTF-8. A byte that is not UTF-8 becomes the Windows letter that it probably is."""
    chars = data[start : start + MAX_MESSAGE_BYTES].decode(errors="surrogateescape")
    if len(data) - start > MAX_MESSAGE_BYTES:
        chars = chars[:-_MAX_CUT] + chars[-_MAX_CUT:].rstrip(_ESCAPED)  # our own cut may be inside a character
    if chars.isascii():
        return Text(chars, range(start, start + len(chars) + 1))
    offsets = EncodedOffsets(data, start, "utf-8", "surrogateescape")
    wrong = [found.start() for found in islice(_WRONG.finditer(chars), _MAX_LETTERS + 1)]
    if not wrong:
        return Text(chars, offsets)
    at = offsets[wrong[0]]
    found, place = f"{data[at]:02X}", str(at + 1)
    if len(wrong) > _MAX_LETTERS or not _may_be_letters(chars, wrong):
        findings.add("not-utf-8", at, found=found, place=place)
        return Text(chars, offsets)
    edits = (Edit(offsets[i], offsets[i] + 1, _LETTERS[chars[i]]) for i in wrong)
    findings.add("latin-1", at, *edits, found=found, place=place, meant=_LETTERS[chars[wrong[0]]])
    return Text(_WRONG.sub(lambda byte: _LETTERS[byte[0]], chars), offsets)


def _may_be_letters(chars: str, wrong: list[int]) -> bool:
    """Return whether the bytes at these indexes are letters of Latin-1 or Windows, and not pieces of UTF-8."""
    places = set(wrong)
    for at in wrong:
        begins_utf_8 = "\udce0" <= chars[at] <= "\udcf4" and at + 1 in places and chars[at + 1] <= "\udcbf"
        if begins_utf_8 or not _LETTERS[chars[at]]:
            return False
    return not _NO_TEXT.search(chars)


# The object in the text

_MAX_STARTS = 8  # braces with a name and a colon after them that are looked at
_MAX_ESCAPES = 256  # of a text that was escaped as a whole; a message on several lines has about 50
_MAX_INSIDE = 2048  # characters of a text in quotes that are read
_MAX_SHOWN = 60  # characters of unknown text in a fact
_MAX_LAYERS = 3  # of quotes

_OPENING = re.compile(rf"[{SPACE}]*+(?:(?:bytearray|bytes)\()?([bB]?)([\"'])")
_OBJECT_IN_TEXT = re.compile(r"""(?:[\\nrt "'\n]|[bB](?=\\*["']))*+\{""")
_START = re.compile(
    rf"\{{[{SPACE}]{{0,160}}+(?P<quote>[{QUOTES}]?)(?P<name>\w[\w -]{{0,{MAX_NAME - 1}}}+)[{QUOTES}]?[{SPACE}]*+[:：]"
)
_HEADER_NAMES = {"byteorder", "contenttype", "contentencoding", "contentlength", "length", "size"}  # normalised
_BETWEEN = re.compile(r"[ \t\r\n:,]*")


class Place(NamedTuple):
    """The place of the object in the bytes."""

    text: Text
    start: int  # index of its first brace, or of its first member if the brace is missing
    stop: int  # where the next message begins, or the end of the text
    opened: bool  # it has a first brace
    wrapping: str  # id of the problem that was reported for what is around it, "" if nothing is
    json_stop: int  # up to where its strings are certainly JSON's
    end: int = 0  # after the outer object that it is in; 0 if it is in none, or if only that one's brace may follow


def find_object(text: Text, findings: Findings) -> Place | None:
    """Report and take off what is around the object. Return None if there is no object."""
    text = _out_of_text(_without_quotes(text, findings), findings)
    text = _without_backslashes(text, findings)
    chars = text.chars
    begin = skip_all(chars, 0)
    if begin == len(chars):
        return Place(text, 0, len(chars), False, "", 0)  # nothing but what was taken off
    parsed = _parsed_place(text, begin, findings)
    if parsed:
        return parsed
    starts = _starts(chars)
    first = starts[0] if starts else chars.find("{")
    if first < 0 or (not starts and _is_prose(chars, begin, first)):
        return _without_brace(text, begin, findings)
    json_stop = end_of_json(chars, first)
    start, stop = first, len(chars)
    if chars[json_stop - 1 : json_stop] != "}":
        start, stop = _last_try(text, starts or [first], findings)
    if stop < len(chars):
        text = Text(chars[:stop], text.offsets, text.as_sent, text.is_whole)  # the caller drops the longer one
    if start != first:
        return Place(text, start, stop, True, "", end_of_json(chars, start))
    return Place(text, start, stop, True, _report_before(text, begin, first, findings), json_stop)


def _parsed_place(text: Text, begin: int, findings: Findings) -> Place | None:
    """Return the place of an object that is JSON, or is in a JSON object: what it holds shows where the fields are."""
    chars = text.chars
    start = chars.find("{", begin)
    found = _names(chars, start) if start >= 0 and not is_large(chars, start) else None
    if found is None:
        return None
    names, end = found
    if not names.isdisjoint(FIELDS):
        return Place(text, start, len(chars), True, _report_before(text, begin, start, findings), end)
    members = list(_members(chars, start))
    inside = [member for member in members if member.names]
    inside += [inner for member in inside for inner in _members(chars, member.start)]
    best = max(inside, key=_count_known, default=None)
    if best and _count_known(best) > sum(map(is_known_name, names)):
        wrapping = _report_before(text, begin, start, findings)
        _report_outer(text, start, best, members, findings)
        return Place(text, best.start, len(chars), True, wrapping, end, end)
    if begin == start and skip_all(chars, end) == len(chars):
        is_header = bool(names) and all(normalise(name) in _HEADER_NAMES for name in names)
        if is_header:
            findings.add_once("object-before-message", text.offsets[start], *text.edit(start, end, ""))
            return Place(text, len(chars), len(chars), False, "object-before-message", 0)
        return Place(text, start, len(chars), True, "", end)
    follower = skip_all(chars, end)
    if begin == start and chars[follower : follower + 1] == "{" and not any(map(is_known_name, names)):
        before = _report_before(text, begin, follower, findings)
        return Place(text, follower, len(chars), True, before, end_of_json(chars, follower))
    return None


def _names(chars: str, at: int) -> tuple[frozenset[str], int] | None:
    """Return the names of the members in the object at `at`, and where it ends; None if it is not JSON."""
    parsed = parse(chars, at)
    if parsed is None:
        return None
    value, end = parsed
    return frozenset(value if isinstance(value, dict) else ()), end


class _Member(NamedTuple):
    """A member of an object that is JSON."""

    name: str
    name_start: int
    names: frozenset[str]  # of the members in its value, if that is an object
    start: int  # of its value
    end: int


def _members(chars: str, brace: int) -> Iterator[_Member]:
    """Yield the members of the JSON object at `brace`."""
    at = _between(chars, brace + 1)
    while chars[at] != "}":
        name = string_at(chars, at)
        start = _between(chars, name[1]) if name else at
        value = _names(chars, start)
        if name is None or value is None:
            return
        first = skip_all(chars, start + 1)
        if chars[start] == "[" and chars[first] == "{":
            names, _ = _names(chars, first) or (frozenset(), first)
            yield _Member(name[0], at, names, first, value[1])
        else:
            yield _Member(name[0], at, value[0], start, value[1])
        at = _between(chars, value[1])


def _between(chars: str, at: int) -> int:
    """Return the index after what separates names and values."""
    found = _BETWEEN.match(chars, at)
    return found.end() if found else at


def _count_known(member: _Member) -> int:
    """Return how many names of ours are in the object that is the value."""
    return sum(map(is_known_name, member.names))


def _report_outer(text: Text, start: int, inside: _Member, members: list[_Member], findings: Findings) -> None:
    """Report an object around the one inside of it; its other members are fields too many."""
    fix = text.edit(start, inside.start, "")
    findings.add_once("wrapped-object", text.offsets[start], *fix, found=inside.name)
    for member in members:
        if not member.start <= inside.start < member.end:
            findings.add("extra-key", text.offsets[member.name_start + 1], found=member.name)


def _starts(chars: str) -> list[int]:
    """Return every brace where a message begins, even inside a broken one: a known name follows, and a colon.

    Only those with the same name as the first, and with a quote if that has one: a second try begins like the first
    one, and what a text holds in braces does not.
    """
    starts: list[int] = []
    first = "", False
    for found in islice(_START.finditer(chars), _MAX_STARTS):
        name = found["name"].rstrip()
        if is_known_name(name):
            begin = normalise(name), bool(found["quote"])
            if not starts or begin == first:
                starts.append(found.start())
                first = begin
    return starts


def _is_prose(chars: str, begin: int, brace: int) -> bool:
    """Return whether a brace does not begin an object: words before it, and no name and colon after it."""
    return begin < brace and not is_member(chars, skip(chars, brace + 1))


def _last_try(text: Text, starts: list[int], findings: Findings) -> tuple[int, int]:
    """Return the beginning of the last object that follows only unfinished ones, and where the next one begins."""
    chars, start = text.chars, starts[0]
    for next_start in starts[1:]:
        end = skip_back(chars, start, next_start, SPACE + ",;")
        if chars[end - 1] == "}":
            fix = text.edit(end, len(chars), "")
            findings.add("two-messages", text.offsets[next_start], *fix)
            return start, next_start
        findings.add_once("second-try", text.offsets[next_start], *text.edit(start, next_start, ""))
        start = next_start
    return start, len(chars)


BACKTICKS = re.compile(rf"(?:`{{3}}\w{{0,12}}|`{{1,9}})[{SPACE}]{{0,9}}")  # around an object, before it and after it


def _report_before(text: Text, begin: int, first: int, findings: Findings) -> str:
    """Report what is before the object. Return the id of the problem, "" if nothing is there."""
    chars = text.chars
    if begin >= first:
        return ""
    last = skip_back(chars, begin, first) - 1
    name, name_end = name_at(chars, skip(chars, begin + 1))
    facts = {"found": chars[begin : min(begin + _MAX_SHOWN, last + 1)]}
    offset = text.offsets[begin]
    if begin == last and chars[begin] == "[":
        id = "list-around-object"
    elif begin == last and chars[begin] == "{":
        id = "brace-twice"
    elif chars[begin] == "{" and name and chars[last] == ":" and skip(chars, name_end) == last:
        id, facts = "wrapped-object", {"found": name}
    elif chars[begin] == "{" and _is_closed(chars, begin, last):
        id, facts = "object-before-message", {}
    elif chars[begin] == "{":
        id, facts, offset = "second-try", {}, text.offsets[first]
    elif not chars[begin:first].strip("\0" + SPACE):
        id, facts = "zero-bytes-before", {"found": str(chars.count("\0", begin, first))}
    elif BACKTICKS.fullmatch(chars, begin, first):
        id, facts = "object-in-backticks", {}
    else:
        id = "text-before-object"
    findings.add_once(id, offset, *text.edit(begin, first, ""), **facts)
    return id


def _is_closed(chars: str, begin: int, last: int) -> bool:
    """Return whether an object goes from `begin` to `last`: JSON, or with as many closing braces as opening ones."""
    if chars[last] != "}" or is_large(chars, begin):
        return False
    parsed = parse(chars, begin)
    return parsed[1] == last + 1 if parsed else chars.count("{", begin, last) == chars.count("}", begin, last + 1)


_REPR = re.compile(  # JavaScript, Python, C#, Java, and the classes of Python that name their fields
    r"\[object \w+\]|<[\w. ]{1,40} (?:object )?at 0x|<(?:class|function|module|socket)\b|dict_\w+\(|System\.[\w.]+[`\[]"
    r"|[\w.$]*[A-Z][\w$]*@[0-9a-f]{5,8}\Z|[A-Z]\w{0,40}\(\w{1,40}="
)


def _without_brace(text: Text, begin: int, findings: Findings) -> Place | None:
    """Return the place of members without a first brace; None if there is nothing that can be read."""
    chars = text.chars
    bracket = chars[begin] in "[("
    before = begin + 1 if bracket else begin  # the first member
    inner = skip(chars, before)
    if is_known_member(chars, inner) and next_char(chars, name_at(chars, inner)[1]) == ":":
        id = "wrong-bracket" if bracket else "never-opened"
        fix = text.edit(begin, before, "{")
        findings.add_once(id, text.offsets[begin], *fix, found=chars[begin], wanted="{")
        return Place(text, inner, len(chars), False, id, 0)
    found = chars[begin : begin + _MAX_SHOWN].rstrip(SPACE)
    id = "null-message" if found in ("null", "None") else "object-repr" if _REPR.match(found) else "not-json"
    findings.add(id, text.offsets[begin], found=found)
    return None


# Quotes and escapes around the object


def _without_quotes(text: Text, findings: Findings) -> Text:
    """Take off b'…', '…' and "…" around the whole text, a few times if need be."""
    for _ in range(_MAX_LAYERS):
        chars = text.chars
        opening = _OPENING.match(chars)
        if opening is None or not _OBJECT_IN_TEXT.match(chars, opening.end()):
            return text
        is_bytes, quote = opening.groups()
        start, inside = skip_all(chars, 0), opening.end()
        end = skip_back(chars, inside, len(chars), SPACE + ")" if start < opening.start(1) else SPACE)
        is_closed = end > inside and chars[end - 1] == quote
        stop = end - 1 if is_closed else end
        begins_escaped = "\\" in chars[start : start + 1 + MAX_NAME]
        is_escaped = is_bytes or begins_escaped or (quote == "'" and "\\'" in chars)
        if is_bytes:
            findings.add_once("bytes-as-text", text.offsets[start], found=chars[start : start + 12])
        elif quote == '"' and is_escaped:
            findings.add_once("json-twice", text.offsets[start])
        else:
            around = (*text.edit(start, inside, ""), *text.edit(stop, end, ""))
            findings.add_once("object-in-quotes", text.offsets[start], *around)
        text = _unescaped(text, inside, stop, bool(is_bytes)) if is_escaped else text.part(inside, stop, _MAX_INSIDE)
    return text


_ESCAPED_QUOTES = ('\\"', '\\\\"', "\\u0022", "\\x22")


def _without_backslashes(text: Text, findings: Findings) -> Text:
    r"""Turn \" back into ", if the very first quote is written so."""
    chars = text.chars
    at = skip(chars, chars.find("{") + 1)
    if not chars.startswith(_ESCAPED_QUOTES, at):
        return text
    findings.add("escaped-quotes", text.offsets[at])
    return _unescaped(text, 0, len(chars), is_bytes=False)


_BLANKS = rf"(?:[{SPACE}]|\\{{1,16}}+[nrt]){{0,40}}+"  # and escaped line ends
_ANY_QUOTE = r"""\\{0,16}+['"]"""
_TEXT_WITH_OBJECT = re.compile(
    rf'"{_BLANKS}(?:[bB]?{_ANY_QUOTE}){{0,4}}+{_BLANKS}(?:\[{_BLANKS})?+\{{{_BLANKS}{_ANY_QUOTE}(\w{{1,{MAX_NAME}}}+){_ANY_QUOTE}'
)
_NAME_BEFORE = re.compile(r'"((?:[^"\\]|\\.){1,40})"\s{0,40}:\s{0,40}\Z')


def _out_of_text(text: Text, findings: Findings) -> Text:
    """Return the message that stands as a text in an object or a list, a few times if need be."""
    chars = text.chars
    found = _object_in_text(text)
    if found is None:
        return _out_of_python_text(text, findings)
    name = _NAME_BEFORE.search(chars[max(0, found.start() - _MAX_SHOWN) : found.start()])
    inner = text
    for _ in range(_MAX_LAYERS):
        layer = _object_in_text(inner)
        if layer is None:
            return text
        _, end = string_at(inner.chars, layer.start()) or ("", layer.start())
        inner = _unescaped(inner, layer.start() + 1, end - 1, is_bytes=False)
        if is_known_name(layer[1]) or _starts(inner.chars):
            place = f"`{name[1]}`" if name else "a list"
            findings.add_once("object-as-text", text.offsets[found.start()], found=place)
            return _without_quotes(inner, findings)
    return text


_PYTHON_TEXT_WITH_OBJECT = re.compile(
    rf"""'(\w{{1,{MAX_NAME}}}+)'[{SPACE}]{{0,40}}+:[{SPACE}]{{0,40}}+"""
    rf"""(["'])(?={_BLANKS}\[?{_BLANKS}\{{{_BLANKS}{_ANY_QUOTE}\w)"""
)
_TO_QUOTE = {quote: re.compile(rf"(?:[^{quote}\\]++|\\.)*+", re.DOTALL) for quote in "\"'"}
_MAX_BEFORE = 256  # characters of the outer dict before the text


def _out_of_python_text(text: Text, findings: Findings) -> Text:
    """Return the message that stands as a text in what str() makes of a dict."""
    chars = text.chars
    begin = skip_all(chars, 0)
    if chars[begin : begin + 1] != "{" or is_known_member(chars, skip(chars, begin + 1)):
        return text
    found = _PYTHON_TEXT_WITH_OBJECT.search(chars, begin, begin + _MAX_BEFORE)
    if found is None or is_known_name(found[1]):
        return text
    start = found.end()
    inner = _unescaped(text, start, run_end(_TO_QUOTE[found[2]], chars, start), is_bytes=False)
    if not _starts(inner.chars):
        return text
    name = f"`{found[1]}`"
    findings.add_once("single-quotes", text.offsets[found.start(1) - 1], near=name)
    findings.add_once("object-as-text", text.offsets[found.start(2)], found=name)
    return inner


def _object_in_text(text: Text) -> re.Match[str] | None:
    """Return where a text with an object in it begins, in an object or list that is JSON without a field of ours."""
    chars = text.chars
    begin = skip_all(chars, 0)
    if not ("\\" in chars or "{'" in chars) or chars[begin : begin + 1] not in ("{", "[") or is_large(chars, begin):
        return None
    outer, _ = parse(chars, begin) or (None, begin)
    if outer is None or (isinstance(outer, dict) and not outer.keys().isdisjoint(FIELDS)):
        return None
    return _TEXT_WITH_OBJECT.search(chars, begin)


_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "0": "\0"}
_PAIR = r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"  # one character, escaped as two halves
_ESCAPE = re.compile(rf"\\(?:{_PAIR}|x([0-9a-fA-F]{{2}})|u([0-9a-fA-F]{{4}})|([{re.escape(''.join(_PLAIN))}]))")
_MAY_BE_UTF_8 = re.compile("[\x80-\xff]")


def _unescaped(text: Text, start: int, stop: int, is_bytes: bool) -> Text:
    """Return a part of the text as it was before Python or JSON escaped it; they agree on nearly all escapes."""
    chars = text.chars
    end = min(stop, start + _MAX_INSIDE)
    pieces: list[str] = []
    offsets = PieceOffsets(start)
    at, length = start, 0
    for number, escape in enumerate(_ESCAPE.finditer(chars, start, end)):
        if number == _MAX_ESCAPES:
            end = escape.start()
            break
        pieces += chars[at : escape.start()], _meaning(escape)
        length += escape.start() - at + 1
        at = escape.end()
        offsets.add(length, at)
    pieces.append(chars[at:end])
    is_whole = text.is_whole and end == stop
    inner = Text("".join(pieces), NestedOffsets(offsets, text.offsets), False, is_whole)
    return _joined(inner) if is_bytes and _MAY_BE_UTF_8.search(inner.chars) else inner


def _meaning(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    high, low, byte, code, plain = escape.groups()
    if high:
        return bytes.fromhex(high + low).decode("utf-16-be")
    return _PLAIN[plain] if plain else chr(int(byte or code, 16))


def _joined(text: Text) -> Text:
    """Return characters that were single bytes, joined to those that UTF-8 makes of them."""
    try:
        data = text.chars.encode("latin-1")
        chars = data.decode()
    except UnicodeError:
        return text
    offsets = NestedOffsets(EncodedOffsets(data, 0, "utf-8", "surrogateescape"), text.offsets)
    return Text(chars, offsets, False, text.is_whole)
