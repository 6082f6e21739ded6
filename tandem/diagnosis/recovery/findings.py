"""Collects the problems of one message while it is read: bounded, in order, a habit told once."""

from collections.abc import Iterable, Sequence

from tandem.diagnosis.problems import Edit, Family, Problem, Severity

MAX_FINDINGS = 24  # problems and remarks of one message: three for each field; what comes after them is not told
_MAX_ALIKE = 3  # of them, with the same facts: the next ones would only repeat the words
_MAX_EDITS = 128  # of one message: eight fields on a line each, every line with 15 odd spaces before it
MAX_FACT = 80  # characters

_RANK = {family: rank for rank, family in enumerate(Family)}


class Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self.origin = 0  # where the bytes begin that are read now, in all that came: places are told from there
        self._count = 0  # of all, those that are not told included
        self._found: list[Problem] = []
        self._edits: list[list[Edit]] = []  # of each in _found; they may still grow
        self._edits_left = _MAX_EDITS
        self._without_edits: set[int] = set()  # where in _found those stand that have more edits than are kept
        self._alike: dict[tuple[str, ...], list[int]] = {}  # where in _found those stand that have the same words
        self._once: dict[str, int] = {}  # where in _found a kind is that is told once only

    def add(self, id: str, at: int | None = None, *edits: Edit, **facts: str) -> None:
        """One mistake at one place. What was told three times in the same words counts, but is not told again."""
        if not self.full:
            self._tell(id, at, edits, facts)

    def _tell(self, id: str, at: int | None, edits: tuple[Edit, ...], facts: dict[str, str]) -> int:
        """Returns where in _found it stands, or one in the same words to which its edits went."""
        self._count += 1
        facts = {name: _bounded(fact) for name, fact in facts.items()}
        problem = Problem(id, None if at is None else self.origin + at, facts)
        alike = self._alike.setdefault((problem.id, *problem.facts.values()), [])
        if len(alike) < _MAX_ALIKE:
            alike.append(len(self._found))
            self._found.append(problem)
            self._edits.append([])
        self._keep_edits(alike[-1], edits)
        return alike[-1]

    def add_once(self, id: str, at: int | None = None, *edits: Edit, **facts: str) -> None:
        """A mistake that goes through the whole message: told at its first place, with the edits of all."""
        if id in self._once:
            self._keep_edits(self._once[id], edits)
        elif not self.full:
            self._once[id] = self._tell(id, at, edits, facts)

    def is_told(self, id: str) -> bool:
        """Whether `add_once` has told it: then only the edits of the next one are taken."""
        return id in self._once

    def _keep_edits(self, place: int, edits: Sequence[Edit]) -> None:
        """Keeps the edits for what stands there in _found. All of its edits are kept, or none: half of them mislead."""
        self._edits_left -= len(edits)
        if self._edits_left < 0:
            self._without_edits.add(place)
        if place in self._without_edits:
            self._edits[place].clear()
        elif self.origin:
            self._edits[place] += (Edit(self.origin + start, self.origin + end, text) for start, end, text in edits)
        else:
            self._edits[place] += edits

    @property
    def full(self) -> bool:
        """Whether there is no room for more: then nobody needs to read on."""
        return self._count >= MAX_FINDINGS

    def has(self, id: str) -> bool:
        return any(problem.id == id for problem in self._found)

    def problems(self) -> tuple[Problem, ...]:
        """First things first."""
        return self._sorted(Severity.PROBLEM)

    def remarks(self) -> tuple[Problem, ...]:
        """First things first."""
        return self._sorted(Severity.REMARK)

    def _sorted(self, severity: Severity) -> tuple[Problem, ...]:
        return in_order(
            Problem(problem.id, problem.at, problem.facts, tuple(edits))
            for problem, edits in zip(self._found, self._edits, strict=True)
            if problem.kind.severity is severity
        )


def _bounded(fact: str) -> str:
    return fact if len(fact) <= MAX_FACT else fact[: MAX_FACT - 1] + "…"


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """First things first: the outer layer before the inner, then from front to back."""
    return tuple(sorted(problems, key=lambda problem: (_RANK[problem.kind.family], problem.at or 0)))
