"""Run a tandem command and count the calls of Python functions in it: the inside of bench/message_path.py.

The current folder is the checkout. SIGUSR1 starts a count and prints an empty JSON object; the next SIGUSR1 ends the
count and prints it.
"""

import json
import os
import runpy
import signal
import sys
import threading
from types import FrameType

ROOT = os.path.join(os.getcwd(), "tandem", "")


class Tracer:
    """The calls since the count began, as (file, function, file of the caller). A file that is not ours is ""."""

    def __init__(self) -> None:
        self._counts = False
        self._calls: list[tuple[str, str, str]] = []

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """For sys.setprofile and threading.setprofile."""
        if self._counts and event == "call" and (file := _ours(frame)):
            self._calls.append((file, frame.f_code.co_qualname, _ours(frame.f_back)))

    def switch(self, *_: object) -> None:
        """For a signal handler."""
        self._counts = not self._counts
        if self._counts:
            print("{}", flush=True)
            return
        files = sorted({file for file, _, _ in self._calls})
        functions = {(file, function) for file, function, _ in self._calls}
        between = sum(file != caller for file, _, caller in self._calls)
        count = {"files": files, "functions": len(functions), "between": between, "calls": len(self._calls)}
        print(json.dumps(count), flush=True)
        self._calls.clear()


def _ours(frame: FrameType | None) -> str:
    """The frame's file below the package's folder, or ""."""
    name = frame.f_code.co_filename if frame else ""
    return name.removeprefix(ROOT) if name.startswith(ROOT) else ""


if __name__ == "__main__":
    tracer = Tracer()
    signal.signal(signal.SIGUSR1, tracer.switch)
    threading.setprofile(tracer.profile)
    sys.setprofile(tracer.profile)
    sys.path[0] = os.getcwd()  # the checkout that is measured, not the folder of this file
    sys.argv[0] = "tandem"
    runpy.run_module("tandem", run_name="__main__")
