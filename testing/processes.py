"""Processes for tests: started, watched line by line, and always ended."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 20.0  # seconds until a test gives up on something that should have happened long ago

TEAM = {"studentnr1": "0923456", "studentnr2": "0934567", "classname": "INF2A", "teamname": "Team1"}


class Process:
    """A running command. Its output is read all the time, so it never blocks on a full pipe."""

    def __init__(self, arguments: Sequence[str], before: Sequence[str] = (), env: dict[str, str] | None = None) -> None:
        command = [*before, sys.executable, *arguments]
        self._encoding = (env or {}).get("PYTHONIOENCODING", "utf-8")
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._news = threading.Condition()
        self._out: list[str] = []
        self._err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stdout, self._out)),
            threading.Thread(target=self._read, args=(self._process.stderr, self._err)),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def out(self) -> str:
        """Return what it has written to standard output so far."""
        with self._news:
            return "".join(self._out)

    @property
    def err(self) -> str:
        """Return what it has written to standard error so far."""
        with self._news:
            return "".join(self._err)

    def wait_for(self, words: str) -> str:
        """Return the first line on either output that holds the words.

        Raises:
            AssertionError: The process ended without such a line, or LIMIT passed.
        """
        until = time.monotonic() + LIMIT
        with self._news:
            while True:
                for line in (*self._out, *self._err):
                    if words in line:
                        return line.strip()
                left = until - time.monotonic()
                over = not any(reader.is_alive() for reader in self._readers)
                if left <= 0 or over:
                    told = "".join(self._out + self._err)
                    raise AssertionError(f"{words!r} was not said{' before it ended' if over else ''}:\n{told}")
                self._news.wait(min(left, 0.5))

    def wait(self) -> int:
        """Wait until it ends, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: LIMIT passed.
        """
        code = self._process.wait(LIMIT)
        for reader in self._readers:
            reader.join()
        return code

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        return self._process.poll() is not None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Send SIGTERM and wait until it has ended. Do nothing if it has ended before."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self.wait()

    def end(self) -> None:
        """Kill it if it still runs, and close its pipes."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._news:
                lines.append(line.decode(self._encoding, errors="surrogateescape"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


@contextmanager
def process(*arguments: str, before: Sequence[str] = (), env: dict[str, str] | None = None) -> Iterator[Process]:
    """Run `python ARGUMENTS`, and kill it at the end of the block. `before` precedes the command: `ip netns exec NAME`.

    Fails if Python warned of anything: conftest.py lets every process show its warnings.
    """
    started = Process(arguments, before, env)
    try:
        yield started
    finally:
        started.end()
    assert "Warning: " not in started.err, f"{arguments} left something open, or used what is deprecated: {started.err}"


def tandem(*arguments: str, before: Sequence[str] = (), env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run a tandem command to its end. Return exit code, standard output, standard error."""
    with process("-m", "tandem", *arguments, before=before, env=env) as command:
        code = command.wait()
        return code, command.out, command.err


class RunningServer:
    """A running `tandem serve`."""

    def __init__(self, process: Process, data: Path) -> None:
        self.process = process
        self.data = data
        self.address = process.wait_for("listening on").rpartition(" ")[2]
        host, _, port = self.address.rpartition(":")
        self.host = host.strip("[]")
        self.port = int(port)

    def results(self, *arguments: str) -> Any:
        """Return what `tandem results --format json` prints."""
        place = () if "--database" in arguments else ("--data", str(self.data))
        code, out, err = tandem("results", *place, "--format", "json", *arguments)
        assert code == 0, err
        return json.loads(out)


@contextmanager
def running_server(
    data: Path,
    *options: str,
    listen: str = "127.0.0.1:0",
    before: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> Iterator[RunningServer]:
    """Run `tandem serve` on a free port, and stop it at the end of the block."""
    arguments = ("-m", "tandem", "serve", "--listen", listen, "--data", str(data), *options)
    with process(*arguments, before=before, env=env) as serving:
        yield RunningServer(serving, data)
        serving.stop()


def limited(limits: str) -> tuple[str, ...]:
    """Return what to put before a command so that it runs under limits of `ulimit`, such as "-n 128"."""
    return ("sh", "-c", f'ulimit {limits}; exec "$0" "$@"')


def workers_of(supervisor: int) -> list[int]:
    """Return the process ids of the children of a process. Needs Linux."""
    return [int(pid) for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()]


def team_options(**changed: str) -> list[str]:
    """Return the command line options for TEAM, with what is changed."""
    return [word for name, value in (TEAM | changed).items() for word in (f"--{name}", value)]


def is_caught(pid: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal: before that, Python itself is starting. Needs /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def wait_until(true: Callable[[], bool]) -> None:
    """Poll until `true()`. For what no line of output announces.

    Raises:
        AssertionError: LIMIT passed.
    """
    until = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
