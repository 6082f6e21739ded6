"""SIGTERM and Ctrl-C while a server or a board starts, and while it ends: exit code 0, and no traceback."""

import os
import signal
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none


def exit_on_signals() -> None:
    """Let SIGTERM and Ctrl-C end this process without a word, with exit code 0. SIGHUP is ignored."""
    if HANGUP:
        signal.signal(HANGUP, signal.SIG_IGN)
    for number in STOPPING:
        signal.signal(number, _exit)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)  # whoever started us may have blocked them


def ignore_signals() -> None:
    """Ignore them all. Python restores the default action of a signal at its end, but not of one that is ignored."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    if HANGUP:
        signal.signal(HANGUP, signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(0)  # an exception would have to find its way out of whatever is being imported or opened
