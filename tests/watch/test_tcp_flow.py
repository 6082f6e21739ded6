"""Frames of a connection: tshark finds nothing wrong with them, and reads in them what was sent."""

import io
from pathlib import Path

from tandem.net.pcapng import PcapngWriter
from tandem.watch.tcp_flow import MAX_SEGMENT, Endpoint, TcpFlow
from tandem.watch.watch_events import CLIENT, SERVER
from testing.packets import packets_in

LARGE = bytes(range(256)) * 20


def test_tshark_follows_every_kind_of_connection(tmp_path: Path) -> None:
    """One run of tshark for all: IPv4, IPv6 and one of each; whole, reset and refused."""
    v4: Endpoint = ("192.0.2.1", 40_000)
    v6: Endpoint = ("2001:db8::2", 5550)
    written = io.BytesIO()
    writer = PcapngWriter(written, "tap")
    for number, (client, server) in enumerate(((v4, ("192.0.2.9", 5550)), (("2001:db8::1", 40_000), v6), (v4, v6))):
        flow = TcpFlow(client, server)
        frames = [*flow.handshake(), *flow.data(CLIENT, b"odd"), *flow.data(SERVER, LARGE)]
        frames += (
            flow.reset(SERVER) if number == 1 else [*flow.end(SERVER), *flow.data(CLIENT, b"x"), *flow.end(CLIENT)]
        )
        frames += TcpFlow((client[0], 40_001), server).refused()
        for frame in frames:
            writer.packet(number, frame)
    file = tmp_path / "flows.pcapng"
    file.write_bytes(written.getvalue())
    fields = ("tcp.stream", "ip.src", "ipv6.src", "tcp.checksum.status", "ip.checksum.status", "tcp.analysis.flags")
    packets = packets_in(file, *fields, "tcp.srcport", "tcp.payload", "tcp.flags.str")
    assert {packet[3] for packet in packets} == {"1"}  # good
    assert {packet[4] for packet in packets} == {"1", ""}  # good, or IPv6
    assert {packet[5] for packet in packets} == {""}  # no gap, nothing twice, no acknowledgement of what was not sent
    assert {packet[1] or packet[2] for packet in packets} == {
        "192.0.2.1",
        "192.0.2.9",
        "2001:db8::1",
        "2001:db8::2",
        "::ffff:192.0.2.1",
    }
    for stream, sent in (("0", b"oddx"), ("2", b"odd"), ("4", b"oddx")):
        of_stream = [packet for packet in packets if packet[0] == stream]
        payloads = {port: "".join(each[7] for each in of_stream if each[6] == port) for port in ("40000", "5550")}
        assert {port: bytes.fromhex(text) for port, text in payloads.items()} == {"40000": sent, "5550": LARGE}
    assert "R" in packets[-1][8]
    assert max(len(packet[7]) for packet in packets) == 2 * MAX_SEGMENT
