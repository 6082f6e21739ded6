"""From the text that came to the place where the object begins, through whatever was put around it.

Quotes, b'…', a second json.dumps, a list, an outer object, an earlier try: each is named and taken off.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from tandem.exchange.message import FIELDS
from tandem.ground.recovery import names
from tandem.ground.recovery.ahead import SPACE, is_known_member, is_member, is_quote, name_at, next_char, skip
from tandem.ground.recovery.decoding import Text
from tandem.ground.recovery.findings import Findings

_SHOWN = 60  # characters of a stranger's text in a fact

_OBJECT_IN_TEXT = re.compile(r"""(?:[\\nrt "'\n]|[bB](?=\\*["']))*\{""")
_BETWEEN = re.compile(r"[ \t\r\n:,]*")

_decoder = json.JSONDecoder()


class Place(NamedTuple):
    """Where to read the object."""

    text: Text
    start: int  # of its first brace, or of its first member where the brace is missing
    stop: int  # where the next message begins, or the end of the text
    opened: bool  # is there a first brace?
    wrapping: str  # the id of the problem that tells what is around it (around all of `end`), "" if nothing is
    is_json: bool  # does it parse?
    end: int = 0  # behind the outer object that it is in; 0 if it is in none, or only what closes that is to be seen


def find_object(text: Text, findings: Findings) -> Place | None:
    """Takes off what is around the object. None if there is no object."""
    text = _without_quotes(text, findings)
    text = _without_backslashes(text, findings)
    chars = text.chars
    whole = _parsed_whole(text, findings)
    if whole:
        return whole
    starts = _starts(chars)
    first = starts[0] if starts else chars.find("{")
    if first < 0 or (not starts and _is_prose(chars, first)):
        return _without_brace(text, findings)
    is_json = _parses(chars, first)
    start, stop = (first, len(chars)) if is_json else _last_try(text, starts or [first], findings)
    wrapping = "" if start != first else _what_is_before(text, first, findings)
    return Place(text, start, stop, True, wrapping, is_json or (start != first and _parses(chars, start)))


def _begin(chars: str) -> int:
    """Where the text begins, the white space before it left out."""
    return len(chars) - len(chars.lstrip(SPACE))


def _parses(chars: str, start: int) -> bool:
    """Whether JSON's own reader takes the object that begins there."""
    try:
        _decoder.raw_decode(chars, start)
    except (ValueError, RecursionError):
        return False
    return True


def _parsed_whole(text: Text, findings: Findings) -> Place | None:
    """The place of an object that is JSON, or is in an object that is: what it holds shows where the fields are."""
    chars = text.chars
    start = chars.find("{")
    try:
        parsed, end = _decoder.raw_decode(chars, start) if start >= 0 else ({}, 0)
        members = list(_members(chars, start)) if parsed else []
        objects = [member for member in members if type(member.value) is dict]
        objects += [inner for member in objects for inner in _members(chars, member.at) if type(inner.value) is dict]
    except (ValueError, RecursionError):
        return None
    if not parsed.keys().isdisjoint(FIELDS):
        return Place(text, start, len(chars), True, _what_is_before(text, start, findings), True)
    inside = max(objects, key=_count_known, default=None)
    if inside and _count_known(inside) > sum(map(names.is_known, parsed)):
        return _further_down(text, start, end, inside, members, findings)
    if chars.strip(SPACE) == chars[start:end]:
        return Place(text, start, len(chars), True, "", True)
    return None


class _Member(NamedTuple):
    """A member of an object that is JSON."""

    name: str
    name_at: int
    value: object
    at: int  # where the value begins
    end: int  # behind it


def _members(chars: str, brace: int) -> Iterator[_Member]:
    """The members of the object that begins there: JSON."""
    at = _between(chars, brace + 1)
    while chars[at] != "}":
        name, end = _decoder.raw_decode(chars, at)
        value_at = _between(chars, end)
        value, end = _decoder.raw_decode(chars, value_at)
        yield _Member(name, at, value, value_at, end)
        at = _between(chars, end)


def _between(chars: str, at: int) -> int:
    """Behind what stands between names and values."""
    found = _BETWEEN.match(chars, at)
    return found.end() if found else at


def _count_known(member: _Member) -> int:
    """How many of the names in an object in the place of a value are ours."""
    return sum(map(names.is_known, member.value)) if isinstance(member.value, dict) else 0


def _further_down(
    text: Text, start: int, end: int, inside: _Member, members: list[_Member], findings: Findings
) -> Place:
    """The place of an object in an object, or in one inside of that; the other members are fields too many."""
    wrapping = _what_is_before(text, start, findings)
    fix = text.edit(start, inside.at, "")
    findings.add_once("wrapped-object", text.offsets[start], *fix, found=inside.name)
    for member in members:
        if not member.at <= inside.at < member.end:
            findings.add("extra-key", text.offsets[member.name_at + 1], found=member.name)
    return Place(text, inside.at, len(text.chars), True, wrapping, True, end)


def _starts(chars: str) -> list[int]:
    """Every brace behind which a message begins, even inside a broken one: a known name follows, and a colon.

    Each with the name that the first has, and with a quote if that has one: a second try begins like the first one,
    and what a text holds in braces does not.
    """
    starts: list[int] = []
    begins_with = "", False
    at = chars.find("{")
    while at >= 0:
        inner = skip(chars, at + 1)
        if is_known_member(chars, inner) and next_char(chars, name_at(chars, inner)[1]) in (":", "："):
            begins = names.squeeze(name_at(chars, inner)[0]), is_quote(chars, inner)
            if not starts or begins == begins_with:
                starts.append(at)
                begins_with = begins
        at = chars.find("{", at + 1)
    return starts


def _is_prose(chars: str, brace: int) -> bool:
    """Whether a brace in a text is no beginning of an object: words before it, no name and colon behind it."""
    return bool(chars[:brace].strip(SPACE)) and not is_member(chars, skip(chars, brace + 1))


def _last_try(text: Text, starts: list[int], findings: Findings) -> tuple[int, int]:
    """Of several beginnings the last whose forerunners were never finished; and where the one after it begins."""
    chars, start = text.chars, starts[0]
    for next_start in starts[1:]:
        between = chars[start:next_start].rstrip(SPACE + ",;")
        if between.endswith("}"):
            fix = text.edit(start + len(between), len(chars), "")
            findings.add("two-messages", text.offsets[next_start], *fix)
            return start, next_start
        findings.add_once("second-try", text.offsets[next_start], *text.edit(start, next_start, ""))
        start = next_start
    return start, len(chars)


def _what_is_before(text: Text, first: int, findings: Findings) -> str:
    """Names what stands before the object; returns the id."""
    before = text.chars[:first].strip(SPACE)
    if not before:
        return ""
    name, end = name_at(before, skip(before, 1))
    at, facts = _begin(text.chars), {"found": before[:_SHOWN]}
    if before == "[":
        id = "list-around-object"
    elif before == "{":
        id = "brace-twice"
    elif before.startswith("{") and name and before[skip(before, end) :] == ":":
        id, facts = "wrapped-object", {"found": name}
    elif before.startswith("{"):
        findings.add_once("second-try", text.offsets[first], *text.edit(at, first, ""))
        return "second-try"
    else:
        id = "text-before-object"
    findings.add_once(id, text.offsets[at], *text.edit(at, first, ""), **facts)
    return id


def _without_brace(text: Text, findings: Findings) -> Place | None:
    """A text without any {: members all the same, or nothing that can be read."""
    chars = text.chars
    at = _begin(chars)
    bracket = chars[at : at + 1] in ("[", "(")
    inner = skip(chars, at + bracket)
    if is_known_member(chars, inner) and next_char(chars, name_at(chars, inner)[1]) == ":":
        id = "wrong-bracket" if bracket else "never-opened"
        fix = text.edit(at, at + bracket, "{")
        findings.add_once(id, text.offsets[at], *fix, found=chars[at], wanted="{")
        return Place(text, inner, len(chars), False, id, False)
    findings.add("not-json", text.offsets[at], found=chars[at : at + _SHOWN].rstrip(SPACE))
    return None


def _without_quotes(text: Text, findings: Findings) -> Text:
    """Takes off b'…', '…' and "…" around the whole, as often as they stand there, within reason."""
    for _ in range(3):
        chars = text.chars.strip(SPACE)
        is_bytes = chars[:2].lower() in ("b'", 'b"')
        quote = chars[1:2] if is_bytes else chars[:1]
        start = _begin(text.chars)
        inside = start + 1 + is_bytes
        if quote not in ("'", '"') or not _holds_object(chars, 1 + is_bytes):
            return text
        stop = start + len(chars)
        if chars.endswith(quote) and stop > inside:
            stop -= 1
        is_escaped = is_bytes or "\\" in chars[: 1 + names.LONGEST] or (quote == "'" and "\\'" in chars)
        if is_bytes:
            findings.add_once("bytes-as-text", text.offsets[start], found=chars[:12])
        elif quote == '"' and is_escaped:
            findings.add_once("json-twice", text.offsets[start])
        else:
            around = (*text.edit(start, inside, ""), *text.edit(stop, start + len(chars), ""))
            findings.add_once("object-in-quotes", text.offsets[start], *around)
        if is_escaped:
            text = _unescaped(text, inside, stop, as_bytes=is_bytes)
        else:
            text = Text(text.chars[inside:stop], text.offsets[inside : stop + 1], text.as_sent)
    return text


def _holds_object(chars: str, at: int) -> bool:
    """Whether an object begins there, as one writes it inside of a text."""
    return _OBJECT_IN_TEXT.match(chars, at) is not None


def _without_backslashes(text: Text, findings: Findings) -> Text:
    """Turns \\" back into ", where the very first quote is written so."""
    chars = text.chars
    at = skip(chars, chars.find("{") + 1)
    if chars[at : at + 2] != '\\"' and chars[at : at + 3] != '\\\\"':
        return text
    findings.add("escaped-quotes", text.offsets[at])
    return _unescaped(text, 0, len(chars), as_bytes=False)


_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "0": "\0"}


def _unescaped(text: Text, start: int, stop: int, as_bytes: bool) -> Text:
    """The text between, as it was before it was escaped: by Python or by JSON, which agree on nearly all."""
    chars, offsets = text.chars, text.offsets
    out: list[str] = []
    places: list[int] = []
    at = start
    while at < stop:
        c, length = chars[at], 1
        if c == "\\" and at + 1 < stop:
            c, length = _escape(chars, at)
        out.append(c)
        places.append(offsets[at])
        at += length
    places.append(offsets[min(at, len(chars))])
    if as_bytes and any("\x80" <= c <= "\xff" for c in out):
        return _joined(out, places)
    return Text("".join(out), places, as_sent=False)


def _escape(chars: str, at: int) -> tuple[str, int]:
    """One escape: what it stands for, and how many characters it takes."""
    c = chars[at + 1]
    digits = {"x": 2, "u": 4}.get(c, 0)
    code = chars[at + 2 : at + 2 + digits]
    if digits and len(code) == digits and all(d in "0123456789abcdefABCDEF" for d in code):
        return chr(int(code, 16)), 2 + digits
    if c in _PLAIN:
        return _PLAIN[c], 2
    return "\\", 1


def _joined(out: list[str], places: list[int]) -> Text:
    """Characters that were single bytes, put together to those that UTF-8 makes of them."""
    try:
        chars = "".join(out).encode("latin-1").decode()
    except UnicodeError:
        return Text("".join(out), places, as_sent=False)
    joined, at = [], 0
    for c in chars:
        joined.append(places[at])
        at += len(c.encode())
    return Text(chars, [*joined, places[-1]], as_sent=False)
