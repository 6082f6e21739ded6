"""The count of the way through the code, once, and of another checkout. No figure is judged."""

import re
import sys
from pathlib import Path

import pytest

from bench import message_path


def counted(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(message_path, "QUIET", 0.3)
    monkeypatch.setattr(sys, "argv", ["bench.message_path", *arguments])
    return message_path.main()


def test_counts_every_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert counted(monkeypatch, "--repeats", "1", "--files") == 0
    lines = capsys.readouterr().out.splitlines()
    statuses = ["waiting for message 2", "Finished successfully", "Finished successfully", "error: "]
    for name, status, line, files in zip(message_path.MESSAGES, statuses, lines[::2], lines[1::2], strict=True):
        assert line.startswith(f"{name} ")
        assert f"; {status}" in line
        count = re.search(r"(\d+) files, +(\d+) functions, +(\d+) calls between files, +(\d+) calls", line)
        assert count
        many, functions, between, calls = map(int, count.groups())
        assert 1 < many <= functions <= calls
        assert many <= between <= calls  # each file was entered from another
        assert len(files.split()) == many


def test_a_folder_that_is_no_checkout_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert counted(monkeypatch, str(tmp_path)) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("bench.message_path: tandem did not start: ")
