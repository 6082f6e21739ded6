"""Confirmed is kept: whoever has read `Finished successfully` is in the results, however the server ended."""

import json
import random
import re
import resource
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from testing.processes import LIMIT, RunningServer, running_server
from testing.raw_sockets import encoded, message_1, message_2, raw, visit
from testing.server_faults.ending import Endings

KILLS = 12
STARTS = 5
TERMS = 5
SPARE_KIB = 256  # room that a server has below its memory limit


@pytest.fixture
def endings(tmp_path: Path) -> Endings:
    """Endings with a new seed every time, which a failure shows."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return Endings(tmp_path / "data", seed)


def test_kill_9_under_load_loses_no_confirmed_team(endings: Endings) -> None:
    for _ in range(KILLS):
        endings.kill()
    assert len(endings.confirmed) >= KILLS


def test_kill_9_while_it_starts_costs_nothing(endings: Endings, tmp_path: Path) -> None:
    endings.kill()
    for _ in range(STARTS):
        endings.kill_while_it_starts()
    with running_server(tmp_path / "data") as running:
        assert endings.confirmed <= {row["teamname"] for row in running.results("--state", "finished")}


def test_sigterm_under_load_answers_whatever_was_read(endings: Endings) -> None:
    for _ in range(TERMS):
        endings.terminate()
    assert len(endings.confirmed) >= TERMS


def test_a_message_that_came_before_sigterm_is_answered(tmp_path: Path) -> None:
    """The server is held still, so that both are there when it goes on: the message first, then the signal."""
    with running_server(tmp_path / "data") as running, raw(running.host, running.port) as connection:
        connection.take_welcome()
        running.process.signal(signal.SIGSTOP)
        connection.send(encoded(message_1()))
        running.process.signal(signal.SIGTERM)
        running.process.signal(signal.SIGCONT)
        assert json.loads(connection.rest())["status"] == STATUS_WAITING
        connection.socket.close()
        assert running.process.wait() == 0


def test_at_the_end_everything_is_in_the_one_file(tmp_path: Path) -> None:
    """SQLite's own log is merged and gone: who copies the file has it all, who restores one sees that and no more."""
    with running_server(tmp_path / "data") as running:
        visit(running.host, running.port, encoded(message_1()))
        running.process.signal(signal.SIGTERM)
        assert running.process.wait() == 0
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "heartbeat",
        "key",
        "last-commit",
        "tandem.sqlite3",
    ]


def exchanged(running: RunningServer, team: str) -> None:
    """Let a team finish."""
    handover = visit(running.host, running.port, encoded(message_1(teamname=team)))
    assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED


def virtual_memory(pid: int) -> int:
    """Return the size of a process's address space, in KiB."""
    return int(re.findall(r"VmSize:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


def test_a_memory_limit_is_one_line_and_costs_nothing_that_was_confirmed(tmp_path: Path) -> None:
    """The limit is a little above what the server has by then, so that it is reached before messages time out."""
    with running_server(tmp_path / "data") as running, ExitStack() as stack:
        for number in range(10):
            exchanged(running, f"Team{number}")
        limit = (virtual_memory(running.process.pid) + SPARE_KIB) * 1024
        resource.prlimit(running.process.pid, resource.RLIMIT_AS, (limit, limit))
        try:
            for _ in range(2000):
                connection = stack.enter_context(socket.create_connection((running.host, running.port), LIMIT))
                connection.sendall(b'{"teamname": "' + b"x" * 8100)
        except OSError:
            pass  # it has ended
        assert running.process.wait() == 1
        assert running.process.err.count("there is not enough memory") == 1
        assert "Traceback" not in running.process.err
        assert [row["state"] for row in running.results()] == ["finished"] * 10
