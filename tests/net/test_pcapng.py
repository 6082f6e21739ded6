"""Packet captures: the bytes of the format, and what tshark reads in them."""

import io
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tandem.net.pcapng import ETHERNET, MAX_FRAME, PcapngWriter

TIME_NS = 1_700_000_000_123_456_789
ARP = bytes.fromhex("ffffffffffff 020000000001 0806 0001080006040001 020000000001 c0000201 000000000000 c0000202")


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """The blocks of a capture: type and body. Both lengths of each agree, and nothing is left."""
    found = []
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0
        assert data[length - 4 : length] == data[4:8]
        found.append((kind, data[8 : length - 4]))
        data = data[length:]
    return found


def capture(*frames: tuple[bytes, tuple[str, ...]]) -> bytes:
    file = io.BytesIO()
    writer = PcapngWriter(file, "switch", "a test")
    for frame, comments in frames:
        writer.packet(TIME_NS, frame, comments)
    return file.getvalue()


def test_a_capture_begins_with_its_section_and_interface() -> None:
    (section, head), (interface, link) = blocks(capture())
    assert (section, interface) == (0x0A0D0D0A, 1)
    assert head[:8] == struct.pack("<IHH", 0x1A2B3C4D, 1, 0)
    assert struct.unpack_from("<HHI", link) == (ETHERNET, 0, MAX_FRAME)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 1514])
def test_a_packet_has_its_time_and_bytes(length: int) -> None:
    *_, (kind, body) = blocks(capture((b"x" * length, ())))
    interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
    assert (kind, interface, high << 32 | low, captured, original) == (6, 0, TIME_NS, length, length)
    assert body[20:] == b"x" * length + bytes(-length % 4)


def test_a_frame_that_is_too_long_is_cut() -> None:
    *_, (_, body) = blocks(capture((bytes(MAX_FRAME + 1), ())))
    assert struct.unpack_from("<II", body, 12) == (MAX_FRAME, MAX_FRAME + 1)


def test_tshark_reads_it(tmp_path: Path) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("tshark is missing: apt install tshark")
    file = tmp_path / "capture.pcapng"
    file.write_bytes(capture((ARP, ("client 1 started", "Zoë")), (ARP, ())))
    fields = ("frame.time_epoch", "frame.comment", "arp.src.proto_ipv4")
    words = (tshark, "-r", str(file), "-T", "fields", *(word for field in fields for word in ("-e", field)))
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    first, second = (line.split("\t") for line in done.stdout.splitlines())
    assert first == ["1700000000.123456789", "client 1 started,Zoë", "192.0.2.1"]
    assert second == ["1700000000.123456789", "", "192.0.2.1"]
