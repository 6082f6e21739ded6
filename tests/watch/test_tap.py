"""The tap with real sockets: both sides receive as they would without it, whatever they send and however they end."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.net.listeners import open_listener
from tandem.protocol.framing import PLAIN
from tandem.watch.tap import Tap, TapError, resolve
from tandem.watch.watch_capture import CaptureError, WatchCapture
from tandem.watch.watch_events import CLIENT, SERVER, EventKind, WatchEvent, other_side
from testing.cuts import anything, pieces
from testing.exchange_messages import ANSWERED, ASKED
from testing.processes import LIMIT
from testing.raw_sockets import Raw

LARGE = bytes(range(256)) * 40_000  # 10 MB: more than all buffers on the way
HOST = "127.0.0.1"


class RunningTap:
    """A tap in a thread, before a server whose connections the test accepts."""

    def __init__(self, stack: ExitStack, capture: WatchCapture | None = None) -> None:
        self.events: list[WatchEvent] = []
        self.server = stack.enter_context(socket.create_server((HOST, 0)))
        self.server.settimeout(LIMIT)
        self._listener = stack.enter_context(open_listener(HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._news = threading.Condition()
        self._is_over = False
        self._tap = Tap(self._listener, resolve(*self.server.getsockname()), PLAIN, self._show, capture)
        self._thread = threading.Thread(target=self._tap.run, args=(lambda: self._is_over,))
        self._thread.start()

    def close(self) -> str:
        """End the tap. Return what it says about open connections."""
        if self._thread.is_alive():
            self._is_over = True
            socket.create_connection((HOST, self.port)).close()  # wakes it up
            self._thread.join()
            self._cut = self._tap.close()
        return self._cut

    def wait_for(self, kind: EventKind, count: int = 1) -> list[WatchEvent]:
        """Wait until there are so many events of a kind, and return them."""

        def found() -> list[WatchEvent]:
            return [event for event in self.events if event.kind is kind]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= count, LIMIT), self.events
            return found()

    def _show(self, time_ns: int, number: int, event: WatchEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()


@contextmanager
def running_tap(capture: WatchCapture | None = None) -> Iterator[RunningTap]:
    with ExitStack() as stack:
        tap = RunningTap(stack, capture)
        try:
            yield tap
        finally:
            tap.close()


@pytest.fixture
def tap() -> Iterator[RunningTap]:
    with running_tap() as started:
        yield started


@contextmanager
def both_ends(tap: RunningTap) -> Iterator[tuple[Raw, Raw]]:
    """A client connected through the tap, and the server's end of the connection."""
    client = Raw(HOST, tap.port)
    server = Raw.__new__(Raw)
    try:
        server.socket, _ = tap.server.accept()
        server.socket.settimeout(LIMIT)
        yield client, server
    finally:
        client.socket.close()
        if hasattr(server, "socket"):
            server.socket.close()


def ends_with_reset(end: Raw) -> bool:
    try:
        end.rest()
    except ConnectionResetError:
        return True
    return False


Turns = list[tuple[str, list[bytes]]]
turns = st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), pieces(anything)), max_size=5)


class TestTransparency:
    def test_both_sides_receive_the_same_as_without_it(self, tap: RunningTap) -> None:
        """Each turn is read whole by the other side before the next one, as in a conversation."""

        @settings(max_examples=25)
        @given(turns, st.sampled_from((CLIENT, SERVER)), st.sampled_from(("end", "reset")))
        def converse(sent: Turns, first: str, how: str) -> None:
            with both_ends(tap) as (client, server):
                ends = {CLIENT: client, SERVER: server}
                for side, parts in sent:
                    for part in parts:
                        ends[side].send(part)
                    _expect(ends[other_side(side)], b"".join(parts))
                if how == "reset":
                    ends[first].reset()
                    assert ends_with_reset(ends[other_side(first)])
                    return
                for side in (first, other_side(first)):  # the other side still sends after the first end
                    ends[side].send(b"last words")
                    ends[side].socket.shutdown(socket.SHUT_WR)
                    assert ends[other_side(side)].rest() == b"last words"

        converse()

    def test_bytes_before_a_reset_arrive(self, tap: RunningTap) -> None:
        with both_ends(tap) as (client, server):
            server.send(b"reply")
            assert client.socket.recv(100) == b"reply"
            server.reset()
            assert ends_with_reset(client)
            [closed] = tap.wait_for(EventKind.CLOSED)
            assert closed.text == "0 bytes from the client, 5 bytes from the server"

    def test_a_reset_after_the_end_is_passed_on(self, tap: RunningTap) -> None:
        with both_ends(tap) as (client, server):
            client.end()
            assert server.rest() == b""
            client.reset()
            server.send(b"reply")
            [closed] = tap.wait_for(EventKind.CLOSED)
            assert server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # recv shows none after the end
            assert closed.text.endswith("; 5 of them could not be passed on")

    def test_a_reader_that_is_slow_slows_the_writer(self, tap: RunningTap) -> None:
        with both_ends(tap) as (client, server):
            client.socket.setblocking(False)
            taken = 0
            stalls = 0
            while stalls < 50:  # nothing can be sent for 50 x 10 ms: everything on the way is full
                try:
                    taken += client.socket.send(LARGE[taken:])
                    stalls = 0
                except BlockingIOError:
                    stalls += 1
                    threading.Event().wait(0.01)
            assert taken < len(LARGE)
            client.socket.settimeout(LIMIT)
            sender = threading.Thread(target=client.send, args=(LARGE[taken:],))
            sender.start()
            _expect(server, LARGE)
            sender.join()

    def test_a_silent_connection_delays_no_other(self, tap: RunningTap) -> None:
        with both_ends(tap), both_ends(tap) as (client, server):
            client.send(b"question")
            _expect(server, b"question")

    def test_many_at_once(self, tap: RunningTap) -> None:
        with ExitStack() as stack:
            pairs = [stack.enter_context(both_ends(tap)) for _ in range(30)]
            for number, (client, _) in enumerate(pairs):
                client.send(b"%d" % number)
            assert sorted(int(server.socket.recv(100)) for _, server in pairs) == list(range(30))

    def test_more_than_the_limit_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tandem.watch.tap.max_connections", lambda wanted: 2)
        with running_tap() as tap, ExitStack() as stack:
            first = stack.enter_context(both_ends(tap))
            waiting = Raw(HOST, tap.port)
            stack.callback(waiting.socket.close)
            waiting.send(b"question")
            first[0].socket.close()
            first[1].socket.close()
            server, _ = tap.server.accept()
            with server:
                assert server.recv(100) == b"question"


def test_a_server_that_cannot_be_reached() -> None:
    with running_tap() as tap:
        tap.server.close()
        with pytest.raises(ConnectionResetError), socket.create_connection((HOST, tap.port)) as client:
            client.recv(100)
        [event] = tap.wait_for(EventKind.UNREACHABLE)
        assert "refused" in event.text


def test_a_part_of_a_message_is_checked_after_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.watch.conversation.MESSAGE_SILENCE_S", 0.05)
    with running_tap() as tap, both_ends(tap) as (client, _):
        client.send(b'{"studentnr1": ')
        [message] = tap.wait_for(EventKind.MESSAGE)
        assert message.diagnosis is not None
        assert "cut-off" in {problem.id for problem in message.diagnosis.problems}


def test_the_end_of_the_tap_says_what_it_cuts_off(tap: RunningTap) -> None:
    with both_ends(tap) as (client, server):
        client.send(b"question")
        _expect(server, b"question")
        assert " reset; lost are 0 bytes that were read, and " in tap.close()
        assert ends_with_reset(client)
        assert ends_with_reset(server)


def test_a_tap_that_leads_to_itself_ends() -> None:
    with open_listener(HOST, 0) as listener:
        tap = Tap(listener, resolve(*listener.getsockname()), PLAIN, lambda *_: None)
        client = socket.create_connection(listener.getsockname())
        with client, pytest.raises(TapError, match="leads back"):
            tap.run()
        tap.close()


class Sharing(socket.socket):
    """A socket that lets another one have its port."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def test_a_client_may_have_the_port_of_a_connection_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives a port to two connections if they lead to different ports."""
    monkeypatch.setattr("socket.socket", Sharing)
    with running_tap() as tap, ExitStack() as opened, socket.socket() as client:
        for _ in range(20):  # a program beside this test may have the port, too
            _, server = opened.enter_context(both_ends(tap))
            with suppress(OSError):
                client.bind(server.socket.getpeername())
                break
        client.connect((HOST, tap.port))
        second, _ = tap.server.accept()
        with second:
            client.sendall(b"question")
            assert second.recv(100) == b"question"


def test_a_name_that_does_not_resolve() -> None:
    for name in ("nowhere.invalid", "x" * 70):
        with pytest.raises(TapError, match="does not resolve"):
            resolve(name, 1)


class TestCaptureFile:
    def test_a_file_that_is_there_is_not_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "TEAM.json").write_text("mine")
        with pytest.raises(CaptureError, match="is there already"):
            WatchCapture(tmp_path / "TEAM.json")
        assert (tmp_path / "TEAM.json").read_text() == "mine"
        with pytest.raises(CaptureError, match="cannot be made"):
            WatchCapture(tmp_path / "nowhere" / "x.pcapng")

    def test_only_the_owner_reads_it(self, tmp_path: Path) -> None:
        WatchCapture(tmp_path / "x.pcapng").close()
        assert (tmp_path / "x.pcapng").stat().st_mode & 0o777 == 0o600

    def test_a_full_disk_is_told_once_and_holds_nothing_up(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        capture = WatchCapture(tmp_path / "x.pcapng")
        monkeypatch.setattr("tandem.net.pcapng.PcapngWriter.packet", _no_room)
        with running_tap(capture) as tap, both_ends(tap) as (client, server):
            client.send(ASKED.encode())
            _expect(server, ASKED.encode())
            server.send(ANSWERED.encode())
            _expect(client, ANSWERED.encode())
        capture.close()
        err = capsys.readouterr().err
        assert (err.count("\n"), "No space left" in err, "the first 0 packets" in err) == (1, True, True)


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def _expect(end: Raw, wanted: bytes) -> None:
    """Read exactly these bytes."""
    came = b""
    while len(came) < len(wanted):
        piece = end.socket.recv(65_536)
        assert piece, came
        came += piece
    assert came == wanted
