"""Programs of the system that check the files of deploy/."""

import os
import shutil
import subprocess

import pytest

from testing.processes import ROOT

DEPLOY = ROOT / "deploy"


def tool(name: str) -> str:
    """Return where a program is. Without it skip the test; with CI=true fail it."""
    found = shutil.which(name)
    if not found:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"{name} is not installed: `make tools` does that with CI=true")
    return str(found)


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
