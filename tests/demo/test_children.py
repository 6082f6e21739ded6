"""Child processes: heard, judged by how they end, and ended whatever happens."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.demo.children import END, Child, ChildFailedError, Children

FOREVER = "import threading; threading.Event().wait()"


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    with Children(tmp_path) as started:
        yield started


def hear_all(children: Children, child: Child) -> list[str]:
    """Its lines to its end."""
    lines = []
    while not child.ended:
        lines.append(children.hear(child)[1])
    return lines


def test_hears_both_outputs_line_by_line(children: Children) -> None:
    program = "import sys; print('one', flush=True); print('two', file=sys.stderr, flush=True); print('thrée')"
    assert hear_all(children, children.start("talker", "-c", program)) == ["one\n", "two\n", "thrée\n", END]


def test_finds_the_package_in_a_folder_of_its_own(children: Children, tmp_path: Path) -> None:
    program = "import os, tandem; print(os.getcwd())"
    assert Path(hear_all(children, children.start("finder", "-c", program))[0].strip()).samefile(tmp_path)


def test_one_that_fails_is_named_with_its_last_words(children: Children) -> None:
    program = "import sys; print('first', flush=True); sys.exit('no such luck\\n \\n')"
    failing = children.start("unlucky", "-c", program)
    with pytest.raises(ChildFailedError) as trouble:
        hear_all(children, failing)
    assert (trouble.value.name, trouble.value.what) == ("unlucky", "ended with exit code 1")
    assert trouble.value.last_words == "no such luck"


def test_one_that_fails_is_named_while_another_is_awaited(children: Children) -> None:
    children.start("unlucky", "-c", "raise SystemExit(3)")
    with pytest.raises(ChildFailedError, match="unlucky"):
        children.hear(awaited=children.start("other", "-c", FOREVER))


def test_one_that_hangs_is_named(tmp_path: Path) -> None:
    with Children(tmp_path, limit=0.01) as children:
        hanging = children.start("dreamer", "-c", FOREVER)
        with pytest.raises(ChildFailedError) as trouble:
            children.hear(hanging)
    assert (trouble.value.name, trouble.value.what) == ("dreamer", "was not done within 0.01 s")


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
            child.settle()


def test_one_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.demo.children.GRACE", 0.01)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {FOREVER}"
    with Children(tmp_path) as children:
        child = children.start("deaf", "-c", deaf)
        assert children.hear(child) == (child, "deaf\n")
    with pytest.raises(ChildFailedError, match="exit code"):
        child.settle()


def test_one_that_closes_its_output_and_goes_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.demo.children.GRACE", 0.01)
    with Children(tmp_path) as children:
        silent = children.start("silent", "-c", f"import os; os.close(1); os.close(2); {FOREVER}")
        with pytest.raises(ChildFailedError, match="does not end"):
            children.hear(silent)


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
