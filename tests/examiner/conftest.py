"""Labs for the tests here: where they cannot be, a test is skipped; with CI=true it fails."""

import os

import pytest

from tandem.examiner.lab.start import missing


@pytest.fixture(scope="session")
def labs() -> None:
    """Need a system on which labs with hosts of their own can run."""
    if lacking := missing():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("; ".join(lacking))
