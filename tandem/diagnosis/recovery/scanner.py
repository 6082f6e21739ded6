"""The text of a broken message: where its bytes are, what comes next in it, and how far it was read.

Text maps characters to offsets in bytes. The lookahead functions do not move the position, and look at a bounded number
of characters, so that the time stays linear. Scanner holds the position, skips what is not content, and reads words
without quotes.
"""

import json
import re
import sys
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tandem.diagnosis.problem import Edit, Findings
from tandem.diagnosis.rules import MAX_NAME, is_known_name, normalise, wanted_value

# Characters, and the bytes that they came from

_STRIDE = 64  # characters between two offsets that are stored
_MAX_CHAR_BYTES = 4  # in each of the encodings


class Offsets(Protocol):
    """Maps the index of a character to the offset of its first byte. For ASCII text a range does.

    The last valid index is the length of the text. Offsets are computed when they are asked for: a list of all of them
    would take more memory than the rest of a diagnosis, and only a few are needed.
    """

    def __getitem__(self, index: int, /) -> int: ...


class EncodedOffsets:
    """The offsets of encoded text. Decodes some bytes again to count them, and stores every 64th offset."""

    __slots__ = ("_data", "_codec", "_errors", "_marks")

    def __init__(self, data: bytes, start: int, codec: str, errors: str) -> None:
        self._data = data
        self._codec = codec
        self._errors = errors
        self._marks = array("I", (start,))

    def __getitem__(self, index: int, /) -> int:
        mark, count = divmod(index, _STRIDE)
        while mark >= len(self._marks):
            self._marks.append(self._after(self._marks[-1], _STRIDE))
        return self._after(self._marks[mark], count)

    def _after(self, offset: int, count: int) -> int:
        """Return the offset after `count` characters that begin at `offset`."""
        some = self._data[offset : offset + _MAX_CHAR_BYTES * count].decode(self._codec, self._errors)
        return min(offset + len(some[:count].encode(self._codec, self._errors)), len(self._data))


class PieceOffsets:
    """The indexes, in an outer text, of a text that was put together from pieces of it."""

    __slots__ = ("_starts", "_places")

    def __init__(self, place: int) -> None:
        """Begin with a piece that starts at index `place` of the outer text."""
        self._starts = array("I", (0,))
        self._places = array("I", (place,))

    def add(self, start: int, place: int) -> None:
        """Add the next piece: character `start` of the text is at index `place` of the outer text."""
        self._starts.append(start)
        self._places.append(place)

    def __getitem__(self, index: int, /) -> int:
        piece = bisect_right(self._starts, index) - 1
        return self._places[piece] + index - self._starts[piece]


class NestedOffsets:
    """The offsets of a text within another text."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, inner: Offsets, outer: Offsets) -> None:
        self._inner = inner  # from the text to the other one
        self._outer = outer  # from the other one to the bytes

    def __getitem__(self, index: int, /) -> int:
        return self._outer[self._inner[index]]


class Text:
    """Characters, and for each of them the offset of its first byte."""

    __slots__ = ("chars", "offsets", "as_sent", "is_whole")

    def __init__(self, chars: str, offsets: Offsets, as_sent: bool = True, is_whole: bool = True) -> None:
        self.chars = chars
        self.offsets = offsets
        self.as_sent = as_sent  # the bytes are this text in UTF-8, so that an edit of the text is one of the bytes
        self.is_whole = is_whole  # False: only the beginning is read

    def part(self, start: int, stop: int, max_length: int) -> "Text":
        """Return the text from `start` up to `stop`, but at most `max_length` characters of it."""
        end = min(stop, start + max_length)
        offsets = NestedOffsets(PieceOffsets(start), self.offsets)
        return Text(self.chars[start:end], offsets, self.as_sent, self.is_whole and end == stop)

    def edit(self, start: int, end: int, text: str) -> tuple[Edit, ...]:
        """Return the edit that replaces the characters from `start` up to `end`; () if it cannot be made in bytes."""
        if not self.as_sent:
            return ()
        return (Edit(self.offsets[start], self.offsets[end], text),)


# Lookahead

SPACE = " \t\r\n"
TYPOGRAPHIC_DOUBLE = "“”„‟«»″"
TYPOGRAPHIC_SINGLE = "‘’‚‛′´"
WIDE_SIGNS = "，；：、＝"  # as a Chinese or Japanese keyboard types them
COLONS = (":", "=", "：", "＝")  # and what people write for one
QUOTES = "\"'`" + TYPOGRAPHIC_DOUBLE + TYPOGRAPHIC_SINGLE

_END_OF_MEMBER = SPACE + ",}"  # and "" is in every text
_MAX_LOOKAHEAD = 160  # characters
_SPACES = re.compile(f"[{SPACE}]*+")
_NAME = re.compile(rf"[{QUOTES}]?(\w[\w -]{{0,{MAX_NAME - 1}}})[{QUOTES}]?")


def run_end(run: re.Pattern[str], chars: str, at: int, stop: int = sys.maxsize) -> int:
    """Return where the match ends that begins at `at`. The pattern must match everywhere, if need be nothing."""
    found = run.match(chars, at, stop)
    return found.end() if found else at


def skip_all(chars: str, at: int) -> int:
    """Return the next index from `at` on that is not white space, however far it is."""
    return run_end(_SPACES, chars, at)


def skip_back(chars: str, start: int, at: int, signs: str = SPACE) -> int:
    """Return the index after the last character between `start` and `at` that is none of `signs`."""
    while at > start:
        run = chars[max(start, at - _MAX_LOOKAHEAD) : at]
        rest = len(run.rstrip(signs))
        at -= len(run) - rest
        if rest:
            break
    return at


def skip(chars: str, at: int) -> int:
    """Return the next index from `at` on that is not white space."""
    run = chars[at : at + _MAX_LOOKAHEAD]
    return at + len(run) - len(run.lstrip(SPACE))


def next_char(chars: str, at: int) -> str:
    """Return the next character from `at` on that is not white space; "" at the end."""
    return chars[at : at + _MAX_LOOKAHEAD].lstrip(SPACE)[:1]


def is_quote(chars: str, at: int) -> bool:
    """Return whether there is a quote of any kind at `at`."""
    return at < len(chars) and chars[at] in QUOTES


def name_at(chars: str, at: int) -> tuple[str, int]:
    """Return the name at `at`, "" if there is none, and where it ends, its quotes included."""
    found = _NAME.match(chars, at)
    return (found[1].rstrip(), found.end()) if found else ("", at)


def is_member(chars: str, at: int) -> bool:
    """Return whether a name and a colon begin at `at`, with or without quotes."""
    name, end = name_at(chars, at)
    return bool(name) and next_char(chars, end) in COLONS


def is_quoted_member(chars: str, at: int) -> bool:
    """Return whether a member begins at `at` whose name has both its quotes."""
    if not is_quote(chars, at):
        return False
    name, end = name_at(chars, at)
    return bool(name) and is_quote(chars, end - 1) and next_char(chars, end) in COLONS


def is_known_member(chars: str, at: int) -> bool:
    """Return whether a member begins at `at` whose name is one of the eight, or plainly stands for one."""
    name, end = name_at(chars, at)
    return bool(name) and next_char(chars, end) in COLONS and is_known_name(name)


def ends_member(chars: str, at: int) -> bool:
    """Return whether a member certainly ends at `at`: a comma and a member follow, or the last brace."""
    if chars[at : at + 1] not in _END_OF_MEMBER:
        return False
    at = skip(chars, at)
    if chars[at : at + 1] == ",":
        return is_member(chars, skip(chars, at + 1))
    return chars[at : at + 1] == "}" and not next_char(chars, at + 1)


def ends_line(chars: str, at: int) -> bool:
    """Return whether only white space is left between `at` and the end of its line."""
    return chars[at : skip(chars, at) + 1].lstrip(" \t")[:1] in ("", "\r", "\n")


# JSON's own reader: as far as it takes a text, quotes are what they seem, and nothing has to be guessed

_MAX_SIGNS = 128  # strings, commas and opening brackets of an object that is parsed; a right message has 23 of them

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_MANY_SIGNS = re.compile(rf'(?:[^"{{\[,]*+(?>{_STRING}|[{{\[,])){{{_MAX_SIGNS + 1}}}+', re.DOTALL)
_VALID_STRING = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_VALID_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_S = f"[{SPACE}]*+"
_MEMBER = rf"{_S}{_VALID_STRING}{_S}:{_S}(?:{_VALID_STRING}|{_VALID_NUMBER}|null|true|false){_S}"
_FLAT_MEMBERS = re.compile(rf"\{{(?:{_MEMBER},)*+(?:{_MEMBER}\}})?")

_decoder = json.JSONDecoder()


def is_large(chars: str, start: int) -> bool:
    """Return whether the object at `start` has so much in it that parsing it would take too much memory."""
    return _MANY_SIGNS.match(chars, start) is not None


def parse(chars: str, start: int) -> tuple[object, int] | None:
    """Return the value at `start` and where it ends; None if it is not JSON. It must not be large."""
    try:
        return _decoder.raw_decode(chars, start)
    except (ValueError, RecursionError):
        return None


def end_of_json(chars: str, start: int) -> int:
    """Return up to where the object at `start` is certainly JSON; 0 if it is not.

    Of a large object only the flat members at its beginning are looked at. If the object ends there, "}" is before it.
    """
    if is_large(chars, start):
        members = _FLAT_MEMBERS.match(chars, start)
        return members.end() if members else 0
    parsed = parse(chars, start)
    return parsed[1] if parsed else 0


def string_at(chars: str, at: int) -> tuple[str, int] | None:
    """Return the JSON string at `at` and where it ends; None if there is none."""
    text, end = parse(chars, at) or (None, at)
    return (text, end) if isinstance(text, str) else None


# Results


@dataclass(slots=True)
class Token:
    """A text in quotes, or a word without quotes."""

    value: str
    start: int  # of its first character, the opening quote included
    end: int  # after its last
    quoted: bool
    cut_off: bool = False  # the message ended inside of it
    damaged: bool = False  # what was meant cannot be known
    is_whole: bool = True  # False: only its beginning is stored


@dataclass(slots=True)
class NextQuote:
    """The next quote that closes a text or opens a name, as far as it was looked for."""

    first: int  # index from which it was looked for
    last: int  # its index, or up to where there is none
    is_found: bool = False
    closes: bool = False


class Type(Enum):
    """The form of a value; its words for people."""

    TEXT = "text"
    NUMBER = "a number"
    NULL = "null"
    TRUE = "true"
    FALSE = "false"
    OBJECT = "an object"
    LIST = "a list"
    TUPLE = "a tuple"
    SET = "a set"
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class Value:
    """One value, as it was read."""

    type: Type | None  # None: there is none
    text: str = ""  # the text, or a number as it was written
    start: int = 0  # index of its first character, after its quote
    end: int = 0  # after its last character and its quote
    cut_off: bool = False  # the message ended inside of it
    damaged: bool = False  # what was meant cannot be known
    is_literal: bool = False  # every character of the text is in the message as it is
    is_whole: bool = True  # False: only the beginning of the text is stored

    @property
    def is_python(self) -> bool:
        """Whether it is None, True or False, which is reported already."""
        return self.type in (Type.NULL, Type.TRUE, Type.FALSE) and self.text in _PYTHON


CLIENTID_PLACEHOLDER = "1or2"  # the assignment's own, normalised

_NUMBER = re.compile(_VALID_NUMBER)
_JSON = {"null": Type.NULL, "true": Type.TRUE, "false": Type.FALSE}
_PYTHON = {"None": Type.NULL, "True": Type.TRUE, "False": Type.FALSE}
_NOTHING = ("null", "nil", "undefined")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "nan", "inf", "-inf")

# Skipped characters, and the end of words without quotes

ODD_SPACES = (
    "\N{NO-BREAK SPACE}\v\f\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u202f\u205f\u3000\ufeff"
)
_SKIPPABLE = frozenset((*ODD_SPACES, "#", "/", "\\"))  # may begin something that is skipped like white space
_ODD_SPACES = re.compile(f"[{ODD_SPACES} ]*+")  # copied text often has a plain space after each odd one
_END_OF_COMMENT = re.compile(f"[}}{QUOTES}]")  # perhaps, if the whole message is on one line
_BARE_NAME = re.compile(r"[\w$-]*+")
_END_OF_BARE = rf",;{{}}\[\]\r\n{WIDE_SIGNS}{QUOTES}"
_BARE_VALUE = re.compile(  # a comment begins after white space only
    rf"(?:[^{_END_OF_BARE}#/]++|(?<![{SPACE}])[#/]|/(?![/*]))*+"
)

MAX_STORED = 1024  # characters of a value that are stored; a text may be a little longer
_MAX_STEPS = 64  # of one reading; a message with a mistake in each of its eight fields takes about 50


class Scanner:
    """A position in a text that only moves forward, and the problems found on the way."""

    def __init__(self, text: Text, start: int, stop: int, findings: Findings, json_stop: int) -> None:
        """Begin at index `start`; ignore what is after `stop`. Up to `json_stop` JSON's own reader takes the text."""
        self.text = text
        self.chars = text.chars[:stop]
        self.position = start
        self.near = "the beginning"  # the name that was read last, for the fact `near` of problems
        self.findings = findings
        self.gave_up = False  # so much was read that the rest is not; then no end of the object was seen
        self._json_stop = json_stop
        self._steps = 0
        self._absent: set[str] = set()  # ends of comments that do not occur any more
        self.next_quotes: dict[str, NextQuote] = {}  # by quote, see TextReader

    @property
    def is_json(self) -> bool:
        """Whether JSON's own reader takes what is read now."""
        return self.position < self._json_stop

    def is_inside_json(self, at: int) -> bool:
        """Return whether an object or list that JSON's own reader takes begins before the index and ends after it."""
        return at + 1 < self._json_stop

    @property
    def is_large(self) -> bool:
        """Whether the object is so large that only its beginning was given to JSON's own reader."""
        return self._json_stop > 0 and self.chars[self._json_stop - 1 : self._json_stop] != "}"

    def may_go_on(self) -> bool:
        """Count one step, and return whether there is room for it. Call it in every loop that has no other bound.

        When there is none, the position moves to the end: the rest is not read.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            self.give_up()
        return not self.gave_up

    def give_up(self) -> None:
        """Read no further."""
        self.gave_up = True
        self.position = len(self.chars)

    def peek(self, length: int = 1) -> str:
        """Return the next characters; "" at the end."""
        return self.chars[self.position : self.position + length]

    def add(self, id: str, at: int, *edits: Edit, **facts: str) -> None:
        """Add a problem at an index of the text."""
        if not self.findings.full:
            self.findings.add(id, self.text.offsets[at], *edits, **({"near": self.near} | facts))

    def add_once(self, id: str, at: int, *edits: Edit, **facts: str) -> None:
        """Add a problem that is reported once for the whole message."""
        offset = None if self.findings.is_reported(id) else self.text.offsets[at]
        self.findings.add_once(id, offset, *edits, **({"near": self.near} | facts))

    def replace(self, id: str, length: int, text: str, **facts: str) -> None:
        """Report the next characters, in whose place `text` belongs, and move after them."""
        fix = self.text.edit(self.position, self.position + length, text)
        self.add(id, self.position, *fix, **({"found": self.peek(length)} | facts))
        self.position += length

    def add_quote(self, quote: str, at: int, *edits: Edit) -> None:
        """Report a quote that is not JSON's, with the edits that replace it."""
        if quote == "`":
            self.add_once("backtick-quotes", at, *edits)
        elif quote == "'":
            self.add_once("single-quotes", at, *edits, found=quote)
        elif quote != '"':
            self.add_once("typographic-quotes", at, *edits, found=quote)

    def check_quote(self, at: int) -> None:
        """Report the quote at `at` if it is not JSON's."""
        if self.chars[at] != '"':
            self.add_quote(self.chars[at], at, *self.text.edit(at, at + 1, '"'))

    def skip_space(self) -> str:
        """Skip white space, comments, odd spaces and escaped line ends. Return the next character, "" at the end."""
        while (c := self._skip_plain_space()) in _SKIPPABLE and self.may_go_on():
            at, two = self.position, self.peek(2)
            if c in ODD_SPACES:
                self.position = run_end(_ODD_SPACES, self.chars, at)
                fix = self.text.edit(at, self.position, " " * (self.position - at))
                self.add_once("odd-space", at, *fix, found=f"U+{ord(c):04X}")
            elif c == "#" or two in ("//", "/*"):
                self._skip_comment("#" if c == "#" else two)
            elif two in ("\\n", "\\r", "\\t"):
                self.position += 2
                self.add_once("bytes-as-text", at, *self.text.edit(at, self.position, ""), found=two)
            else:
                break
        return self.peek()

    def _skip_plain_space(self) -> str:
        self.position = skip_all(self.chars, self.position)
        return self.peek()

    def _skip_comment(self, mark: str) -> None:
        """Skip a comment: to its end, or to the next member if the whole message is on one line."""
        start = self.position
        end = self._find_end_of_comment("*/" if mark == "/*" else "\n")
        if end >= 0:
            self.position = end + len("*/") if mark == "/*" else end
        else:
            self.position += len(mark)
            while not self._is_after_comment() and self.may_go_on():
                self.position += 1
        fix = () if self.gave_up else self.text.edit(start, self.position, "")
        self.add_once("comment", start, *fix, found=mark)

    def _find_end_of_comment(self, sign: str) -> int:
        """Return the next index of the sign; -1 if there is none. A search that fails is not made again."""
        if sign in self._absent:
            return -1
        end = self.chars.find(sign, self.position)
        if end < 0:
            self._absent.add(sign)
        return end

    def _is_after_comment(self) -> bool:
        """Move to the next place where a comment may end, and return whether it does."""
        found = _END_OF_COMMENT.search(self.chars, self.position)
        self.position = found.start() if found else len(self.chars)
        return self.peek() in ("", "}") or is_quoted_member(self.chars, self.position)

    def read_bare_name(self) -> Token:
        """Read a name that does not begin with a quote."""
        start = self.position
        self.position = run_end(_BARE_NAME, self.chars, start)
        word = Token(self.chars[start : self.position], start, self.position, quoted=False)
        if is_quote(self.chars, self.position):
            self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=word.value)
            self.check_quote(self.position)
            self.position += 1
        else:
            self.add_once("bare-key", start, *self._in_quotes(start, self.position), found=word.value)
        return word

    def read_bare_value(self) -> Value:
        """Read a value that does not begin with a quote, and report what is wrong with it.

        It ends at what ends a value, or at a quote too many. A wrong type is reported later, by the field.
        """
        start = self.position
        self.position = run_end(_BARE_VALUE, self.chars, start)
        end = skip_back(self.chars, start, self.position)
        raw = self.chars[start : min(end, start + MAX_STORED)]
        is_whole = end - start == len(raw)
        at_quote = end == self.position and is_quote(self.chars, end)
        if raw and at_quote and not is_quoted_member(self.chars, end):
            return self._bare_before_quote(raw, start, is_whole)
        if is_whole and raw.endswith(".") and raw.count(".") == 1:
            raw, end = raw[:-1], end - 1
        self.position = end
        return self._bare_value(raw, start, end, is_whole)

    def _bare_before_quote(self, raw: str, start: int, is_whole: bool) -> Value:
        """Read a bare value and the quote after it. The opening quote is missing, unless the value is a number."""
        end = self.position
        if raw.isdigit() and normalise(self.near) == "clientid":
            self.replace("stray-character", 1, "")
            return self._bare_value(raw, start, end, is_whole=True)
        self.position += 1
        self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=raw)
        self.check_quote(end)
        return Value(Type.TEXT, raw, start, end + 1, is_literal=is_whole, is_whole=is_whole)

    def _bare_value(self, raw: str, start: int, end: int, is_whole: bool) -> Value:
        """Return the value that a word without quotes was meant as."""
        if raw in _JSON:
            return Value(_JSON[raw], raw, start, end)
        if _NUMBER.fullmatch(raw):
            return Value(Type.NUMBER, raw, start, end)
        if raw in _PYTHON:
            fix = self.text.edit(start, end, _PYTHON[raw].value)
            self.add("python-value", start, *fix, found=raw, wanted=wanted_value(self.near))
            return Value(_PYTHON[raw], raw, start, end)
        if end == len(self.chars):
            return Value(Type.WORD, raw, start, end, cut_off=True)
        if raw in _NO_NUMBERS:
            self.add("not-a-number", start, found=raw)
            return Value(Type.WORD, raw, start, end, damaged=True)
        field = normalise(self.near)
        if raw.isdigit() and raw.isascii() and field.startswith("student"):
            return Value(Type.NUMBER, raw, start, end)
        if _is_number_elsewhere(raw):
            return self._bad_number(raw, start, end)
        if field == "clientid":
            is_placeholder = normalise(raw) == CLIENTID_PLACEHOLDER
            if is_placeholder:
                self.add("placeholder", start, field="clientid", found=raw)
            return Value(Type.WORD, raw, start, end, damaged=is_placeholder)
        self.add("bare-value", start, *self._in_quotes(start, end), found=raw)
        damaged = raw.lower() in _NOTHING
        return Value(Type.TEXT, raw, start, end, damaged=damaged, is_literal=is_whole, is_whole=is_whole)

    def _bad_number(self, raw: str, start: int, end: int) -> Value:
        plain = raw.lstrip("+0")
        if not _NUMBER.fullmatch(plain):
            self.add("bad-number", start, found=raw)
            return Value(Type.WORD, raw, start, end, damaged=True)
        self.add("bad-number", start, *self.text.edit(start, end, plain), found=raw)
        return Value(Type.NUMBER, plain, start, end)

    def _in_quotes(self, start: int, end: int) -> tuple[Edit, ...]:
        return *self.text.edit(start, start, '"'), *self.text.edit(end, end, '"')


def _is_number_elsewhere(raw: str) -> bool:
    """Return whether Python would read it as a number, though JSON does not: 01, +1, 1., .5, 0x1, 1_000."""
    if len(raw) > 40 or (not raw[-1:].isalnum() and raw[-1:] != "."):
        return False
    for read in (float, lambda digits: int(digits, 0)):
        try:
            read(raw)
        except ValueError:
            continue
        return True
    return False
