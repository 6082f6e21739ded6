"""How property tests run; and the figures that tests measured, shown at the end of the run."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import unclosed

settings.register_profile("tandem", deadline=None, derandomize=True)  # no test depends on how busy the machine is
settings.load_profile("tandem")

# Started in the background, a run ignores Ctrl-C, and so would everything that it starts: some tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

unclosed.watch_connections()
os.environ["PYTHONWARNINGS"] = "default"  # for what tests start; here, filterwarnings in pyproject.toml is what counts


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
