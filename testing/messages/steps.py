"""Counts what a diagnosis costs."""

import sys

from testing.messages.sending import diagnosed


def steps(data: bytes) -> int:
    """Return how many lines of Python the diagnosis runs: like its time, but the same on every machine."""
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        diagnosed(data)
    finally:
        sys.settrace(before)
    return count
