"""How the problems and remarks of a visit stand in a row of the database: as JSON. Knows no SQL and no words."""

import json
from collections.abc import Iterable

from tandem.ground.problems import Problem

NONE = "[]"


def findings_text(found: Iterable[Problem]) -> str:
    facts = [{"id": problem.id, "at": problem.at, "facts": problem.facts} for problem in found]
    return json.dumps(facts) if facts else NONE


def findings_in(text: str) -> tuple[Problem, ...]:
    return () if text == NONE else tuple(Problem(**facts) for facts in json.loads(text))
