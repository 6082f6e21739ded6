"""The rules that are decided from the source: each with a source that breaks it, and one that does not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.examiner.plan import Plan, PlannedProgram
from tandem.examiner.python_source import program_of, read_source
from tandem.examiner.source_rules import RULES, check_source
from testing.examiner.specimens import write_submission

ONE_PROGRAM = Plan(PlannedProgram(("python3", "client.py", "1")), PlannedProgram(("python3", "client.py", "2")))
ALL_PASS = {rule.id: "pass" for rule in RULES}


def verdicts(folder: Path, plan: Plan = ONE_PROGRAM) -> dict[str, str]:
    return {result.check.id: result.verdict for result in check_source(folder, plan).results}


def reasons(folder: Path, plan: Plan = ONE_PROGRAM) -> str:
    return "\n".join(result.reason for result in check_source(folder, plan).results if result.reason)


def write(folder: Path, **files: str) -> Path:
    """Write files; the first _ of a name stands for a slash."""
    for name, text in files.items():
        path = folder / f"{name.replace('_', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_right_submission_passes_every_rule(tmp_path: Path) -> None:
    assert verdicts(write_submission(tmp_path / "right")) == ALL_PASS


@pytest.mark.parametrize(
    ("source", "broken", "reason"),
    [
        ("import socket, json, sys\nfrom __future__ import annotations", [], ""),
        ("import socket\nimport time", ["imports"], "client.py:2: imports time"),
        ("def f():\n    from os.path import join", ["imports"], "client.py:2: imports os"),
        ("__import__('time')", ["imports"], "client.py:1: imports time"),
        ("import socketserver", ["low-level-sockets"], "client.py:1: imports socketserver"),
        ("from urllib import request", ["low-level-sockets"], "client.py:1: imports urllib"),
        ("import http.server", ["low-level-sockets"], "client.py:1: imports http"),
        ("import subprocess", ["no-other-programs"], "client.py:1: imports subprocess"),
        ("import os\nos.system('ls')", ["imports", "no-other-programs"], "client.py:2: calls os.system()"),
        ("import os\nos.execvp('ls', [])", ["imports", "no-other-programs"], "client.py:2: calls os.execvp()"),
        ("\n".join(f"import m{n}" for n in range(9)), ["imports"], "client.py:5: imports m4; and 4 more"),
    ],
)
def test_a_source_breaks_the_rules_that_it_breaks(tmp_path: Path, source: str, broken: list[str], reason: str) -> None:
    folder = write(tmp_path, client=source)
    assert verdicts(folder) == ALL_PASS | dict.fromkeys(broken, "fail")
    assert reason in reasons(folder)


def test_own_modules_are_allowed_and_followed(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        client="import helper\nfrom parts import reader\nfrom parts.reader import read",
        helper="import json",
        parts___init__="",
        parts_reader="from . import deep\nfrom .deep import x",
        parts_deep="import time",
        unused="import requests",
    )
    assert verdicts(folder) == ALL_PASS | {"imports": "fail"}
    assert reasons(folder) == "parts/deep.py:1: imports time"


def test_a_plan_may_allow_more(tmp_path: Path) -> None:
    folder = write(tmp_path, client="import time\nimport asyncio\nimport subprocess")
    plan = Plan(ONE_PROGRAM.client1, ONE_PROGRAM.client2, imports=("time", "asyncio", "subprocess"))
    assert verdicts(folder, plan) == ALL_PASS


def test_both_must_be_the_same_code(tmp_path: Path) -> None:
    folder = write(tmp_path, one="import socket", two="import json", copy="import socket")

    def plan(first: str, second: str) -> Plan:
        return Plan(PlannedProgram(("python3", first)), PlannedProgram(("python3", second)))

    assert verdicts(folder, plan("one.py", "copy.py")) == ALL_PASS
    assert verdicts(folder, plan("one.py", "two.py")) == ALL_PASS | {"same-code": "fail"}
    assert reasons(folder, plan("one.py", "two.py")) == "one.py and two.py differ"
    assert set(verdicts(folder, plan("none.py", "none.py")).values()) == {"unclear"}


def test_a_source_that_cannot_be_read_is_unclear_and_its_line_is_said(tmp_path: Path) -> None:
    folder = write(tmp_path, client="import socket\nprint 'x'")
    assert verdicts(folder) == dict.fromkeys(ALL_PASS, "unclear") | {"same-code": "pass"}
    assert "client.py:2: it is not Python 3" in reasons(folder)


def test_addresses_are_reported_and_no_rule_forbids_them(tmp_path: Path) -> None:
    folder = write(tmp_path, client="HOST = '145.24.222.82'\nx = '0.0.0.0', '1.2', 'localhost'")
    assert verdicts(folder) == ALL_PASS
    assert check_source(folder, ONE_PROGRAM).addresses == ("client.py:1: 145.24.222.82", "client.py:2: localhost")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("python3 client.py 1", "client.py"),
        ("/usr/bin/python3.11 -u -X dev client.py", "client.py"),
        ("python3 -m client 1", "client.py"),
        ("python3 -m package", "package/__main__.py"),
        ("./client.py", "client.py"),
        ("python3 -c pass", None),
        ("python3 ../outside.py", None),
        ("python3", None),
        ("bash client.sh", None),
        ("python3 \0.py", None),
    ],
)
def test_the_program_of_a_command(tmp_path: Path, words: str, found: str | None) -> None:
    root = write(tmp_path / "root", client="", package___main__="")
    write(tmp_path, outside="")
    program = program_of(tuple(words.split(" ")), root)
    assert (program and program.relative_to(root).as_posix()) == found


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_source_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-bytes"
    folder.mkdir(exist_ok=True)
    (folder / "client.py").write_bytes(content)
    source = read_source(folder / "client.py", folder)
    assert not source.error or source.error.startswith("client.py:")
    assert set(verdicts(folder)) == set(ALL_PASS)


def test_deep_nesting_and_large_files_are_errors_or_read(tmp_path: Path) -> None:
    for content in ("(" * 100_000, "-" * 50_000 + "1", "a" * 1_000_001, "x = " + "[" * 90 + "]" * 90):
        (tmp_path / "client.py").write_text(content)
        read_source(tmp_path / "client.py", tmp_path)
