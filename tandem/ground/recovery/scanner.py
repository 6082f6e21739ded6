"""Where the reading of a broken object has got to: skips what is no content, reads bare words, tells problems.

What people take for white space is named and skipped like white space.
"""

from dataclasses import dataclass

from tandem.ground.problems import Edit
from tandem.ground.recovery import names
from tandem.ground.recovery.ahead import QUOTES, SPACE, WIDE_SIGNS, ends_line, is_quote, is_quoted_member, next_char
from tandem.ground.recovery.decoding import Text
from tandem.ground.recovery.findings import Findings

ODD_SPACES = (
    "\N{NO-BREAK SPACE}\v\f\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u202f\u205f\u3000\ufeff"
)
_FAR = 160  # characters: no text goes on further than that behind a quote inside of it
_END_OF_BARE = frozenset(",;{}[]\r\n" + WIDE_SIGNS + QUOTES)


@dataclass(slots=True)
class Word:
    """A text in quotes, or a bare word."""

    value: str
    start: int  # of its first character, the opening quote included
    end: int  # behind its last
    quoted: bool
    cut_off: bool = False  # the message ended inside of it
    damaged: bool = False  # what was meant cannot be known


class Scanner:
    """A place in a text that moves forward only."""

    def __init__(self, text: Text, start: int, stop: int, findings: Findings, is_json: bool) -> None:
        self.text = text
        self.chars = text.chars[:stop]
        self.at = start
        self.is_json = is_json  # does the object parse? Then its quotes are what they seem
        self.near = "the beginning"  # the name read last: what a problem is told to be near to
        self.findings = findings
        self._turns: dict[str, tuple[int, int, bool]] = {}  # by quote: from where, up to where, and what was seen

    def peek(self, length: int = 1) -> str:
        """The next characters; "" at the end."""
        return self.chars[self.at : self.at + length]

    def add(self, id: str, at: int, *edits: Edit, **facts: str) -> None:
        """A problem at a place of the text."""
        if self.findings.full:
            return
        self.findings.add(id, self.text.offsets[at], *edits, **({"near": self.near} | facts))

    def add_once(self, id: str, at: int, *edits: Edit, **facts: str) -> None:
        """A problem that is told once for the whole message."""
        self.findings.add_once(id, self.text.offsets[at], *edits, **({"near": self.near} | facts))

    def skip_space(self) -> None:
        """White space, and comments, other blanks, and the \\n of a printed text."""
        while c := self.peek():
            if c in SPACE:
                self.at += 1
            elif c in ODD_SPACES:
                fix = self.text.edit(self.at, self.at + 1, " ")
                self.add_once("odd-space", self.at, *fix, found=f"U+{ord(c):04X}")
                self.at += 1
            elif c == "#" or self.peek(2) in ("//", "/*"):
                self._skip_comment()
            elif self.peek(2) in ("\\n", "\\r", "\\t"):
                fix = self.text.edit(self.at, self.at + 2, "")
                self.add_once("bytes-as-text", self.at, *fix, found=self.peek(2))
                self.at += 2
            else:
                return

    def _skip_comment(self) -> None:
        """To the end of the line; or where everything is on one line, to the next member."""
        start, mark = self.at, "#" if self.peek() == "#" else self.peek(2)
        end = self.chars.find("*/" if mark == "/*" else "\n", start)
        if end >= 0:
            self.at = end + 2 * (mark == "/*")
        else:
            self.at += len(mark)
            while self.peek() not in ("", "}") and not is_quoted_member(self.chars, self.at):
                self.at += 1
        self.add_once("comment", start, *self.text.edit(start, self.at, ""), found=mark)

    def check_quote(self, at: int) -> None:
        """Names the quote there if it is not JSON's."""
        self.tell_quote(self.chars[at], at, *self.text.edit(at, at + 1, '"'))

    def tell_quote(self, quote: str, at: int, *edits: Edit) -> None:
        """Names a quote that is not JSON's, and takes the edits that replace it."""
        if quote in "'`":
            self.add_once("single-quotes", at, *edits, found=quote)
        elif quote != '"':
            self.add_once("typographic-quotes", at, *edits, found=quote)

    def text_goes_on(self, at: int, quote: str) -> bool:
        """Whether a text that runs on at `at` is closed by such a quote later, before the next member begins.

        What was seen is kept until the reading gets there, so nothing is looked at twice.
        """
        first, last, closes = self._turns.get(quote, (0, -1, False))
        if not first <= at <= last:
            last, closes = _next_turn(self.chars, at, quote)
            self._turns[quote] = at, last, closes
        return closes and last - at <= _FAR

    def read_bare_name(self) -> Word:
        """A name that does not begin with a quote."""
        start = self.at
        while (c := self.peek()) and (c.isalnum() or c in "_-$"):
            self.at += 1
        word = Word(self.chars[start : self.at], start, self.at, quoted=False)
        if is_quote(self.chars, self.at):
            self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=word.value)
            self.check_quote(self.at)
            self.at += 1
        else:
            fix = *self.text.edit(start, start, '"'), *self.text.edit(self.at, self.at, '"')
            self.add_once("bare-key", start, *fix, found=word.value)
        return word

    def read_bare_value(self) -> Word:
        """A value that does not begin with a quote: up to what ends a value, or to a quote too many."""
        start = self.at
        while (c := self.peek()) and c not in _END_OF_BARE and not self._begins_comment():
            self.at += 1
        raw = self.chars[start : self.at].rstrip(SPACE)
        end = start + len(raw)
        if raw and end == self.at and is_quote(self.chars, end) and not is_quoted_member(self.chars, end):
            return self._read_lone_quote(raw, start)
        if raw.endswith(".") and raw.count(".") == 1:
            raw, end = raw[:-1], end - 1
        self.at = end
        return Word(raw, start, end, quoted=False, cut_off=end == len(self.chars))

    def _begins_comment(self) -> bool:
        behind_space = self.chars[self.at - 1] in SPACE
        return behind_space and (self.peek() == "#" or self.peek(2) in ("//", "/*"))

    def _read_lone_quote(self, raw: str, start: int) -> Word:
        """Behind a bare value stands a quote: its partner is missing, unless the value is a number anyway."""
        at, self.at = self.at, self.at + 1
        if raw.isdigit() and names.squeeze(self.near) == "clientid":
            self.add("stray-character", at, *self.text.edit(at, at + 1, ""), found=self.chars[at])
            return Word(raw, start, at, quoted=False)
        self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=raw)
        self.check_quote(at)
        return Word(raw, start, at + 1, quoted=True)


def _next_turn(chars: str, at: int, quote: str) -> tuple[int, bool]:
    """The next such quote that either closes a text (True) or opens a name (False)."""
    place = chars.find(quote, at)
    while place >= 0:
        if is_quoted_member(chars, place):
            return place, False
        if next_char(chars, place + 1) in ("", ",", "}") or ends_line(chars, place + 1):
            return place, True
        place = chars.find(quote, place + 1)
    return len(chars), False
