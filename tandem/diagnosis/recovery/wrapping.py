"""From the text that came to the place where the object begins, through whatever was put around it.

Quotes, b'…', a second json.dumps, a list, an outer object, an earlier try: each is named and taken off.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from tandem.diagnosis.recovery import names
from tandem.diagnosis.recovery.ahead import (
    QUOTES,
    SPACE,
    is_known_member,
    is_member,
    is_quote,
    name_at,
    next_char,
    skip,
    skip_all,
    skip_back,
)
from tandem.diagnosis.recovery.decoding import Text
from tandem.diagnosis.recovery.findings import Findings
from tandem.diagnosis.recovery.offsets import EncodedOffsets, NestedOffsets, PieceOffsets
from tandem.diagnosis.recovery.parsing import closes, end_of_json, is_large, parse, string_at
from tandem.protocol.message import FIELDS

_MAX_STARTS = 8  # braces with a name and a colon behind them that are looked at
_MAX_ESCAPES = 256  # of a text that was escaped as a whole; a message on several lines has about 50
_MAX_INSIDE = 2048  # characters of a text in quotes that are read
_SHOWN = 60  # characters of a stranger's text in a fact

_OBJECT_IN_TEXT = re.compile(r"""(?:[\\nrt "'\n]|[bB](?=\\*["']))*+\{""")
_START = re.compile(rf"\{{[{SPACE}]*+[{QUOTES}]?\w[\w -]{{0,{names.MAX_LENGTH - 1}}}+[{QUOTES}]?[{SPACE}]*+[:：]")
_BETWEEN = re.compile(r"[ \t\r\n:,]*")


class Place(NamedTuple):
    """Where to read the object."""

    text: Text
    start: int  # of its first brace, or of its first member where the brace is missing
    stop: int  # where the next message begins, or the end of the text
    opened: bool  # is there a first brace?
    wrapping: str  # the id of the problem that tells what is around it (around all of `end`), "" if nothing is
    json_stop: int  # up to where its strings surely are JSON's
    end: int = 0  # behind the outer object that it is in; 0 if it is in none, or only what closes that is to be seen


def find_object(text: Text, findings: Findings) -> Place | None:
    """Takes off what is around the object. None if there is no object."""
    text = _without_quotes(text, findings)
    text = _without_backslashes(text, findings)
    chars = text.chars
    if _begin(chars) == len(chars):
        return Place(text, 0, len(chars), False, "", 0)  # nothing but what was taken off
    whole = _parsed_whole(text, findings)
    if whole:
        return whole
    starts = _starts(chars)
    first = starts[0] if starts else chars.find("{")
    if first < 0 or (not starts and _is_prose(chars, first)):
        return _without_brace(text, findings)
    json_stop = end_of_json(chars, first)
    start, stop = (first, len(chars)) if closes(chars, json_stop) else _last_try(text, starts or [first], findings)
    if stop < len(chars):
        text = Text(
            chars[:stop], text.offsets, text.as_sent, text.is_whole
        )  # one copy: the caller drops the whole text
    if start != first:
        return Place(text, start, stop, True, "", end_of_json(chars, start))
    return Place(text, start, stop, True, _what_is_before(text, first, findings), json_stop)


def _begin(chars: str) -> int:
    """Where the text begins, the white space before it left out."""
    return skip_all(chars, 0)


def _parsed_whole(text: Text, findings: Findings) -> Place | None:
    """The place of an object that is JSON, or is in an object that is: what it holds shows where the fields are."""
    chars = text.chars
    start = chars.find("{")
    found = _names(chars, start) if start >= 0 and not is_large(chars, start) else None
    if found is None:
        return None
    known, end = found
    if not known.isdisjoint(FIELDS):
        return Place(text, start, len(chars), True, _what_is_before(text, start, findings), end)
    members = list(_members(chars, start))
    inside = [member for member in members if member.names]
    inside += [inner for member in inside for inner in _members(chars, member.at)]
    best = max(inside, key=_count_known, default=None)
    if best and _count_known(best) > sum(map(names.is_known, known)):
        return _further_down(text, start, end, best, members, findings)
    if _begin(chars) == start and skip_all(chars, end) == len(chars):
        return Place(text, start, len(chars), True, "", end)
    return None


def _names(chars: str, at: int) -> tuple[frozenset[str], int] | None:
    """The names of the members in the object that begins there, and where it ends. None if it is not JSON."""
    parsed = parse(chars, at)
    if parsed is None:
        return None
    value, end = parsed
    return frozenset(value if isinstance(value, dict) else ()), end


class _Member(NamedTuple):
    """A member of an object that is JSON."""

    name: str
    name_at: int
    names: frozenset[str]  # of the members in its value, if that is an object
    at: int  # where the value begins
    end: int  # behind it


def _members(chars: str, brace: int) -> Iterator[_Member]:
    """The members of the object that begins there: JSON."""
    at = _between(chars, brace + 1)
    while chars[at] != "}":
        name = string_at(chars, at)
        value_at = _between(chars, name[1]) if name else at
        value = _names(chars, value_at)
        if name is None or value is None:
            return
        yield _Member(name[0], at, value[0], value_at, value[1])
        at = _between(chars, value[1])


def _between(chars: str, at: int) -> int:
    """Behind what stands between names and values."""
    found = _BETWEEN.match(chars, at)
    return found.end() if found else at


def _count_known(member: _Member) -> int:
    """How many of the names in an object in the place of a value are ours."""
    return sum(map(names.is_known, member.names))


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
    return Place(text, inside.at, len(text.chars), True, wrapping, end, end)


def _starts(chars: str) -> list[int]:
    """Every brace behind which a message begins, even inside a broken one: a known name follows, and a colon.

    Each with the name that the first has, and with a quote if that has one: a second try begins like the first one,
    and what a text holds in braces does not.
    """
    starts: list[int] = []
    begins_with = "", False
    for found in islice(_START.finditer(chars), _MAX_STARTS):
        inner = skip(chars, found.start() + 1)
        name = name_at(chars, inner)[0]
        if names.is_known(name):
            begins = names.normalise(name), is_quote(chars, inner)
            if not starts or begins == begins_with:
                starts.append(found.start())
                begins_with = begins
    return starts


def _is_prose(chars: str, brace: int) -> bool:
    """Whether a brace in a text is no beginning of an object: words before it, no name and colon behind it."""
    return _begin(chars) < brace and not is_member(chars, skip(chars, brace + 1))


def _last_try(text: Text, starts: list[int], findings: Findings) -> tuple[int, int]:
    """Of several beginnings the last whose forerunners were never finished; and where the one after it begins."""
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


def _what_is_before(text: Text, first: int, findings: Findings) -> str:
    """Names what stands before the object; returns the id."""
    chars = text.chars
    at = _begin(chars)
    if at >= first:
        return ""
    last = skip_back(chars, at, first) - 1
    name, name_end = name_at(chars, skip(chars, at + 1))
    facts = {"found": chars[at : min(at + _SHOWN, last + 1)]}
    if at == last and chars[at] == "[":
        id = "list-around-object"
    elif at == last and chars[at] == "{":
        id = "brace-twice"
    elif chars[at] == "{" and name and chars[last] == ":" and skip(chars, name_end) == last:
        id, facts = "wrapped-object", {"found": name}
    elif chars[at] == "{":
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
        return Place(text, inner, len(chars), False, id, 0)
    findings.add("not-json", text.offsets[at], found=chars[at : at + _SHOWN].rstrip(SPACE))
    return None


def _without_quotes(text: Text, findings: Findings) -> Text:
    """Takes off b'…', '…' and "…" around the whole, as often as they stand there, within reason."""
    for _ in range(3):
        chars = text.chars
        start = _begin(chars)
        end = skip_back(chars, start, len(chars))
        is_bytes = chars[start : start + 2].lower() in ("b'", 'b"')
        quote = chars[start + is_bytes : start + is_bytes + 1]
        inside = start + is_bytes + 1
        if quote not in ("'", '"') or not _holds_object(chars, inside):
            return text
        stop = end - (chars[end - 1] == quote and end > inside)
        begins_escaped = "\\" in chars[start : start + 1 + names.MAX_LENGTH]
        is_escaped = is_bytes or begins_escaped or (quote == "'" and "\\'" in chars)
        if is_bytes:
            findings.add_once("bytes-as-text", text.offsets[start], found=chars[start : start + 12])
        elif quote == '"' and is_escaped:
            findings.add_once("json-twice", text.offsets[start])
        else:
            around = (*text.edit(start, inside, ""), *text.edit(stop, end, ""))
            findings.add_once("object-in-quotes", text.offsets[start], *around)
        text = _unescaped(text, inside, stop, is_bytes) if is_escaped else text.part(inside, stop, _MAX_INSIDE)
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
    return _unescaped(text, 0, len(chars), is_bytes=False)


_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "0": "\0"}
_PAIR = r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"  # one character, escaped as two halves
_ESCAPE = re.compile(rf"\\(?:{_PAIR}|x([0-9a-fA-F]{{2}})|u([0-9a-fA-F]{{4}})|([{re.escape(''.join(_PLAIN))}]))")
_MAY_BE_UTF_8 = re.compile("[\x80-\xff]")


def _unescaped(text: Text, start: int, stop: int, is_bytes: bool) -> Text:
    """The text between, as it was before it was escaped: by Python or by JSON, which agree on nearly all."""
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
    """The character that an escape stands for."""
    high, low, byte, code, plain = escape.groups()
    if high:
        return bytes.fromhex(high + low).decode("utf-16-be")
    return _PLAIN[plain] if plain else chr(int(byte or code, 16))


def _joined(text: Text) -> Text:
    """Characters that were single bytes, put together to those that UTF-8 makes of them."""
    try:
        data = text.chars.encode("latin-1")
        chars = data.decode()
    except UnicodeError:
        return text
    offsets = NestedOffsets(EncodedOffsets(data, 0, "utf-8", "surrogateescape"), text.offsets)
    return Text(chars, offsets, False, text.is_whole)
