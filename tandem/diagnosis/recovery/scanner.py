"""Where the reading of a broken object has got to: skips what is no content, reads bare words, tells problems.

What people take for white space is named and skipped like white space.
"""

import re
from dataclasses import dataclass

from tandem.diagnosis.problems import Edit
from tandem.diagnosis.recovery import names
from tandem.diagnosis.recovery.ahead import (
    QUOTES,
    SPACE,
    WIDE_SIGNS,
    ends_line,
    is_quote,
    is_quoted_member,
    next_char,
    run_end,
    skip_all,
    skip_back,
)
from tandem.diagnosis.recovery.decoding import Text
from tandem.diagnosis.recovery.findings import Findings
from tandem.diagnosis.recovery.parsing import closes

ODD_SPACES = (
    "\N{NO-BREAK SPACE}\v\f\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u202f\u205f\u3000\ufeff"
)
_FAR = 160  # characters: no text goes on further than that behind a quote inside of it
_MAX_LOOKS = 16  # at quotes behind the one in question: there are not so many in a text of that length
MAX_KEPT = 1024  # characters of a value that are kept; a text may be a little longer
_MAX_STEPS = 64  # of one reading; a message with a mistake in each of its eight fields takes about 50

_MAY_BE_SKIPPED = frozenset((*ODD_SPACES, "#", "/", "\\"))
_ODD_SPACES = re.compile(f"[{ODD_SPACES} ]*+")  # copied text often has a plain one after each odd one
_END_OF_COMMENT = re.compile(f"[}}{QUOTES}]")  # where all is on one line: perhaps
_BARE_NAME = re.compile(r"[\w$-]*+")
_END_OF_BARE = rf",;{{}}\[\]\r\n{WIDE_SIGNS}{QUOTES}"
_BARE_VALUE = re.compile(  # a comment begins behind white space only
    rf"(?:[^{_END_OF_BARE}#/]++|(?<![{SPACE}])[#/]|/(?![/*]))*+"
)


@dataclass(slots=True)
class Token:
    """A text in quotes, or a bare word."""

    value: str
    start: int  # of its first character, the opening quote included
    end: int  # behind its last
    quoted: bool
    cut_off: bool = False  # the message ended inside of it
    damaged: bool = False  # what was meant cannot be known
    is_whole: bool = True  # is all of the value kept?


@dataclass(slots=True)
class _Turn:
    """The next quote that closes a text, or opens a name."""

    first: int  # from where it was looked for
    last: int  # where it is, or up to where there is none
    is_found: bool = False
    closes: bool = False


class Scanner:
    """A place in a text that moves forward only."""

    def __init__(self, text: Text, start: int, stop: int, findings: Findings, json_stop: int) -> None:
        self.text = text
        self.chars = text.chars[:stop]
        self.at = start
        self._json_stop = json_stop  # up to where the quotes are what they seem
        self.near = "the beginning"  # the name read last: what a problem is told to be near to
        self.findings = findings
        self.gave_up = False  # was so much read that the rest is not? Then no end was seen
        self._steps = 0
        self._no_more: set[str] = set()  # ends of comments that do not come any more
        self._turns: dict[str, _Turn] = {}  # by quote

    @property
    def is_json(self) -> bool:
        """Whether JSON's own reader takes what is read now."""
        return self.at < self._json_stop

    @property
    def is_large(self) -> bool:
        """Whether so much is in it that only its beginning was given to JSON's own reader."""
        return self._json_stop > 0 and not closes(self.chars, self._json_stop)

    def may_go_on(self) -> bool:
        """Whether there is room for one more step. Call it in each turn of a loop that nothing else bounds.

        When there is none, the place moves to the end: the rest is not read.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            self.give_up()
        return not self.gave_up

    def give_up(self) -> None:
        """Reads no further."""
        self.gave_up = True
        self.at = len(self.chars)

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
        first = None if self.findings.is_told(id) else self.text.offsets[at]
        self.findings.add_once(id, first, *edits, **({"near": self.near} | facts))

    def skip_space(self) -> None:
        """White space, and comments, other blanks, and the \\n of a printed text."""
        while self._skip_plain_space() and self.may_go_on():
            c, at, two = self.peek(), self.at, self.peek(2)
            if c in ODD_SPACES:
                self.at = run_end(_ODD_SPACES, self.chars, at)
                fix = self.text.edit(at, self.at, " " * (self.at - at))
                self.add_once("odd-space", at, *fix, found=f"U+{ord(c):04X}")
            elif c == "#" or two in ("//", "/*"):
                self._skip_comment("#" if c == "#" else two)
            elif two in ("\\n", "\\r", "\\t"):
                self.at += 2
                self.add_once("bytes-as-text", at, *self.text.edit(at, self.at, ""), found=two)
            else:
                return

    def _skip_plain_space(self) -> bool:
        """Whether what follows may be something else that is skipped."""
        self.at = skip_all(self.chars, self.at)
        return self.peek() in _MAY_BE_SKIPPED

    def _skip_comment(self, mark: str) -> None:
        """To the end of the line; or where everything is on one line, to the next member."""
        start = self.at
        end = self._find_end_of_comment("*/" if mark == "/*" else "\n")
        if end >= 0:
            self.at = end + 2 * (mark == "/*")
        else:
            self.at += len(mark)
            while not self._is_behind_comment() and self.may_go_on():
                self.at += 1
        fix = () if self.gave_up else self.text.edit(start, self.at, "")
        self.add_once("comment", start, *fix, found=mark)

    def _find_end_of_comment(self, sign: str) -> int:
        """Where the sign stands next, -1 for nowhere. The search to the very end is not made again."""
        if sign in self._no_more:
            return -1
        end = self.chars.find(sign, self.at)
        if end < 0:
            self._no_more.add(sign)
        return end

    def _is_behind_comment(self) -> bool:
        """Moves to the next place where a comment may end, and tells whether it does."""
        found = _END_OF_COMMENT.search(self.chars, self.at)
        self.at = found.start() if found else len(self.chars)
        return self.peek() in ("", "}") or is_quoted_member(self.chars, self.at)

    def check_quote(self, at: int) -> None:
        """Names the quote there if it is not JSON's."""
        quote = self.chars[at]
        if quote != '"':
            self.tell_quote(quote, at, *self.text.edit(at, at + 1, '"'))

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
        turn = self._turns.get(quote)
        if turn is None or not turn.first <= at <= turn.last:
            turn = self._turns[quote] = _Turn(at, at - 1)
        if not turn.is_found:
            self._look_for_turn(turn, quote, at + _FAR)
        return turn.closes and turn.last - at <= _FAR

    def _look_for_turn(self, turn: "_Turn", quote: str, far: int) -> None:
        """Goes on looking for the next such quote that either closes a text or opens a name, up to `far`."""
        chars = self.chars
        for _ in range(_MAX_LOOKS):
            place = chars.find(quote, turn.last + 1, far + 1)
            if place < 0:
                break
            turn.last = place
            opens = is_quoted_member(chars, place)
            turn.closes = not opens and (next_char(chars, place + 1) in ("", ",", "}") or ends_line(chars, place + 1))
            turn.is_found = opens or turn.closes
            if turn.is_found:
                return
        turn.last = max(turn.last, far)

    def read_bare_name(self) -> Token:
        """A name that does not begin with a quote."""
        start = self.at
        self.at = run_end(_BARE_NAME, self.chars, start)
        word = Token(self.chars[start : self.at], start, self.at, quoted=False)
        if is_quote(self.chars, self.at):
            self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=word.value)
            self.check_quote(self.at)
            self.at += 1
        else:
            fix = *self.text.edit(start, start, '"'), *self.text.edit(self.at, self.at, '"')
            self.add_once("bare-key", start, *fix, found=word.value)
        return word

    def read_bare_value(self) -> Token:
        """A value that does not begin with a quote: up to what ends a value, or to a quote too many."""
        start = self.at
        self.at = run_end(_BARE_VALUE, self.chars, start)
        end = skip_back(self.chars, start, self.at)
        raw = self.chars[start : min(end, start + MAX_KEPT)]
        is_whole = end - start == len(raw)
        if raw and end == self.at and is_quote(self.chars, end) and not is_quoted_member(self.chars, end):
            return self._read_lone_quote(raw, start, is_whole)
        if is_whole and raw.endswith(".") and raw.count(".") == 1:
            raw, end = raw[:-1], end - 1
        self.at = end
        return Token(raw, start, end, quoted=False, cut_off=end == len(self.chars), is_whole=is_whole)

    def _read_lone_quote(self, raw: str, start: int, is_whole: bool) -> Token:
        """Behind a bare value stands a quote: its partner is missing, unless the value is a number anyway."""
        at, self.at = self.at, self.at + 1
        if raw.isdigit() and names.normalise(self.near) == "clientid":
            self.add("stray-character", at, *self.text.edit(at, at + 1, ""), found=self.chars[at])
            return Token(raw, start, at, quoted=False)
        self.add("quote-never-opened", start, *self.text.edit(start, start, '"'), found=raw)
        self.check_quote(at)
        return Token(raw, start, at + 1, quoted=True, is_whole=is_whole)
