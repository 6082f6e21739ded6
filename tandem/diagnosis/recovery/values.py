"""What a value of a broken object is: a text, a number, null … or a bare word that was meant as one of them."""

import re
from dataclasses import dataclass
from enum import Enum

from tandem.diagnosis.recovery.names import normalise, wanted_value
from tandem.diagnosis.recovery.scanner import Scanner, Token


class Type(Enum):
    """How a value is written; its words for people."""

    TEXT = "text"
    NUMBER = "a number"
    NULL = "null"
    TRUE = "true"
    FALSE = "false"
    OBJECT = "an object"
    LIST = "a list"
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class Value:
    """One value, as it was read."""

    type: Type | None  # None: there is none
    text: str = ""  # the text, or a number as it was written
    at: int = 0  # where it begins, behind its quote
    end: int = 0  # behind it
    cut_off: bool = False  # the message ended inside of it
    damaged: bool = False  # what was meant cannot be known
    is_literal: bool = False  # stands every character of the text in the message as it is?
    is_whole: bool = True  # is all of the text kept?

    @property
    def is_python(self) -> bool:
        """Whether it is None, True or False, which was told."""
        return self.type in (Type.NULL, Type.TRUE, Type.FALSE) and self.text in _PYTHON


CLIENTID_PLACEHOLDER = "1or2"  # the assignment's own, without blanks

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_JSON = {"null": Type.NULL, "true": Type.TRUE, "false": Type.FALSE}
_PYTHON = {"None": Type.NULL, "True": Type.TRUE, "False": Type.FALSE}
_IN_JSON = {"None": "null", "True": "true", "False": "false"}
_NOTHING = ("null", "nil", "undefined")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "nan", "inf", "-inf")


def from_text(word: Token) -> Value:
    """A text in quotes."""
    is_literal = word.end - word.start == len(word.value) + 2
    at = min(word.start + 1, word.end)
    return Value(Type.TEXT, word.value, at, word.end, word.cut_off, word.damaged, is_literal, word.is_whole)


def from_bare(word: Token, scanner: Scanner) -> Value:
    """A word without quotes; tells what is wrong with it, unless the field's type does."""
    raw, start, end = word.value, word.start, word.end
    if word.quoted:  # only its first quote was missing
        return Value(Type.TEXT, raw, start, end, is_literal=word.is_whole, is_whole=word.is_whole)
    if raw in _JSON:
        return Value(_JSON[raw], raw, start, end)
    if _NUMBER.fullmatch(raw):
        return Value(Type.NUMBER, raw, start, end)
    if raw in _PYTHON:
        fix = scanner.text.edit(start, end, _IN_JSON[raw])
        scanner.add("python-value", start, *fix, found=raw, wanted=wanted_value(scanner.near))
        return Value(_PYTHON[raw], raw, start, end)
    if word.cut_off:
        return Value(Type.WORD, raw, start, end, cut_off=True)
    if raw in _NO_NUMBERS:
        scanner.add("not-a-number", start, found=raw)
        return Value(Type.WORD, raw, start, end, damaged=True)
    field = normalise(scanner.near)
    if raw.isdigit() and raw.isascii() and field.startswith("student"):
        return Value(Type.NUMBER, raw, start, end)
    if _is_number_elsewhere(raw):
        return _bad_number(raw, start, end, scanner)
    if field == "clientid":
        return _bare_clientid(raw, start, end, scanner)
    fix = *scanner.text.edit(start, start, '"'), *scanner.text.edit(end, end, '"')
    scanner.add("bare-value", start, *fix, found=raw)
    return Value(
        Type.TEXT, raw, start, end, damaged=raw.lower() in _NOTHING, is_literal=word.is_whole, is_whole=word.is_whole
    )


def _bad_number(raw: str, start: int, end: int, scanner: Scanner) -> Value:
    plain = raw.lstrip("+0")
    if not _NUMBER.fullmatch(plain):
        scanner.add("bad-number", start, found=raw)
        return Value(Type.WORD, raw, start, end, damaged=True)
    scanner.add("bad-number", start, *scanner.text.edit(start, end, plain), found=raw)
    return Value(Type.NUMBER, plain, start, end)


def _bare_clientid(raw: str, start: int, end: int, scanner: Scanner) -> Value:
    """A word where 1 or 2 belongs: the assignment's own, or what the field's type will name."""
    if normalise(raw) == CLIENTID_PLACEHOLDER:
        scanner.add("placeholder", start, field="clientid", found=raw)
        return Value(Type.WORD, raw, start, end, damaged=True)
    return Value(Type.WORD, raw, start, end)


def _is_number_elsewhere(raw: str) -> bool:
    """Whether Python would take it for a number, though JSON does not: 01, +1, 1., .5, 0x1, 1_000."""
    if len(raw) > 40 or (not raw[-1:].isalnum() and raw[-1:] != "."):
        return False
    for read in (float, lambda digits: int(digits, 0)):
        try:
            read(raw)
        except ValueError:
            continue
        return True
    return False
