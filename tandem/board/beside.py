"""A board beside a ground: a process of its own, so that no browser slows the ground down; it ends with the ground.

The board's standard input is a pipe that only the ground holds: however the ground ends, the pipe does, too.
"""

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tandem.ground.log import say

NEEDED = ("starlette", "uvicorn", "jinja2", "python_multipart", "xlsxwriter")
MISSING = "the board needs its extra: pip install 'tandem[board]' (in a clone: pip install '.[board]')"
BEHIND = 5  # how far the board stands behind the ground where both want the same CPU
GRACE = 5.0  # seconds that it has to end by itself


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
    child = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    if sys.platform != "win32":
        with suppress(OSError):  # where a service may not do that, the board stands beside the ground
            os.setpriority(os.PRIO_PROCESS, child.pid, BEHIND)
    ending = threading.Event()
    watcher = threading.Thread(target=_watch, args=(child, ending), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ending.set()
        _end(child)
        watcher.join()


def _watch(child: "subprocess.Popen[bytes]", ending: threading.Event) -> None:
    child.wait()
    if not ending.is_set():
        say("the board has ended; the ground goes on without it")


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
