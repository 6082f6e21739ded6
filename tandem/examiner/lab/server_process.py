"""The server of a run: `tandem serve` as a process, on its own machine's loopback. The relay stands before it."""

import os
import subprocess
import sys
from pathlib import Path

import tandem
from tandem.examiner.lab.connections.endpoints import Address, Inside
from tandem.examiner.lab.recorder import Recorder
from tandem.net.event_loop import EventLoop
from tandem.protocol.address import parse_address
from tandem.protocol.errors import TandemError

READY = "listening on "
READ_SIZE = 65_536


class ServerProcess:
    """The server. Call `wait_until_ready` before the first visit."""

    def __init__(self, loop: EventLoop, recorder: Recorder, inside: Inside, data: Path) -> None:
        """Start it. `data` is its folder."""
        self._loop = loop
        self._recorder = recorder
        command = (sys.executable, "-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(data))
        with inside():
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=Path(tandem.__file__).parents[1]
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_until_ready(self) -> Address:
        """Wait for its line. Return where it listens.

        Raises:
            TandemError: it ended instead.
        """
        assert self._process.stderr is not None
        said = b""
        for line in self._process.stderr:
            said += line
            if READY.encode() in line:
                os.set_blocking(self._process.stderr.fileno(), False)
                self._loop.watch(self._process.stderr, self._read)
                return parse_address(line.decode().rpartition(" ")[2].strip(), 0)
        raise TandemError(f"the server did not start: {said.decode(errors='backslashreplace').strip()}")

    def stop(self) -> None:
        """End it."""
        assert self._process.stderr is not None
        self._loop.watch(self._process.stderr, None)
        self._process.kill()
        self._process.wait()
        self._process.stderr.close()

    def _read(self) -> None:
        """Read its log, which is not needed, or its end, which should not come."""
        assert self._process.stderr is not None
        if not os.read(self._process.stderr.fileno(), READ_SIZE):
            self._loop.watch(self._process.stderr, None)
            self._recorder.add("examiner", "failure", text=f"the server ended with {self._process.wait()}")
