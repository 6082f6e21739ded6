"""`serve --workers`: one port, several processes; what dies is started again, and signals reach all."""

import json
import os
import pty
import re
import select
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tandem.net.line_writer import StandardError
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.server.handler import NOT_STORED
from tandem.server.workers import Supervisor
from testing.processes import LIMIT, ROOT, RunningServer, process, running_server, tandem, wait_until, workers_of
from testing.raw_sockets import encoded, message_1, message_2, raw, visit


def exchange(running: RunningServer, teamname: str) -> str:
    handover = visit(running.host, running.port, encoded(message_1(teamname=teamname)))
    return str(visit(running.host, running.port, encoded(message_2(handover)))["status"])


def test_all_serve_and_every_team_is_in_the_results(tmp_path: Path) -> None:
    names = [f"team {number}" for number in range(60)]
    with running_server(tmp_path / "data", "--workers", "3") as running:
        assert len(workers_of(running.process.pid)) == 3
        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(lambda name: exchange(running, name), names)) == {STATUS_FINISHED}
        assert {row["teamname"] for row in running.results("--state", "finished")} == set(names)


def test_a_worker_that_dies_is_replaced_and_nothing_confirmed_is_lost(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--workers", "2") as running:
        assert exchange(running, "before") == STATUS_FINISHED
        first, _ = workers_of(running.process.pid)
        os.kill(first, signal.SIGKILL)
        line = running.process.wait_for("starting another")
        assert f"worker {first} ended by signal 9" in line
        # A connection now goes to a worker that runs: no second attempt, no reset.
        assert exchange(running, "after") == STATUS_FINISHED
        assert {row["teamname"] for row in running.results("--state", "finished")} == {"before", "after"}


def test_a_worker_that_cannot_open_the_database_answers_and_tries_again(tmp_path: Path) -> None:
    """The other worker has the deleted index open, so the new one must not make another."""
    with running_server(tmp_path / "data", "--workers", "2") as running:
        assert exchange(running, "before") == STATUS_FINISHED
        index = tmp_path / "data" / "tandem.sqlite3-shm"
        index.rename(tmp_path / "aside")
        first, second = workers_of(running.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len({*workers_of(running.process.pid)} - {first, second}) == 1)
        with ThreadPoolExecutor(16) as pool:
            names = [f"team {number}" for number in range(16)]
            assert set(pool.map(lambda name: exchange(running, name), names)) == {NOT_STORED}
        workers = workers_of(running.process.pid)
        (tmp_path / "aside").rename(index)
        wait_until(lambda: {exchange(running, f"again {number}") for number in range(8)} == {STATUS_FINISHED})
        assert workers_of(running.process.pid) == workers
        assert running.process.err.count("starting another") == 1
        assert running.process.err.count("could not be written") <= 2  # once for each worker


@pytest.mark.parametrize("how", ["rotated", "deleted"])
def test_workers_have_one_key_whatever_becomes_of_its_file(tmp_path: Path, how: str) -> None:
    """Also one that is started later: the key counts until the server itself is started again."""
    data = tmp_path / "data"
    with running_server(data, "--workers", "2") as running:
        if how == "rotated":
            assert tandem("key", "rotate", "--data", str(data))[0] == 0
        else:
            (data / "key").unlink()
        first, second = workers_of(running.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len({*workers_of(running.process.pid)} - {first, second}) == 1)
        running.process.wait_for("starting another")
        assert {exchange(running, f"team {number}") for number in range(20)} == {STATUS_FINISHED}


@pytest.mark.parametrize("option", ["--ignore-signal=CHLD", "--block-signal=TERM", "--block-signal=INT"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_signals_as_somebody_else_has_left_them(tmp_path: Path, option: str, workers: str) -> None:
    arguments = ("-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
    with process(*arguments, "--workers", workers, before=("env", option)) as running:
        running.wait_for("listening on")
        running.signal(signal.SIGINT if option.endswith("INT") else signal.SIGTERM)
        assert running.wait() == 0
        assert "Traceback" not in running.err


def test_a_signal_just_before_the_wait_for_a_worker_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocking waitpid would notice it when a worker ends by itself: never."""
    options: list[int] = []

    def waitpid(pid: int, how: int) -> tuple[int, int]:
        options.append(how)
        return (77, 0) if len(options) == 3 else (0, 0)

    monkeypatch.setattr("os.waitpid", waitpid)
    supervisor = Supervisor(1, lambda ready: None, StandardError(1.0))
    supervisor._signal_send.send(b"\x0f")
    supervisor._signal_recv.setblocking(False)
    threading.Timer(0.05, supervisor._signal_send.send, (b"\x0f",)).start()
    assert supervisor._wait_for_one() == (77, 0)
    assert options == [os.WNOHANG] * 3
    for end in (supervisor._signal_recv, supervisor._signal_send):
        end.close()
    os.close(supervisor._alive_recv)
    os.close(supervisor._alive_send)


CRASHING = """
import sys, time
from pathlib import Path
from tandem.net.line_writer import StandardError
from tandem.server.workers import Supervisor

def work(ready):
    ready()
    try:
        Path(sys.argv[1]).touch(exist_ok=False)
    except FileExistsError:
        time.sleep(1000)
    raise ZeroDivisionError("a\\nbug")

Supervisor(2, work, StandardError(1.0)).run(lambda: print("ready", flush=True))
"""


def test_a_worker_that_crashes_is_a_line_of_the_log_and_the_others_go_on(tmp_path: Path) -> None:
    """The first one crashes as soon as it is ready, the others work."""
    with process("-c", CRASHING, str(tmp_path / "crashed")) as supervisor:
        assert r"ZeroDivisionError: a\nbug" in supervisor.wait_for("bug: worker")
        assert "ended with exit code 1" in supervisor.wait_for("starting another")
        wait_until(lambda: len(workers_of(supervisor.pid)) == 2)
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0
        assert (supervisor.out, supervisor.err.count("\n")) == ("ready\n", 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_supervisor_ends_all_with_exit_code_0(tmp_path: Path, number: int) -> None:
    with running_server(tmp_path / "data", "--workers", "2") as running:
        workers = workers_of(running.process.pid)
        running.process.signal(number)
        assert running.process.wait() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
        assert "Traceback" not in running.process.err


STOPPED = """
import signal, sys
from tandem.net.line_writer import StandardError
from tandem.server import workers

workers.KILL_TIMEOUT = 1.0

def work(ready):
    if sys.argv[1] == "ready":
        ready()
    print("works", flush=True)
    signal.pause()

workers.Supervisor(2, work, StandardError(1.0)).run(lambda: None)
"""


@pytest.mark.parametrize("phase", ["ready", "starting"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_stopped_is_killed(phase: str, number: signal.Signals) -> None:
    """By SIGSTOP, or by a debugger: it does not notice that it is to end."""
    with process("-c", STOPPED, phase) as supervisor:
        wait_until(lambda: supervisor.out.count("works") == (2 if phase == "ready" else 1))
        stopped = workers_of(supervisor.pid)[0]
        os.kill(stopped, signal.SIGSTOP)
        supervisor.signal(number)
        assert supervisor.wait() == 0
        assert f"worker {stopped} did not end within 1 s and was killed" in supervisor.err
        assert supervisor.err.count("\n") == 1


def test_sigterm_to_every_process_costs_nobody_a_reply(tmp_path: Path) -> None:
    """As a service manager sends it: each worker hears of it twice."""
    with running_server(tmp_path / "data", "--workers", "2") as running, ExitStack() as opened:
        halves = [opened.enter_context(raw(running.host, running.port)) for _ in range(6)]
        message = encoded(message_1())
        for half in halves:
            half.take_welcome()
            half.send(message[:40])
        for pid in (*workers_of(running.process.pid), running.process.pid):
            os.kill(pid, signal.SIGTERM)
        for half in halves:
            half.send(message[40:])
            assert json.loads(half.rest())["status"] == STATUS_WAITING
            half.socket.close()
        assert running.process.wait() == 0


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--workers", "2") as running:
        watched = [os.pidfd_open(pid) for pid in workers_of(running.process.pid)]
        running.process.signal(signal.SIGKILL)
        for descriptor in watched:
            with open(descriptor, "rb", buffering=0) as worker:
                _wait_until_ended(worker.fileno())


def test_ctrl_c_at_a_terminal_lets_the_workers_finish_what_is_in_hand(tmp_path: Path) -> None:
    """The terminal sends it to its whole foreground group: a worker in that group would get it twice."""
    data = str(tmp_path / "data")
    command = [sys.executable, "-m", "tandem", "serve", "--workers", "2", "--listen", "127.0.0.1:0", "--data", data]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(command[0], command)
    try:
        said = b""
        while b"listening on" not in said or not said.endswith(b"\n"):
            said += os.read(terminal, 1000)
        port = int(said.split(b"listening on 127.0.0.1:")[1].split()[0])
        message = encoded(message_1())
        with raw("127.0.0.1", port) as half:
            half.take_welcome()
            half.send(message[:40])
            while b"later" not in said:  # its line says that the first half has arrived, too
                visit("127.0.0.1", port, encoded(message_1(teamname="later")))
                said += os.read(terminal, 1000)
            os.write(terminal, b"\x03")
            half.send(message[40:])
            assert json.loads(half.rest())["status"] == STATUS_WAITING
        _, status = os.waitpid(child, 0)
        child = 0
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)


def test_it_says_once_where_it_listens(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--workers", "2") as running:
        assert exchange(running, "Team1") == STATUS_FINISHED
        running.process.stop()
        assert len(re.findall("listening on", running.process.err)) == 1


def test_workers_that_cannot_start_are_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "tandem.sqlite3").write_bytes(b"no database" * 1000)
    code, _, err = tandem("serve", "--workers", "2", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
    assert (code, err.count("\n")) == (1, 1), err
    assert "cannot be used" in err


@pytest.mark.parametrize("workers", ["0", "65", "many"])
def test_a_number_of_workers_that_makes_no_sense_is_wrong_usage(workers: str) -> None:
    code, _, err = tandem("serve", "--workers", workers, "--listen", "127.0.0.1:0")
    assert code == 2
    assert workers in err


@pytest.mark.parametrize("first", ["1", "2"])
@pytest.mark.parametrize("second", ["1", "2"])
def test_two_servers_do_not_share_a_port_by_chance(tmp_path: Path, first: str, second: str) -> None:
    with running_server(tmp_path / "one", "--workers", first) as running:
        arguments = ("--listen", running.address, "--data", str(tmp_path / "two"), "--workers", second)
        with process("-m", "tandem", "serve", *arguments) as other:
            assert other.wait() == 1
            assert "in use" in other.err


def _wait_until_ended(descriptor: int) -> None:
    ready, _, _ = select.select([descriptor], [], [], LIMIT)
    assert ready, "a worker outlived its supervisor"
