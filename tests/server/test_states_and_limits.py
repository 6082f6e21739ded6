"""The table of states: complete, and the picture in ARCHITECTURE.md is drawn from it."""

import pytest

from tandem.server.states_and_limits import (
    ANSWERED,
    CLOSED,
    COMMITTING,
    FIRST_BYTE,
    LIMITS,
    QUEUED,
    STATES,
    TRANSITIONS,
    UNANSWERED,
    WATCHED,
    State,
)
from testing.processes import ROOT


def picture() -> str:
    """Return the states as a Mermaid diagram, which code hosts draw."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {FIRST_BYTE}: accepted"]
    lines += [
        f"    {before} --> {'[*]' if after is CLOSED else after}: {when.replace(':', ',')}"
        for before, moves in TRANSITIONS.items()
        for after, when in moves.items()
    ]
    return "\n".join([*lines, "```"])


def table() -> str:
    """Return what each state means and how long it may last."""
    rows = [f"| {state} | {state.meaning} | {_limit(state)} |" for state in STATES]
    return "\n".join(["| state | meaning | at most |", "|---|---|--:|", *rows])


def _limit(state: State) -> str:
    return f"{LIMITS[state]:g} s" if state in LIMITS else "-"


def test_the_picture_in_the_docs_is_drawn_from_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for part in (picture(), table()):
        assert part in text, f"put this into ARCHITECTURE.md:\n{part}"


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS) == set(STATES)
    reached = {FIRST_BYTE}
    for _ in STATES:
        reached |= {after for before in reached for after in TRANSITIONS[before]}
    assert reached == set(STATES)
    assert all(CLOSED in moves for state, moves in TRANSITIONS.items() if state is not CLOSED)


@pytest.mark.parametrize("state", STATES)
def test_no_state_lasts_for_ever(state: State) -> None:
    assert state in LIMITS or state in (QUEUED, CLOSED)


def test_what_was_answered_is_never_answered_again() -> None:
    after_an_answer = set(TRANSITIONS[ANSWERED])
    for _ in STATES:
        after_an_answer |= {after for before in after_an_answer for after in TRANSITIONS[before]}
    assert not after_an_answer & ({ANSWERED, COMMITTING} | UNANSWERED)


def test_nobody_reads_from_a_connection_that_waits_for_its_commit() -> None:
    assert COMMITTING not in WATCHED | UNANSWERED
