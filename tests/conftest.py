"""Shows the figures that tests measured, at the end of the run: precision, recall, how near a problem points."""

import pytest


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
