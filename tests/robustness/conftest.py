"""What the tests here share: a running server, and a disk that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.processes import RunningServer, running_server
from testing.server_faults.faults import mount

SMALL = "2m"  # enough for a database with some teams


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server that the tests of a module share; each takes a team of its own."""
    with running_server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room. Where none can be mounted: skipped, with CI=true failed."""
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", f"size={SMALL},mode=700", "none", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        words = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"a file system of its own needs Linux and root: {words}")
    try:
        yield folder
    finally:
        subprocess.run(("umount", str(folder)), check=True)
