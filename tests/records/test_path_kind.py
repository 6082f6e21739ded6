"""What is at a path, in words, and why it cannot be opened."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.records.data_folder import DataFolderError, check_is_folder
from tandem.records.path_kind import path_kind, reason

NAMES = ("file", "folder", "pipe", "socket", "device", "broken", "loop", "missing", "file/below", "broken/below")
KINDS = dict(
    zip(
        NAMES,
        (
            "a file",
            "a folder",
            "a named pipe",
            "a socket",
            "a device",
            "a broken symbolic link (to nowhere)",
            "a symbolic link that leads back to itself",
            "",
            "",
            "",
        ),
        strict=True,
    )
)
TOO_LONG = "x" * 300


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("device").symlink_to("/dev/null")
    Path("broken").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind("socket")  # relative: the name of a socket has at most 108 bytes
        yield tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_has_its_words(here: Path, name: str) -> None:
    assert path_kind(here / name) == KINDS[name]


def test_a_name_that_the_system_does_not_take_is_an_error(here: Path) -> None:
    with pytest.raises(OSError, match="File name too long"):
        path_kind(here / TOO_LONG)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("socket", "it is a socket"),
        ("pipe", "it is a named pipe that no program reads"),
        ("broken", "it is a broken symbolic link (to nowhere)"),
        ("loop", "it is a symbolic link that leads back to itself"),
        ("folder", "Is a directory"),
        ("missing", "No such file or directory"),
        (TOO_LONG, "File name too long"),
    ],
)
def test_the_reason_is_what_is_there(here: Path, name: str, words: str) -> None:
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        os.close(os.open(here / name, os.O_WRONLY | os.O_NONBLOCK))
    assert reason(here / name, caught.value) == words


@pytest.mark.parametrize("name", ["folder", "missing", "folder/missing/below"])
def test_a_folder_may_be_missing(here: Path, name: str) -> None:
    check_is_folder(here / name)
    check_is_folder(Path(name))


@pytest.mark.parametrize("name", ["file", "pipe", "socket", "device", "broken", "loop", "file/below", "broken/below/x"])
def test_what_is_in_the_place_of_a_folder_is_named(here: Path, name: str) -> None:
    first = Path(name).parts[0]
    with pytest.raises(DataFolderError) as caught:
        check_is_folder(Path(name))
    assert caught.value.what == f"{first} is {KINDS[first]}, not a folder"
