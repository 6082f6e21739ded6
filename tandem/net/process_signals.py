"""SIGTERM and Ctrl-C while a server or a board starts, and while it ends: exit code 0, and no traceback."""

import os
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none


def exit_on_signals() -> None:
    """Let SIGTERM and Ctrl-C end this process at once, with exit code 0. Ignore SIGHUP."""
    if HANGUP:
        signal.signal(HANGUP, signal.SIG_IGN)
    for number in STOP_SIGNALS:
        signal.signal(number, _exit)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # the parent process may have blocked them


def ignore_signals() -> None:
    """Ignore them all. At its end Python restores the default action of handled signals, but not of ignored ones."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if HANGUP:
        signal.signal(HANGUP, signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(0)  # an exception could be caught by code that is being imported
