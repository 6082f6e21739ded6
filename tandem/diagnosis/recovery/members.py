"""Reads the members of a broken object, one after another, and goes on after every mistake.

A mistake is reported where it is, with its correction. What was read is returned all the same. Where the closing quote
of a text is missing or in doubt, the characters after it decide where the text ends.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from tandem.diagnosis.problem import MAX_FACT
from tandem.diagnosis.recovery.scanner import (
    COLONS,
    MAX_STORED,
    QUOTES,
    SPACE,
    TYPOGRAPHIC_DOUBLE,
    TYPOGRAPHIC_SINGLE,
    WIDE_SIGNS,
    NextQuote,
    Scanner,
    Token,
    Type,
    Value,
    ends_line,
    ends_member,
    is_known_member,
    is_member,
    is_quote,
    is_quoted_member,
    name_at,
    next_char,
    run_end,
    skip,
    skip_back,
    string_at,
)
from tandem.diagnosis.rules import MAX_NAME, code_point, control_in, is_known_name, normalise, wanted_value
from tandem.protocol.message import FIELDS

_MAX_MEMBERS = 2 * len(FIELDS)  # the reply has no room for the names of so many that do not belong there
_MAX_OPEN = 3  # braces and brackets that nothing closes: more of them are not a slip, the message breaks off in them
_MAY_BE_EMPTY = ("secret", "status")
_MAY_BELONG = SPACE + QUOTES + ",:{}[]"
_STRAYS = re.compile(f"[^{re.escape(_MAY_BELONG)}]*+")
_STRAYS_AFTER = {
    c: re.compile(f"[^{re.escape(_MAY_BELONG.replace(c, ''))}]*+") for c in _MAY_BELONG
}  # with repetitions
_TUPLE = re.compile(r"(?:\([^(){}\[\]]{0,200}\))?")
_ALNUM = re.compile(r"[^\W_]*+")
_NESTED = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[^"{}\[\]]++|[{\[]++|[}\]]++', re.DOTALL)  # never empty

# A right member with another one or the last brace after it: nothing in it has to be guessed.
_S = f"[{SPACE}]{{0,99}}+"
_NAME = rf"\w[\w -]{{0,{MAX_NAME - 1}}}+"
_TEXT = rf"[^\\\x00-\x1f{QUOTES}]{{0,{MAX_STORED}}}+"
_NUMBER = "0|[1-9][0-9]{0,30}+"
_MEMBER_FOLLOWS = rf',(?={_S}"{_NAME}"{_S}:)'
_END_FOLLOWS = rf"(?=\}}[{SPACE}]*+\Z)"
_RIGHT_MEMBER = re.compile(
    rf'{_S}"({_NAME})"{_S}:{_S}(?:"({_TEXT})"|({_NUMBER})){_S}(?:{_MEMBER_FOLLOWS}|{_END_FOLLOWS})'
)


class ObjectEnd(Enum):
    """The end of the object."""

    CLOSED = auto()
    OPEN = auto()  # after a member
    CUT_OFF = auto()  # in the middle of a member
    NOT_SEEN = auto()  # the rest was not read: more is wrong with it than is reported


@dataclass(frozen=True, slots=True)
class Member:
    """One name and its value, as they were read."""

    name: str
    start: int  # index of the name, after its quote
    value: Value


class MemberReader:
    """Reads one object, from after its first brace. Call `read`; then the scanner is after the object."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.members: list[Member] = []
        self.end: ObjectEnd | None = None
        self._unclosed = False  # a brace or bracket was found that nothing closes

    def read(self) -> ObjectEnd:
        """Fill `members`, and return how the object ends."""
        while self.end is None and self.scanner.may_go_on():
            if not self._read_right_member():
                self._read_member()
            if self.scanner.findings.full or self.scanner.gave_up or len(self.members) > _MAX_MEMBERS:
                self.end = ObjectEnd.NOT_SEEN
        return self.end or ObjectEnd.NOT_SEEN

    def _read_right_member(self) -> bool:
        """Read a member in one go if it is certainly right. The rest of this class is for the others."""
        found = _RIGHT_MEMBER.match(self.scanner.chars, self.scanner.position)
        if found is None:
            return False
        name, text, number = found.groups()
        if number:
            value = Value(Type.NUMBER, number, found.start(3), found.end(3))
        else:
            value = Value(Type.TEXT, text, found.start(2), found.end(2) + 1, is_literal=True)
        self.members.append(Member(name, found.start(1), value))
        self.scanner.near = near_words(name)
        self.scanner.position = found.end()
        return True

    # where a name belongs

    def _read_member(self) -> None:
        scanner = self.scanner
        c = scanner.skip_space()
        if not c:
            self.end = ObjectEnd.OPEN
        elif c in "}])":
            self._read_closer(c)
        elif c == ",":
            scanner.replace("extra-comma", 1, "")
        elif c == "\\" and (escaped := read_escaped(scanner)):
            start, end = escaped
            self._read_after_name(Token(scanner.chars[start:end], start - 1, scanner.position, quoted=True))
        elif self._is_name(c):
            self._read_after_name(read_name(scanner) if c in QUOTES else scanner.read_bare_name())
        else:
            self._drop_stray(c)

    def _is_name(self, c: str) -> bool:
        """Return whether a name begins here, and not only something stray before one."""
        chars, at = self.scanner.chars, self.scanner.position
        if is_member(chars, at) or (c == '"' and self.scanner.is_json):
            return True
        if c in QUOTES:
            return not is_quoted_member(chars, at + 1)
        end = run_end(_ALNUM, chars, at)
        return end > at and not is_quoted_member(chars, skip(chars, end))

    def _read_closer(self, c: str) -> None:
        """Read a closing bracket: it closes the object if it is a brace and nothing of the object follows."""
        scanner = self.scanner
        chars, at = scanner.chars, scanner.position
        follower = skip(chars, at + 1)
        after_comma = follower + 1 if chars[follower : follower + 1] == "," else follower
        if is_known_member(chars, skip(chars, after_comma)) and not scanner.is_inside_json(at):
            scanner.replace("closed-early" if c == "}" else "stray-character", 1, "")
            scanner.position = after_comma
        elif c == "}" or follower == len(chars):
            if c != "}":
                scanner.add_once("wrong-bracket", at, *scanner.text.edit(at, at + 1, "}"), found=c, wanted="}")
            scanner.position = at + 1
            self.end = ObjectEnd.CLOSED
        else:
            self._drop_stray(c)

    # where a colon belongs

    def _read_after_name(self, name: Token) -> None:
        scanner = self.scanner
        if name.cut_off or (not name.quoted and name.end == len(scanner.chars)):
            self.end = ObjectEnd.CUT_OFF
            return
        scanner.near = near_words(name.value)
        value = self._read_value() if self._read_colon() else self._no_value(': ""')
        if self.end is not ObjectEnd.CUT_OFF:
            self.members.append(Member(name.value, name.start + 1 if name.quoted else name.start, value))
        if value.type is not None or scanner.peek() in ("", ",", "}"):
            self._read_separator(value.end)

    def _read_colon(self) -> bool:
        """Return whether a value follows: after a colon, after something in its place, or without any."""
        scanner = self.scanner
        while True:
            c, at = scanner.skip_space(), scanner.position
            if c == ":":
                scanner.position += 2 if _COLON_IN_QUOTES.match(scanner.chars, at) else 1
                return True
            if not c or c == "}" or is_known_member(scanner.chars, at):
                return False
            if c == "," and is_member(scanner.chars, skip(scanner.chars, at + 1)):
                return False
            if c in "=,;." + WIDE_SIGNS:
                scanner.replace("wrong-separator", 2 if scanner.peek(2) == "=>" else 1, ":", wanted=":")
                return True
            if next_char(scanner.chars, at + 1) != ":" and (c in QUOTES or c.isalnum() or c in "-{["):
                scanner.add("missing-colon", at, *scanner.text.edit(at, at, ":"))
                return True
            self._drop_stray(c)

    def _no_value(self, wanted: str) -> Value:
        """Return no value for a name without one. At the end of the message the value was cut off."""
        scanner = self.scanner
        c, at = scanner.peek(), scanner.position
        if not c:
            self.end = ObjectEnd.CUT_OFF
        else:
            comma = "" if c in ",}]" else ", "
            fix = scanner.text.edit(at, at, wanted + comma) if normalise(scanner.near) in _MAY_BE_EMPTY else ()
            scanner.add("missing-value", at, *fix, wanted=wanted_value(scanner.near))
        return Value(None, start=at, end=at)

    # where a value belongs

    def _read_value(self) -> Value:
        scanner = self.scanner
        while True:
            c, at = scanner.skip_space(), scanner.position
            if not c or c in ",}]" or (is_quoted_member(scanner.chars, at) and is_known_member(scanner.chars, at)):
                return self._no_value('""')
            if c in "bBuUfFrR" and scanner.peek(2)[1:] in ("'", '"'):
                scanner.add_once("bytes-as-text", at, *scanner.text.edit(at, at + 1, ""), found=scanner.peek(2))
                scanner.position += 1
            elif c in QUOTES:
                return self._checked(read_text(scanner))
            elif c == "\\" and (escaped := read_escaped(scanner)):
                start, end = escaped
                return Value(Type.TEXT, scanner.chars[start:end], start, scanner.position, is_literal=True)
            elif c.isalnum() or c in "+-._$<":
                return self._checked(scanner.read_bare_value())
            elif c == "(" and (tuple_end := run_end(_TUPLE, scanner.chars, at)) > at:
                scanner.position = tuple_end
                return Value(Type.TUPLE, start=at, end=tuple_end)
            elif c in "{[" and self._skip_nested():
                end = scanner.position
                if scanner.is_large:
                    scanner.give_up()  # whether the rest is JSON is not known
                return Value(_type_of_nested(scanner.chars[at:end]), start=at, end=end)
            elif self.end is ObjectEnd.CUT_OFF:
                return Value(None, start=at, end=at)
            else:
                self._drop_stray(c)

    def _checked(self, value: Value) -> Value:
        if value.cut_off:
            self.end = ObjectEnd.CUT_OFF
        return value

    def _skip_nested(self) -> bool:
        """Move after an object or a list in the place of a value, if something closes it before the very end."""
        scanner = self.scanner
        chars, depth, at = scanner.chars, 0, scanner.position
        while not self._unclosed and at < len(chars) and scanner.may_go_on():
            c, end = chars[at], run_end(_NESTED, chars, at)
            if c in "{[":
                depth += end - at
            elif c in "}]":
                end = min(end, at + depth)
                depth -= end - at
            at = end
            if depth == 0 and next_char(chars, at):
                scanner.position = at
                return True
        if scanner.gave_up:
            return True  # where it ends is not known, but it is not what belongs there
        if depth >= _MAX_OPEN:
            self.end = ObjectEnd.CUT_OFF
        self._unclosed = True  # never look again: it would take as long each time
        return False

    # where a comma belongs

    def _read_separator(self, value_end: int) -> None:
        """Read what is between a value and the next name."""
        scanner = self.scanner
        while self.end is None:
            c, at = scanner.skip_space(), scanner.position
            follower = next_char(scanner.chars, at + 1)
            if not c:
                self.end = ObjectEnd.OPEN
            elif c in "}])":
                return
            elif c == ",":
                if follower == "}":
                    scanner.replace("trailing-comma", 1, "")
                else:
                    scanner.position += 1
                return
            elif is_member(scanner.chars, at) or is_known_name(name_at(scanner.chars, at)[0]):
                scanner.add("missing-comma", value_end, *scanner.text.edit(value_end, value_end, ","))
                return
            elif c in ".;:=|" + WIDE_SIGNS and follower not in ("", ",", "}"):
                scanner.replace("wrong-separator", 1, ",", wanted=",")
                return
            else:
                self._drop_stray(c)

    # what does not belong anywhere

    def _drop_stray(self, c: str) -> None:
        """Report what is here, and move to what may be the beginning of something that belongs there."""
        scanner = self.scanner
        if scanner.findings.full:
            scanner.position = len(scanner.chars)  # enough is reported, the rest is not read
            return
        end = run_end(_STRAYS_AFTER.get(c, _STRAYS), scanner.chars, scanner.position + 1)
        scanner.replace("stray-character", end - scanner.position, "")


def _type_of_nested(chars: str) -> Type:
    """Return the type of a value in brackets; what Python shows of a set has no colon."""
    if chars[0] == "[":
        return Type.LIST
    return Type.OBJECT if ":" in chars or not chars.strip("{} ") else Type.SET


# Names and texts in quotes

_ESCAPED = re.compile(r"""(\\+)(["'])([^"'\\{}\r\n]{0,160})(\\+)\2""")


def read_escaped(scanner: Scanner) -> tuple[int, int] | None:
    r"""Read a name or text between \" and \". Return the indexes of what is between them, None if there is none."""
    found = _ESCAPED.match(scanner.chars, scanner.position)
    if found is None:
        return None
    edits = [edit for group in (1, 4) for edit in scanner.text.edit(*found.span(group), "")]
    scanner.add_once("escaped-quotes", found.start(), *edits)
    scanner.position = found.end()
    return found.span(3)


def near_words(name: str) -> str:
    """Return a name for the fact `near`: a field's as it is, any other between backticks."""
    if name in FIELDS:
        return name
    return f"`{name[: MAX_FACT - 2]}`" if name else "an empty name"


_COLON_IN_QUOTES = re.compile(rf""":["'][{SPACE}]{{1,9}}["'0-9]""")  # and a value after the quote


def read_name(scanner: Scanner) -> Token:
    """Read a name in quotes. It ends at its colon if its closing quote is missing."""
    chars, start = scanner.chars, scanner.position
    json = _read_json(scanner)
    if json:
        return json
    name, end = name_at(chars, start)
    if not name or next_char(chars, end) not in COLONS:
        return TextReader(scanner, "a name").read()
    scanner.near = near_words(name)
    scanner.position = end
    scanner.check_quote(start)
    if is_quote(chars, end - 1):
        scanner.check_quote(end - 1)
        return Token(chars[start + 1 : end - 1], start, end, quoted=True)
    if _COLON_IN_QUOTES.match(chars, end):
        scanner.add("colon-in-quotes", end, *scanner.text.edit(end, end + 2, '":'), found=name)
    else:
        scanner.add("quote-never-closed", end, *scanner.text.edit(end, end, '"'), found=f"the name {name}")
    return Token(name, start, end, quoted=True)


def read_text(scanner: Scanner) -> Value:
    """Read a value in quotes."""
    text = _read_json(scanner) or TextReader(scanner, f"the value of {scanner.near}").read()
    is_literal = text.end - text.start == len(text.value) + 2
    start = min(text.start + 1, text.end)
    return Value(Type.TEXT, text.value, start, text.end, text.cut_off, text.damaged, is_literal, text.is_whole)


def _read_json(scanner: Scanner) -> Token | None:
    """Read a text whose quotes and escapes are certainly JSON's, if there is one."""
    start = scanner.position
    found = string_at(scanner.chars, start) if scanner.is_json and scanner.peek() == '"' else None
    if found is None:
        return None
    value, scanner.position = found
    return Token(value, start, scanner.position, quoted=True)


_PLAIN = re.compile(rf"(?:[^\\\x00-\x1f{QUOTES}]++|\\(?:[\\/bfnrt]|u[0-9a-fA-F]{{4}}))*+")
_BYTES = re.compile(r"(?:\\x[89a-fA-F][0-9a-fA-F]){0,256}+")  # in UTF-8 as str() of bytes writes them: \xc3\xab
_HEX = frozenset("0123456789abcdefABCDEF")
_MAX_TEXT_LEFT = 160  # characters: no text goes on for longer after a quote inside of it
_MAX_QUOTES_SEEN = 16  # there are not more quotes in a text of that length


class TextReader:
    """Reads one text whose quotes may be JSON's, Python's or a word processor's."""

    def __init__(self, scanner: Scanner, name: str) -> None:
        """Begin at the opening quote. `name` is what the text is called in a problem."""
        self.scanner = scanner
        self.name = name
        self.start = scanner.position
        self.opening = scanner.peek()
        self.content: list[str] = []
        self.length = 0  # characters in `content`
        self.is_whole = True  # False: too long for any field, only the beginning is stored
        self.inner_quotes: list[int] = []
        self.closed = False
        self.unknown = False  # the meaning of an escape in it cannot be known
        self.raw_controls = 0

    def read(self) -> Token:
        """Read the text and its closing quote."""
        scanner = self.scanner
        scanner.check_quote(self.start)
        scanner.position += 1
        while not self.closed and (c := scanner.peek()) and scanner.may_go_on():
            if self._read_plain():
                continue
            if c == "\\":
                self._read_escape()
            elif c in QUOTES:
                self._read_quote(c)
            elif c in "\r\n" and self._ends_with_line():
                self._close_before()
            else:
                self._read_control(c)
        cut_off = scanner.gave_up or not (self.closed or self._closes_before_brace())
        if self.inner_quotes:
            edits = [edit for at in self.inner_quotes for edit in scanner.text.edit(at, at, "\\")]
            scanner.add("quote-in-text", self.inner_quotes[0], *edits)
        value = "".join(self.content)
        if self.raw_controls:
            value = value.strip()
        damaged = self.unknown or bool(self.raw_controls and control_in(value))
        return Token(value, self.start, scanner.position, True, cut_off, damaged, self.is_whole)

    def _take(self, length: int, content: str) -> None:
        """Move on by `length` characters, which stand for `content`."""
        self.scanner.position += length
        self.is_whole = self.is_whole and self.length < MAX_STORED
        if self.is_whole:
            self.content.append(content)
            self.length += len(content)

    def _read_plain(self) -> bool:
        """Take the characters and valid escapes up to the next one that may mean something else, if there are any."""
        chars, start = self.scanner.chars, self.scanner.position
        end = run_end(_PLAIN, chars, start, start + MAX_STORED)
        plain = chars[start:end]
        if "\\" in plain:
            found = string_at(f'"{plain}"', 0)
            plain = found[0] if found else plain
        self._take(end - start, plain)
        return end > start

    # quotes

    def _read_quote(self, quote: str) -> None:
        scanner = self.scanner
        matches = self._matches(quote)
        if matches and is_quoted_member(scanner.chars, scanner.position):
            self._close_before()
        elif self._is_end(quote, matches):
            scanner.check_quote(scanner.position)
            scanner.position += 1
            self.closed = True
        else:
            if quote == '"' and self.opening == '"':
                self.inner_quotes.append(scanner.position)
            elif quote == '"':
                escape = scanner.text.edit(scanner.position, scanner.position, "\\")
                scanner.add_quote(self.opening, self.start, *escape)
            self._take(1, quote)

    def _matches(self, quote: str) -> bool:
        """Return whether the quote may close a text that began with the opening one."""
        if self.opening in TYPOGRAPHIC_DOUBLE:
            return quote in TYPOGRAPHIC_DOUBLE or quote == '"'
        if self.opening in TYPOGRAPHIC_SINGLE:
            return quote in TYPOGRAPHIC_SINGLE or quote == "'"
        return quote == self.opening

    def _is_end(self, quote: str, matches: bool) -> bool:
        """Return whether the quote here closes the text, judged by what follows it."""
        chars, after = self.scanner.chars, self.scanner.position + 1
        if not matches or ends_member(chars, after):
            return ends_member(chars, after)
        if chars[after : after + 1] == quote and next_char(chars, after + 1) in (",", "}"):
            return False  # two in a row: the second one closes
        if not next_char(chars, after).isalnum() or ends_line(chars, after):
            return True
        return not self._goes_on(after, quote)

    def _goes_on(self, at: int, quote: str) -> bool:
        """Return whether a quote after `at` closes the text before the next member begins.

        The result is stored until the reading gets there, so that no quote is looked at twice.
        """
        next_quote = self.scanner.next_quotes.get(quote)
        if next_quote is None or not next_quote.first <= at <= next_quote.last:
            next_quote = self.scanner.next_quotes[quote] = NextQuote(at, at - 1)
        if not next_quote.is_found:
            self._find(next_quote, quote, at + _MAX_TEXT_LEFT)
        return next_quote.closes and next_quote.last - at <= _MAX_TEXT_LEFT

    def _find(self, next_quote: NextQuote, quote: str, stop: int) -> None:
        """Go on looking for the next such quote that closes a text or opens a name, up to `stop`."""
        chars = self.scanner.chars
        for _ in range(_MAX_QUOTES_SEEN):
            at = chars.find(quote, next_quote.last + 1, stop + 1)
            if at < 0:
                break
            next_quote.last = at
            opens = is_quoted_member(chars, at)
            next_quote.closes = not opens and (next_char(chars, at + 1) in ("", ",", "}") or ends_line(chars, at + 1))
            next_quote.is_found = opens or next_quote.closes
            if next_quote.is_found:
                return
        next_quote.last = max(next_quote.last, stop)

    # a missing closing quote

    def _close_before(self) -> None:
        """End the text before the comma and the white space that were read last: its closing quote is missing."""
        self._take_back(",")
        self._report_never_closed()

    def _closes_before_brace(self) -> bool:
        """Return whether the message ends in a brace, so that only the closing quote before it is missing."""
        chars, start = self.scanner.chars, self.start + 1
        last = skip_back(chars, start, self.scanner.position) - 1
        if last < start or chars[last] != "}":
            return False
        self._take_back("}")
        self._report_never_closed()
        return True

    def _take_back(self, sign: str) -> None:
        """Move back before the sign that was read last, and the white space around it."""
        scanner = self.scanner
        at = skip_back(scanner.chars, self.start + 1, scanner.position)
        if scanner.chars[at - 1 : at] == sign and at > self.start + 1:
            at = skip_back(scanner.chars, self.start + 1, at - 1)
        if self.is_whole:
            content = "".join(self.content)
            self.content = [content[: len(content) - (scanner.position - at)]]
        scanner.position = at

    def _report_never_closed(self) -> None:
        at = self.scanner.position
        self.scanner.add("quote-never-closed", at, *self.scanner.text.edit(at, at, '"'), found=self.name)
        self.closed = True

    # control characters

    def _ends_with_line(self) -> bool:
        """Return whether the next line begins with another member, or with the last brace."""
        chars = self.scanner.chars
        at = skip(chars, self.scanner.position)
        return is_member(chars, at) or (chars[at : at + 1] == "}" and not next_char(chars, at + 1))

    def _read_control(self, c: str) -> None:
        """Take a control character, and after the end of a line the white space too. Report the first of a text."""
        scanner, at = self.scanner, self.scanner.position
        end = skip(scanner.chars, at) if c in SPACE else at + 1
        self.raw_controls += 1
        if self.raw_controls == 1:
            closes = scanner.chars[end : end + 1] == self.opening
            fix = scanner.text.edit(at, end, "") if closes else ()
            if c in "\r\n":
                scanner.add("newline-in-text", at, *fix)
            else:
                scanner.add("control-character", at, *fix, field=scanner.near, found=code_point(c))
        self._take(end - at, scanner.chars[at:end])

    # escapes

    def _read_escape(self) -> None:
        scanner = self.scanner
        at, escaped = scanner.position, scanner.peek(2)[1:]
        if escaped == '"' and ends_member(scanner.chars, at + 2):
            self._report_escape(at, at, "\\")
            self._take(2, "\\")
            self.closed = True
        elif escaped == '"':
            self._take(2, '"')
        elif self.unknown or not escaped:
            self._take(1 + len(escaped), "")
        else:
            self._read_foreign_escape(at, escaped)

    def _read_foreign_escape(self, at: int, escaped: str) -> None:
        """Take an escape that JSON does not have: Python's, or a backslash that was meant as itself."""
        code = self.scanner.chars[at + 2 : at + 4]
        if escaped == "x" and self._read_bytes():
            return
        if escaped == "'":
            self._report_python_escape("escaped-apostrophe", at, at + 1, "")
            self._take(2, "'")
        elif escaped == "x" and self.opening != '"' and len(code) == 2 and _HEX.issuperset(code):
            self._report_python_escape("bad-escape", at + 1, at + 2, "u00")
            self._take(4, chr(int(code, 16)))
        elif escaped in "xuUN":
            self._report_escape(at, at, "\\")
            self.unknown = True
            self._take(2, "")
        else:
            self._report_escape(at, at, "\\")
            self._take(1, "\\")

    def _read_bytes(self) -> bool:
        """Take the letters that str() wrote as bytes in UTF-8, if there are some here."""
        scanner, at = self.scanner, self.scanner.position
        escapes = scanner.chars[at : run_end(_BYTES, scanner.chars, at)]
        try:
            letters = bytes.fromhex(escapes.replace("\\x", "")).decode()
        except UnicodeDecodeError:
            letters = ""
        if not letters:
            return False
        end = at + len(escapes)
        scanner.add_once("escaped-bytes", at, *scanner.text.edit(at, end, letters), found=escapes[1:4])
        self._take(len(escapes), letters)
        return True

    def _report_python_escape(self, id: str, start: int, end: int, text: str) -> None:
        """Report the escape, but in a text with Python's quotes only its edit: the quotes are the mistake there."""
        if self.opening == '"':
            self._report_escape(start, end, text, id)
        else:
            self.scanner.add_quote(self.opening, self.start, *self.scanner.text.edit(start, end, text))

    def _report_escape(self, start: int, end: int, text: str, id: str = "bad-escape") -> None:
        scanner = self.scanner
        scanner.add_once(id, scanner.position, *scanner.text.edit(start, end, text), found=scanner.peek(2)[1:])
