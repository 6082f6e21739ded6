"""The handover as it is seen in segments, without a network."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from tandem.examiner.events import read_events
from tandem.examiner.lab.hosts.handover_watch import HandoverWatch
from tandem.examiner.lab.hosts.segments import ACK, FIN, RST, SYN, Segment
from tandem.examiner.lab.recorder import MAX_REFUSED, Recorder
from tandem.net.event_loop import EventLoop

CLIENT_1, CLIENT_2, SERVER = ("10.0.0.11", 40000), ("10.0.0.12", 5551), ("192.0.2.1", 8001)
FIRST, SECOND = 100, 4_294_967_290  # sequence numbers of the two SYNs


def forth(flags: int, offset: int = 0, data: bytes = b"", source: tuple[str, int] = CLIENT_1) -> Segment:
    return Segment(source, CLIENT_2, FIRST + offset, flags, data)


def back(flags: int, offset: int = 0, data: bytes = b"", target: tuple[str, int] = CLIENT_1) -> Segment:
    return Segment(CLIENT_2, target, (SECOND + offset) % 2**32, flags, data)


CONNECTED = (forth(SYN), back(SYN | ACK), forth(ACK, 1))


def seen(folder: Path, segments: Iterable[Segment | None]) -> list[tuple[str, str, int, bytes]]:
    """Who did what on which connection, from segments. One after None is lost on its way."""
    loop = EventLoop()
    lost = False
    with closing(Recorder(folder, loop)) as recorder:
        watch = HandoverWatch(recorder, CLIENT_1[0], {CLIENT_2})
        for segment in segments:
            if segment is not None:
                watch.on_sent(segment)
                if not lost:
                    watch.on_delivered(segment)
            lost = segment is None
    loop.close()
    events = list(read_events(folder))
    assert {event.link for event in events} <= {"handover"}
    return [(event.who, event.what, event.connection, event.data) for event in events]


def test_a_whole_handover(tmp_path: Path) -> None:
    segments = (*CONNECTED, back(ACK, 1, b"hi"), forth(ACK, 1, b"{}"), forth(ACK | FIN, 3), back(ACK | FIN, 3))
    assert seen(tmp_path, segments) == [
        ("client 1", "connected", 1, b""),
        ("client 2", "sent", 1, b"hi"),
        ("client 2", "delivered", 1, b"hi"),
        ("client 1", "sent", 1, b"{}"),
        ("client 1", "delivered", 1, b"{}"),
        ("client 1", "end of stream", 1, b""),
        ("client 2", "end of stream", 1, b""),
    ]


def test_a_segment_that_is_lost_is_sent_once_and_delivered_later(tmp_path: Path) -> None:
    data = forth(ACK, 1, b"{}")
    assert seen(tmp_path, (*CONNECTED, None, data, data, data))[1:] == [
        ("client 1", "sent", 1, b"{}"),
        ("client 1", "delivered", 1, b"{}"),
    ]


def test_refused_and_then_connected(tmp_path: Path) -> None:
    again = ("10.0.0.11", 40001)
    segments = (forth(SYN), back(RST | ACK), forth(SYN, source=again), back(SYN | ACK, target=again))
    assert seen(tmp_path, segments) == [("client 1", "refused", 0, b""), ("client 1", "connected", 1, b"")]


def test_a_port_that_is_used_again_is_another_connection(tmp_path: Path) -> None:
    later = (Segment(CLIENT_1, CLIENT_2, 7, SYN, b""), back(SYN | ACK), Segment(CLIENT_1, CLIENT_2, 8, ACK, b"{}"))
    assert seen(tmp_path, (*CONNECTED, forth(RST, 1), *later)) == [
        ("client 1", "connected", 1, b""),
        ("client 1", "reset", 1, b""),
        ("client 1", "connected", 2, b""),
        ("client 1", "sent", 2, b"{}"),
        ("client 1", "delivered", 2, b"{}"),
    ]


def test_what_is_no_handover_is_not_seen(tmp_path: Path) -> None:
    segments = (
        Segment(CLIENT_1, SERVER, 1, SYN, b""),
        Segment(SERVER, CLIENT_1, 0, RST | ACK, b""),
        Segment(SERVER, CLIENT_2, 1, SYN, b""),  # the examiner's own connection
        Segment(CLIENT_2, SERVER, 1, SYN | ACK, b""),
        back(ACK, 1, b"of a connection that was never begun"),
    )
    assert seen(tmp_path, segments) == []


def test_refusals_without_end_are_not_all_recorded(tmp_path: Path) -> None:
    tries = [each for _ in range(MAX_REFUSED * 2) for each in (forth(SYN), back(RST | ACK))]
    assert len(seen(tmp_path, tries)) == MAX_REFUSED
