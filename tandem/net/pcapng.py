"""Writes packet captures in the format pcapng (little-endian, times in nanoseconds), with comments at packets.

Takes times and frames. Knows nothing of where they come from. Wireshark and tshark open the file.
"""

import struct
from collections.abc import Iterable
from typing import BinaryIO

ETHERNET = 1  # LINKTYPE_ETHERNET
MAX_FRAME = 262_144  # the usual snapshot length

SECTION_HEADER = 0x0A0D0D0A  # block types
INTERFACE_DESCRIPTION = 1
ENHANCED_PACKET = 6

BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF  # of the section: it goes to the end of the file

OPT_END = 0
OPT_COMMENT = 1
IF_NAME = 2
IF_TSRESOL = 9
NANOSECONDS = 9  # times are in units of 10**-9 s

Options = Iterable[tuple[int, bytes]]


class PcapngWriter:
    """Writes one capture from one interface. The caller opens and closes the file."""

    def __init__(self, file: BinaryIO, interface: str, application: str = "tandem") -> None:
        self._file = file
        self._block(
            SECTION_HEADER,
            struct.pack("<IHHQ", BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_LENGTH),
            [(4, application.encode())],  # shb_userappl
        )
        self._block(
            INTERFACE_DESCRIPTION,
            struct.pack("<HHI", ETHERNET, 0, MAX_FRAME),
            [(IF_NAME, interface.encode()), (IF_TSRESOL, bytes((NANOSECONDS,)))],
        )

    def packet(self, time_ns: int, frame: bytes, comments: Iterable[str] = ()) -> None:
        """Write a frame. `time_ns` is in nanoseconds since 1970 (UTC)."""
        kept = frame[:MAX_FRAME]
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFF_FFFF, len(kept), len(frame))
        self._block(ENHANCED_PACKET, head + _padded(kept), [(OPT_COMMENT, comment.encode()) for comment in comments])

    def _block(self, kind: int, body: bytes, options: Options) -> None:
        whole = body + _options(options)
        length = 12 + len(whole)
        self._file.write(struct.pack("<II", kind, length) + whole + struct.pack("<I", length))


def _options(options: Options) -> bytes:
    written = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return written + struct.pack("<HH", OPT_END, 0) if written else b""


def _padded(data: bytes) -> bytes:
    """Return the data, filled up with zero bytes to a multiple of 4."""
    return data + bytes(-len(data) % 4)
