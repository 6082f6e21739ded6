"""The network for the tests here: one for all of them, which each leaves as it was."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from subprocess import CalledProcessError

import pytest

from testing.hosts.network import Network, build


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """Three hosts. Where they cannot be, the test is skipped; with CI=true it fails."""
    with ExitStack() as undo:
        try:
            built = build(undo)
        except (OSError, CalledProcessError) as error:
            words = error.stderr.strip() if isinstance(error, CalledProcessError) else error
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(f"hosts of their own need Linux, root and `ip`: {words}")
        yield built
