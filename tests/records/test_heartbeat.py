"""The heartbeat file: only a regular file of this user. Nothing is followed, and nothing is waited for."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tandem.records.data_folder import DataFolderError
from tandem.records.heartbeat import FILE, beat, check_heartbeat, create_heartbeat, heartbeat_age_s
from testing.processes import tandem


def make(kind: str, folder: Path) -> None:
    """Put something of this kind in the place of the file."""
    path = folder / FILE
    if kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a socket":
        with closing(socket.socket(socket.AF_UNIX)) as bound:
            bound.bind(FILE)  # relative: the name of a socket has at most 108 bytes
    else:
        path.symlink_to(folder / "other")


@pytest.mark.parametrize("has_target", [True, False], ids=["", "broken"])
@pytest.mark.parametrize("kind", ["a named pipe", "a folder", "a socket", "a symbolic link"])
def test_another_kind_of_file_is_refused_and_left_alone(
    kind: str, has_target: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_heartbeat(tmp_path)
    make(kind, tmp_path)
    other = tmp_path / "other"
    if has_target:
        other.touch()
        os.utime(other, (1, 1))
    with pytest.raises(DataFolderError, match=f"{FILE} is {kind}, not a file. Try: move it away"):
        check_heartbeat(tmp_path)
    create_heartbeat(tmp_path)  # as if it had come after the check
    beat(tmp_path)
    assert other.exists() == has_target
    assert not has_target or other.stat().st_mtime == 1


def test_the_time_of_the_target_of_a_link_is_no_heartbeat(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    os.utime(tmp_path / "other", (1, 1))
    (tmp_path / FILE).symlink_to("other")
    age_s = heartbeat_age_s(tmp_path)
    assert age_s is not None
    assert age_s < 1_000_000_000


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_heartbeat(tmp_path)
    check_heartbeat(tmp_path)
    user = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(DataFolderError, match="belongs to "):
        check_heartbeat(tmp_path)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_does_not_start_with_a_pipe_in_its_place(workers: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    options = ("--listen", "127.0.0.1:0", "--data", str(tmp_path), "--workers", workers)
    code, out, err = tandem("serve", *options)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"the heartbeat file {tmp_path / FILE} is a named pipe, not a file" in err
