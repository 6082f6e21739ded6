"""One ground for the tests that need nothing special of theirs; and both kinds of database."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.ground.recorder import Keeper
from tandem.ground.rows import Where
from tandem.ground.serve import open_store
from tests.ground import postgres
from tests.processes import Ground, ground


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A running ground that the tests of a module share; each takes a team of its own."""
    with ground(tmp_path_factory.mktemp("ground") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The PostgreSQL that all tests of this run share, in whatever process."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with postgres.shared(folder) as url:
        yield url


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The URL of a database that is empty."""
    tables = f"t{uuid.uuid4().hex}"
    with postgres.connect(postgres_server, autocommit=True) as owner:
        owner.execute(f"CREATE SCHEMA {tables}".encode())
        yield postgres_server.replace("public", tables)
        owner.execute(f"DROP SCHEMA {tables} CASCADE".encode())


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.needs_extra)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """Each of both: a data folder, and a server."""
    return tmp_path if request.param == "SQLite" else str(request.getfixturevalue("database"))


@pytest.fixture
def store(where: Where) -> Iterator[Keeper]:
    with closing(open_store(where)) as opened:
        yield opened
