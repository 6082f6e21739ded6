"""The command: what it prints, and how it refuses."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.cli import main
from tandem.commands.explain import MAX_TEXT_BYTES
from tandem.explain.entries import ENTRIES

PAGE = (Path(__file__).parents[2] / "docs" / "mistakes.md").read_text(encoding="utf-8")


def test_the_first_entry_in_full_and_two_by_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "it works on one laptop, not on two: connection refused"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Client 2 listens on the wrong address (wrong-bind-address)\n")
    assert [out.count(f"\n{label}: ") for label in ("You see", "Why", "Do", "More")] == [1, 1, 1, 1]
    assert "\n  not-listening        Client 2 is not running\n" in out
    assert len(out.partition("Others")[2].splitlines()) <= 3


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--format", "json", "111"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["found"]) == ["id", "title", "see", "why", "do", "page"]
    assert [each["id"] for each in told["others"]] == ["wrong-bind-address"]


@pytest.mark.parametrize("id", ENTRIES)
def test_every_entry_can_be_shown_and_stands_on_the_page(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", id]) == 0
    assert f"({id})\n" in capsys.readouterr().out
    assert f" {ENTRIES[id].heading}\n" in PAGE


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("how do I bake a pizza", 1, "nothing fits. Try: "),
        ("x" * (MAX_TEXT_BYTES + 1), 1, "the text has more than 65,536 bytes. Try: "),
        (" ", 2, "it is empty"),
        ("\x1b[31m", 1, "nothing fits. Try: "),
    ],
)
def test_one_line_if_it_finds_nothing(text: str, code: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        done = main(["explain", text])
    except SystemExit as end:
        done = int(str(end.code))
    out, err = capsys.readouterr()
    assert (done, out, err.count("\n")) == (code, "", 1)
    assert told in err


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"x\nOSError: [Errno 98] \xff\n", 0), (b"", 1), (b"\xff" * 70_000, 1), (b"\0", 1)],
)
def test_standard_input(
    data: bytes, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
    assert main(["explain", "-"]) == code
    assert ("(port-in-use)" in capsys.readouterr().out) == (code == 0)


def test_a_closed_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["explain", "-"]) == 1
    assert "standard input is closed" in capsys.readouterr().err
