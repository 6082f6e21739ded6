"""A real browser for the tests that need one: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser. Without one the test is skipped; with CI=true it fails.

    Gone after the module: while it is there, an event loop runs in this thread, and no test can run another.
    """
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("there is no chromium: `make tools` installs it where CI=true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
