"""`tandem bench` as a process: against a real server, and against servers that do it wrong. No figure is judged."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.peers import work
from testing.other_side import Finish, Line, Send, Step, Wait, scripted_server
from testing.processes import LIMIT, ROOT, RunningServer, process, running_server, tandem

ENDLESS = ("--seconds", "600", "--rate", "50")  # until it is stopped
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


def bench(address: str, *options: str) -> tuple[int, dict[str, object], str]:
    """Its exit code, its JSON, and its standard error."""
    code, out, err = tandem("bench", "--server", address, "--format", "json", *options)
    return code, json.loads(out), err


def answer(line: Line) -> None:
    """The right reply to what came on this line, as a peer gives it."""
    line.socket.sendall(work.answer(line.came))


# A right server


def test_every_exchange_finishes_and_is_on_record(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        code, told, err = bench(running.address, "--count", "50", "--concurrency", "7")
        assert (code, told["finished"], told["failed"], err) == (0, 50, 0, "")
        rows = running.results()
        assert [row["state"] for row in rows] == ["finished"] * 50
        assert {row["classname"] for row in rows} == {"BENCH"}
        code, out, err = tandem("forget", "--data", str(running.data), "--class", "bench")
        assert (code, "removed 50 teams and 100 visits" in out, err) == (0, True, "")


def test_shows_a_table(shared: RunningServer) -> None:
    code, out, err = tandem("bench", "--server", shared.address, "--count", "3")
    assert (code, err) == (0, "")
    assert out.startswith(f"3 exchanges with {shared.address} in ")
    assert [line.split()[0] for line in out.splitlines()[3:7]] == ["ms", "exchange", "visit", "visit"]
    assert "tandem forget --class BENCH" in out.splitlines()[-1]


def test_ends_after_its_time(shared: RunningServer) -> None:
    code, told, _ = bench(shared.address, "--seconds", "0.2", "--concurrency", "2")
    assert (code, told["failed"], told["count"]) == (0, 0, None)


def test_keeps_to_a_rate_and_a_ramp(shared: RunningServer) -> None:
    code, told, _ = bench(shared.address, "--count", "20", "--rate", "200", "--ramp", "0.1")
    assert (code, told["finished"], told["rate"], told["ramp"]) == (0, 20, 200.0, 0.1)
    assert float(str(told["took_seconds"])) >= 19 / 200  # the last one is not due before


def test_with_a_rate_latency_counts_from_when_an_exchange_was_due() -> None:
    stalled = threading.Event()

    def stall_once(line: Line) -> None:
        stalled.wait(0.3 if not stalled.is_set() else 0.0)
        stalled.set()

    with scripted_server(Send(work.WELCOME), Wait.MESSAGE, stall_once, answer, Wait.END) as slow:
        code, told, _ = bench(slow.address, "--count", "10", "--rate", "1000", "--concurrency", "1")
    assert code == 0
    times = told["times_us"]
    assert isinstance(times, dict)
    assert times["exchange"]["p50"] > 250_000  # each had to wait for the first; one visit alone takes far less


@LINUX
def test_shows_the_cpu_time_of_the_server(shared: RunningServer) -> None:
    code, told, _ = bench(shared.address, "--count", "200", "--pid", str(shared.process.pid))
    cpu = told["server_cpu_us"]
    assert code == 0
    assert isinstance(cpu, dict)
    assert cpu["total"] > 0


def test_writes_json_to_a_file(shared: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    code, _, err = tandem("bench", "--server", shared.address, "--count", "5", "--output", str(file))
    assert (code, err) == (0, "")
    assert json.loads(file.read_text())["finished"] == 5


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals of this kind")
def test_shows_its_progress_on_a_terminal(shared: RunningServer) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "tandem", "bench", "--server", shared.address, "--seconds", "0.6"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, timeout=LIMIT, check=True)
    told = os.read(controller, 65536).decode()
    os.close(terminal)
    os.close(controller)
    assert " finished  0 failed" in told
    assert told.endswith("\r\x1b[K")
    assert b"\x1b" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals for one process")
@pytest.mark.parametrize(
    ("number", "by", "code"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 1)], ids=["INT", "TERM"]
)
def test_a_stopped_run_shows_what_was_measured_and_fails(
    shared: RunningServer, number: signal.Signals, by: str, code: int
) -> None:
    before = len(shared.results())  # other tests have left some there
    with process("-m", "tandem", "bench", "--server", shared.address, *ENDLESS) as running:
        while len(shared.results()) == before:
            pass
        running.signal(number)
        assert running.wait() == code
        assert f"; stopped by {by}\n" in running.out
        assert running.err == f"tandem: stopped by {by}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals for one process")
def test_ctrl_c_again_and_again_is_one_line(shared: RunningServer) -> None:
    before = len(shared.results())
    with process("-m", "tandem", "bench", "--server", shared.address, *ENDLESS) as running:
        while len(shared.results()) == before:
            pass
        until = time.monotonic() + LIMIT
        while not running.has_ended() and time.monotonic() < until:
            running.signal(signal.SIGINT)
            time.sleep(0.0003)
        assert running.wait() == 130
        assert running.err == "tandem: stopped by Ctrl-C\n"


# What servers do wrong


def status(words: str) -> Step:
    """A reply with another status."""
    wrong = work.answer(b"{}").replace(b"error: that is no right message", words.encode())
    return Send(wrong)


BROKEN: dict[str, tuple[list[Step], str]] = {
    "closes at once": ([Finish.CLOSE], "closed early"),
    "closes after the message": ([Send(work.WELCOME), Wait.MESSAGE, Finish.CLOSE], "closed early"),
    "resets": ([Send(work.WELCOME), Wait.MESSAGE, Finish.RESET], "reset"),
    "says nothing": ([Wait.END], "timeout"),
    "says nothing after the message": ([Send(work.WELCOME), Wait.MESSAGE, Wait.END], "timeout"),
    "refuses": ([Send(work.WELCOME), Wait.MESSAGE, status("error: no \\u001b[2J"), Wait.END], "wrong status"),
    "no message": ([Send(work.WELCOME), Wait.MESSAGE, Send(b"{nonsense}"), Wait.END], "bad reply"),
    "never the point": ([Send(b"x" * 20_000), Wait.END], "bad reply"),
}


@pytest.mark.parametrize(("script", "kind"), BROKEN.values(), ids=BROKEN)
def test_failures_are_counted_by_kind(script: list[Step], kind: str) -> None:
    with scripted_server(*script) as broken:
        code, told, err = bench(broken.address, "--count", "4", "--concurrency", "1", "--timeout", "0.3")
    assert (code, told["finished"], told["failed"], err) == (1, 0, 4, "")
    failures = told["failures"]
    assert isinstance(failures, list)
    assert {failure["kind"] for failure in failures} == {kind}
    assert sum(failure["count"] for failure in failures) == 4


def test_a_status_that_would_steer_the_terminal_is_escaped() -> None:
    with scripted_server(Send(work.WELCOME), Wait.MESSAGE, status("error: \\u001b[2J"), Wait.END) as broken:
        code, out, _ = tandem("bench", "--server", broken.address, "--count", "1")
    assert code == 1
    assert "visit 1  wrong status" in out
    assert "error: \\x1b[2J" in out


def test_what_came_before_a_timeout_is_shown_escaped() -> None:
    with scripted_server(Send(b"\x1b[2J nonsense"), Wait.END) as broken:
        code, out, _ = tandem("bench", "--server", broken.address, "--count", "1", "--timeout", "0.3")
    assert code == 1
    assert "visit 1  timeout: no complete answer in time: \\x1b[2J nonsense\n" in out


def test_a_failure_of_the_second_visit() -> None:
    def answer_first_only(line: Line) -> None:
        if b'"clientid": 1' in line.came:
            answer(line)
            line.play([Wait.END])
        else:
            line.play([Finish.RESET])

    with scripted_server(Send(work.WELCOME), Wait.MESSAGE, answer_first_only) as broken:
        code, told, _ = bench(broken.address, "--count", "1", "--concurrency", "1")
    assert code == 1
    assert told["failures"] == [{"kind": "reset", "visit": "visit 2", "came": "", "count": 1}]


def test_a_server_that_ends_during_the_run(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        pid = str(running.process.pid)
        command = ("-m", "tandem", "bench", "--server", running.address, *ENDLESS, "--format", "json", "--pid", pid)
        with process(*command) as loading:
            while not running.results():
                pass
            running.process.end()
            loading.signal(signal.SIGINT)
            assert loading.wait() == 130
            told = json.loads(loading.out)
    assert told["finished"] > 0
    assert told["stopped"]
    assert (told["server_cpu_us"], told["ended_pids"]) == (None, [int(pid)])


# What is asked for wrongly


def test_has_its_help() -> None:
    code, out, err = tandem("bench", "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: tandem bench ")


CANNOT_START: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "nobody listens": (lambda folder: ["--server", "127.0.0.1:1"], "cannot reach 127.0.0.1:1: "),
    "no such host": (lambda folder: ["--server", "nowhere.invalid:1"], "cannot reach nowhere.invalid:1: "),
    "no such folder": (
        lambda folder: ["--server", "127.0.0.1:1", "--output", str(folder / "none" / "run.json")],
        "there is no folder",
    ),
    "a folder": (lambda folder: ["--server", "127.0.0.1:1", "--output", str(folder)], ": Is a directory"),
}


@pytest.mark.parametrize(("arguments", "words"), CANNOT_START.values(), ids=CANNOT_START)
def test_what_cannot_start_is_one_line_and_exit_code_1(
    arguments: Callable[[Path], list[str]], words: str, tmp_path: Path
) -> None:
    code, out, err = tandem("bench", *arguments(tmp_path))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert words in err


@LINUX
def test_a_disk_that_is_full_in_the_end_does_not_lose_the_run(shared: RunningServer, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    code, told, err = bench(shared.address, "--count", "1", "--output", str(full))
    assert (code, told["finished"]) == (1, 1)
    assert err == f"tandem: {full} cannot be written: No space left on device\n"


@pytest.mark.parametrize("content", ["older", None], ids=["an older file", "a new file"])
def test_a_run_that_cannot_start_leaves_the_file_as_it_was(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    if content:
        file.write_text(content)
    code, _, err = tandem("bench", "--server", "127.0.0.1:1", "--output", str(file))
    assert (code, err.count("\n")) == (1, 1)
    assert (file.read_text() if file.exists() else None) == content


def test_an_older_file_is_replaced(shared: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text("x" * 100_000)
    assert tandem("bench", "--server", shared.address, "--count", "1", "--output", str(file))[0] == 0
    assert json.loads(file.read_text())["finished"] == 1


def test_a_ramp_of_nothing_is_the_default(shared: RunningServer) -> None:
    code, told, _ = bench(shared.address, "--count", "1", "--ramp", "0")
    assert (code, told["ramp"]) == (0, 0.0)


def test_a_process_that_is_not_there_is_one_line(shared: RunningServer) -> None:
    code, out, err = tandem("bench", "--server", shared.address, "--pid", str(2**31))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"no process {2**31}" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--count", "3"],
        ["--server", "127.0.0.1:none"],
        ["--server", ":1", "--concurrency", "0"],
        ["--server", ":1", "--concurrency", "10001"],
        ["--server", ":1", "--count", "-1"],
        ["--server", ":1", "--seconds", "0"],
        ["--server", ":1", "--seconds", "nan"],
        ["--server", ":1", "--rate", "inf"],
        ["--server", ":1", "--ramp", "x"],
        ["--server", ":1", "--ramp", "-1"],
        ["--server", ":1", "--ramp", "nan"],
        ["--server", ":1", "--output", ""],
        ["--server", ":1", "--timeout", "901"],
        ["--server", ":1", "--pid", "me"],
        ["--server", ":1", "--format", "xml"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    code, out, err = tandem("bench", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
