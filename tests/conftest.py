"""How property tests run; a shared server, and both kinds of database; the figures that tests measured."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tandem.records.rows import DatabaseLocation
from tandem.server.committer import BatchStore
from tandem.server.serve import open_store
from testing import extras, postgres, unclosed
from testing.processes import RunningServer, running_server

settings.register_profile("tandem", deadline=None, derandomize=True)  # no test depends on how busy the machine is
settings.register_profile("few", settings.get_profile("tandem"), max_examples=20)  # testing/pythons.py
settings.load_profile("tandem")

# Started in the background, a run ignores Ctrl-C, and so would everything that it starts: some tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

unclosed.watch_connections()
os.environ["PYTHONWARNINGS"] = "default"  # for what tests start; here, filterwarnings in pyproject.toml is what counts


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Pass over files that cannot be imported here: see requirements-base.txt."""
    if collection_path.is_dir():
        conftest = collection_path / "conftest.py"
        return _is_missing(extras.needed(conftest)) if conftest.is_file() else None
    return _is_missing(extras.needed(collection_path)) if collection_path.suffix == ".py" else None


def _is_missing(libraries: frozenset[str]) -> bool | None:
    return any(find_spec(library) is None for library in libraries) or None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if extras.needed(item.path) or not extras.FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.needs_extra)


def pytest_collection_finish() -> None:
    unclosed.ignore_what_is_there()


@pytest.fixture(autouse=True, scope="module")
def nothing_of_the_module_left_open() -> Iterator[None]:
    """Set up before all other fixtures of a module, so that it ends after them."""
    yield
    unclosed.ignore_what_is_there()


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Set up before all other fixtures of a test, so that it ends after them."""
    yield
    unclosed.collect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests recorded with record_property("figure", …), from every worker."""
    figures = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("diagnosis")
        for figure in figures:
            terminalreporter.write_line(figure)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server that the tests of a module share; each takes a team of its own."""
    with running_server(tmp_path_factory.mktemp("server") / "data") as running:
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
def where(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseLocation:
    """Each of both: a data folder, and a server."""
    return tmp_path if request.param == "SQLite" else str(request.getfixturevalue("database"))


@pytest.fixture
def store(where: DatabaseLocation) -> Iterator[BatchStore]:
    with closing(open_store(where)) as opened:
        yield opened
