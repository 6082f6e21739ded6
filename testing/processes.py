"""Real processes for tests: started, watched line by line, and ended whatever happens."""

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
        return self._process.pid

    @property
    def out(self) -> str:
        """What it has written to standard output so far."""
        with self._news:
            return "".join(self._out)

    @property
    def err(self) -> str:
        with self._news:
            return "".join(self._err)

    def wait_for(self, words: str) -> str:
        """The first line on either output that holds the words; fails if it ends or takes too long without."""
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
        """Its exit code, once it has ended by itself."""
        code = self._process.wait(LIMIT)
        for reader in self._readers:
            reader.join()
        return code

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        """Asks it to stop, and waits until it has; if it has ended before, nothing."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self.wait()

    def end(self) -> None:
        """Kills it if it still runs."""
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
    """`python ARGUMENTS`, killed at the end of the block. `before` is put in front, such as `ip netns exec NAME`.

    Fails if Python warned of anything: conftest.py lets every process show its warnings.
    """
    started = Process(arguments, before, env)
    try:
        yield started
    finally:
        started.end()
    assert "Warning: " not in started.err, f"{arguments} left something open, or used what is deprecated: {started.err}"


def tandem(*arguments: str, before: Sequence[str] = (), env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Runs a tandem command to its end: exit code, standard output, standard error."""
    with process("-m", "tandem", *arguments, before=before, env=env) as command:
        code = command.wait()
        return code, command.out, command.err


class RunningServer:
    """A running ground."""

    def __init__(self, process: Process, data: Path) -> None:
        self.process = process
        self.data = data
        self.address = process.wait_for("listening on").rpartition(" ")[2]
        host, _, port = self.address.rpartition(":")
        self.host = host.strip("[]")
        self.port = int(port)

    def results(self, *arguments: str) -> Any:
        """What `tandem results --format json` tells."""
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
    """`tandem serve` on a free port, killed at the end of the block."""
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
    """The command line options for a team: TEAM, with what is changed."""
    return [word for name, value in (TEAM | changed).items() for word in (f"--{name}", value)]


def wait_until(true: Callable[[], bool]) -> None:
    """Waits for something that no line tells; fails after LIMIT."""
    until = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
