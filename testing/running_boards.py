"""Boards as processes: started on a free port, asked over HTTP, and ended with the test."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testing.processes import ROOT, Process, process

CERTIFICATES = ROOT / "tests" / "board" / "certificate"
CERTIFICATE, KEY = CERTIFICATES / "cert.pem", CERTIFICATES / "key.pem"
TLS_OPTIONS = ("--certfile", str(CERTIFICATE), "--keyfile", str(KEY))


class RunningBoard:
    """A running `tandem board`."""

    def __init__(self, process: Process, at: str) -> None:
        self.process = process
        self.url = at
        self.address = at.removeprefix("http://")

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def running_board(data: Path, *options: str, listen: str = "127.0.0.1:0") -> Iterator[RunningBoard]:
    """Run `tandem board` on a free port, and stop it at the end of the block."""
    data.mkdir(exist_ok=True)  # a board makes none: it may be a typing error
    with process("-m", "tandem", "board", "--listen", listen, "--data", str(data), *options) as started:
        yield RunningBoard(started, started.wait_for("listening on").rpartition(" ")[2])
        started.stop()


def token_of(started: Process) -> str:
    """Return the teacher's token, which a board shows at its first start."""
    return started.wait_for("shown this once").rpartition(" ")[2]
