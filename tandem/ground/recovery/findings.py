"""Collects the problems of one message while it is read: bounded, in order, a habit told once."""

from collections.abc import Iterable

from tandem.ground.problems import Edit, Family, Problem, Severity

MOST = 60  # problems and remarks of one message; what comes after them is not told

_RANK = {family: rank for rank, family in enumerate(Family)}


class Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._edits: list[list[Edit]] = []  # of each in _found; they may still grow
        self._once: dict[str, int] = {}  # where in _found a kind is that is told once only

    def add(self, id: str, at: int | None = None, *edits: Edit, **facts: str) -> None:
        """One mistake at one place."""
        if not self.full:
            self._found.append(Problem(id, at, facts))
            self._edits.append(list(edits))

    def add_once(self, id: str, at: int | None = None, *edits: Edit, **facts: str) -> None:
        """A mistake that goes through the whole message: told at its first place, with the edits of all."""
        if id in self._once:
            self._edits[self._once[id]] += edits
        elif not self.full:
            self._once[id] = len(self._found)
            self.add(id, at, *edits, **facts)

    @property
    def full(self) -> bool:
        """Whether there is no room for more: then nobody needs to read on."""
        return len(self._found) >= MOST

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


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """First things first: the outer layer before the inner, then from front to back."""
    return tuple(sorted(problems, key=lambda problem: (_RANK[problem.kind.family], problem.at or 0)))
