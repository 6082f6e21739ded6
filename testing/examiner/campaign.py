"""Examines specimens and unruly programs with `tandem examine`, and compares what comes out with what must."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testing.examiner.manners import MANNERS, Manner
from testing.examiner.specimens import PROGRAM, SPECIMENS, write_submission
from testing.processes import ROOT

Verdicts = dict[str, str]  # check -> verdict

DETAILS = "{studentnr1} {studentnr2} {classname} {teamname}"
LISTEN_PORT = 5551  # of client 2, where it is built in
LIMIT_S = 3600  # of one class


@dataclass(frozen=True)
class Difference:
    """One check of one submission that came out otherwise than it must."""

    submission: str
    check: str
    wanted: str
    found: str


def plan_text(folder: str, manner: Manner | None = None, table: str = "submission") -> str:
    """Return a plan for the right submission, or for one with a manner."""
    manner = manner or Manner("")
    lines = [f"[{table}]", f"folder = {json.dumps(folder)}"]
    for number in ("1", "2"):
        command = manner.command.replace("{clientid}", number).replace("{details}", DETAILS)
        lines += [f"[client{number}]", f"command = {json.dumps(command)}"]
        if number == "2" and manner.client2:
            lines += [f"listens = {LISTEN_PORT}"]
        for asks, answer in manner.prompts:
            typed = answer.replace("{clientid}", number)
            lines += [f"[[client{number}.prompts]]", f"asks = {json.dumps(asks)}", f"answer = {json.dumps(typed)}"]
    lines += ["[addresses]"]
    lines += [f"{key} = {json.dumps(value)}" for key in ("server", "client2") if (value := getattr(manner, key))]
    return "\n".join([*lines, ""])


def examined(submission: Path, folder: Path, scenarios: Sequence[str], seed: int = 1) -> Verdicts:
    """Examine one right submission or specimen. The plan and the record go into `folder`."""
    plan = folder / f"{submission.name}.toml"
    plan.write_text(plan_text(str(submission)), encoding="utf-8")
    options = [word for scenario in scenarios for word in ("--scenario", scenario)]
    return examine(plan, folder / f"{submission.name}-record", seed, *options)[submission.name]


def examine(plan: Path, out: Path, seed: int, *options: str) -> dict[str, Verdicts]:
    """Run `tandem examine`. Return the verdicts of each submission, those of the rules left out.

    Raises:
        AssertionError: it did not do its work.
    """
    command = [sys.executable, "-m", "tandem", "examine", str(plan), "--out", str(out), "--seed", str(seed), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode in (0, 1), done.stderr
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return {
        each["name"]: {check["id"]: check["verdict"] for check in each["checks"] if check["kind"] != "rule"}
        for each in results["submissions"]
    }


def specimens(folder: Path, seed: int, *options: str) -> list[Difference]:
    """Examine the right submission and all specimens as one class. Return what differs."""
    write_submission(folder / "class" / "right")
    for name, specimen in SPECIMENS.items():
        write_submission(folder / "class" / name, specimen)
    plan = folder / "class.toml"
    plan.write_text(plan_text("class", table="class"), encoding="utf-8")
    found = examine(plan, folder / "class-record", seed, *options)
    return [each for name, verdicts in found.items() for each in specimen_differences(name, verdicts)]


def specimen_differences(name: str, verdicts: Verdicts) -> list[Difference]:
    """Compare the verdicts on one specimen with those that must be. "right" has no mistake."""
    specimen = SPECIMENS.get(name)
    fails = frozenset({name}) if specimen else frozenset[str]()
    also = specimen.also if specimen else ()
    return [each for each in differences(name, verdicts, fails) if each.check not in also]


def manners(folder: Path, seed: int, *options: str) -> list[Difference]:
    """Examine all submissions with manners, each with a plan of its own. Return what differs."""
    found: list[Difference] = []
    for name, manner in MANNERS.items():
        submission = folder / name
        submission.mkdir(parents=True)
        (submission / PROGRAM).write_text(manner.source(), encoding="utf-8")
        plan = folder / f"{name}.toml"
        plan.write_text(plan_text(name, manner), encoding="utf-8")
        verdicts = examine(plan, folder / f"{name}-record", seed, *options)[name]
        found += differences(name, verdicts, manner.fails, manner.not_applicable)
    return found


def differences(
    name: str, verdicts: Verdicts, fails: frozenset[str], not_applicable: frozenset[str] = frozenset()
) -> list[Difference]:
    """Compare verdicts with those that must be. If the plain exchange fails, nothing else is known."""
    found: list[Difference] = []
    for check, verdict in verdicts.items():
        wanted = "fail" if check in fails else "not applicable" if check in not_applicable else "pass"
        is_known = "plain" not in fails or check in fails
        if verdict != wanted and (is_known or verdict == "fail"):
            found.append(Difference(name, check, wanted, verdict))
    return found
