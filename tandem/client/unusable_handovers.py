"""Names what came to client 2 in place of the server's reply: str() of bytes, UTF-16, a welcome.

Only looks at bytes that are no message. What is wrong with a message is in handover_listener.py.
"""

from tandem.client.other_programs import protocol_of
from tandem.protocol.framing import LENGTH, LENGTH_BYTES, PLAIN
from tandem.protocol.message import WELCOME_WORD
from tandem.protocol.printable import printable_bytes

SHOWN_BYTES = 40  # of what came

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
    shown = f"sent something that is not a message: {printable_bytes(received[:SHOWN_BYTES])}"
    protocol = protocol_of(received)
    if protocol:
        return f"speaks {protocol}, and {shown}"
    if framing == PLAIN and _has_length(received):
        return f"{shown} (there is a length before it: --framing length is for both clients, or for none)"
    if framing == LENGTH and received.startswith(b"{"):
        return f"{shown} (there is no length before it: --framing length is for both clients, or for none)"
    mistake = mistake_in(received)
    return f"{shown} ({mistake})" if mistake else shown


def mistake_in(received: bytes) -> str:
    """Return which mistake of client 1 makes such bytes, and what to do about it, "" if that is not known."""
    before = received.partition(b"{")[0]
    beginning = b"".join(received.split())
    what = next((what for beginnings, what in _BEGINNINGS if beginning.startswith(beginnings)), "")
    if WELCOME_WORD.encode() in before:
        what = "the server's welcome, and the reply comes after it"
    elif before.strip().isdigit():
        what = "a length in digits, which is no part of a reply"
    elif b'"studentnr"' in received:
        what = "a message of an older assignment: studentnr is studentnr1 now"
    return f"it is {what}; client 1 has to send on the bytes of the reply as they came" if what else ""


def _has_length(received: bytes) -> bool:
    """Return whether a length in 4 bytes was sent, of either byte order. Two of them are zero: no message is longer."""
    length, rest = received[:LENGTH_BYTES], received[LENGTH_BYTES:]
    if rest:
        return b"\0" in length and rest.startswith(b"{") and not rest.startswith(b"{\0")  # that is UTF-32
    return b"\0\0" in (length[:2], length[2:]) and any(length) and b"{" not in length
