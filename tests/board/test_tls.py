"""HTTPS by the board itself: the teacher logs in over it, and nothing that is no HTTPS takes a place for long."""

import contextlib
import http.client
import os
import signal
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.board.board_process import STOP_TIMEOUT_S
from tandem.board.web.tls import CertificateError, server_context
from testing.boards import (
    CERTIFICATE,
    KEY,
    TLS_OPTIONS,
    RunningBoard,
    running_board,
    team,
    token_of,
    with_limits,
    write_records,
)
from testing.processes import LIMIT, process, tandem, wait_until
from testing.visits import message_1

FOLDER = Path(__file__).parent / "certificate"


@contextlib.contextmanager
def connected(running: RunningBoard, source: str = "127.0.0.1") -> Iterator[http.client.HTTPSConnection]:
    host, _, port = running.address.removeprefix("https://").partition(":")
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    connection = http.client.HTTPSConnection(
        host, int(port), timeout=LIMIT, context=trusting, source_address=(source, 0)
    )
    with contextlib.closing(connection):
        yield connection


def get(running: RunningBoard, path: str, source: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    with connected(running, source) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def place(running: RunningBoard) -> tuple[str, int]:
    host, _, port = running.address.removeprefix("https://").partition(":")
    return host, int(port)


def test_a_teacher_logs_in_over_it_and_the_cookie_goes_nowhere_else(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(team(1)))
    with running_board(tmp_path, *TLS_OPTIONS, listen="0.0.0.0:0") as started:
        running = RunningBoard(started.process, started.url.replace("0.0.0.0", "127.0.0.1"))
        wait_until(lambda: get(running, "/healthz")[0] == 200)
        token = token_of(started.process)
        assert started.url.startswith("https://")
        assert "plain" not in started.process.err
        with connected(running) as connection:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/login", f"token={token}", form)
            answer = connection.getresponse()
            answer.read()
            cookie = answer.getheader("set-cookie") or ""
            assert answer.status == 303
            assert "secure" in cookie.lower()
            connection.request("GET", "/gradebook", headers={"Cookie": cookie.partition(";")[0]})
            assert connection.getresponse().status == 200
        assert get(running, "/metrics", Authorization=f"Bearer {token}")[0] == 200


def test_pages_and_streams_come_over_it(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(team(1)))
    with running_board(tmp_path, *TLS_OPTIONS) as running:
        wait_until(lambda: get(running, "/healthz")[0] == 200)
        with connected(running) as connection:
            for _ in range(3):
                connection.request("GET", "/class?name=INF2A")
                assert "Team 1" in connection.getresponse().read().decode()
            connection.request("GET", "/class/live?name=INF2A")
            assert connection.getresponse().readline().startswith(b"id: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_as_fast_while_some_watch_and_some_say_nothing(tmp_path: Path, number: int) -> None:
    write_records(tmp_path, message_1(team(1)))
    with running_board(tmp_path, *TLS_OPTIONS) as running, contextlib.ExitStack() as opened:
        wait_until(lambda: get(running, "/healthz")[0] == 200)
        for _ in range(3):
            opened.enter_context(socket.create_connection(place(running), timeout=LIMIT))
            connection = opened.enter_context(connected(running))
            connection.request("GET", "/class/live?name=INF2A")
            assert connection.getresponse().readline().startswith(b"id: ")
        running.process.signal(number)
        assert running.process.wait() == 0
        assert "Traceback" not in running.process.err
        assert "Cancel" not in running.process.err, f"it took all its time, which must be below {STOP_TIMEOUT_S} s"


NO_TLS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a message": b'{"studentnr1": "0923456"}',
    "zeros": bytes(1000),
    "half a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "nothing": b"",
}


@pytest.mark.parametrize("sent", NO_TLS.values(), ids=NO_TLS)
def test_what_is_no_tls_is_let_go_without_a_word(tmp_path: Path, sent: bytes) -> None:
    with running_board(tmp_path, *TLS_OPTIONS) as running:
        with socket.create_connection(place(running), timeout=LIMIT) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while connection.recv(1000):
                    pass
        assert get(running, "/")[0] == 200
        running.process.stop()
        assert "Traceback" not in running.process.err
        assert running.process.err.count("\n") == 3, "the token, how to make another, the address"


def test_who_never_ends_the_handshake_keeps_nobody_out(tmp_path: Path) -> None:
    """From one address, more than the board may have open; from another one pages are there all the time."""
    board = ("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(tmp_path), *TLS_OPTIONS)
    with process(*board, before=with_limits("-n 256")) as started, contextlib.ExitStack() as opened:
        running = RunningBoard(started, started.wait_for("listening on").rpartition(" ")[2])
        for _ in range(300):
            opened.enter_context(socket.create_connection(place(running), timeout=LIMIT))

        def is_there() -> bool:
            try:
                return get(running, "/", "127.0.0.2")[0] == 200
            except OSError:
                return False

        wait_until(is_there)
        assert is_there()
        assert "Traceback" not in started.err


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, tuple[Path, Path]]:
    """Pairs of files that are no certificate and its key."""
    junk, cut, empty, large, secret = (tmp_path / name for name in ("junk", "cut", "empty", "large", "secret"))
    junk.write_bytes(b"\xff\0junk" * 100)
    cut.write_text(CERTIFICATE.read_text()[:200])
    empty.touch()
    large.write_bytes(bytes(2_000_000))
    secret.write_text(KEY.read_text())
    secret.chmod(0)
    pairs = {
        "the key is of another certificate": (CERTIFICATE, FOLDER / "other.pem"),
        "the key has a password": (CERTIFICATE, FOLDER / "password.pem"),
        "not PEM, or not in this order: 1": (junk, KEY),
        "not PEM, or not in this order: 2": (CERTIFICATE, junk),
        "not PEM, or not in this order: 3": (cut, KEY),
        "not PEM, or not in this order: 4": (empty, KEY),
        "not PEM, or not in this order: 5": (KEY, CERTIFICATE),
        "more than 1,000,000 bytes": (large, KEY),
        "it is not a file": (tmp_path, KEY),
        "it is not a file: a device": (CERTIFICATE, Path("/dev/zero")),
        "there is no such file": (CERTIFICATE, tmp_path / "none"),
    }
    if os.geteuid() != 0:  # root may read it all the same
        pairs["Permission denied"] = (CERTIFICATE, secret)
    assert stat.S_IMODE(secret.stat().st_mode) == 0
    return pairs


def test_files_that_are_none_are_told_in_one_line(broken: dict[str, tuple[Path, Path]]) -> None:
    for words, (certificate, key) in broken.items():
        with pytest.raises(CertificateError) as told:
            server_context(certificate, key)
        assert words.partition(":")[0] in str(told.value)
        assert "\n" not in str(told.value)


def test_a_board_does_not_start_with_them(tmp_path: Path) -> None:
    options = ("--certfile", str(CERTIFICATE), "--keyfile", str(FOLDER / "other.pem"))
    code, out, err = tandem("board", "--listen", "127.0.0.1:0", "--data", str(tmp_path), *options)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert "the key is of another certificate" in err
    assert not list(tmp_path.iterdir()), "nothing was made, no token was shown"
