"""Decides whether a message is right, independently of the code under test, to compare the diagnosis with.

Written from the contract alone, with Python's json and plain checks.
"""

import json
import re
import unicodedata

from tandem.protocol.framing import LENGTH, PLAIN

MAX_BYTES = {
    "studentnr1": 32,
    "studentnr2": 32,
    "classname": 64,
    "teamname": 128,
    "ip": 64,
    "secret": 64,
    "status": 128,
}
PLACEHOLDERS = {  # without blanks and signs
    *("yourstudentnumber", "yourstudentnr", "yourstudentnr1", "yourstudentnumber1"),
    *("thestudentnumberofyourteammate", "studentnumberofyourteammate", "yourteammatesstudentnumber", "yourteammate"),
    *("yourclasscode", "yourclass", "yourclassname", "yourteamnameshouldbehere", "yourteamname"),
    *("yourownipaddress", "youripaddress", "yourownip", "yourip"),
}


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def is_right(data: bytes, framing: str = PLAIN) -> bool:
    """Return whether the data is one right message in itself, with the length that the framing wants."""
    if framing == LENGTH:
        length = int.from_bytes(data[:4], "little")
        if len(data) - 4 < length or data[4 + length :].strip(b" \t\r\n"):
            return False
        data = data[4 : 4 + length]
    if len(data.rstrip()) > 8192:
        return False
    try:
        message = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.keys() == {*MAX_BYTES, "clientid"} and _obeys_the_rules(message)


def _obeys_the_rules(message: dict[str, object]) -> bool:
    first = message["clientid"] == 1
    if type(message["clientid"]) is not int or message["clientid"] not in (1, 2):
        return False
    for name, max_bytes in MAX_BYTES.items():
        text = message[name]
        if text is None and name in ("secret", "status"):
            text = message[name] = ""
        if not isinstance(text, str) or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
            return False
        if len(text.encode()) > max_bytes or _is_placeholder(text):
            return False
    if not all(message[name] for name in ("classname", "teamname", "ip")):
        return False
    if first:
        return message["studentnr1"] != "" and message["secret"] == message["status"] == ""
    is_secret = re.fullmatch("[0-9a-f]{64}", str(message["secret"]))
    if str(message["status"]).startswith("error: ") and not is_secret:
        return False
    return message["secret"] != "" and (message["studentnr1"], message["studentnr2"]) != ("", "")


def _is_placeholder(text: str) -> bool:
    """Return whether it is a placeholder of the assignment, whatever its capitals, blanks and signs."""
    return "your" in text.lower() and "".join(filter(str.isalnum, text)).lower() in PLACEHOLDERS
