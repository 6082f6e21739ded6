"""What a test, or a process that it starts, leaves open fails that test: also in a reference cycle, on every Python."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from testing.processes import ROOT, process

LEAVING = """
import socket
import sqlite3

import pytest

OPENERS = {
    "socket": socket.socket,
    "file": lambda: open(__file__),
    "database": lambda: sqlite3.connect(":memory:"),
}


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
@pytest.mark.parametrize("closes", [True, False], ids=["closed", "left open"])
def test_in_a_cycle(opener, closes):
    opened = {"resource": opener()}
    opened["itself"] = opened
    if closes:
        opened["resource"].close()


def test_the_next_one():
    pass
"""


def test_what_a_test_leaves_open_is_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "test_leaving.py"
    file.write_text(LEAVING)
    options = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-W", "error", "-c", "/dev/null", "-rE")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "7 passed, 3 errors" in done.stdout, done.stdout + done.stderr
    for kind in ("socket", "file", "database"):
        assert re.search(rf"^ERROR .*test_in_a_cycle\[left open-{kind}\]( - |$)", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("statement", ["socket.socket()", "warnings.warn('old', DeprecationWarning)"])
def test_what_a_process_warns_of_fails_its_test(statement: str) -> None:
    with (
        pytest.raises(AssertionError, match="Warning: "),
        process("-c", f"import socket, warnings; {statement}") as one,
    ):
        one.wait()
