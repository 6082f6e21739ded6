"""Whatever becomes of standard error or of the log file: the server starts, answers, stops, and logs when it can."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.protocol.message import STATUS_FINISHED
from testing.processes import LIMIT, ROOT, running_server, tandem, team_options, wait_until, workers_of
from testing.raw_sockets import encoded, message_1, message_2, raw, visit
from testing.server_faults import faults
from testing.server_faults.outputs import CLOSED, OUTPUTS, Output

HOST = "127.0.0.1"
WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that no other program gets: held by a socket that does not listen, beside which a server may."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


@contextmanager
def running(
    arguments: Sequence[str], error: int, output: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """`tandem ARGUMENTS` with that standard error, killed at the end of the block."""
    command = [sys.executable, "-m", "tandem", *arguments]
    if error == CLOSED:
        command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    null = subprocess.DEVNULL
    started = subprocess.Popen(command, cwd=ROOT, stdin=null, stdout=output, stderr=null if error == CLOSED else error)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def welcomes(port: int) -> bool:
    """Whether a server is there and greets. No line can say so here."""
    try:
        with raw(HOST, port) as connection:
            return bool(connection.take_welcome())
    except ConnectionError:
        return False


def exchange(port: int, teamname: str) -> str:
    handover = visit(HOST, port, encoded(message_1(teamname=teamname)))
    return str(visit(HOST, port, encoded(message_2(handover)))["status"])


@WORKERS
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_server_runs_whatever_its_standard_error_is(tmp_path: Path, output: Output, workers: str) -> None:
    data = str(tmp_path / "data")
    with output() as error, reserved_port() as port:
        arguments = ("serve", "--listen", f"{HOST}:{port}", "--data", data, "--workers", workers)
        with running(arguments, error) as server:
            wait_until(lambda: welcomes(port))
            assert {exchange(port, f"team {number}") for number in range(10)} == {STATUS_FINISHED}
            server.send_signal(signal.SIGTERM)
            assert server.wait(LIMIT) == 0
    code, out, err = tandem("results", "--data", data, "--state", "finished", "--format", "json")
    assert (code, out.count('"finished"'), err) == (0, 10, "")


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_worker_that_dies_is_replaced_whatever_standard_error_is(tmp_path: Path, output: Output) -> None:
    with output() as error, reserved_port() as port:
        arguments = ("serve", "--listen", f"{HOST}:{port}", "--data", str(tmp_path / "data"), "--workers", "2")
        with running(arguments, error) as server:
            wait_until(lambda: welcomes(port) and len(workers_of(server.pid)) == 2)
            first, second = workers_of(server.pid)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: first not in workers_of(server.pid) and len(workers_of(server.pid)) == 2)
            assert second in workers_of(server.pid)
            wait_until(lambda: welcomes(port))
            assert exchange(port, "Team1") == STATUS_FINISHED
            server.send_signal(signal.SIGTERM)
            assert server.wait(LIMIT) == 0


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_server_that_cannot_start_ends_whatever_its_standard_error_is(tmp_path: Path, output: Output) -> None:
    with output() as error, socket.create_server((HOST, 0)) as taken:
        arguments = ("serve", "--listen", f"{HOST}:{taken.getsockname()[1]}", "--data", str(tmp_path / "data"))
        with running(arguments, error) as server:
            assert server.wait(LIMIT) == 1


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_board_runs_whatever_its_standard_error_is(tmp_path: Path, output: Output) -> None:
    arguments = ("board", "--data", str(tmp_path), "--listen")
    with output() as error, reserved_port() as port, running((*arguments, f"{HOST}:{port}"), error) as board:
        wait_until(lambda: answers_http(port))
        board.send_signal(signal.SIGTERM)
        assert board.wait(LIMIT) == 0


def answers_http(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), LIMIT) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except ConnectionError:
        return False


COMPLAINTS = {
    "client, wrong usage": (("client", "3"), 2),
    "client, no server": (("client", "1", *team_options(), "--server", f"{HOST}:1", "--peer", f"{HOST}:2"), 1),
    "check, no file": (("check", "nowhere"), 1),
    "results, wrong usage": (("results", "--nonsense"), 2),
    "bench, no server": (("bench", "--server", f"{HOST}:1", "--count", "1"), 1),
}


@pytest.mark.parametrize("output", [name for name in OUTPUTS if "a full pipe" not in name])
@pytest.mark.parametrize(("arguments", "code"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_what_cannot_be_complained_of_keeps_its_exit_code(arguments: tuple[str, ...], code: int, output: str) -> None:
    """And nothing of it goes to standard output in place of standard error."""
    shown = subprocess.PIPE
    with OUTPUTS[output]() as error, running(arguments, error, shown) as command:
        out, _ = command.communicate(timeout=LIMIT)
        assert command.returncode == code
        assert b"tandem" not in out


def test_a_socket_never_gets_the_number_of_a_stream_that_was_closed(tmp_path: Path) -> None:
    with reserved_port() as port:
        arguments = ("-m", "tandem", "serve", "--listen", f"{HOST}:{port}", "--data", str(tmp_path / "data"))
        closing = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, *arguments]
        server = subprocess.Popen(closing, cwd=ROOT)
        try:
            wait_until(lambda: welcomes(port))
            assert {os.readlink(f"/proc/{server.pid}/fd/{number}") for number in (0, 1, 2)} == {os.devnull}
            server.terminate()
            assert server.wait(LIMIT) == 0
        finally:
            server.kill()
            server.wait()


@WORKERS
def test_a_pipe_whose_reader_pauses_holds_nobody_up_and_gets_every_line_later(tmp_path: Path, workers: str) -> None:
    """The lines are many more than a pipe holds."""
    reader, writer = os.pipe()
    with open(reader, "rb") as lines, reserved_port() as port:
        arguments = ("serve", "--listen", f"{HOST}:{port}", "--data", str(tmp_path / "data"), "--workers", workers)
        with running(arguments, writer) as server:
            os.close(writer)
            assert lines.readline().endswith(f"listening on {HOST}:{port}\n".encode())
            assert b"only programs on this machine can connect" in lines.readline()
            for number in range(500):  # some 300 bytes each
                visit(HOST, port, encoded(message_1(clientid=7, teamname=f"{number:x<100}", classname="y" * 60)))
            assert exchange(port, "Team1") == STATUS_FINISHED
            found = [lines.readline() for _ in range(502)]
            server.send_signal(signal.SIGTERM)
            assert lines.read() == b""
            assert server.wait(LIMIT) == 0
    whole = re.compile(rb"\S+Z 127\.0\.0\.1:\d+ (rejected|message 1|message 2) .* ms.*\n")
    assert sorted(match[1] for match in map(whole.fullmatch, found) if match) == [
        b"message 1", b"message 2", *[b"rejected"] * 500
    ]  # fmt: skip


@WORKERS
def test_a_log_on_a_full_disk_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path, workers: str) -> None:
    log, filler = small_disk / "log", small_disk / "filler"
    with running_server(tmp_path / "data", "--workers", workers, "--log", str(log)) as server:
        assert exchange(server.port, "before") == STATUS_FINISHED
        wait_until(lambda: "/before" in log.read_text())
        faults.fill(filler)
        with log.open("ab", buffering=0) as rest:  # what is left of the log's last block
            rest.write(b"\n" * (-log.stat().st_size % 4096))
        for number in range(50):  # the log has tried to write the first by then
            assert exchange(server.port, f"meanwhile {number}") == STATUS_FINISHED
            if number == 20:
                server.process.signal(signal.SIGHUP)  # makes nothing worse
        filler.unlink()
        wait_until(lambda: "No space left on device" in log.read_text())
        assert exchange(server.port, "after") == STATUS_FINISHED
        wait_until(lambda: "/after" in log.read_text())
        assert re.search(r"Z \d+ lines? (was|were) dropped: No space left on device", log.read_text())


@WORKERS
def test_a_log_file_is_rotated_and_no_line_is_lost(tmp_path: Path, workers: str) -> None:
    log, old = tmp_path / "serve.log", tmp_path / "serve.log.1"
    with running_server(tmp_path / "data", "--workers", workers, "--log", str(log)) as server:
        for number in range(40):
            assert exchange(server.port, f"team {number}") == STATUS_FINISHED
            if number == 20:
                log.rename(old)
                server.process.signal(signal.SIGHUP)
                wait_until(lambda: log.exists() and log.read_text().count("opened again") == int(workers))
        server.process.stop()
        assert server.process.err.count("\n") == 2, "only the lines that say where it listens"
    assert "/team 0 " in old.read_text()
    assert "/team 39 " in log.read_text()
    found = re.findall(r"message [12] INF2A/(team \d+) ", old.read_text() + log.read_text())
    assert sorted(found) == sorted([f"team {number}" for number in range(40)] * 2)
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_supervisors_lines_are_in_the_log_file_too(tmp_path: Path) -> None:
    log, old = tmp_path / "serve.log", tmp_path / "serve.log.1"
    with running_server(tmp_path / "data", "--workers", "2", "--log", str(log)) as server:
        for file in (old, log):
            first = workers_of(server.process.pid)[0]
            os.kill(first, signal.SIGKILL)
            wait_until(lambda first=first: f"worker {first} ended by signal 9" in log.read_text())  # type: ignore[misc]
            if file is old:
                log.rename(old)
                server.process.signal(signal.SIGHUP)
                wait_until(log.exists)


@WORKERS
def test_sighup_without_a_log_file_ends_no_exchange(tmp_path: Path, workers: str) -> None:
    with running_server(tmp_path / "data", "--workers", workers) as server, raw(server.host, server.port) as half:
        message = encoded(message_1())
        half.take_welcome()
        half.send(message[:40])
        server.process.signal(signal.SIGHUP)
        assert "there is no --log FILE" in server.process.wait_for("SIGHUP")
        half.send(message[40:])
        assert b"waiting for message 2" in half.rest()
        half.socket.close()
        assert exchange(server.port, "Team2") == STATUS_FINISHED


def test_a_server_goes_on_when_its_terminal_hangs_up(tmp_path: Path) -> None:
    """It leads a session of its own at that terminal, so that SIGHUP comes, too."""
    controller, terminal = os.openpty()
    lead = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(2, termios.TIOCSCTTY, 0);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    with reserved_port() as port:
        arguments = ("serve", "--listen", f"{HOST}:{port}", "--data", str(tmp_path / "data"))
        server = subprocess.Popen(
            [sys.executable, "-c", lead, sys.executable, "-m", "tandem", *arguments],
            cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal,
        )  # fmt: skip
        os.close(terminal)
        try:
            wait_until(lambda: welcomes(port))
            os.close(controller)
            assert exchange(port, "Team1") == STATUS_FINISHED
            server.terminate()
            assert server.wait(LIMIT) == 0
        finally:
            server.kill()
            server.wait()


CANNOT_BE_A_LOG = {
    "no such folder": ("nowhere/serve.log", "No such file or directory"),
    "a folder": (".", "directory"),
    "the database": ("data/tandem.sqlite3", "ends in .log"),
    "the key": ("data/../data/key", "ends in .log"),
}


@WORKERS
@pytest.mark.parametrize(("name", "words"), CANNOT_BE_A_LOG.values(), ids=CANNOT_BE_A_LOG)
def test_a_file_that_cannot_be_the_log_is_one_line(tmp_path: Path, name: str, words: str, workers: str) -> None:
    data = str(tmp_path / "data")
    arguments = ("--listen", f"{HOST}:0", "--data", data, "--workers", workers, "--log", str(tmp_path / name))
    code, out, err = tandem("serve", *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert words in err
    assert not list(tmp_path.glob("data/*"))


def test_a_log_without_a_name_is_wrong_usage() -> None:
    code, _, err = tandem("serve", "--log", "")
    assert (code, err.count("\n")) == (2, 1)
    assert "--log" in err
