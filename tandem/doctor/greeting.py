"""The lines that two doctors send each other. They have addresses, ports and times, and nothing of a team.

    listener -> peer      tandem doctor 1
    peer -> listener      tandem doctor 1 PORT TOKEN ADDRESS    its own port for the way back, its own address
    peer's port, to the listener that connects back      tandem doctor 1 TOKEN
    listener -> peer      report ADDRESS REACH MS [ADDRESS REACH MS]    the way back: as seen, as told

Each is ASCII, at most MAX_LINE_BYTES long and ends with a newline. Parsers return None for anything else.
"""

import re
import secrets
import socket
import time
from ipaddress import ip_address
from typing import NamedTuple

from tandem.doctor.connecting import Attempt, Reach
from tandem.protocol.address import plain_ip

VERSION = "1"
MAX_LINE_BYTES = 200
LINE_TIMEOUT_S = 3.0  # for one line

_GREETING = re.compile(rb"tandem doctor (\d{1,4})(?: [ -~]*)?\n")
_HELLO = re.compile(rb"tandem doctor \d{1,4} (\d{1,5}) ([0-9a-f]{16}) ([0-9a-fA-F:.]{2,45})\n")
_REPORT = re.compile(rb"report((?: [0-9a-fA-F:.]{2,45} [a-z-]{1,20} \d{1,6}){1,2})\n")


class Hello(NamedTuple):
    """The peer's line: where the listener may connect back."""

    port: int
    token: str  # repeated on that port, so that the listener knows whom it has reached
    address: str


def new_token() -> str:
    """Return a random token."""
    return secrets.token_hex(8)


def greeting(*words: str) -> bytes:
    """Return the line of a doctor."""
    return " ".join(("tandem doctor", VERSION, *words)).encode() + b"\n"


def version_of(line: bytes) -> str | None:
    """Return the version in the line of a doctor."""
    found = _GREETING.fullmatch(line)
    return found[1].decode() if found else None


def parse_hello(line: bytes) -> Hello | None:
    """Parse the peer's line. Its address is one that a machine may have: no group, and not the unspecified one."""
    found = _HELLO.fullmatch(line)
    if found is None:
        return None
    port, token, address = (part.decode() for part in found.groups())
    if not 1 <= int(port) <= 65535 or not _is_host(address):
        return None
    return Hello(int(port), token, address)


def report(attempts: list[tuple[str, Attempt]]) -> bytes:
    """Return the listener's line about its attempts to connect back, each with the address that it used."""
    parts = (f" {plain_ip(address)} {attempt.reach} {attempt.ms}" for address, attempt in attempts)
    return ("report" + "".join(parts)).encode() + b"\n"


def parse_report(line: bytes) -> list[tuple[str, Attempt]] | None:
    """Parse the listener's line: one or two attempts."""
    found = _REPORT.fullmatch(line)
    if found is None:
        return None
    words = found[1].decode().split()
    rows = list(zip(words[::3], words[1::3], words[2::3], strict=True))
    if not all(_is_host(address) and reach in set(Reach) for address, reach, _ in rows):
        return None
    return [(address, Attempt(Reach(reach), int(ms))) for address, reach, ms in rows]


def _is_host(text: str) -> bool:
    try:
        ip = ip_address(text)
    except ValueError:
        return False
    return not (ip.is_multicast or ip.is_unspecified)


def read_line(connection: socket.socket, timeout_s: float = LINE_TIMEOUT_S) -> bytes:
    """Return the bytes up to a newline: what came of them when the stream ends, the time or the room is over."""
    until = time.monotonic() + timeout_s
    line = b""
    try:
        while len(line) < MAX_LINE_BYTES and not line.endswith(b"\n"):
            connection.settimeout(max(0.001, until - time.monotonic()))
            came = connection.recv(1)  # a byte at a time: the lines are short, and what follows is left alone
            if not came:
                break
            line += came
    except OSError:
        pass  # the time is over, or the connection broke: what came is judged
    return line
