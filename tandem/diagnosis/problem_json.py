"""How the problems and remarks of a visit stand in a row of the database: as JSON. Knows no SQL and no words."""

import json
from collections.abc import Sequence
from functools import lru_cache

from tandem.diagnosis.problems import Problem

NONE = "[]"


def findings_text(found: Sequence[Problem]) -> str:
    """Return problems and remarks as a row holds them."""
    if not found:
        return NONE
    return f"[{', '.join(_text(problem.id, problem.at, *problem.facts.items()) for problem in found)}]"


@lru_cache(maxsize=1024)  # clients behind one address get the same remark
def _text(id: str, offset: int | None, *facts: tuple[str, str]) -> str:
    return json.dumps({"id": id, "at": offset, "facts": dict(facts)})


def findings_in(text: str) -> tuple[Problem, ...]:
    """Return the problems and remarks that a row holds."""
    return () if text == NONE else tuple(Problem(**facts) for facts in json.loads(text))
