"""One ground for the tests that need nothing special of theirs."""

from collections.abc import Iterator

import pytest

from tests.processes import Ground, ground


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A running ground that the tests of a module share; each takes a team of its own."""
    with ground(tmp_path_factory.mktemp("ground") / "data") as running:
        yield running
