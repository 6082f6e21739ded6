"""A board beside a server: a process of its own, so that no browser slows the server down; it ends with the server.

The board's standard input is a pipe that only the server holds: however the server ends, the pipe does, too. A signal
handler, not a thread, tells that the board has ended: `serve --workers` forks, and a fork copies no thread.
"""

import importlib.util
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

NEEDED = ("starlette", "uvicorn", "jinja2", "python_multipart", "xlsxwriter")
MISSING = "the board needs its extra", "pip install 'tandem[board]' (in a clone: pip install '.[board]')"  # what, help
ENDED = b"tandem serve: the board has ended; the ground goes on without it\n"
BEHIND = 5  # how far the board stands behind the ground where both want the same CPU
GRACE = 5.0  # seconds that it has to end by itself: more than the board's own limit for the answers in hand


def is_installed() -> bool:
    """Whether everything is there that a board needs."""
    return all(importlib.util.find_spec(name) for name in NEEDED)


@contextmanager
def board_beside(listen: tuple[str, int], data: Path, database: str) -> Iterator[None]:
    """A board for as long as the block runs. If it ends before, a line says so, and nothing else happens."""
    host, port = listen
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    arguments = ("--until-input-ends", "--listen", where, "--data", str(data))
    environment = os.environ | {"TANDEM_DATABASE": database}  # not among the arguments: it may hold a password
    command = [sys.executable, "-m", "tandem", "board", *arguments]
    # A process group of its own: Ctrl-C at a terminal reaches the server alone, which then closes the pipe.
    child = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, process_group=0)
    try:
        if sys.platform != "win32":
            with suppress(OSError):  # where a service may not do that, the board stands beside the ground
                os.setpriority(os.PRIO_PROCESS, child.pid, BEHIND)
        with _telling_when_it_ends(child):
            yield
    finally:
        _end(child)


@contextmanager
def _telling_when_it_ends(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Say once that the board has ended, if it ends within the block. Windows has no such signal and says nothing."""
    if sys.platform == "win32":
        yield
        return
    told = False

    def tell_if_ended(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if not told and child.poll() is not None:
            told = True
            _say_at_once(ENDED)

    before = signal.signal(signal.SIGCHLD, tell_if_ended)
    tell_if_ended(signal.SIGCHLD, None)  # it may have ended before there was a handler
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


def _say_at_once(line: bytes) -> None:
    """Write a line from a signal handler: past the buffer, which may be in use, and never waiting for a reader."""
    with suppress(OSError, ValueError):  # standard error is closed
        if select.select([], [2], [], 0)[1]:
            os.write(2, line)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C does not wait
        child.kill()
        child.wait()
