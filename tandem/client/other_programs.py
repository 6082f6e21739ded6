"""Recognises a program that is not the one we meant, by what it sends: a web server, SSH, an echo."""

from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.message import WELCOME_WORD, refusal_in
from tandem.protocol.printable import printable, printable_bytes
from tandem.protocol.reader import COMPLETE

SHOWN_BYTES = 80  # of what came
ECHO_BYTES = 20  # of ours that come back, and nothing else behind them: a client 2 may begin an object of its own alike

# The bytes that a program sends first, in lower case, and the protocol that it speaks.
_FIRST_BYTES = (
    (b"http/", "HTTP"),
    (b"get /", "HTTP"),
    (b"post /", "HTTP"),
    (b"head /", "HTTP"),
    (b"<!doctype", "HTTP"),
    (b"<html", "HTTP"),
    (b"ssh-", "SSH"),
    (b"\x16\x03", "TLS"),
    (b"\x15\x03", "TLS"),
    (b"\xff\xfb", "telnet"),
    (b"\xff\xfd", "telnet"),
    (b"220 ", "FTP or SMTP"),
    (b"+ok", "POP3"),
    (b"* ok", "IMAP"),
)


def excerpt(came: bytes) -> str:
    """Return the beginning of what a program sent, as text that is safe to show."""
    return printable_bytes(came[:SHOWN_BYTES].rstrip())


def protocol_of(data: bytes) -> str:
    """Return the name of the other protocol that these bytes begin, "" if they begin none that is known."""
    beginning = data[:16].lstrip().lower()
    return next((name for first, name in _FIRST_BYTES if beginning.startswith(first)), "")


def why_not_client_2(came: bytes, handed_over: bytes, framing: str) -> str:
    """Return why the program that sent `came` after the handover is not client 2, "" if it may be client 2.

    A client 2 sends nothing, or something of its own, such as a greeting.
    """
    if not came:
        return ""
    shown = excerpt(came)
    protocol = protocol_of(came)
    if protocol:
        return f'it speaks {protocol}: it sent "{shown}"'
    if handed_over in came:
        return "it sent the same bytes back, as an echo server does"
    answer = AnswerReader(framing)
    refusal = refusal_in(answer.text) if answer.feed(came) is COMPLETE else ""
    if refusal:
        return f'it answered as the server does: "{printable(refusal)}"'
    if WELCOME_WORD.encode() in came.partition(b"{")[0]:
        return f'it sent a welcome, as the server does: "{shown}"'
    return ""


def is_part_of_echo(came: bytes, handed_over: bytes) -> bool:
    """Return whether all that came at the end of the connection is the beginning of what was handed over."""
    start = came.find(handed_over[:ECHO_BYTES])
    return start >= 0 and handed_over.startswith(came[start:].rstrip())
