"""The demo's processes: their output is read, their exit codes are checked, and they are ended in any case."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.demo.children import END_OF_OUTPUT, Child, ChildFailedError, Children

FOREVER = "import threading; threading.Event().wait()"


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    with Children(tmp_path) as started:
        yield started


def read_all(children: Children, child: Child) -> list[str]:
    """Its lines to its end."""
    lines = []
    while not child.has_ended:
        lines.append(children.read_line(child)[1])
    return lines


def test_reads_both_outputs_line_by_line(children: Children) -> None:
    program = "import sys; print('one', flush=True); print('two', file=sys.stderr, flush=True); print('thrée')"
    assert read_all(children, children.start("talker", "-c", program)) == ["one\n", "two\n", "thrée\n", END_OF_OUTPUT]


def test_finds_the_package_in_a_folder_of_its_own(children: Children, tmp_path: Path) -> None:
    program = "import os, tandem; print(os.getcwd())"
    assert Path(read_all(children, children.start("finder", "-c", program))[0].strip()).samefile(tmp_path)


def test_one_that_fails_is_named_with_its_last_line(children: Children) -> None:
    program = "import sys; print('first', flush=True); sys.exit('no such luck\\n \\n')"
    failing = children.start("unlucky", "-c", program)
    with pytest.raises(ChildFailedError) as caught:
        read_all(children, failing)
    assert (caught.value.name, caught.value.what) == ("unlucky", "ended with exit code 1")
    assert caught.value.last_line == "no such luck"


def test_one_that_fails_is_named_while_another_is_awaited(children: Children) -> None:
    children.start("unlucky", "-c", "raise SystemExit(3)")
    with pytest.raises(ChildFailedError, match="unlucky"):
        children.read_line(awaited=children.start("other", "-c", FOREVER))


def test_one_that_hangs_is_named(tmp_path: Path) -> None:
    with Children(tmp_path, time_limit_s=0.01) as children:
        hanging = children.start("dreamer", "-c", FOREVER)
        with pytest.raises(ChildFailedError) as caught:
            children.read_line(hanging)
    assert (caught.value.name, caught.value.what) == ("dreamer", "was not done within 0.01 s")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_all_have_ended_after_the_block(tmp_path: Path, error: type[BaseException]) -> None:
    started: list[Child] = []

    def run_into_an_error() -> None:
        with Children(tmp_path) as children:
            started.extend(children.start(name, "-c", FOREVER) for name in ("a", "b", "c"))
            raise error

    with pytest.raises(error):
        run_into_an_error()
    assert len(started) == 3
    for child in started:
        with pytest.raises(ChildFailedError, match="exit code"):  # which only a process that has ended has
            child.check_exit_code()


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.demo.children.STOP_TIMEOUT_S", 0.01)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {FOREVER}"
    with Children(tmp_path) as children:
        child = children.start("deaf", "-c", deaf)
        assert children.read_line(child) == (child, "deaf\n")
    with pytest.raises(ChildFailedError, match="exit code"):
        child.check_exit_code()


def test_one_that_closes_its_output_and_goes_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.demo.children.STOP_TIMEOUT_S", 0.01)
    with Children(tmp_path) as children:
        silent = children.start("silent", "-c", f"import os; os.close(1); os.close(2); {FOREVER}")
        with pytest.raises(ChildFailedError, match="does not end"):
            children.read_line(silent)


def test_a_signal_while_a_child_starts_leaves_none_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
        process = real(*arguments, **options)
        started.append(process)
        signal.raise_signal(signal.SIGINT)
        return process

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt), Children(tmp_path) as children:
        children.start("dreamer", "-c", FOREVER)
    assert [process.poll() is not None for process in started] == [True]
