"""Examines submissions: the source of each, then one run for each scenario, several at the same time.

The plain exchange is run first. A submission that hangs, crashes or cannot be read costs the others nothing, and a
mistake of the examiner makes verdicts unclear.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tandem.examiner.copy_submission import SubmissionError, copy_submission
from tandem.examiner.events import Event
from tandem.examiner.fill_order import missing_details, needs_hosts
from tandem.examiner.order import LabOrder
from tandem.examiner.plan import Plan, Submission
from tandem.examiner.plan_file import is_loopback
from tandem.examiner.run_lab import Labs
from tandem.examiner.scenario import Scenario
from tandem.examiner.source_rules import RULES, SourceReport, check_source
from tandem.examiner.submission_result import (
    NOT_APPLICABLE,
    PASS,
    UNCLEAR,
    JudgedCheck,
    SubmissionResult,
    all_checks,
    ends_of_output,
    judged,
)
from tandem.examiner.verdicts import CheckResult, judge

PLAIN = "plain"  # the id of the scenario that is run first
COPY = "submission"  # the folder of the copy, beside the records of the runs

NOT_ON_TWO_MACHINES = "it cannot run on two machines as it is"

FillOrder = Callable[[Plan, Scenario, Path], LabOrder]


@dataclass(frozen=True)
class JudgedRun:
    """One run and its verdicts."""

    scenario: str
    checks: tuple[JudgedCheck, ...]
    output: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


class Examination:
    """Examines submissions, `jobs` runs at a time."""

    def __init__(
        self,
        labs: Labs,
        fill: FillOrder,
        scenarios: Sequence[Scenario],
        out: Path,
        jobs: int,
        on_run: Callable[[], None] = lambda: None,
    ) -> None:
        self._labs = labs
        self._fill = fill
        self._scenarios = scenarios
        self._out = out.resolve()  # a lab has a working directory of its own
        self._jobs = jobs
        self._on_run = on_run  # called after each run, or without one if it is skipped, in any thread

    def results(self, submissions: Iterable[Submission]) -> Iterator[SubmissionResult]:
        """Yield the result of each submission as soon as its runs are done."""
        with ThreadPoolExecutor(self._jobs) as examiners, ThreadPoolExecutor(self._jobs) as runners:
            futures = [examiners.submit(self._examine, each, _source_of(each), runners) for each in submissions]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()
                self._labs.stop()

    def _examine(self, submission: Submission, source: SourceReport, runners: Executor) -> SubmissionResult:
        """Examine one submission. Its runs take turns with those of the others."""
        plan = submission.plan
        folder = self._out / submission.name / COPY
        rules = tuple(judged(plan, "", result) for result in source.results)
        try:
            copy_submission(submission.folder, folder, self._out, plan.limits.disk_mib)
            runs = self._runs(submission, folder, runners)
        except Exception as error:  # one submission must not cost the others
            failure = "" if isinstance(error, SubmissionError) else f"the examiner failed: {type(error).__name__}: "
            checks = all_checks(plan, self._scenarios, UNCLEAR, f"{failure}{error}")
            return SubmissionResult(submission.name, (*checks, *rules), source.addresses)
        checks = tuple(check for run in runs for check in run.checks)
        output = {run.scenario: run.output for run in runs if run.output}
        remarks = dict.fromkeys([*_remarks_on(plan), *(remark for run in runs for remark in run.remarks)])
        return SubmissionResult(submission.name, (*checks, *rules), source.addresses, tuple(remarks), output)

    def _runs(self, submission: Submission, folder: Path, runners: Executor) -> list[JudgedRun]:
        """Carry out the plain exchange, then all others at the same time."""
        runs: list[JudgedRun] = []
        for is_first in (True, False):
            group = [scenario for scenario in self._scenarios if (scenario.id == PLAIN) == is_first]
            started = [runners.submit(self._run, submission, folder, scenario, tuple(runs)) for scenario in group]
            runs += [each.result() for each in started]
        return runs

    def _run(self, submission: Submission, folder: Path, scenario: Scenario, before: Sequence[JudgedRun]) -> JudgedRun:
        """Run one scenario, if it applies, and decide its checks."""
        run = self._run_or_skip(submission, folder, scenario, before)
        self._on_run()
        return run

    def _run_or_skip(
        self, submission: Submission, folder: Path, scenario: Scenario, before: Sequence[JudgedRun]
    ) -> JudgedRun:
        plan = submission.plan
        missing = missing_details(plan, scenario)
        if missing:
            reason = f"it changes the {' and '.join(missing)}, which client 1 is not given"
            return JudgedRun(scenario.id, all_checks(plan, [scenario], NOT_APPLICABLE, reason))
        if _is_robustness(scenario) and any(check.verdict != PASS for run in before for check in run.checks):
            reason = "not run: the plain exchange does not pass"
            return JudgedRun(scenario.id, all_checks(plan, [scenario], UNCLEAR, reason))
        order = self._fill(plan, scenario, folder)
        if not order.isolated and needs_hosts(scenario):
            reason = "it needs hosts of their own, which are not made on loopback"
            return JudgedRun(scenario.id, all_checks(plan, [scenario], NOT_APPLICABLE, reason))
        events = self._labs.run(order, self._out / submission.name / scenario.id)
        return judged_run(plan, scenario, events)


def judged_run(plan: Plan, scenario: Scenario, events: Sequence[Event]) -> JudgedRun:
    """Decide the checks of a run from its record."""
    try:
        checks = tuple(judged(plan, scenario.id, result) for result in judge(scenario, events))
    except Exception as error:  # a mistake of the examiner, which must not cost the other runs
        checks = all_checks(plan, [scenario], UNCLEAR, f"the examiner failed: {type(error).__name__}: {error}")
    remarks = () if scenario.own_name_is_loopback else tuple(_remarks_on_listening(events))
    return JudgedRun(scenario.id, checks, ends_of_output(events), remarks)


def _remarks_on(plan: Plan) -> Iterator[str]:
    """Yield what does not keep a program from passing, and will keep it from running on two machines."""
    for host, words in ((plan.addresses.server[0], "the server"), (plan.addresses.client2, "client 2")):
        if is_loopback(host):
            yield f"the program looks for {words} at {host}: {NOT_ON_TWO_MACHINES}"


def _remarks_on_listening(events: Iterable[Event]) -> Iterator[str]:
    listening = [event.text for event in events if (event.who, event.what) == ("client 2", "listening")]
    if listening and all(map(is_loopback, listening)):
        yield f"client 2 listens on {listening[0]} only: {NOT_ON_TWO_MACHINES}"


def _source_of(submission: Submission) -> SourceReport:
    try:
        return check_source(submission.folder, submission.plan)
    except Exception as error:  # a mistake of the examiner, or a file that changes meanwhile
        reason = f"the source cannot be checked: {type(error).__name__}: {error}"
        return SourceReport(tuple(CheckResult(rule, "unclear", reason) for rule in RULES), ())


def _is_robustness(scenario: Scenario) -> bool:
    return all(check.kind == "robustness" for check in scenario.checks)
