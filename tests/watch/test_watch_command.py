"""`tandem watch` as a process: our own clients and server through it, its page's commands, and its end by Ctrl-C."""

import fcntl
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.net.listeners import open_listener
from tandem.protocol.message import STATUS_WAITING
from tandem.report.check import check, finding_lines
from tandem.watch.watch import WatchOptions, watch
from testing.packets import packets_in
from testing.processes import LIMIT, ROOT, RunningServer, process, running_server, tandem, team_options, wait_until
from testing.raw_sockets import encoded, message_1, raw, visit

PAGE = (ROOT / "docs" / "watch.md").read_text(encoding="utf-8")
PLAIN, WITH_CAPTURE = (
    shlex.split(line)[2:] for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
)
ADDRESS = "127.0.0.1:0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("watched") / "data") as running:
        yield running


def here(words: list[str], server: RunningServer, folder: Path) -> list[str]:
    """A command of the page, with addresses of this machine and a file in a folder."""
    places = {"5549": ADDRESS, "192.0.2.1:5550": server.address, "visit.pcapng": str(folder / "visit.pcapng")}
    return ["-m", *(places.get(word, word) for word in words)]


def test_both_clients_finish_through_it_and_the_capture_has_it_all(server: RunningServer, tmp_path: Path) -> None:
    with process(*here(WITH_CAPTURE, server, tmp_path)) as tap:
        address = tap.wait_for("listening on").rpartition(" ")[2]
        with process("-m", "tandem", "client", "2", "--server", address, "--listen", ADDRESS) as second:
            peer = second.wait_for("listening on").split()[2]
            code, out, err = tandem("client", "1", "--server", address, "--peer", peer, *team_options())
            assert (code, err) == (0, ""), out
            assert second.wait() == 0
        tap.wait_for("#2 closed")
        for words in (
            "#1 arrow 1 or 5 (welcome): ",
            "#1 arrow 2 (client 1 -> server, message 1): accepted: no problems",
            "#1 arrow 3 (server -> client 1, reply to message 1): status waiting for message 2",
            "#2 arrow 6 (client 2 -> server, message 2): accepted: no problems",
            "#2 arrow 7 (server -> client 2, reply to message 2): status Finished successfully",
        ):
            assert words in tap.out
        packets = packets_in(
            tmp_path / "visit.pcapng", "tcp.stream", "tcp.flags.str", "frame.comment", "tcp.analysis.flags"
        )
        tap.signal(signal.SIGINT)
        assert tap.wait() == 130
        assert tap.err.endswith("tandem: stopped by Ctrl-C\n")
    assert {packet[0] for packet in packets} == {"0", "1"}
    assert {packet[3] for packet in packets} == {""}
    assert any(packet[2].startswith("arrow 7") for packet in packets)
    assert stat.S_IMODE((tmp_path / "visit.pcapng").stat().st_mode) == 0o600


def test_a_wrong_message_is_explained_in_the_words_of_check(server: RunningServer, tmp_path: Path) -> None:
    wrong = encoded(message_1(clientid="1"))
    with process(*here(PLAIN, server, tmp_path)) as tap:
        port = int(tap.wait_for("listening on").rpartition(":")[2])
        assert visit("127.0.0.1", port, wrong)["status"].startswith("error: ")
        tap.wait_for("#1 closed")
        said = [line.strip() for line in tap.out.splitlines()]
    for lines in finding_lines(check(wrong, "127.0.0.1"), wrong, colour=False, in_file=False):
        assert [line.strip() for line in lines if line.strip() not in said] == []


def test_json_and_what_ctrl_c_cuts_off(server: RunningServer, tmp_path: Path) -> None:
    with process(*here([*PLAIN, "--format", "json"], server, tmp_path)) as tap:
        port = int(tap.wait_for("listening on").rpartition(":")[2])
        with raw("127.0.0.1", port) as silent:
            silent.take_welcome()
            tap.wait_for('"event": "welcome"')
            tap.signal(signal.SIGINT)
            assert tap.wait() == 130
            with pytest.raises(ConnectionResetError):
                silent.rest()
        assert "stopped by Ctrl-C: 1 open connection was reset; lost are 0 bytes" in tap.err, tap.err[-120:]
        events = [json.loads(line) for line in tap.out.splitlines()]
    assert [event["event"] for event in events] == ["connected", "bytes", "welcome"]
    assert {event["connection"] for event in events} == {1}


def test_a_start_that_fails_is_one_line(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    for words, told in (
        (("--listen", server.address, "--to", ADDRESS.replace(":0", ":1")), "cannot listen on"),
        (("--listen", ADDRESS, "--to", server.address, "--capture", str(tmp_path / "there")), "is there already"),
    ):
        code, out, err = tandem("watch", *words)
        assert (code, out, err.count("\n"), told in err) == (1, "", 1, True), err


def test_an_output_that_is_closed_resets_the_connections_and_says_so(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in `tandem watch … | head`."""

    def closed(pieces: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("tandem.watch.watch.echo", closed)
    listener = open_listener("127.0.0.1", 0)
    monkeypatch.setattr("tandem.watch.watch.open_listener", lambda *_: listener)
    with raw(*listener.getsockname()) as client:
        with pytest.raises(BrokenPipeError):
            watch(WatchOptions(("127.0.0.1", 0), (server.host, server.port)))
        with pytest.raises(ConnectionResetError):
            client.rest()
    assert "tandem: 1 open connection was reset; " in capsys.readouterr().err


def test_a_tap_on_ipv6(server: RunningServer, tmp_path: Path) -> None:
    words = ["tandem", "watch", "--listen", "[::1]:0", "--to", server.address, "--capture", str(tmp_path / "v6.pcapng")]
    with process("-m", *words) as tap:
        port = int(tap.wait_for("listening on [::1]:").rpartition(":")[2])
        assert visit("::1", port, encoded(message_1(ip="::1")))["status"] == STATUS_WAITING
        tap.wait_for("#1 closed")
        packets = packets_in(tmp_path / "v6.pcapng", "ipv6.dst", "tcp.checksum.status")
    assert {tuple(packet) for packet in packets} == {("::1", "1"), ("::ffff:127.0.0.1", "1")}


def test_ctrl_c_ends_a_tap_whose_output_nobody_reads(server: RunningServer) -> None:
    command = [sys.executable, "-m", "tandem", "watch", "--listen", ADDRESS, "--to", server.address]
    reader, writer = os.pipe()
    full = bytes(fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096))
    os.write(writer, full)
    with subprocess.Popen(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True) as tap:
        try:
            assert tap.stderr is not None
            port = int(tap.stderr.readline().rpartition(":")[2])
            with raw("127.0.0.1", port) as client:
                wait_until(lambda: "pipe_write" in Path(f"/proc/{tap.pid}/wchan").read_text())
                tap.send_signal(signal.SIGINT)
                assert tap.wait(LIMIT) == 130
                with pytest.raises(ConnectionResetError):
                    client.rest()
            assert "stopped by Ctrl-C: 1 open connection was reset" in tap.stderr.read()
        finally:
            tap.kill()
            os.close(reader)
            os.close(writer)
