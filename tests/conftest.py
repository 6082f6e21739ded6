"""How property tests run; and the figures that tests measured, shown at the end of the run."""

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests import extras, unclosed

settings.register_profile("tandem", deadline=None, derandomize=True)  # no test depends on how busy the machine is
settings.register_profile("few", settings.get_profile("tandem"), max_examples=20)  # tests/pythons.py
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
