"""The limits of connections, which stand on a subclass of uvicorn's protocol, hold with the newest uvicorn, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testing.processes import ROOT

WHERE = "import uvicorn; print(uvicorn.__file__)"
TESTS = (
    "tests/board/test_connections.py",
    "tests/board/test_tls.py::test_who_never_ends_the_handshake_keeps_nobody_out",
)
INSTALL_TIMEOUT_S = 100.0


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the newest uvicorn and what it needs. Without pip's index it is skipped; with CI=true it fails."""
    folder = tmp_path_factory.mktemp("newest")
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(folder), "uvicorn")
    done = _run(*install)
    if done.returncode:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"pip cannot get the newest uvicorn: {done.stderr[-500:]}")
    return folder


@pytest.mark.timeout(2 * INSTALL_TIMEOUT_S)
def test_slow_requests_and_too_many_connections_are_limited(newest: Path) -> None:
    first_on_path = os.environ | {"PYTHONPATH": str(newest)}  # for the processes that the tests start, too
    assert Path(_run("-c", WHERE, env=first_on_path).stdout).is_relative_to(newest)
    options = ("-p", "no:cacheprovider", "-W", "default")  # what a newer one deprecates still works
    done = _run("-m", "pytest", *options, *TESTS, env=first_on_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout


def _run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, *arguments)
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
    )
