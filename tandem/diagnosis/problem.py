"""Problems: one mistake or remark each, found in one message. How they are put in words, stored and collected.

A Problem holds facts only. Its words are made from the facts and the templates of CATALOGUE when they are asked for.
Facts come from outside: in words all of them are made printable, and cut where room is short. Nothing here reads a
message.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from string import Formatter
from typing import NamedTuple

from tandem.diagnosis.catalogue import in_bytes, in_exchange, in_fields, in_json
from tandem.diagnosis.catalogue.kind import Family, Kind, Severity
from tandem.protocol.framing import LENGTH
from tandem.protocol.message import ERROR_PREFIX
from tandem.protocol.printable import printable

__all__ = ["CATALOGUE", "Edit", "Family", "Findings", "Kind", "Problem", "Severity"]

CATALOGUE: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        *in_bytes.KINDS,
        *in_json.KINDS,
        *in_fields.KINDS,
        *in_exchange.KINDS,
    )
}


class Edit(NamedTuple):
    """A correction: replace the bytes from offset `start` up to `end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, or remark, found in one message: facts, no words."""

    id: str
    offset: int | None = None  # bytes from the first byte received; None: at no place in particular
    facts: dict[str, str] = field(default_factory=dict)  # for the templates: field, found, wanted, near, framing
    edits: tuple[Edit, ...] = ()  # empty if only the sender can know the right text

    @property
    def kind(self) -> Kind:
        """The entry of the catalogue."""
        return CATALOGUE[self.id]

    @property
    def is_remark(self) -> bool:
        """Whether a message with this is accepted all the same."""
        return CATALOGUE[self.id].severity is Severity.REMARK

    @property
    def what(self) -> str:
        """The full text of what is wrong."""
        return _fill(self.kind.what, self.facts, _visible)

    @property
    def help(self) -> str:
        """The full text of what to try."""
        return _fill(self._help_template, self.facts, _visible)

    @property
    def _help_template(self) -> str:
        is_framed = self.facts.get("framing") == LENGTH
        return self.kind.help_framed if is_framed and self.kind.help_framed else self.kind.help

    @property
    def sentence(self) -> str:
        """The text of what is wrong and what to try, in one line of at most MAX_SENTENCE bytes, as a status carries it.

        It is printable ASCII without quotes and backslashes, and has no "; ", which separates problems (PROTOCOL 7.1).
        Long facts are cut.
        """
        template, uses, left = _sentence_template(f"{self.kind.what} - {self._help_template}")
        facts = _Facts(self.facts)
        shown: dict[str, str] = {}
        count = uses.total()
        for name in sorted(uses, key=lambda name: len(facts[name])):
            shown[name] = _in_status(facts[name], left // count)
            left -= uses[name] * len(shown[name])
            count -= uses[name]
        line = f"line {self.facts['line']}: " if "line" in self.facts else ""
        return line + template.format_map(shown)


# Words

MAX_SENTENCE = 220  # bytes in JSON, so that a status always has room for the first problem
_MAX_LINE = len("line 8192: ")
CUT = "..."  # the end of a text that was cut


def error_status(problems: Sequence[Problem], room: int) -> str:
    """Return a reply's status (PROTOCOL 7.1): `error: ` and whole problems that fit in `room` bytes, at least one."""
    words = ERROR_PREFIX + problems[0].sentence
    for problem in problems[1:]:
        longer = f"{words}; {problem.sentence}"
        if size_in_json(longer) > room:
            break
        words = longer
    return words


def size_in_json(text: str) -> int:
    """Return how many bytes the text takes between its quotes, as the server writes JSON."""
    return len(encode_basestring(text).encode()) - 2


class _Facts(dict[str, str]):
    """Facts for a template. A missing one becomes a question mark, not an exception."""

    def __missing__(self, name: str) -> str:
        return "?"


def _fill(template: str, facts: dict[str, str], show: Callable[[str], str]) -> str:
    return template.format_map(_Facts({name: show(fact) for name, fact in facts.items()}))


def _visible(text: str) -> str:
    r"""Return the text safe to show; a byte that is not UTF-8 as \xff, not as the surrogate that Python makes of it."""
    if text.isprintable():
        return text
    return printable("".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text))


@lru_cache
def _sentence_template(template: str) -> tuple[str, Counter[str], int]:
    """Return the template of a sentence, how often it has each fact, and how many bytes all facts may take."""
    pieces = [(literal, name) for literal, name, _, _ in Formatter().parse(template)]
    left = MAX_SENTENCE - _MAX_LINE - sum(len(literal) for literal, _ in pieces)
    return template, Counter(name for _, name in pieces if name), left


_NOT_IN_STATUS = re.compile(r"[^ !#-&(-\[\]-~]|;(?= )")  # all but printable ASCII; quotes, a backslash, and "; "
_CUT_CODE = re.compile(r"<[0U][^>]*\Z")


def _in_status(text: str, room: int) -> str:
    """Return the text as a status carries it, cut to `room` bytes: what it must not contain, by its code point."""
    shown = _NOT_IN_STATUS.sub(_code_point, text[:room])
    if len(text) <= room and len(shown) <= room:
        return shown
    return _CUT_CODE.sub("", shown[: room - len(CUT)]) + CUT


def _code_point(found: re.Match[str]) -> str:
    c = found[0]
    return f"<0x{ord(c) - 0xDC00:X}>" if "\udc80" <= c <= "\udcff" else f"<U+{ord(c):04X}>"


# Order

REFUSAL_HANDED_ON = "refusal-handed-on"  # its cause is in message 1, whatever else is wrong

_RANK = {family: rank for rank, family in enumerate(Family)}


def is_only_handed_on(ids: Iterable[str]) -> bool:
    """Return whether nothing else is wrong than that the server's refusal of message 1 was handed on."""
    return set(ids) == {REFUSAL_HANDED_ON}


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems: a refusal handed on, then the outer layer of a message before the inner one, then by offset."""
    return tuple(sorted(problems, key=_rank))


def _rank(problem: Problem) -> tuple[bool, int, int]:
    return problem.id != REFUSAL_HANDED_ON, _RANK[CATALOGUE[problem.id].family], problem.offset or 0


# Problems in a row of the database

NO_FINDINGS = "[]"


def findings_text(found: Sequence[Problem]) -> str:
    """Return problems and remarks as JSON, as a row of the database holds them."""
    if not found:
        return NO_FINDINGS
    return f"[{', '.join(_json(problem.id, problem.offset, *problem.facts.items()) for problem in found)}]"


@lru_cache(maxsize=1024)  # clients behind one address get the same remark
def _json(id: str, offset: int | None, *facts: tuple[str, str]) -> str:
    return json.dumps({"id": id, "at": offset, "facts": dict(facts)})


def findings_in(text: str) -> tuple[Problem, ...]:
    """Return the problems and remarks that a row of the database holds."""
    if text == NO_FINDINGS:
        return ()
    return tuple(Problem(found["id"], found["at"], found["facts"]) for found in json.loads(text))


# Problems of a message that is being read

MAX_FINDINGS = 24  # problems and remarks of one message: three for each field; the rest is not reported
_MAX_SAME = 3  # of them with the same facts: more would only repeat the words
_MAX_EDITS = 128  # of one message: eight fields on a line each, every line with 15 odd spaces before it
MAX_FACT = 80  # characters


class Findings:
    """Collects the problems and remarks of one message while it is read, within fixed limits."""

    def __init__(self) -> None:
        self.origin = 0  # offset of the part that is being read; offsets given to `add` count from here
        self._count = 0  # of everything found, whether it is reported or not
        self._found: list[Problem] = []
        self._edits: list[list[Edit]] = []  # of each in _found; they may still grow
        self._edits_left = _MAX_EDITS
        self._without_edits: set[int] = set()  # indexes in _found of problems with more edits than are stored
        self._same: dict[tuple[str, ...], list[int]] = {}  # indexes in _found, by id and facts
        self._once: dict[str, int] = {}  # index in _found, by id, of what `add_once` has reported

    def add(self, id: str, offset: int | None = None, *edits: Edit, **facts: str) -> None:
        """Add one mistake at one place. After three with the same facts, the next ones are only counted."""
        if not self.full:
            self._add(id, offset, edits, facts)

    def add_once(self, id: str, offset: int | None = None, *edits: Edit, **facts: str) -> None:
        """Add a mistake that is repeated through the message: reported at its first place, with the edits of all."""
        if id in self._once:
            self._add_edits(self._once[id], edits)
        elif not self.full:
            self._once[id] = self._add(id, offset, edits, facts)

    def is_reported(self, id: str) -> bool:
        """Return whether `add_once` was called for this kind: of further calls only the edits are used."""
        return id in self._once

    def _add(self, id: str, offset: int | None, edits: tuple[Edit, ...], facts: dict[str, str]) -> int:
        """Return the index in _found of the problem, or of one with the same facts that got its edits."""
        self._count += 1
        facts = {
            name: fact if len(fact) <= MAX_FACT else fact[: MAX_FACT - len(CUT)] + CUT for name, fact in facts.items()
        }
        same = self._same.setdefault((id, *facts.values()), [])
        if len(same) < _MAX_SAME:
            same.append(len(self._found))
            self._found.append(Problem(id, None if offset is None else self.origin + offset, facts))
            self._edits.append([])
        self._add_edits(same[-1], edits)
        return same[-1]

    def _add_edits(self, index: int, edits: Sequence[Edit]) -> None:
        """Store the edits of a problem: all of them or none, because half of them would mislead."""
        self._edits_left -= len(edits)
        if self._edits_left < 0:
            self._without_edits.add(index)
        if index in self._without_edits:
            self._edits[index].clear()
        elif self.origin:
            self._edits[index] += (Edit(self.origin + start, self.origin + end, text) for start, end, text in edits)
        else:
            self._edits[index] += edits

    @property
    def empty(self) -> bool:
        """Whether nothing was found so far."""
        return not self._found

    @property
    def full(self) -> bool:
        """Whether there is no room for more. Stop reading then."""
        return self._count >= MAX_FINDINGS

    def has(self, id: str) -> bool:
        """Return whether a problem of this kind was found."""
        return any(problem.id == id for problem in self._found)

    def results(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Return the problems and the remarks, both in order."""
        found: dict[Severity, list[Problem]] = {Severity.PROBLEM: [], Severity.REMARK: []}
        for problem, edits in zip(self._found, self._edits, strict=True):
            severity = CATALOGUE[problem.id].severity
            found[severity].append(Problem(problem.id, problem.offset, problem.facts, tuple(edits)))
        return in_order(found[Severity.PROBLEM]), in_order(found[Severity.REMARK])
