"""Verdicts from a record: pass, fail or unclear, each with its reason. Pure: the same record gives the same verdicts.

Judged by the exchange, never by the exit code of a program.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tandem.examiner import facts as f
from tandem.examiner.events import Event, Link
from tandem.examiner.scenario import Check, Scenario

Verdict = Literal["pass", "fail", "unclear"]

STOPPED = {
    "time": "{who} was stopped at its time limit",
    "memory": "{who} was stopped: it used more memory than it may",
    "output": "{who} was stopped: it wrote more output than it may",
    "processes": "{who} was stopped: it started more processes than it may",
}


@dataclass(frozen=True)
class CheckResult:
    """The verdict on one check."""

    check: Check
    verdict: Verdict
    reason: str


def judge(scenario: Scenario, events: Iterable[Event]) -> tuple[CheckResult, ...]:
    """Decide every check of a scenario from the record of its run."""
    record = f.events_that_count(list(events))
    known = f.facts(record)
    return tuple(_judge_check(check, known, record) for check in scenario.checks)


def _judge_check(check: Check, known: frozenset[str], record: Sequence[Event]) -> CheckResult:
    """Decide one check."""
    if f.BUG in known:
        failure = next(event.text for event in record if event.what == "failure")
        return CheckResult(check, "unclear", f"the examiner failed: {failure}")
    if forbidden := sorted(check.never & known):  # it did it, however busy the machine was
        return CheckResult(check, "fail", forbidden[0])
    if missing := sorted(check.needs - known):
        return CheckResult(
            check, "unclear", f"the case did not arise: not seen that {missing[0]}; {_last_step(known, record)}"
        )
    if any(lawful <= known for lawful in check.lawful):
        return CheckResult(check, "pass", "")
    if f.OVERLOADED in known:
        late = next(event.text for event in record if event.what == "overloaded")
        return CheckResult(check, "unclear", f"{late}: the machine has too much to do for a verdict; use fewer --jobs")
    return CheckResult(check, "fail", _last_step(known, record))


# The steps of an exchange in their order: the fact that shows a step, and what is said when it is missing.
STEPS = (
    (f.SERVER_CALLED, "client 1 did not connect to the server"),
    (f.ANSWERED_1, "client 1 sent no message that the server could answer"),
    (f.ACCEPTED_1, "the server refused message 1"),
    (f.PEER_CALLED, "client 1 did not connect to client 2"),
    (f.HANDED_OVER, "client 1 connected to client 2 and sent nothing"),
    (f.SERVER_CALLED_2, "client 2 did not connect to the server"),
    (f.ANSWERED_2, "client 2 sent no message that the server could answer"),
    (f.ACCEPTED_2, "the server refused message 2"),
)
REFUSALS: dict[str, Link] = {f.ACCEPTED_1: "visit 1", f.ACCEPTED_2: "visit 2"}


def _last_step(known: frozenset[str], record: Sequence[Event]) -> str:
    """Say where the exchange stopped: the first step that is missing, what the server said, and what was stopped."""
    step, sentence = next(((fact, sentence) for fact, sentence in _reached(known)), ("", "the exchange finished"))
    if step == f.PEER_CALLED and f.CLIENT_2_LISTENED not in known:
        sentence = "client 2 did not listen on its port"
    if step in REFUSALS:
        sentence = f"{sentence}: {f.reply_statuses(record, REFUSALS[step])[-1]}"
    stopped = [
        STOPPED[event.text].format(who=event.who)
        for event in record
        if event.what == "stopped" and event.text in STOPPED
    ]
    return "; ".join([sentence, *stopped])


def _reached(known: frozenset[str]) -> list[tuple[str, str]]:
    """Return the steps that are missing. A step before one that was made is not missing, whatever the record lacks."""
    last = max((index for index, (fact, _) in enumerate(STEPS) if fact in known), default=-1)
    return [step for step in STEPS[last + 1 :] if step[0] not in known]
