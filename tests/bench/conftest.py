"""What several of these tests need."""

import os

import pytest

from bench.contenders import c_compiler


@pytest.fixture(scope="session")
def compiler() -> None:
    """Skip the test where there is no C compiler; with CI=true there must be one."""
    if c_compiler() is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("the load and the limit need a C compiler")
