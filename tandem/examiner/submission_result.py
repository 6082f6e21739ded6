"""The result of one submission: a verdict for each check, and what follows from them. As values, and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tandem.examiner.events import Event
from tandem.examiner.plan import Plan
from tandem.examiner.scenario import Check, Kind, Scenario
from tandem.examiner.verdicts import CheckResult
from tandem.protocol.printable import printable_bytes

FinalVerdict = Literal["pass", "fail", "unclear", "not applicable"]

PASS: FinalVerdict = "pass"
FAIL: FinalVerdict = "fail"
UNCLEAR: FinalVerdict = "unclear"
NOT_APPLICABLE: FinalVerdict = "not applicable"

PROGRAMS = ("client 1", "client 2")
MAX_LINES = 20
MAX_COLUMNS = 500  # of a line; the end of a longer one is left out


@dataclass(frozen=True)
class JudgedCheck:
    """One check with its verdict, as it is shown."""

    scenario: str  # its id; "" for a rule, which has no run
    id: str
    kind: Kind
    clause: str  # of PROTOCOL.md; "" for a rule
    question: str
    verdict: FinalVerdict
    reason: str
    help: str
    points: int  # it is worth, in robustness
    counts: bool  # False: the plan leaves it out


@dataclass(frozen=True)
class SubmissionResult:
    """All about one submission."""

    name: str
    checks: tuple[JudgedCheck, ...]
    addresses: tuple[str, ...] = ()  # that the source has built in: "client.py:3: 10.0.0.1"
    remarks: tuple[str, ...] = ()  # what costs nothing and should be known
    output: dict[str, dict[str, str]] = field(default_factory=dict)  # scenario -> program -> the end of its output

    def verdict(self, kind: Kind) -> FinalVerdict:
        """Return fail if a check of this kind fails, pass if all that apply pass, else unclear."""
        found = {check.verdict for check in self._counted(kind)}
        if FAIL in found:
            return FAIL
        return PASS if found == {PASS} else UNCLEAR

    def points(self) -> tuple[int, int]:
        """Return the points for robustness, and how many there are. What does not apply costs nothing."""
        counted = self._counted("robustness")
        return sum(check.points for check in counted if check.verdict == PASS), sum(check.points for check in counted)

    def _counted(self, kind: Kind) -> list[JudgedCheck]:
        return [c for c in self.checks if c.kind == kind and c.counts and c.verdict != NOT_APPLICABLE]

    def as_json(self) -> dict[str, Any]:
        """Return the result for JSON."""
        points, most = self.points()
        summary = {
            "assignment": self.verdict("assignment"),
            "rules": self.verdict("rule"),
            "robustness": {"points": points, "of": most},
        }
        return {"name": self.name, "summary": summary, **{k: v for k, v in asdict(self).items() if k != "name"}}


def result_from_json(values: dict[str, Any]) -> SubmissionResult:
    """Return the result that as_json gave.

    Raises:
        ValueError: the values are something else.
    """
    try:
        checks = tuple(JudgedCheck(**check) for check in values["checks"])
        addresses, remarks = tuple(values["addresses"]), tuple(values["remarks"])
        return SubmissionResult(values["name"], checks, addresses, remarks, values["output"])
    except (TypeError, KeyError) as error:
        raise ValueError(f"not the result of a submission: {error}") from None


def judged(plan: Plan, scenario: str, result: CheckResult) -> JudgedCheck:
    """Return the check with what the plan says about it."""
    return judged_without_run(plan, scenario, result.check, result.verdict, result.reason)


def judged_without_run(plan: Plan, scenario: str, check: Check, verdict: FinalVerdict, reason: str) -> JudgedCheck:
    """Return a check whose verdict is known without a record."""
    return JudgedCheck(
        scenario,
        check.id,
        check.kind,
        check.clause,
        check.question,
        verdict,
        reason,
        check.help,
        plan.points.get(check.id, check.points),
        not plan.leave_out & {check.id, scenario},
    )


def all_checks(
    plan: Plan, scenarios: Iterable[Scenario], verdict: FinalVerdict, reason: str
) -> tuple[JudgedCheck, ...]:
    """Return every check of some scenarios with one verdict."""
    return tuple(
        judged_without_run(plan, scenario.id, check, verdict, reason)
        for scenario in scenarios
        for check in scenario.checks
    )


def ends_of_output(events: Iterable[Event]) -> dict[str, str]:
    """Return the last lines of each program. A program that wrote nothing is left out."""
    written = {program: bytearray() for program in PROGRAMS}
    for event in events:
        if event.what == "output" and event.who in written:
            written[event.who] += event.data
    return {program: _last_lines(bytes(data)) for program, data in written.items() if data.strip()}


def _last_lines(data: bytes) -> str:
    data = data[-MAX_LINES * MAX_COLUMNS :]
    lines = [printable_bytes(line.rstrip(b"\r")) for line in data.strip(b"\r\n").split(b"\n")]
    return "\n".join(_cut(line) for line in lines[-MAX_LINES:])


def _cut(line: str) -> str:
    return line if len(line) <= MAX_COLUMNS else f"{line[:MAX_COLUMNS]}..."
