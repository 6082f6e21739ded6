"""Reads one text in quotes out of a broken object, whatever is wrong with its quotes, escapes and lines.

Where the closing quote is missing or in doubt, the text ends where a person would end it: by what follows.
"""

import re

from tandem.diagnosis.recovery.ahead import (
    COLONS,
    QUOTES,
    SPACE,
    TYPOGRAPHIC_DOUBLE,
    TYPOGRAPHIC_SINGLE,
    ends_line,
    ends_member,
    is_member,
    is_quote,
    is_quoted_member,
    name_at,
    next_char,
    run_end,
    skip,
    skip_back,
)
from tandem.diagnosis.recovery.parsing import string_at
from tandem.diagnosis.recovery.scanner import MAX_KEPT, Scanner, Token
from tandem.diagnosis.rules import first_control

_PLAIN = re.compile(rf"(?:[^\\\x00-\x1f{QUOTES}]++|\\(?:[\\/bfnrt]|u[0-9a-fA-F]{{4}}))*+")
_HEX = frozenset("0123456789abcdefABCDEF")


def read_name(scanner: Scanner) -> Token:
    """A name in quotes: ended at its colon, if its closing quote is missing."""
    chars, start = scanner.chars, scanner.at
    name, end = name_at(chars, start)
    json = _read_json(scanner) if scanner.is_json else None
    if json:
        return json
    if not name or next_char(chars, end) not in COLONS:
        return TextReader(scanner, "a name").read()
    scanner.near = name
    scanner.at = end
    scanner.check_quote(start)
    if is_quote(chars, end - 1):
        scanner.check_quote(end - 1)
        return Token(chars[start + 1 : end - 1], start, end, quoted=True)
    scanner.add("quote-never-closed", end, *scanner.text.edit(end, end, '"'), found=f"the name {name}")
    return Token(name, start, end, quoted=True)


def read_text(scanner: Scanner) -> Token:
    """A text in quotes."""
    json = _read_json(scanner) if scanner.is_json else None
    return json or TextReader(scanner, f"the value of {scanner.near}").read()


def _read_json(scanner: Scanner) -> Token | None:
    """A text whose quotes and escapes are JSON's, if one begins here."""
    start = scanner.at
    found = string_at(scanner.chars, start) if scanner.peek() == '"' else None
    if found is None:
        return None
    value, scanner.at = found
    return Token(value, start, scanner.at, quoted=True)


class TextReader:
    """The reading of one text that may be no JSON. Its quotes are JSON's, Python's or a text program's."""

    def __init__(self, scanner: Scanner, what: str) -> None:
        self.scanner = scanner
        self.what = what  # for people
        self.start = scanner.at
        self.opening = scanner.peek()
        self.content: list[str] = []
        self.length = 0  # characters in it
        self.is_whole = True  # False: it is too long for any field, and only its beginning is kept
        self.inner_quotes: list[int] = []
        self.closed = False
        self.cut_off = False
        self.unknown = False  # nobody can say what an escape in it means
        self.raw_controls = 0

    def read(self) -> Token:
        scanner = self.scanner
        scanner.check_quote(self.start)
        scanner.at += 1
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
        if scanner.gave_up:
            self.cut_off = True
        elif not self.closed:
            self._end_with_message()
        if self.inner_quotes:
            edits = [edit for at in self.inner_quotes for edit in scanner.text.edit(at, at, "\\")]
            scanner.add("quote-in-text", self.inner_quotes[0], *edits)
        value = "".join(self.content)
        if self.raw_controls:
            value = value.strip()
        damaged = self.unknown or bool(self.raw_controls and first_control(value))
        return Token(value, self.start, scanner.at, True, self.cut_off, damaged, self.is_whole)

    def _take(self, length: int, content: str) -> None:
        self.scanner.at += length
        self.is_whole = self.is_whole and self.length < MAX_KEPT
        if self.is_whole:
            self.content.append(content)
            self.length += len(content)

    def _read_quote(self, quote: str) -> None:
        scanner = self.scanner
        matches = self._matches(quote)
        if matches and is_quoted_member(scanner.chars, scanner.at):
            self._close_before()
        elif self._is_end(quote, matches):
            scanner.check_quote(scanner.at)
            scanner.at += 1
            self.closed = True
        else:
            if quote == '"' and self.opening == '"':
                self.inner_quotes.append(scanner.at)
            elif quote == '"':
                scanner.tell_quote(self.opening, self.start, *scanner.text.edit(scanner.at, scanner.at, "\\"))
            self._take(1, quote)

    def _is_end(self, quote: str, matches: bool) -> bool:
        """Whether the quote here closes the text, judged by what follows it."""
        chars, behind = self.scanner.chars, self.scanner.at + 1
        if not matches or ends_member(chars, behind):
            return ends_member(chars, behind)
        if chars[behind : behind + 1] == quote and next_char(chars, behind + 1) in (",", "}"):
            return False  # two in a row: the second one closes
        if not next_char(chars, behind).isalnum() or ends_line(chars, behind):
            return True
        return not self.scanner.text_goes_on(behind, quote)

    def _matches(self, quote: str) -> bool:
        if self.opening in TYPOGRAPHIC_DOUBLE:
            return quote in TYPOGRAPHIC_DOUBLE or quote == '"'
        if self.opening in TYPOGRAPHIC_SINGLE:
            return quote in TYPOGRAPHIC_SINGLE or quote == "'"
        return quote == self.opening

    def _close_before(self) -> None:
        """Ends the text before the comma and the white space that were read already: its quote is missing."""
        self._take_back(",")
        self._tell_never_closed()

    def _take_back(self, sign: str) -> None:
        """Moves before the white space, the sign and the white space that were read last."""
        scanner = self.scanner
        at = skip_back(scanner.chars, self.start + 1, scanner.at)
        if scanner.chars[at - 1 : at] == sign and at > self.start + 1:
            at = skip_back(scanner.chars, self.start + 1, at - 1)
        if self.is_whole:
            content = "".join(self.content)
            self.content = [content[: len(content) - (scanner.at - at)]]
        scanner.at = at

    def _tell_never_closed(self) -> None:
        at = self.scanner.at
        self.scanner.add("quote-never-closed", at, *self.scanner.text.edit(at, at, '"'), found=self.what)
        self.closed = True

    def _ends_with_line(self) -> bool:
        """Whether the next line goes on with another member, or with the last brace."""
        chars = self.scanner.chars
        at = skip(chars, self.scanner.at)
        return is_member(chars, at) or (chars[at : at + 1] == "}" and not next_char(chars, at + 1))

    def _end_with_message(self) -> None:
        """The message is over, and the text is not: only its quote is missing, or the rest was cut off."""
        chars, start, at = self.scanner.chars, self.start + 1, self.scanner.at
        last = skip_back(chars, start, at) - 1
        if last < start or chars[last] != "}":
            self.cut_off = True
            return
        self._take_back("}")
        self._tell_never_closed()

    def _read_plain(self) -> bool:
        """All the characters and valid escapes up to the next one that may mean something else, if any."""
        chars, start = self.scanner.chars, self.scanner.at
        end = run_end(_PLAIN, chars, start, start + MAX_KEPT)
        plain = chars[start:end]
        self._take(end - start, _without_escapes(plain) if "\\" in plain else plain)
        return end > start

    def _read_control(self, c: str) -> None:
        """One, or with the end of a line the white space behind it, too."""
        self.raw_controls += 1
        if self.raw_controls == 1:
            self._tell_control(c)
        scanner = self.scanner
        end = skip(scanner.chars, scanner.at) if c in SPACE else scanner.at + 1
        self._take(end - scanner.at, scanner.chars[scanner.at : end])

    def _tell_control(self, c: str) -> None:
        """Once for a text, however many it has."""
        scanner, at = self.scanner, self.scanner.at
        end = skip(scanner.chars, at) if c in SPACE else at + 1
        closes = scanner.chars[end : end + 1] == self.opening
        fix = scanner.text.edit(at, end, "") if closes else ()
        if c in "\r\n":
            scanner.add("newline-in-text", at, *fix)
        else:
            scanner.add("control-character", at, *fix, field=scanner.near, found=c)

    def _read_escape(self) -> None:
        scanner = self.scanner
        at, escaped = scanner.at, scanner.peek(2)[1:]
        if escaped == '"' and ends_member(scanner.chars, at + 2):
            self._tell_bad_escape(at, at, "\\")
            self._take(2, "\\")
            self.closed = True
        elif escaped == '"':
            self._take(2, '"')
        elif self.unknown or not escaped:
            self._take(1 + len(escaped), "")
        else:
            self._read_foreign_escape(at, escaped)

    def _read_foreign_escape(self, at: int, escaped: str) -> None:
        """An escape that JSON does not have: Python's, or a backslash that was meant as itself."""
        scanner = self.scanner
        code = scanner.chars[at + 2 : at + 4]
        if escaped == "'":
            self._tell_foreign_escape(at, at + 1, "")
            self._take(2, "'")
        elif escaped == "x" and self.opening != '"' and _is_hex(code, 2):
            self._tell_foreign_escape(at + 1, at + 2, "u00")
            self._take(4, chr(int(code, 16)))
        elif escaped in "xuUN":
            self._tell_bad_escape(at, at, "\\")
            self.unknown = True
            self._take(2, "")
        else:
            self._tell_bad_escape(at, at, "\\")
            self._take(1, "\\")

    def _tell_foreign_escape(self, start: int, end: int, text: str) -> None:
        """In a text of Python the quotes tell it already."""
        if self.opening == '"':
            self._tell_bad_escape(start, end, text)
        else:
            self.scanner.tell_quote(self.opening, self.start, *self.scanner.text.edit(start, end, text))

    def _tell_bad_escape(self, start: int, end: int, text: str) -> None:
        scanner = self.scanner
        scanner.add_once("bad-escape", scanner.at, *scanner.text.edit(start, end, text), found=scanner.peek(2))


def _without_escapes(plain: str) -> str:
    """What characters and valid escapes stand for."""
    found = string_at(f'"{plain}"', 0)
    return found[0] if found else plain


def _is_hex(code: str, length: int) -> bool:
    return len(code) == length and _HEX.issuperset(code)
