"""Runs a board as a child process of the server (`serve --board`). Knows nothing of pages.

The board is a process, so no browser slows the server down. Its standard input is a pipe that only the server holds:
however the server ends, the pipe is closed and the board stops. A signal handler reports that the board has ended, not
a thread: `serve --workers` forks, and a fork does not copy threads.
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

REQUIRED_MODULES = ("starlette", "uvicorn", "jinja2", "prometheus_client", "python_multipart", "xlsxwriter")
MISSING_EXTRA = ("the board needs its extra", "pip install 'tandem[board]' (in a clone: pip install '.[board]')")
ENDED_LINE = b"tandem serve: the board has ended; the server continues without it\n"
NICE_INCREMENT = 5  # of the board: the server goes first where both want the same CPU
STOP_TIMEOUT_S = 5.0  # before the board is killed; more than serve_board.STOP_TIMEOUT_S


def is_installed() -> bool:
    """Return whether every module of the extra tandem[board] is installed."""
    return all(importlib.util.find_spec(name) for name in REQUIRED_MODULES)


@contextmanager
def board_process(listen: tuple[str, int], data: Path, database: str) -> Iterator[None]:
    """Run a board while the block runs.

    If the board ends earlier, one line on standard error says so, and the block continues.

    Args:
        listen: The board's host and port.
        data: The board's --data.
        database: The URL of a PostgreSQL database, or "".
    """
    host, port = listen
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    address = os.fsdecode(address.encode())  # in a C locale a host name beyond ASCII is passed on as its bytes, too
    arguments = ("--until-input-ends", "--listen", address, "--data", str(data))
    environment = os.environ | {"TANDEM_DATABASE": database}  # not among the arguments: it may hold a password
    command = [sys.executable, "-m", "tandem", "board", *arguments]
    # A process group of its own: Ctrl-C at a terminal reaches the server alone, which then closes the pipe.
    child = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, process_group=0)
    try:
        if sys.platform != "win32":
            with suppress(OSError):  # not permitted everywhere: the board then has the server's priority
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE_INCREMENT)
        with _reported_when_it_ends(child):
            yield
    finally:
        _end(child)


@contextmanager
def _reported_when_it_ends(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Report once that the board has ended, if it ends within the block. Windows has no SIGCHLD and reports nothing."""
    if sys.platform == "win32":
        yield
        return
    is_reported = False

    def report_if_ended(number: int, frame: FrameType | None) -> None:
        nonlocal is_reported
        if not is_reported and child.poll() is not None:
            is_reported = True
            _write_line(ENDED_LINE)

    before = signal.signal(signal.SIGCHLD, report_if_ended)
    report_if_ended(signal.SIGCHLD, None)  # it may have ended before there was a handler
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


def _write_line(line: bytes) -> None:
    """Write a line from a signal handler: not through the buffer, which may be in use, and without blocking."""
    with suppress(OSError, ValueError):  # standard error is closed
        if select.select([], [2], [], 0)[1]:
            os.write(2, line)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(STOP_TIMEOUT_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C does not wait
        child.kill()
        child.wait()
