"""The results of submissions as text for a terminal, and as one JSON document."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tandem.examiner.submission_result import FAIL, NOT_APPLICABLE, PASS, UNCLEAR, JudgedCheck, SubmissionResult
from tandem.protocol.printable import printable

SHOWN_LINES = 3  # of the output of each program, where a check fails
SHOWN_COLUMNS = 120  # of each of these lines
NAME_COLUMNS = 22
COLOURS = {PASS: "\x1b[32m", FAIL: "\x1b[31m", UNCLEAR: "\x1b[33m", NOT_APPLICABLE: "\x1b[2m"}
END = "\x1b[0m"


def document(results: Iterable[SubmissionResult], seed: int, isolated: bool) -> dict[str, Any]:
    """Return all results as one JSON object."""
    return {"seed": seed, "isolated": isolated, "submissions": [result.as_json() for result in results]}


def as_json_text(found: dict[str, Any]) -> str:
    """Return the text of a JSON document."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_text(result: SubmissionResult, colour: bool) -> str:
    """Return the lines about one submission: its summary, each check, and each address that is built in."""
    return "".join(f"{line}\n" for line in _lines(result, colour))


def summary(result: SubmissionResult) -> str:
    """Return the verdicts on a submission in one line."""
    points, most = result.points()
    parts = [f"assignment {result.verdict('assignment')}"] if _has(result, "assignment") else []
    parts += [f"robustness {points} of {most} points"] if most else []
    parts += [f"rules {result.verdict('rule')}"] if _has(result, "rule") else []
    return f"{printable(result.name)}: {', '.join(parts) or 'nothing was examined'}"


def _has(result: SubmissionResult, kind: str) -> bool:
    return any(check.kind == kind for check in result.checks)


def _lines(result: SubmissionResult, colour: bool) -> Iterator[str]:
    yield summary(result)
    for check in result.checks:
        verdict = f"{check.verdict:<14}"
        if colour:
            verdict = f"{COLOURS[check.verdict]}{verdict}{END}"
        left_out = " (does not count)" if not check.counts else ""
        words = check.question if check.verdict in (PASS, FAIL) else printable(check.reason)
        yield f"  {verdict} {check.id:<{NAME_COLUMNS}} {words}{left_out}"
        if check.verdict == FAIL:
            yield from (f"      {line}" for line in _explanation(result, check))
    yield from (f"  remark         {printable(remark)}" for remark in result.remarks)
    yield from (f"  built in       {printable(address)}" for address in result.addresses)
    yield ""


def _explanation(result: SubmissionResult, check: JudgedCheck) -> Iterator[str]:
    """Yield the reason of a failed check, what to try, and the end of what each program wrote."""
    yield printable(check.reason)
    yield f"Try: {check.help}"
    for program, text in result.output.get(check.scenario, {}).items():
        yield from (f"{program}: {_cut(printable(line))}" for line in text.split("\n")[-SHOWN_LINES:])


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN_COLUMNS else f"{line[:SHOWN_COLUMNS]}..."


def class_line(results: Sequence[SubmissionResult]) -> str:
    """Return how many submissions pass, fail and are unclear."""
    verdicts = [result.verdict("assignment") for result in results]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in (PASS, FAIL, UNCLEAR))
