"""The work that every peer does for a message: parse, check the eight fields, derive the secret, compare, reply.

Written as anyone would write it, with the standard library. No diagnosis, no record: a wrong message gets one word.
A message is taken to come in one piece of at most 8,192 bytes, and to be complete if it parses.
"""

import hmac
import json
import secrets
import socket
import sys
from typing import Any

WELCOME = b"peer: socket connection established. Send your message."
MAX_MESSAGE = 8192
BACKLOG = 4096

TEXTS = ("studentnr1", "studentnr2", "classname", "teamname", "ip", "secret", "status")
LENGTHS = {"studentnr1": 32, "studentnr2": 32, "classname": 64, "teamname": 128, "ip": 64}

KEY = secrets.token_bytes(32)
_NOTHING = {"studentnr1": "", "studentnr2": "", "classname": "", "clientid": 0, "teamname": "", "ip": "", "secret": ""}


def answer(data: bytes) -> bytes:
    """The reply to a message, whatever it is."""
    try:
        reply = _judged(json.loads(data))
    except (ValueError, RecursionError):  # no JSON, or text that UTF-8 cannot carry
        reply = _NOTHING | {"status": "error: that is no message"}
    return json.dumps(reply).encode()


def listen() -> socket.socket:
    """A listening socket on a free port of 127.0.0.1."""
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)


def tell(listener: socket.socket) -> None:
    """Says where it listens, on standard error."""
    print(f"peer: listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)


def _judged(message: Any) -> dict[str, Any]:
    if not _is_right(message):
        return _NOTHING | {"status": "error: that is no right message"}
    reply: dict[str, Any] = message
    numbers = reply["studentnr1"], reply["studentnr2"]
    if reply["clientid"] == 1:
        reply["secret"] = _secret(reply, *numbers)
        reply["status"] = "waiting for message 2"
    elif hmac.compare_digest(_secret(reply, *numbers[::-1]).encode(), reply["secret"].encode()):
        reply["status"] = "Finished successfully"
    else:
        reply["secret"] = ""
        reply["status"] = "error: the secret is not your team's, or the numbers are not swapped"
    return reply


def _is_right(message: Any) -> bool:
    """Whether it has the eight fields, each of its type and length."""
    if type(message) is not dict or len(message) != len(TEXTS) + 1:
        return False
    if type(message.get("clientid")) is not int or message["clientid"] not in (1, 2):
        return False
    if not all(type(message.get(name)) is str for name in TEXTS):
        return False
    return all(len(message[name].encode()) <= most for name, most in LENGTHS.items())


def _secret(message: dict[str, Any], studentnr1: str, studentnr2: str) -> str:
    """Derived from the team and the order of its numbers."""
    team = "\0".join((message["classname"], message["teamname"], studentnr1, studentnr2))
    return hmac.digest(KEY, team.encode(), "sha256").hex()
