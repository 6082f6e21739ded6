"""Right messages with one change by chance: judged as the oracle judges them, and pointed at near the change."""

from collections.abc import Callable

from testing.messages.mutations import COUNT, SEED, mutations
from testing.messages.oracle import is_right
from testing.messages.sending import diagnosed

NEAR = 3  # characters


def test_no_mutation_is_misjudged_and_most_are_pointed_at(record_property: Callable[[str, object], None]) -> None:
    wrong = near = 0
    for mutation in mutations():
        problems = diagnosed(mutation.data).problems
        assert is_right(mutation.data) == (not problems), mutation
        wrong += bool(problems)
        near += any(mutation.distance(problem.offset) <= NEAR for problem in problems)
    record_property(
        "figure",
        f"{COUNT} mutations (seed {SEED}), {wrong} of them wrong: none misjudged; "
        f"a problem within {NEAR} characters of the change in {near / wrong:.1%}",
    )
    assert near / wrong >= 0.9
