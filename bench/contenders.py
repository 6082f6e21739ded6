"""The servers that are compared: how each is started, pinned to a CPU, and ended. A fresh one for every run.

The server writes its log to a file, as it would in use: what that costs is part of what is measured.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem.protocol.printable import printable

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
OUTPUT = "stdout"  # a file in the server's folder
READY_WITHIN = 20.0  # seconds
LIMIT = "limit"  # the one that the others are compared to
TANDEM = "tandem"


class ContenderError(Exception):
    """A server cannot be started; the text says why."""


@dataclass(frozen=True)
class Contender:
    """One server: its command, given a folder of its own for what it writes, and the folder it runs in."""

    name: str
    command: Callable[[Path], Sequence[str]]
    home: Path = ROOT


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    name: str
    address: str
    pid: int
    folder: Path


def our_server(name: str = TANDEM, home: Path = ROOT, data: Path | None = None) -> Contender:
    """The server of this tree or of another copy of the project, with a new data folder or a given one."""

    def command(folder: Path) -> Sequence[str]:
        kept_in = str(data or folder / "data")
        return sys.executable, "-S", "-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", kept_in

    return Contender(name, command, home)


def peer(name: str) -> Contender:
    """One of bench/peers in Python."""
    return Contender(name, lambda folder: (sys.executable, "-m", f"bench.peers.{name}"))


def limit(folder: Path) -> Contender:
    """The one in C, built into the folder. Raises ContenderError."""
    program = built(PEERS / "limit.c", folder)
    return Contender(LIMIT, lambda _: (str(program),))


def built(source: Path, folder: Path) -> Path:
    """The program of this C file, compiled into the folder. Raises ContenderError."""
    if (compiler := c_compiler()) is None:
        raise ContenderError("no C compiler is here: install gcc")
    program = folder / source.stem
    done = subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=False)
    if done.returncode:
        raise ContenderError(f"{source.name} was not compiled")
    return program


def c_compiler() -> str | None:
    """Its path, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@contextmanager
def running(contender: Contender, cpu: int | None = None) -> Iterator[Running]:
    """The server on a free port, on one CPU if told, killed at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as place:
        folder = Path(place)
        log = folder / "stderr"
        process = _started(contender, cpu, folder, log)
        try:
            yield Running(contender.name, _address(contender, process, log), process.pid, folder)
        finally:
            process.kill()
            process.wait()


def pinned(cpu: int | None) -> Sequence[str]:
    """The words in front of a command that keep it on one CPU."""
    return () if cpu is None else ("taskset", "--cpu-list", str(cpu))


def _started(contender: Contender, cpu: int | None, folder: Path, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as stderr, (folder / OUTPUT).open("wb") as stdout:
        try:
            return subprocess.Popen(
                [*pinned(cpu), *contender.command(folder)],
                cwd=contender.home,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        except OSError as error:
            raise ContenderError(f"{contender.name} did not start: {error.filename}: {error.strerror}") from None


def _address(contender: Contender, process: "subprocess.Popen[bytes]", log: Path) -> str:
    """The port on which it listens, once it says so."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if "listening on " in line:
                return line.rpartition(" ")[2]
        time.sleep(0.01)
    last_words = log.read_text(errors="replace").strip().rpartition("\n")[2]
    raise ContenderError(f"{contender.name} did not start: {printable(last_words) or 'it said nothing'}")
