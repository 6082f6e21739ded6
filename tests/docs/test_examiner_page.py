"""docs/examiner.md against the code: the keys of a plan, placeholders, scenarios, rules, and its examples."""

import re
from pathlib import Path

import pytest

from tandem.examiner.lab.start import COMMANDS
from tandem.examiner.placeholders import PLACEHOLDERS
from tandem.examiner.plan_file import read_plan
from tandem.examiner.plan_keys import KEYS
from tandem.examiner.scenarios import SCENARIOS
from tandem.examiner.source_rules import RULES
from testing.processes import ROOT

PAGE = (ROOT / "docs" / "examiner.md").read_text(encoding="utf-8")
CHECKS = [
    f"| {number} | `{scenario.id}` | `{check.id}` | {check.kind} | {check.question} | {check.clause} |"
    for number, scenario in enumerate(SCENARIOS, 1)
    for check in scenario.checks
]


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        (
            "| section | key | value |",
            [f"| `{section}` | `{key}` | {words} |" for section, keys in KEYS.items() for key, words in keys.items()],
        ),
        ("| placeholder | value |", [f"| `{{{name}}}` | {words} |" for name, words in PLACEHOLDERS.items()]),
        ("| number | scenario |", CHECKS),
        ("| rule | question |", [f"| `{rule.id}` | {rule.question} |" for rule in RULES]),
    ],
)
def test_the_tables_are_those_of_the_code(heading: str, rows: list[str]) -> None:
    [table] = [table for table in re.findall(r"(?:^\|.*\n)+", PAGE + "\n", re.MULTILINE) if table.startswith(heading)]
    assert table.splitlines()[2:] == rows


def test_the_examples_are_plans(tmp_path: Path) -> None:
    one, of_class = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    for name in ("submission", "submissions/team07"):
        (tmp_path / name).mkdir(parents=True)
    plan = tmp_path / "plan.toml"
    plan.write_text(one, encoding="utf-8")
    [submission] = read_plan(plan, SCENARIOS)
    assert submission.plan.given_details() == {"studentnr1", "classname", "teamname"}
    plan.write_text(of_class + one.partition("[client1]")[1] + one.partition("[client1]")[2], encoding="utf-8")
    [submission] = read_plan(plan, SCENARIOS)
    assert submission.plan.addresses.server == ("145.24.222.82", 8001)


def test_the_programs_that_it_needs_are_named() -> None:
    first = PAGE.partition("```")[0]
    assert [name for name in COMMANDS if f"`{name}`" not in first] == []
    assert [package for package in COMMANDS.values() if package not in first] == []
