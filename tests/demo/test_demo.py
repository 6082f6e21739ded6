"""The demo as a student runs it: its three processes, its diagram, and that it leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tandem.demo.demo import TEAM, DemoError, demo
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from testing.processes import LIMIT, ROOT, wait_until

ARROW = re.compile(r"^ *(\d+\.\d) .* (\d) ([a-z][a-z0-9 ]+?) [-─]+ (\d+) B ", re.MULTILINE)


class Ended(NamedTuple):
    """How a demo ended."""

    code: int
    out: str
    err: str


class Stage:
    """Where demos run: with a folder of their own for what is temporary, in a process group of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.tricks = folder / "tricks"  # what stands there in sitecustomize.py, each child does when it starts
        self.tricks.mkdir()

    def start(
        self,
        *flags: str,
        cwd: Path = ROOT,
        env: dict[str, str] | None = None,
        stdout: int = subprocess.PIPE,
    ) -> "subprocess.Popen[str]":
        paths = os.pathsep.join(map(str, (ROOT, self.tricks)))
        with default_signals():
            return subprocess.Popen(
                [sys.executable, *flags, "-m", "tandem", "demo"],
                cwd=cwd,
                env=os.environ | {"TMPDIR": str(self.temporary), "PYTHONPATH": paths, "TERM": "xterm"} | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,
            )

    def end(self, running: "subprocess.Popen[str]") -> Ended:
        """Waits for the end of the demo, and looks that nothing is left of it."""
        out, err = running.communicate(timeout=LIMIT)
        with pytest.raises(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        assert list(self.temporary.iterdir()) == []
        return Ended(running.returncode, out or "", err)

    def run(self, *flags: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Ended:
        return self.end(self.start(*flags, cwd=cwd, env=env))

    def trick(self, words: Sequence[str], deed: str) -> None:
        """Makes the child with these words in its command line do something else."""
        wanted = f"set({list(words)!r}) <= set(sys.orig_argv)"
        (self.tricks / "sitecustomize.py").write_text(f"import os, sys, threading\nif {wanted}:\n    {deed}\n")


@contextmanager
def default_signals() -> Iterator[None]:
    """What is started meanwhile can be interrupted, even where we ourselves run in the background."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def assert_whole(out: str) -> None:
    """The seven arrows in order, with times that grow and the bytes; the result; how to go on."""
    arrows = ARROW.findall(out)
    assert [(int(number), name) for _, number, name, _ in arrows] == [(n, what) for n, (_, _, what) in ARROWS.items()]
    times = [float(time) for time, *_ in arrows]
    assert times == sorted(times)
    sizes = [int(size) for *_, size in arrows]
    assert sizes[1] > len(TEAM.encode())
    assert sizes[2] == sizes[3] == sizes[5] == sizes[6] > sizes[1] > sizes[0] == sizes[4]
    assert len(re.findall(r"\b[0-9a-f]{64}\b", out)) == 1
    assert "* status  Finished successfully" in out
    assert re.search(r"^INF2A +Team1 +0923456 0934567 +finished +2$", out, re.MULTILINE)
    for command in ("serve --listen", "client 2 TEAM.json --server", "client 1 TEAM.json --server"):
        assert f"\n  python3 -m tandem {command}" in out
    assert max(map(len, out.splitlines())) < 80
    assert len(out.splitlines()) <= 46  # so that most screens hold it


def test_shows_the_whole_exchange(stage: Stage) -> None:
    ended = stage.run(env={"PYTHONIOENCODING": "utf-8"})
    assert (ended.code, ended.err) == (0, "")
    assert_whole(ended.out)
    assert "│" in ended.out
    assert "\x1b" not in ended.out


def test_bare_python_from_elsewhere_on_an_ascii_terminal(stage: Stage) -> None:
    elsewhere = stage.folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("socket.py", "json.py", "tandem.py"):
        (elsewhere / name).write_text("raise SystemExit('a file of the user took the place of a module')\n")
    ended = stage.run("-S", "-P", cwd=elsewhere, env={"PYTHONIOENCODING": "ascii"})
    assert (ended.code, ended.err) == (0, "")
    assert_whole(ended.out)
    assert ended.out.isascii()


@pytest.mark.parametrize(
    ("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colours_on_a_terminal(stage: Stage, env: dict[str, str], coloured: bool) -> None:
    wanted = {"NO_COLOR": "", "PYTHONIOENCODING": "utf-8"} | env
    ours, theirs = os.openpty()
    running = stage.start(env=wanted, stdout=theirs)
    os.close(theirs)
    out = read_terminal(ours)
    assert stage.end(running).code == 0
    assert ("\x1b[" in out) == coloured
    assert_whole(re.sub(r"\x1b\[\d+m", "", out).replace("\r\n", "\n"))


def read_terminal(descriptor: int) -> str:
    """Everything that is written to the terminal until nobody has it open any more."""
    came = b""
    try:
        while data := os.read(descriptor, 65536):
            came += data
    except OSError:
        pass  # how Linux says that the other side has closed
    os.close(descriptor)
    return came.decode()


def test_a_server_that_cannot_start(stage: Stage) -> None:
    ended = stage.run(env={"TANDEM_KEY": "rubbish"})
    assert ended.code == 1
    assert ended.err.startswith("tandem: the demo's server ended with exit code 1; its last line: ")
    assert "TANDEM_KEY" in ended.err
    assert ended.err.count("\n") == 1


CHILDREN = {SERVER: ("serve",), CLIENT_2: ("tandem.client", "2"), CLIENT_1: ("tandem.client", "1")}


@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_that_fails_is_named(stage: Stage, name: str) -> None:
    stage.trick(CHILDREN[name], "print('no such luck', flush=True); os._exit(7)")
    ended = stage.run()
    assert ended.code == 1
    assert ended.err == f"tandem: the demo's {name} ended with exit code 7; its last line: no such luck\n"


@pytest.mark.parametrize("name", CHILDREN)
@pytest.mark.parametrize(
    ("numbers", "code", "told"),
    [
        ([signal.SIGINT], 130, "stopped by Ctrl-C"),
        ([signal.SIGTERM], 1, "the demo was ended by SIGTERM"),
        ([signal.SIGHUP], 1, "the demo was ended by SIGHUP"),
        ([signal.SIGINT, signal.SIGINT], 130, "stopped by Ctrl-C"),
        ([signal.SIGTERM, signal.SIGTERM], 1, "the demo was ended by SIGTERM"),
    ],
)
def test_ended_in_the_middle(stage: Stage, name: str, numbers: list[signal.Signals], code: int, told: str) -> None:
    reached = stage.folder / "reached"
    stage.trick(CHILDREN[name], f"open({str(reached)!r}, 'w').close(); threading.Event().wait()")
    running = stage.start()
    wait_until(reached.exists)
    for number in numbers:
        running.send_signal(number)
    ended = stage.end(running)
    assert (ended.code, ended.err) == (code, f"tandem: {told}\n")


def test_standard_output_is_closed_by_its_reader(stage: Stage) -> None:
    ours, theirs = os.pipe()
    running = stage.start(stdout=theirs)
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)
    assert stage.end(running) == (1, "", "")


def test_no_room_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(DemoError, match="this system does not let the demo run"):
        demo()
