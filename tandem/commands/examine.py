"""`tandem examine`: its options and its output."""

import argparse
import os
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tandem.commands.arguments import argument_type, file_name, folder, positive_integer, set_example, set_rules
from tandem.commands.combinations import Excludes
from tandem.examiner.examination import Examination
from tandem.examiner.examine_progress import ExamineProgress
from tandem.examiner.fill_order import fill_local_order, fill_order, obstacle_to_local
from tandem.examiner.lab.start import missing, start_lab
from tandem.examiner.order import LabOrder
from tandem.examiner.plan import Submission
from tandem.examiner.plan_file import read_plan
from tandem.examiner.plan_text import draft_plan
from tandem.examiner.plan_trial import PlanTrial
from tandem.examiner.rejudge import RESULTS, rejudge
from tandem.examiner.result_text import as_json_text, as_text, class_line, document
from tandem.examiner.run_lab import Labs
from tandem.examiner.scenario import Scenario
from tandem.examiner.scenarios import SCENARIOS
from tandem.examiner.submission_result import PASS, SubmissionResult
from tandem.protocol.errors import TandemError, UsageError
from tandem.report.screen import echo, flush, has_colours, use_utf8

MAX_JOBS = 256
JOBS_PER_CORE = 2  # a run mostly waits
MAX_SEED = 2**63

_RUNNING = ("--out", "--scenario", "--seed", "--jobs", "--local")
RULES = (
    Excludes(("--init", "--from"), ("PLAN",), "it takes a folder in place of a plan"),
    Excludes(("--init",), ("--from",), "one makes a plan, the other reads a record"),
    Excludes(("--init",), ("--format",), "a plan is TOML"),
    Excludes(("--init", "--from"), _RUNNING, "nothing is examined"),
    Excludes(("--local",), ("--jobs",), "the runs share the ports of this machine, so they follow each other"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem examine --init submission > plan.toml", "tandem examine plan.toml")
    set_rules(command, *RULES, repeatable=("--scenario",))
    command.add_argument(
        "plan",
        nargs="?",
        type=file_name,
        metavar="PLAN",
        help="plan of the examination, a TOML file (docs/examiner.md)",
    )
    command.add_argument(
        "--init",
        type=folder,
        metavar="DIR",
        help="read the submission in a folder, and write a plan for it to standard output:"
        " `tandem examine --init . > plan.toml`",
    )
    command.add_argument(
        "--from", dest="record", type=folder, metavar="DIR", help="decide the verdicts again from a record; run nothing"
    )
    command.add_argument(
        "--out",
        type=folder,
        metavar="DIR",
        help="new folder for the record: what happened in each run, and a packet capture (default: ./examined-TIME)",
    )
    command.add_argument(
        "--scenario",
        type=_scenario,
        action="append",
        metavar="ID",
        help=f"run this scenario only, by its id, or its number from 1 to {len(SCENARIOS)}; can be given several times",
    )
    command.add_argument(
        "--seed",
        type=positive_integer(MAX_SEED),
        metavar="N",
        help="seed of the faults: the same seed repeats them (default: random, and in the results)",
    )
    command.add_argument(
        "--jobs",
        type=positive_integer(MAX_JOBS),
        metavar="N",
        help=f"runs at the same time (default: {JOBS_PER_CORE} for each core)",
    )
    command.add_argument(
        "--local",
        action="store_true",
        help="run on 127.0.0.1, without hosts of their own and without a sandbox: for your own program only",
    )
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the output (default: text)"
    )


@argument_type
def _scenario(text: str) -> Scenario:
    for number, scenario in enumerate(SCENARIOS, 1):
        if text in (scenario.id, str(number)):
            return scenario
    raise ValueError(f"{text!r} is no scenario; these are: {', '.join(scenario.id for scenario in SCENARIOS)}")


def run(options: argparse.Namespace) -> int:
    """Examine, decide again, or write a plan. Return 1 if the checks of the assignment do not all pass."""
    use_utf8()
    if options.init or options.record:
        if options.plan:
            raise UsageError(RULES[0].violation(["--init" if options.init else "--from", "PLAN"]))
        return _write_plan(options.init) if options.init else _decide_again(options)
    if not options.plan:
        raise UsageError("a plan is missing", "tandem examine --init FOLDER > plan.toml")
    return _examine(options)


def _write_plan(submission: Path) -> int:
    lacks = missing()
    if lacks:
        return echo([draft_plan(submission, lambda _, draft: (draft, [f"Not tried: {', '.join(lacks)}"]))])
    return echo([draft_plan(submission, PlanTrial(Labs(start_lab), SCENARIOS[0]))])


def _decide_again(options: argparse.Namespace) -> int:
    results, whole = rejudge(options.record, SCENARIOS)
    if options.format == "json":
        echo([as_json_text(document(results, **whole))])
    else:
        echo(as_text(result, has_colours()) for result in results)
    return _exit_code(results)


def _examine(options: argparse.Namespace) -> int:
    submissions = read_plan(options.plan, SCENARIOS)
    fill = _fill_order(options, submissions)
    out = _new_folder(options.out or _default_folder())
    scenarios = options.scenario or list(SCENARIOS)
    seed = options.seed or _random_seed()
    jobs = 1 if options.local else options.jobs or JOBS_PER_CORE * (os.cpu_count() or 1)
    found: dict[str, SubmissionResult] = {}
    with ExamineProgress(len(submissions) * len(scenarios)) as progress:
        examination = Examination(Labs(start_lab), partial(fill, seed=seed), scenarios, out, jobs, progress.count)
        for result in examination.results(submissions):
            found[result.name] = result
            in_order = [found[each.name] for each in submissions if each.name in found]
            whole = as_json_text(document(in_order, seed, not options.local))
            _write(out / RESULTS, whole)
            if options.format == "text":
                progress.erase()
                echo([as_text(result, has_colours())])
                flush()
    if options.format == "json":
        echo([whole])
    else:
        echo(_last_lines(list(found.values()), seed, out, options.local))
    return _exit_code(found.values())


def _fill_order(options: argparse.Namespace, submissions: Iterable[Submission]) -> Callable[..., LabOrder]:
    """Return the function that makes the orders.

    Raises:
        TandemError: this machine lacks something, or a submission cannot run on loopback.
    """
    if not options.local:
        if lacks := missing():
            raise TandemError("; ".join(lacks), "--local, which runs your own program without hosts and a sandbox")
        return fill_order
    for submission in submissions:
        if obstacle := obstacle_to_local(submission.plan):
            raise UsageError(f"--local cannot be used for {submission.name}: {obstacle}", "without --local")
    return fill_local_order


def _last_lines(results: list[SubmissionResult], seed: int, out: Path, is_local: bool) -> Iterable[str]:
    if len(results) > 1:
        yield f"{len(results)} submissions: {class_line(results)}\n"
    if is_local:
        yield "On 127.0.0.1 without hosts of their own: some mistakes show only on two machines.\n"
    yield f"seed {seed}; the record is in {out}\n"


def _random_seed() -> int:
    return secrets.randbelow(10**6) + 1


def _default_folder() -> Path:
    return Path(time.strftime("examined-%Y%m%d-%H%M%S"))


def _new_folder(out: Path) -> Path:
    """Make the folder of the record.

    Raises:
        UsageError: there are files in it.
        TandemError: it cannot be made.
    """
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)  # a record has student numbers in it
        if any(out.iterdir()):
            raise UsageError(f"{out} is not empty: a record is never overwritten", "a new folder")
    except OSError as error:
        raise TandemError(f"{out} cannot be used: {error.strerror}", "another folder") from None
    return out


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TandemError(f"{file} cannot be written: {error.strerror}", "a disk with room") from None


def _exit_code(results: Iterable[SubmissionResult]) -> int:
    return 0 if all(result.verdict("assignment") == PASS for result in results) else 1
