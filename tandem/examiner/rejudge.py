"""Decides the verdicts again from a record: of all submissions, of one, or of one run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tandem.examiner.events import ORDER
from tandem.examiner.examination import judged_run
from tandem.examiner.plan import Plan, PlannedProgram
from tandem.examiner.run_lab import read_record
from tandem.examiner.scenario import Scenario
from tandem.examiner.submission_result import JudgedCheck, SubmissionResult, result_from_json
from tandem.protocol.errors import TandemError

RESULTS = "results.json"
_NO_PLAN = Plan(PlannedProgram(()), PlannedProgram(()))  # everything counts


class RecordError(TandemError):
    """A record cannot be read."""


def rejudge(folder: Path, scenarios: Sequence[Scenario]) -> tuple[list[SubmissionResult], dict[str, Any]]:
    """Return the results of a record, with its verdicts decided again, and what is said of it as a whole.

    The verdicts of checks that were not run, and of rules, stay as they were.

    Raises:
        RecordError: it is not a record, or is damaged.
    """
    try:
        if (folder / RESULTS).is_file():
            found = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
            results = [result_from_json(each) for each in found["submissions"]]
            whole = {"seed": found["seed"], "isolated": found["isolated"]}
            return [_judged_again(folder / result.name, result, scenarios) for result in results], whole
        runs = [folder] if (folder / ORDER).is_file() else sorted(path.parent for path in folder.glob(f"*/{ORDER}"))
        orders = [json.loads((run / ORDER).read_text(encoding="utf-8")) for run in runs]
        if not orders:
            raise RecordError(f"{folder} is not a record: there is neither {RESULTS} nor {ORDER} in it")
        name = folder.resolve().parent.name if runs == [folder] else folder.resolve().name
        whole = {"seed": orders[0]["seed"], "isolated": orders[0]["isolated"]}
        return [_from_runs(name, runs, orders, scenarios)], whole
    except OSError as error:
        raise RecordError(f"{error.filename or folder} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"the record in {folder} is damaged: {error}") from None


def _judged_again(folder: Path, result: SubmissionResult, scenarios: Sequence[Scenario]) -> SubmissionResult:
    """Return the result of a submission with the checks of each run decided again."""
    known = {scenario.id: scenario for scenario in scenarios}
    again: list[JudgedCheck] = []
    output = dict(result.output)
    for name in dict.fromkeys(check.scenario for check in result.checks):
        before = [check for check in result.checks if check.scenario == name]
        if name not in known or not (folder / name / ORDER).is_file():
            again += before
            continue
        run = judged_run(_NO_PLAN, known[name], read_record(folder / name))
        again += [_as_counted_before(check, before) for check in run.checks]
        output[name] = run.output
    output = {name: ends for name, ends in output.items() if ends}
    return replace(result, checks=tuple(again), output=output)


def _as_counted_before(check: JudgedCheck, before: Sequence[JudgedCheck]) -> JudgedCheck:
    """Return a check with the points that the plan gave it."""
    return next((replace(check, points=old.points, counts=old.counts) for old in before if old.id == check.id), check)


def _from_runs(
    name: str, runs: Sequence[Path], orders: Sequence[dict[str, Any]], scenarios: Sequence[Scenario]
) -> SubmissionResult:
    """Return the result of runs alone, without a plan: everything counts."""
    checks: list[JudgedCheck] = []
    output = {}
    remarks: dict[str, None] = {}
    for folder, scenario in _in_order(runs, orders, scenarios):
        run = judged_run(_NO_PLAN, scenario, read_record(folder))
        checks += run.checks
        output[scenario.id] = run.output
        remarks |= dict.fromkeys(run.remarks)
    return SubmissionResult(name, tuple(checks), (), tuple(remarks), output)


def _in_order(
    runs: Sequence[Path], orders: Sequence[dict[str, Any]], scenarios: Sequence[Scenario]
) -> Iterator[tuple[Path, Scenario]]:
    """Yield each run with its scenario, in the order of the scenarios."""
    folders = {order["scenario"]["id"]: folder for folder, order in zip(runs, orders, strict=True)}
    unknown = folders.keys() - {scenario.id for scenario in scenarios}
    if unknown:
        raise ValueError(f"there is no scenario {', '.join(sorted(unknown))}")
    for scenario in scenarios:
        if scenario.id in folders:
            yield folders[scenario.id], scenario
