"""The board as a process: starting, stopping, beside a server, what keeps it from starting."""

import errno
import http.client
import json
import os
import signal
import stat
from pathlib import Path

import pytest

from tandem.board.board_process import board_process
from tandem.board.gradebook.board_store import FILE
from tandem.board.web.http_connections import BAD_FORM_MESSAGE
from testing.boards import RunningBoard, running_board, team, token_of, write_records
from testing.processes import ROOT, process, running_server, tandem, wait_until
from testing.visits import message_1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_shows_what_is_there_and_a_signal_ends_it_with_exit_code_0(tmp_path: Path, number: int) -> None:
    write_records(tmp_path, message_1(team(1)))
    with running_board(tmp_path) as running:
        wait_until(lambda: running.get("/healthz")[0] == 200)
        assert "Team 1" in running.get("/class?name=INF2A")[1]
        watching = http.client.HTTPConnection(running.address, timeout=20)
        watching.request("GET", "/class/live?name=INF2A")
        stream = watching.getresponse()
        assert stream.readline().startswith(b"id: ")
        running.process.signal(number)
        assert running.process.wait() == 0
        watching.close()
        assert "Traceback" not in running.process.err


def test_the_token_is_shown_once_and_can_be_renewed_while_it_runs(tmp_path: Path) -> None:
    def opens(running: RunningBoard, token: str) -> bool:
        connection = http.client.HTTPConnection(running.address, timeout=20)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        return status == 200

    with running_board(tmp_path) as running:
        first = token_of(running.process)
        assert opens(running, first)
        code, out, err = tandem("board", "token", "rotate", "--data", str(tmp_path))
        assert (code, err) == (0, "")
        second = out.strip().rpartition(" ")[2]
        assert (opens(running, first), opens(running, second)) == (False, True)
    with running_board(tmp_path) as running:
        assert "shown this once" not in running.process.err
        assert opens(running, second)
    assert first.encode() not in (tmp_path / FILE).read_bytes()


def test_its_file_and_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    with running_board(tmp_path / "data"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_beside_a_server_it_ends_with_it(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--board", "127.0.0.1:0") as serving:
        url = serving.process.wait_for("listening on http").rpartition(" ")[2]
        running = RunningBoard(serving.process, url)
        wait_until(lambda: running.get("/healthz")[0] == 200)
        serving.process.signal(signal.SIGTERM)
        assert serving.process.wait() == 0
        with pytest.raises(OSError, match="refused"):
            running.get("/healthz")


def test_a_server_that_is_killed_takes_its_board_along(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--board", "127.0.0.1:0") as serving:
        url = serving.process.wait_for("listening on http").rpartition(" ")[2]
        running = RunningBoard(serving.process, url)
        assert running.get("/")[0] == 200
        serving.process.signal(signal.SIGKILL)

        def has_ended() -> bool:
            try:
                running.get("/healthz")
            except OSError:
                return True
            return False

        wait_until(has_ended)


def test_a_board_that_cannot_start_does_not_keep_the_server_from_it(tmp_path: Path) -> None:
    with (
        running_board(tmp_path / "one") as first,
        running_server(tmp_path / "two", "--board", first.address) as serving,
    ):
        serving.process.wait_for("the board has ended; the server continues without it")
        assert serving.results() == []


def test_a_service_that_may_not_change_priorities_has_its_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbidden)
    write_records(tmp_path, message_1())
    told = ""

    def listens() -> bool:
        nonlocal told
        told += "".join(capfd.readouterr())
        return "listening on http" in told

    with board_process(("127.0.0.1", 0), tmp_path, ""):
        wait_until(listens)


CANNOT_START = {
    "not an address of this machine": (("--listen", "192.0.2.1:0"), 1, "cannot listen on 192.0.2.1:0"),
    "no such host": (("--listen", "nowhere.invalid:0"), 1, "cannot listen on nowhere.invalid:0"),
    "no port": (("--listen", "127.0.0.1:x"), 2, "the port 'x'"),
    "no database": (("--database", "mysql://x"), 2, "a database is given as postgresql://"),
    "a proxy, and open to all": (("--behind", "board.example.org", "--listen", "0.0.0.0:0"), 2, "come past the proxy"),
    "a proxy, and open to all by no host": (("--behind", "board.example.org", "--listen", ":0"), 2, "past the proxy"),
    "a proxy, and open to IPv6": (("--behind", "board.example.org", "--listen", "[::]:0"), 2, "come past the proxy"),
    "a proxy, and open to a network": (("--behind", "board.example.org", "--listen", "192.0.2.1:0"), 2, "past the pro"),
    "a proxy with an address for a name": (("--behind", "https://board.example.org/"), 2, "is not a host name"),
    "a proxy with a port": (("--behind", "board.example.org:443"), 2, "is not a host name"),
    "a proxy without a name": (("--behind", ""), 2, "is not a host name"),
    "a certificate without a key": (("--certfile", "x"), 2, "--certfile needs --keyfile"),
    "a key without a certificate": (("--keyfile", "x"), 2, "--keyfile needs --certfile"),
    "a proxy and a certificate": (
        ("--behind", "board.example.org", "--certfile", "x", "--keyfile", "y"),
        *(2, "the proxy has the certificate"),
    ),
    "no certificate there": (("--certfile", "none", "--keyfile", "none"), 1, "there is no such file"),
    "no need to be insecure": (("--insecure-login",), 2, "--insecure-login needs a --listen address that other"),
    "secure and insecure": (
        ("--listen", "0.0.0.0:0", "--certfile", "x", "--keyfile", "y", "--insecure-login"),
        *(2, "--insecure-login cannot be used with --certfile"),
    ),
}


@pytest.mark.parametrize(("options", "code", "words"), CANNOT_START.values(), ids=CANNOT_START)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    ended, out, err = tandem("board", "--data", str(tmp_path), *options)
    assert (ended, out, err.count("\n")) == (code, "", 1), err
    assert words in err


def test_a_port_in_use_and_a_folder_that_is_none_are_one_line(tmp_path: Path) -> None:
    with running_board(tmp_path) as first:
        (tmp_path / "two").mkdir()
        code, _, err = tandem("board", "--listen", first.address, "--data", str(tmp_path / "two"))
        assert (code, err.count("\n")) == (1, 1)
        assert "in use" in err
    (tmp_path / "file").write_text("")
    code, _, err = tandem("board", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "file"))
    assert (code, err.count("\n")) == (1, 1)
    code, _, err = tandem("board", "token", "rotate", "--data", str(tmp_path / "file"))
    assert (code, err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "command", [("board",), ("serve", "--board", "127.0.0.1:0", "--listen", "127.0.0.1:0")], ids=str
)
def test_without_its_extra_one_line_says_what_to_install(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A Python without any packages: what it would find is hidden."""
    arguments = [*command, "--data", str(tmp_path)]
    run = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = {arguments!r};"
    with process("-S", "-c", f"{run} from tandem.__main__ import run; run()") as started:
        assert started.wait() == 2
        assert started.err.count("\n") == 1
        assert "pip install 'tandem[board]'" in started.err


def test_behind_a_proxy_it_goes_by_the_proxys_name_and_believes_its_headers(tmp_path: Path) -> None:
    with running_board(tmp_path, "--behind", "board.example.org") as running:
        token = token_of(running.process)

        def log_in(host: str, **headers: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(running.address, timeout=20)
            more = {"Host": host, "Content-Type": "application/x-www-form-urlencoded", **headers}
            connection.request("POST", "/login", f"token={token}", more)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer

        https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        assert "secure" in str(log_in("board.example.org", **https).getheader("set-cookie")).lower()
        assert log_in("evil.example", **https).status == 403


def test_a_server_is_told_where_its_board_listens_or_does_not_start(tmp_path: Path) -> None:
    code, _, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), "--board", "127.0.0.1:x")
    assert (code, err.count("\n")) == (2, 1)
    assert "the port 'x'" in err


def test_on_all_addresses_it_says_who_can_open_it(tmp_path: Path) -> None:
    with running_board(tmp_path, listen="0.0.0.0:0") as running:
        assert "over plain HTTP the teacher can log in on this machine only" in running.process.wait_for(
            "everybody on the network"
        )
    with running_board(tmp_path, "--insecure-login", listen="0.0.0.0:0") as running:
        assert "can read the teacher's token" in running.process.wait_for("--insecure-login")


def test_nothing_of_a_visit_stands_in_its_log(tmp_path: Path) -> None:
    with running_board(tmp_path) as running:
        running.get("/class?name=secretclass")
        running.get("/team?secret=" + "a" * 64)
        running.process.stop()
        assert "secretclass" not in running.process.err
        assert "aaaa" not in running.process.err


def test_a_form_that_cannot_be_read_is_told_in_its_own_words(tmp_path: Path) -> None:
    with running_board(tmp_path) as running:
        connection = http.client.HTTPConnection(running.address, timeout=20)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        connection.request("POST", "/check", "no boundary at all", headers)
        assert connection.getresponse().status == 400
        connection.close()
        assert running.process.wait_for(BAD_FORM_MESSAGE) == f"tandem board: {BAD_FORM_MESSAGE}"
        running.process.stop()
        assert "boundary" not in running.process.err


def test_it_says_no_more_than_it_must_to_strangers(tmp_path: Path) -> None:
    with running_board(tmp_path) as running:
        status, text = running.get("/healthz")
        assert (status, json.loads(text)) == (503, {"board": "ok", "records": "unreadable"})
        assert str(tmp_path) not in running.get("/")[1]
        assert os.fspath(tmp_path) not in running.get("/class?name=x")[1]
