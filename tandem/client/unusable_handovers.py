"""Names what came to client 2 in place of the server's reply: str() of bytes, UTF-16, a welcome.

Only looks at bytes that are no message. What is wrong with a message is in handover_listener.py.
"""

import json

from tandem.client.other_programs import protocol_of
from tandem.protocol.framing import LENGTH, LENGTH_BYTES, PLAIN
from tandem.protocol.message import FIELDS, WELCOME_WORD
from tandem.protocol.printable import printable_bytes
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.protocol.team_fields import holds_message

SHOWN_BYTES = 40  # of what came
MAX_REPLY_BYTES = 1000  # PROTOCOL 3.3
OUR_LENGTH = "length of 4 bytes, little-endian"  # as `--framing length` makes it

# Its beginning, white space left out, and the words for it. The first row that fits counts.
_BEGINNINGS = (
    ((b"b'", b'b"'), "str() of bytes"),
    ((b"bytearray(",), "str() of a bytearray"),
    ((b"{'",), "str() of a dict, with single quotes"),
    (tuple(f"{{{quote}".encode() for quote in "“”„‘’"), "JSON with curly quotes"),
    ((b"{`",), "JSON with backticks for quotes"),
    ((b'"',), "JSON of a text: json.dumps was called once too often"),
    ((b"null", b"None"), "the value None"),
    ((b"[",), "a list, not an object"),
    (tuple(bytes((0x80, version)) for version in range(2, 6)), "pickle, not JSON"),
    ((b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{", b"\0\0\0{"), "UTF-16 or UTF-32, not UTF-8"),
)


def describe(received: bytes, framing: str) -> str:
    """Return what it is that cannot be a message, and what to do about it if that is known."""
    shown = f'sent something that is not a message: "{printable_bytes(received[:SHOWN_BYTES])}"'
    protocol = protocol_of(received)
    if protocol:
        return f"speaks {protocol}, and {shown}"
    length = _length_in(received)
    if framing == PLAIN and length == OUR_LENGTH:
        return f"{shown} (there is a length before it: --framing length is for both clients, or for none)"
    if framing == LENGTH and length == OUR_LENGTH:
        return f"{shown} (the length must be from 1 to {MAX_MESSAGE_BYTES:,})"
    if framing == LENGTH and received.startswith(b"{"):
        return f"{shown} (there is no length before it: --framing length is for both clients, or for none)"
    mistake = mistake_in(received)
    if framing == LENGTH and length:
        mistake += f", with their {OUR_LENGTH}"
    return f"{shown} ({mistake})" if mistake else shown


def mistake_in(received: bytes) -> str:
    """Return which mistake of client 1 makes such bytes, and what to do about it, "" if that is not known."""
    before = received.partition(b"{")[0]
    length = _length_in(received)
    beginning = b"".join(received.split())
    what = next((what for beginnings, what in _BEGINNINGS if beginning.startswith(beginnings)), "")
    if WELCOME_WORD.encode() in before:
        what = "the server's welcome, and the reply comes after it"
    elif length not in ("", OUR_LENGTH):
        what = f"{length}, which is no part of a reply"
    elif _is_envelope(received):
        what = "another object, with the reply inside"
    elif b'"studentnr"' in received:
        what = "a message of an older assignment: studentnr is studentnr1 now"
    return f"it is {what}; client 1 has to send on the bytes of the reply as they came" if what else ""


def _is_envelope(received: bytes) -> bool:
    """Return whether the reply is a value in another object."""
    try:
        found = json.loads(received)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys().isdisjoint(FIELDS) and any(map(holds_message, found.values()))


def _length_in(received: bytes) -> str:
    """Return in words which form of length comes first, OUR_LENGTH or another one; "" if none does."""
    for size in (LENGTH_BYTES, 8, 2):
        length, rest = received[:size], received[size:]
        if b"\0" in length and rest.lstrip().startswith(b"{") and not rest.startswith(b"{\0"):  # that is UTF-32
            return _form_of(length)
    length, rest = received[:LENGTH_BYTES], received[LENGTH_BYTES:]
    if not rest and b"\0\0" in (length[:2], length[2:]) and any(length):  # it came in a segment of its own
        return _form_of(length)
    before = received.partition(b"{")[0]
    count = len(received) - len(before)  # of the bytes after it
    if before.strip(b" \t\r\n:").isdigit():
        return "a length in digits"
    if count and len(before) == 2 and before[0] >= 0x80 and 0 < before[1] <= MAX_REPLY_BYTES // 128:
        return "a length of 7 bits a byte, as BinaryWriter makes it"
    return "a length of 1 byte" if len(before) == 1 and before[0] == count else ""


def _form_of(length: bytes) -> str:
    if len(length) != LENGTH_BYTES:
        return f"a length of {len(length)} bytes"
    return OUR_LENGTH if not any(length[2:]) else "a big-endian length of 4 bytes"
