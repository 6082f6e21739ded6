"""What each field must hold, and what the fields must be together: the rules of PROTOCOL.md 2.3, 4.1 and 5.2.

Pure, over values that were read already; knows neither JSON nor offsets. A Problem from here says in its
facts which field it is about. What needs the ground's key or the records is the judge's business.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tandem.diagnosis.problems import Problem
from tandem.protocol.address import plain_ip
from tandem.protocol.message import WAITING, Message, is_unicode

MAX_LENGTHS = {  # bytes
    "studentnr1": 32,
    "studentnr2": 32,
    "classname": 64,
    "teamname": 128,
    "ip": 64,
    "secret": 64,
    "status": 128,
}
USUAL_DIGITS = 7  # of a student number
MAX_CLIENTID = 9  # digits, in a reply

# As in the assignment, and as people shorten it: small letters, without blanks and signs. Each has a "your".
PLACEHOLDERS = frozenset(
    (
        "yourstudentnumber",
        "yourstudentnr",
        "yourstudentnr1",
        "yourstudentnumber1",
        "thestudentnumberofyourteammate",
        "studentnumberofyourteammate",
        "yourteammatesstudentnumber",
        "yourteammate",
        "yourclasscode",
        "yourclass",
        "yourclassname",
        "yourteamnameshouldbehere",
        "yourteamname",
        "yourownipaddress",
        "youripaddress",
        "yourownip",
        "yourip",
    )
)

_MAX_PLACEHOLDER = max(
    MAX_LENGTHS.values()
)  # characters, its blanks and signs included: longer is too long in any field
_SIGNS = re.compile(r"[\W_]+")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_HALF = re.compile("[\ud800-\udfff]")

Fields = Mapping[str, str | int]  # by name; a field that could not be read is not in it


def is_spotless(message: Message) -> bool:
    """Whether a quick look shows that no rule has anything to say, the ip's remarks aside.

    What a right message costs; its values may still be of any type. False only means: look closer.
    """
    number1, number2, ip = message.studentnr1, message.studentnr2, message.ip
    classname, teamname, secret = message.classname, message.teamname, message.secret
    try:
        together = "".join((number1, number2, classname, teamname, ip, secret))
    except TypeError:  # one of them is no text
        return False
    widest = 1 if together.isascii() else 4  # bytes of a character
    return (
        together.isprintable()
        and "your" not in together.lower()
        and len(number1) == USUAL_DIGITS == len(number2)
        and (number1 + number2).isdigit()
        and (number1 + number2).isascii()
        and 0 < len(classname) * widest <= MAX_LENGTHS["classname"]
        and 0 < len(teamname) * widest <= MAX_LENGTHS["teamname"]
        and 0 < len(ip) * widest <= MAX_LENGTHS["ip"]
        and len(secret) * widest <= MAX_LENGTHS["secret"]
        and _is_in_order(message)
    )


def _is_in_order(message: Message) -> bool:
    if type(message.clientid) is not int:
        return False
    if message.clientid == 1:
        return message.secret == message.status == ""
    return message.clientid == 2 and message.secret != "" and message.status == WAITING


def check_fields(fields: Fields, address: str) -> Iterator[Problem]:
    """Every problem and remark that the fields give rise to."""
    clientid = fields.get("clientid")
    for name, value in fields.items():
        if isinstance(value, str):
            found = tuple(_judge_text(name, value, clientid))
            yield from found
            if name == "ip" and not found:
                yield from remarks_on_ip(value, address)
    yield from _judge_exchange(fields)


def _judge_text(name: str, text: str, clientid: str | int | None) -> Iterator[Problem]:
    size = len(text.encode(errors="surrogatepass"))
    if not text:
        if not _may_be_empty(name, clientid):
            yield Problem("field-empty", facts={"field": name})
    elif is_placeholder(text):
        yield Problem("placeholder", facts={"field": name, "found": text})
    elif size > MAX_LENGTHS[name]:
        if clientid == 1 and name in ("secret", "status"):
            return  # it should not be there at all
        if name == "secret":
            yield Problem("secret-damaged", facts={"field": name, "found": str(len(text))})
            return
        yield Problem("field-too-long", facts={"field": name, "found": str(size), "wanted": str(MAX_LENGTHS[name])})
    elif name.startswith("studentnr") and not _is_usual(text):
        yield Problem("studentnr-unusual", facts={"field": name, "found": text})
    control = first_control(text)
    if control:
        yield Problem("control-character", facts={"field": name, "found": control})
    if not is_unicode(text):
        yield Problem("lone-surrogate", facts={"field": name, "found": _first(_HALF, text)})


def _may_be_empty(name: str, clientid: str | int | None) -> bool:
    """secret and status are the exchange's business; a number may be nobody's, the sender's own if it was swapped."""
    return name in ("studentnr2", "secret", "status") or (name == "studentnr1" and clientid == 2)


def _is_usual(number: str) -> bool:
    return len(number) == USUAL_DIGITS and number.isascii() and number.isdigit()


def is_placeholder(text: str) -> bool:
    """Whether it is the assignment's own word for what belongs there."""
    if len(text) > _MAX_PLACEHOLDER:
        return False
    lower = text.lower()
    return "your" in lower and _SIGNS.sub("", lower) in PLACEHOLDERS


def is_repeatable(name: str, value: str | int) -> bool:
    """Whether a reply may carry the value back: bounded, and nothing in it that JSON or a terminal must escape."""
    if isinstance(value, int):
        return len(str(value)) <= MAX_CLIENTID
    return not first_control(value) and is_unicode(value) and len(value.encode()) <= MAX_LENGTHS[name]


def first_control(text: str) -> str:
    """The first control character (C0, DEL, C1), "" if there is none."""
    return _first(_CONTROL, text)


def _first(wanted: re.Pattern[str], text: str) -> str:
    found = wanted.search(text)
    return found[0] if found else ""


def _judge_exchange(fields: Fields) -> Iterator[Problem]:
    """Whether clientid, secret, status and the numbers go together, as far as they could be read."""
    clientid, secret, status = fields.get("clientid"), fields.get("secret"), fields.get("status")
    if clientid == 2 and fields.get("studentnr1") == fields.get("studentnr2") == "":
        yield Problem("field-empty", facts={"field": "studentnr1"})
    if isinstance(clientid, int) and clientid not in (1, 2):
        yield Problem("clientid-not-1-or-2", facts={"field": "clientid", "found": str(clientid)})
    if clientid == 1 and isinstance(secret, str) and len(secret) == MAX_LENGTHS["secret"]:
        yield Problem("clientid-still-1", facts={"field": "clientid", "found": "1", "wanted": "2"})
    elif clientid == 1:
        if secret:
            yield Problem("secret-in-message-1", facts={"field": "secret", "found": str(secret)})
        if status:
            yield Problem("status-in-message-1", facts={"field": "status", "found": str(status)})
    if clientid == 2 and secret == "":
        yield Problem("secret-missing", facts={"field": "secret"})
    if clientid == 2 and status == "":
        yield Problem("status-blanked", facts={"field": "status"})
    elif clientid == 2 and status is not None and status != WAITING:
        yield Problem("status-changed", facts={"field": "status", "found": str(status)})


@lru_cache(maxsize=1024)
def remarks_on_ip(ip: str, address: str) -> tuple[Problem, ...]:
    """What is odd about the ip of a message that came from `address` ("" if that is not known)."""
    facts = {"field": "ip", "found": ip, "wanted": address}
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return (Problem("ip-not-an-address", facts=facts),)
    if parsed.is_loopback:
        return (Problem("ip-loopback", facts=facts),)
    if address and plain_ip(str(parsed)) != address:
        return (Problem("ip-elsewhere", facts=facts),)
    return ()
