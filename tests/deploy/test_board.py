"""The board behind a real HAProxy, with deploy/haproxy-board.cfg: the address that counts is the browser's own."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from tandem.board.web.auth import WRONG_TOKENS
from testing.boards import CERTIFICATE, KEY, RunningBoard, running_board, team, token_of, write_records
from testing.deploy.tools import DEPLOY, run, tool
from testing.processes import LIMIT, wait_until
from testing.visits import message_1

NAME = "board.example.org"
CONFIGURATION = (DEPLOY / "haproxy-board.cfg").read_text(encoding="utf-8")
FORGED = ("198.51.100.1", "127.0.0.1", "::1", "198.51.100.2, 198.51.100.3", "unknown", "")
Lines = Sequence[tuple[str, str]]


def free_port() -> int:
    """A port that nobody has just now; HAProxy cannot tell which one it took."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Site:
    """A board and its proxy."""

    board: RunningBoard
    https: int
    http: int
    token: str

    def ask(
        self, method: str, path: str, body: str = "", source: str = "127.0.0.1", more: Lines = ()
    ) -> tuple[int, Message, str]:
        """Over HTTPS, from an address of this machine, with header lines as they stand here."""
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        raw = socket.create_connection(("127.0.0.1", self.https), timeout=LIMIT, source_address=(source, 0))
        with raw, trusting.wrap_socket(raw, server_hostname=NAME) as encrypted:
            form = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
            heads = [("Host", NAME), *more, *(form if body else [])]
            lines = "".join(f"{name}: {value}\r\n" for name, value in heads)
            encrypted.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n{body}".encode())
            answer = http.client.HTTPResponse(encrypted)
            answer.begin()
            with answer:
                return answer.status, answer.headers, answer.read().decode()

    def guess(self, source: str, more: Lines = ()) -> int:
        """The status that a wrong token gets."""
        return self.ask("POST", "/login", "token=wrong", source, more)[0]


@contextlib.contextmanager
def haproxy(configuration: str, port: int) -> Iterator[None]:
    """HAProxy with this configuration, which it reads as standard input; killed at the end of the block."""
    program = tool("haproxy")
    running = subprocess.Popen([program, "-db", "-f", "/dev/stdin"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert running.stdin
        with running.stdin as told:
            told.write(configuration.encode())

        def listens() -> bool:
            assert running.poll() is None, "haproxy has ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=LIMIT):
                return True
            return False

        wait_until(listens)
        yield
    finally:
        running.kill()
        running.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    write_records(tmp_path / "data", message_1(team(1)))
    pair = tmp_path / "board.pem"
    pair.write_text(CERTIFICATE.read_text() + KEY.read_text())
    with running_board(tmp_path / "data", "--behind", NAME) as board:
        token, https, http = token_of(board.process), free_port(), free_port()
        changes = {
            "/etc/haproxy/board.pem": str(pair),
            "bind :443": f"bind 127.0.0.1:{https}",
            "bind :80\n": f"bind 127.0.0.1:{http}\n",
            "127.0.0.1:8080\n": f"{board.address}\n",
        }
        if os.geteuid() != 0:
            changes |= {"    user haproxy\n": "", "    group haproxy\n": ""}
        _, configuration = CONFIGURATION.split("\n\n", 1)  # the comment at the top has the addresses, too
        for before, after in changes.items():
            assert before in configuration
            configuration = configuration.replace(before, after)
        with haproxy(configuration, https):
            yield Site(board, https, http, token)
            assert "Traceback" not in board.process.err


def test_haproxy_accepts_the_example(tmp_path: Path) -> None:
    (tmp_path / "board.pem").write_text(CERTIFICATE.read_text() + KEY.read_text())
    example = tmp_path / "haproxy-board.cfg"
    example.write_text(CONFIGURATION.replace("/etc/haproxy/board.pem", str(tmp_path / "board.pem")))
    done = run(tool("haproxy"), "-c", "-f", str(example))
    assert done.returncode == 0, done.stderr
    assert shutil.which("haproxy")


@pytest.mark.parametrize("forged", FORGED, ids=repr)
def test_who_guesses_is_held_up_whatever_address_it_makes_up_and_others_are_not(site: Site, forged: str) -> None:
    def lines(number: int) -> Lines:
        """Another one each time, as the header that a client may send, and those that it may not."""
        address = forged.replace("198.51.100.", f"198.51.{number}.")
        return [("X-Forwarded-For", address), ("X-Forwarded-For", address), ("Forwarded", f"for={address}")]

    codes = [site.guess("127.0.0.5", lines(number)) for number in range(WRONG_TOKENS[0] + 5)]
    assert codes == [403] * WRONG_TOKENS[0] + [429] * 5
    assert site.guess("127.0.0.6") == 403, "another browser is not held up"
    victim = site.guess("127.0.0.7", [("X-Forwarded-For", "127.0.0.5")])
    assert victim == 403, "nor does a made-up address bring one in the place of another"
    assert site.ask("POST", "/login", f"token={site.token}", "127.0.0.5")[0] == 303, "the right token is not held up"


def test_many_browsers_are_told_apart(site: Site) -> None:
    for source in ("127.0.0.5", "127.0.0.6", "127.0.0.7"):
        codes = [site.guess(source) for _ in range(WRONG_TOKENS[0] + 1)]
        assert codes == [403] * WRONG_TOKENS[0] + [429]


def test_a_teacher_logs_in_and_out_and_the_cookie_is_for_https_alone(site: Site) -> None:
    status, headers, _ = site.ask("POST", "/login", f"token={site.token}")
    cookie = str(headers["set-cookie"])
    assert (status, "Secure" in cookie, "HttpOnly" in cookie) == (303, True, True)
    assert headers["strict-transport-security"]
    mine = [("Cookie", cookie.partition(";")[0])]
    status, _, page = site.ask("GET", "/gradebook", more=mine)
    assert status == 200
    [form_token, *_] = re.findall(r'name="form_token" value="(\w+)"', page)
    assert site.ask("POST", "/logout", f"form_token={form_token}", more=mine)[0] == 303
    assert site.ask("GET", "/gradebook", more=mine)[0] == 303, "the cookie is worth nothing any more"


def test_plain_http_leads_to_https_and_one_that_is_passed_on_takes_no_token(site: Site) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", site.http, timeout=LIMIT)) as plain:
        plain.request("GET", "/login", headers={"Host": NAME})
        answer = plain.getresponse()
        assert (answer.status, answer.headers["location"]) == (301, f"https://{NAME}/login")
    without = contextlib.closing(http.client.HTTPConnection(site.board.address, timeout=LIMIT))
    with without as past:  # as a proxy would pass it on that has no HTTPS
        past.request("GET", "/login", headers={"Host": NAME, "X-Forwarded-For": "192.0.2.9"})
        assert past.getresponse().status == 403


def test_two_lengths_do_not_come_through(site: Site) -> None:
    more = [("Transfer-Encoding", "chunked"), ("Content-Length", "4")]
    heads = "".join(f"{name}: {value}\r\n" for name, value in [("Host", NAME), *more])
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    raw = socket.create_connection(("127.0.0.1", site.https), timeout=LIMIT)
    with raw, trusting.wrap_socket(raw, server_hostname=NAME) as encrypted:
        hidden = f"GET /hidden HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
        encrypted.sendall(f"POST /check HTTP/1.1\r\n{heads}\r\n0\r\n\r\n{hidden}".encode())
        encrypted.settimeout(LIMIT)
        came = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while piece := encrypted.recv(65_536):
                came += piece
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", came)
    assert statuses in ([b"400"], [b"200"]), "refused, or read in one way by both; what is hidden is never answered"


def test_live_pages_come_through_at_once(site: Site) -> None:
    wait_until(lambda: site.ask("GET", "/healthz")[0] == 200)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    raw = socket.create_connection(("127.0.0.1", site.https), timeout=LIMIT)
    with raw, trusting.wrap_socket(raw, server_hostname=NAME) as encrypted:
        encrypted.sendall(f"GET /class/live?name=INF2A HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(encrypted)
        answer.begin()
        with answer:
            assert answer.readline().startswith(b"id: ")
