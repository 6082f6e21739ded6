"""Reads the members of a broken object, one after another, and goes on after every mistake.

A mistake is told where it stands, with what would set it right; what was read is returned all the same.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from tandem.diagnosis.recovery.ahead import (
    QUOTES,
    SPACE,
    WIDE_SIGNS,
    is_known_member,
    is_member,
    is_quoted_member,
    name_at,
    next_char,
    run_end,
    skip,
)
from tandem.diagnosis.recovery.findings import MAX_FACT
from tandem.diagnosis.recovery.names import is_known, normalise, wanted_value
from tandem.diagnosis.recovery.scanner import Scanner, Token
from tandem.diagnosis.recovery.texts import read_name, read_text
from tandem.diagnosis.recovery.values import Type, Value, from_bare, from_text
from tandem.protocol.message import FIELDS


class ObjectEnd(Enum):
    """How the object ends."""

    CLOSED = auto()
    OPEN = auto()  # behind a member
    CUT_OFF = auto()  # in the middle of one
    ENOUGH = auto()  # nobody knows: more is wrong with it than is told, the rest was not read


@dataclass(frozen=True, slots=True)
class Member:
    """One name and its value, as they were read."""

    name: str
    at: int  # where the name begins, behind its quote
    value: Value


class MemberReader:
    """The reading of one object, from behind its first brace. Afterwards the scanner is behind the object."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.members: list[Member] = []
        self.end: ObjectEnd | None = None
        self._braces_fail = False  # is there a brace or bracket that nothing closes?

    def read(self) -> ObjectEnd:
        """Fills `members`, and says how the object ends."""
        while self.end is None and self.scanner.may_go_on():
            self._read_member()
            if self.scanner.findings.full or self.scanner.gave_up or len(self.members) > _MAX_MEMBERS:
                self.end = ObjectEnd.ENOUGH
        return self.end or ObjectEnd.ENOUGH

    # where a name belongs

    def _read_member(self) -> None:
        scanner = self.scanner
        scanner.skip_space()
        c = scanner.peek()
        if not c:
            self.end = ObjectEnd.OPEN
        elif c in "}])":
            self._read_closer(c)
        elif c == ",":
            self._drop("extra-comma", 1)
        elif self._is_name(c):
            name = read_name(scanner) if c in QUOTES else scanner.read_bare_name()
            self._read_behind_name(name)
        else:
            self._drop_stray()

    def _is_name(self, c: str) -> bool:
        """Whether a name begins here, and not only something stray before one."""
        chars, at = self.scanner.chars, self.scanner.at
        if is_member(chars, at) or (c == '"' and self.scanner.is_json):
            return True
        if c in QUOTES:
            return not is_quoted_member(chars, at + 1)
        end = run_end(_ALNUM, chars, at)
        return end > at and not is_quoted_member(chars, skip(chars, end))

    def _read_closer(self, c: str) -> None:
        """A bracket that closes: the object, if it is a brace and nothing of the object follows."""
        scanner = self.scanner
        chars, at = scanner.chars, scanner.at
        follower = skip(chars, at + 1)
        comma = chars[follower : follower + 1] == ","
        if is_known_member(chars, skip(chars, follower + comma)):
            id = "closed-early" if c == "}" else "stray-character"
            scanner.add(id, at, *scanner.text.edit(at, at + 1, ""), found=c)
            scanner.at = follower + comma
        elif c == "}" or follower == len(chars):
            if c != "}":
                scanner.add_once("wrong-bracket", at, *scanner.text.edit(at, at + 1, "}"), found=c, wanted="}")
            scanner.at = at + 1
            self.end = ObjectEnd.CLOSED
        else:
            self._drop_stray()

    # where a colon belongs

    def _read_behind_name(self, name: Token) -> None:
        scanner = self.scanner
        if name.cut_off or (not name.quoted and name.end == len(scanner.chars)):
            self.end = ObjectEnd.CUT_OFF
            return
        scanner.near = name.value[:MAX_FACT] or "an empty name"
        value = self._read_value() if self._read_colon() else self._no_value(': ""')
        if self.end is not ObjectEnd.CUT_OFF:
            self.members.append(Member(name.value, name.start + name.quoted, value))
        if value.type is not None or scanner.peek() in ("", ",", "}"):
            self._read_separator(value.end)

    def _read_colon(self) -> bool:
        """Whether a value is to come: there is a colon, or something in its place, or it was forgotten."""
        scanner = self.scanner
        while True:
            scanner.skip_space()
            c, at = scanner.peek(), scanner.at
            if c == ":":
                scanner.at += 1
                return True
            if not c or c == "}" or is_known_member(scanner.chars, at):
                return False
            if c == "," and is_member(scanner.chars, skip(scanner.chars, at + 1)):
                return False
            if c in "=,;." + WIDE_SIGNS:
                self._replace_separator(2 if scanner.peek(2) == "=>" else 1, ":")
                return True
            if next_char(scanner.chars, at + 1) != ":" and (c in QUOTES or c.isalnum() or c in "-{["):
                scanner.add("missing-colon", at, *scanner.text.edit(at, at, ":"))
                return True
            self._drop_stray()

    def _no_value(self, wanted: str) -> Value:
        """A name alone; at the end of the message its value was cut off."""
        scanner = self.scanner
        at = scanner.at
        if not scanner.peek():
            self.end = ObjectEnd.CUT_OFF
        else:
            comma = "" if scanner.peek() in ",}]" else ", "
            fix = scanner.text.edit(at, at, wanted + comma) if normalise(scanner.near) in _MAY_BE_EMPTY else ()
            scanner.add("missing-value", at, *fix, wanted=wanted_value(scanner.near))
        return Value(None, at=at, end=at)

    # where a value belongs

    def _read_value(self) -> Value:
        scanner = self.scanner
        while True:
            scanner.skip_space()
            c, at = scanner.peek(), scanner.at
            if not c or c in ",}]" or (is_quoted_member(scanner.chars, at) and is_known_member(scanner.chars, at)):
                return self._no_value('""')
            if c in "bBuUfFrR" and scanner.peek(2)[1:] in ("'", '"'):
                scanner.add_once("bytes-as-text", at, *scanner.text.edit(at, at + 1, ""), found=scanner.peek(2))
                scanner.at += 1
            elif c in QUOTES:
                return self._ended(from_text(read_text(scanner)))
            elif c.isalnum() or c in "+-._$<":
                return self._ended(from_bare(scanner.read_bare_value(), scanner))
            elif c in "{[" and self._skip_nested():
                end = scanner.at
                if scanner.is_large:
                    scanner.give_up()  # nobody knows whether what follows is JSON
                return Value(Type.OBJECT if c == "{" else Type.LIST, at=at, end=end)
            elif self.end is ObjectEnd.CUT_OFF:
                return Value(None, at=at, end=at)
            else:
                self._drop_stray()

    def _ended(self, value: Value) -> Value:
        if value.cut_off:
            self.end = ObjectEnd.CUT_OFF
        return value

    def _skip_nested(self) -> bool:
        """Moves behind an object or a list in the place of a value, if something closes it before the very end."""
        scanner = self.scanner
        chars, depth, at = scanner.chars, 0, scanner.at
        while not self._braces_fail and at < len(chars) and scanner.may_go_on():
            c, end = chars[at], run_end(_NESTED, chars, at)
            if c in "{[":
                depth += end - at
            elif c in "}]":
                end = min(end, at + depth)
                depth -= end - at
            at = end
            if depth == 0 and next_char(chars, at):
                scanner.at = at
                return True
        if scanner.gave_up:
            return True  # nobody knows where it ends, but it is not what belongs there
        if depth >= _DEEP:
            self.end = ObjectEnd.CUT_OFF
        self._braces_fail = True  # never look again: it would take as long each time
        return False

    # where a comma belongs

    def _read_separator(self, value_end: int) -> None:
        """What stands between a value and the next name."""
        scanner = self.scanner
        while self.end is None:
            scanner.skip_space()
            c, at = scanner.peek(), scanner.at
            follower = next_char(scanner.chars, at + 1)
            if not c:
                self.end = ObjectEnd.OPEN
            elif c in "}])":
                return
            elif c == ",":
                if follower == "}":
                    self._drop("trailing-comma", 1)
                else:
                    scanner.at += 1
                return
            elif is_member(scanner.chars, at) or is_known(name_at(scanner.chars, at)[0]):
                self._tell_missing_comma(value_end)
                return
            elif c in ".;:=|" + WIDE_SIGNS and follower not in ("", ",", "}"):
                self._replace_separator(1, ",")
                return
            else:
                self._drop_stray()

    def _tell_missing_comma(self, value_end: int) -> None:
        scanner = self.scanner
        scanner.add("missing-comma", value_end, *scanner.text.edit(value_end, value_end, ","))

    def _replace_separator(self, length: int, wanted: str) -> None:
        scanner = self.scanner
        fix = scanner.text.edit(scanner.at, scanner.at + length, wanted)
        scanner.add("wrong-separator", scanner.at, *fix, found=scanner.peek(length), wanted=wanted)
        scanner.at += length

    # what does not belong anywhere

    def _drop_stray(self) -> None:
        """Up to what may be the beginning of something that belongs there."""
        scanner = self.scanner
        if scanner.findings.full:
            scanner.at = len(scanner.chars)  # enough was told, the rest is not read
            return
        end = run_end(_STRAY.get(scanner.peek(), _STRAYS), scanner.chars, scanner.at + 1)
        self._drop("stray-character", end - scanner.at)

    def _drop(self, id: str, length: int) -> None:
        scanner = self.scanner
        fix = scanner.text.edit(scanner.at, scanner.at + length, "")
        scanner.add(id, scanner.at, *fix, found=scanner.peek(length))
        scanner.at += length


_MAX_MEMBERS = 2 * len(FIELDS)  # the reply has no room for the names of so many that do not belong there
_DEEP = 3  # braces and brackets that nothing closes are no slip any more: the message breaks off in them
_MAY_BE_EMPTY = ("secret", "status")
_MAY_BELONG = SPACE + QUOTES + ",:{}[]"
_STRAYS = re.compile(f"[^{re.escape(_MAY_BELONG)}]*+")
_STRAY = {
    c: re.compile(f"[^{re.escape(_MAY_BELONG.replace(c, ''))}]*+") for c in _MAY_BELONG
}  # the same again and again
_ALNUM = re.compile(r"[^\W_]*+")
_NESTED = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[^"{}\[\]]++|[{\[]++|[}\]]++', re.DOTALL)  # never empty
