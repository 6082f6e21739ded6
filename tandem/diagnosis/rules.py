"""The rules of the eight fields: other names for them, what a value may be, and which values fit together.

The rules are PROTOCOL 2.3, 4.1 and 5.2, over values that were read already: no JSON and no offsets. Each Problem from
here has the fact `field`. What needs the server's key or the records is checked by the server's judge.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from tandem.diagnosis.problem import Problem
from tandem.protocol.address import is_loopback, plain_ip
from tandem.protocol.message import ERROR_PREFIX, FIELDS, STATUS_WAITING, Message

MAX_LENGTHS = {  # bytes (PROTOCOL 2.3)
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

# The assignment's placeholders and short forms of them, normalised (see _SIGNS). Each contains "your".
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

_MAX_PLACEHOLDER = max(MAX_LENGTHS.values())  # characters, signs included: longer is too long in any field
_SIGNS = re.compile(r"[\W_]+")  # left out when words are compared
CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")  # C0, DEL, C1
_SURROGATE = re.compile("[\ud800-\udfff]")  # one half of a surrogate pair, which UTF-8 cannot carry

Fields = Mapping[str, str | int]  # by name; a field that could not be read is not in it


# Names

MAX_NAME = 24  # characters of a name that is still compared with others

ALIASES = {  # what people call a field, normalised
    "student1": "studentnr1",
    "student2": "studentnr2",
    "studentnumber1": "studentnr1",
    "studentnumber2": "studentnr2",
    "studentnummer1": "studentnr1",
    "studentnummer2": "studentnr2",
    "studentno1": "studentnr1",
    "studentno2": "studentnr2",
    "studentid1": "studentnr1",
    "studentid2": "studentnr2",
    "nr1": "studentnr1",
    "nr2": "studentnr2",
    "number1": "studentnr1",
    "number2": "studentnr2",
    "class": "classname",
    "classcode": "classname",
    "classid": "classname",
    "klas": "classname",
    "klasnaam": "classname",
    "klascode": "classname",
    "klasse": "classname",
    "id": "clientid",
    "client": "clientid",
    "clientnr": "clientid",
    "clientnumber": "clientid",
    "team": "teamname",
    "name": "teamname",
    "teamcode": "teamname",
    "group": "teamname",
    "groupname": "teamname",
    "groep": "teamname",
    "groepsnaam": "teamname",
    "ipaddress": "ip",
    "ipaddr": "ip",
    "ipadres": "ip",
    "ipv4": "ip",
    "address": "ip",
    "ownip": "ip",
    "clientip": "ip",
    "myip": "ip",
    "secretkey": "secret",
    "key": "secret",
    "geheim": "secret",
    "state": "status",
    "statuscode": "status",
}

# The one number of an older assignment, which stands for both of today's.
SINGLE = frozenset(("studentnr", "studentnumber", "studentnummer", "studentno", "studentid", "student"))


def normalise(name: str) -> str:
    """Return the small letters and digits of a name: studentnr_1 and StudentNr-1 are the same. "" if it is too long."""
    return _SIGNS.sub("", name.lower()) if len(name) <= MAX_NAME else ""


def is_known_name(name: str) -> bool:
    """Return whether the name is a field's, or plainly stands for one."""
    plain = normalise(name[:MAX_NAME])
    return plain in FIELDS or plain in ALIASES or plain in SINGLE


def wanted_value(name: str) -> str:
    """Return in words what to write for the field where nothing, or None, stands."""
    plain = normalise(name)
    if plain == "clientid":
        return "the number 1 or 2"
    if plain == "studentnr2":
        return "a text in quotes, in a team of one an empty one or 0000000"
    return "an empty text, or what the server sent" if plain in ("secret", "status") else "a text in quotes"


# Values


def is_spotless(message: Message) -> bool:
    """Return whether a quick look shows that no rule finds anything, the remarks on the ip aside.

    The values may be of any type. After False, call `check_fields`: the message may still be right.
    """
    number1, number2, ip = message.studentnr1, message.studentnr2, message.ip
    classname, teamname, secret = message.classname, message.teamname, message.secret
    try:
        together = "".join((number1, number2, classname, teamname, ip, secret))
    except TypeError:  # one of them is no text
        return False
    char_bytes = 1 if together.isascii() else 4  # at most
    return (
        together.isprintable()
        and "your" not in together.lower()
        and "b'" not in together
        and 'b"' not in together
        and len(number1) == USUAL_DIGITS == len(number2)
        and (number1 + number2).isdigit()
        and (number1 + number2).isascii()
        and 0 < len(classname) * char_bytes <= MAX_LENGTHS["classname"]
        and 0 < len(teamname) * char_bytes <= MAX_LENGTHS["teamname"]
        and 0 < len(ip) * char_bytes <= MAX_LENGTHS["ip"]
        and len(secret) * char_bytes <= MAX_LENGTHS["secret"]
        and _fits_exchange(message)
    )


def _fits_exchange(message: Message) -> bool:
    if type(message.clientid) is not int:
        return False
    if message.clientid == 1:
        return message.secret == message.status == ""
    return message.clientid == 2 and message.secret != "" and message.status == STATUS_WAITING


def check_fields(fields: Fields, address: str) -> list[Problem]:
    """Return every problem and remark on the fields of a message that came from `address` ("" if not known)."""
    refusal = _refusal_in(fields)
    if refusal:
        return [Problem("refusal-handed-on", facts={"field": "status", "found": refusal})]
    clientid = fields.get("clientid")
    found: list[Problem] = []
    for name, value in fields.items():
        if isinstance(value, str):
            on_text = _check_text(name, value, clientid)
            found += on_text
            if name == "ip" and not on_text:
                found += remarks_on_ip(value, address)
    found += _check_exchange(fields)
    return found


def _refusal_in(fields: Fields) -> str:
    """Return the server's words if the message is its refusal of message 1, which client 1 handed over; else "".

    Nothing else is checked then: the other fields are what the server could read of the refused message. A refusal has
    no secret: whatever text a program makes of none, as `None`, does not have the form of one.
    """
    status, secret = fields.get("status"), fields.get("secret")
    if not isinstance(status, str) or not status.startswith(ERROR_PREFIX):
        return ""
    if isinstance(secret, str) and is_secret(secret):
        return ""
    return status.removeprefix(ERROR_PREFIX)


def _check_text(name: str, text: str, clientid: str | int | None) -> list[Problem]:
    facts = {"field": name}
    size = len(text.encode(errors="surrogatepass"))
    found: list[Problem] = []
    if not text:
        if not _may_be_empty(name, clientid):
            found.append(Problem("field-empty", facts=facts))
    elif is_placeholder(text):
        found.append(Problem("placeholder", facts=facts | {"found": text}))
    elif size > MAX_LENGTHS[name]:
        if clientid == 1 and name in ("secret", "status"):
            return []  # _check_exchange finds that it should not be there at all
        if name == "secret":
            return [Problem("secret-damaged", facts=facts | {"found": damage_of_secret(text)})]
        sizes = {"found": str(size), "wanted": str(MAX_LENGTHS[name])}
        found.append(Problem("field-too-long", facts=facts | sizes))
    elif name not in ("secret", "status") and is_bytes_literal(text):
        found.append(Problem("field-as-bytes", facts=facts | {"found": text}))
    elif name.startswith("studentnr") and not _is_usual(text):
        found.append(Problem("studentnr-unusual", facts=facts | {"found": text}))
    for id, wrong in (("control-character", CONTROL), ("lone-surrogate", _SURROGATE)):
        match = wrong.search(text)
        if match:
            found.append(Problem(id, facts=facts | {"found": code_point(match[0])}))
    return found


_HEX_DIGITS = frozenset("0123456789abcdef")
_LITERAL = re.compile(r"""(b?)(["'])(.*)\2""", re.DOTALL)  # what str() or repr() makes of bytes or text


def is_secret(text: str) -> bool:
    """Return whether a text has the form of a secret."""
    return len(text) == MAX_LENGTHS["secret"] and _HEX_DIGITS.issuperset(text)


def is_bytes_literal(text: str) -> bool:
    """Return whether a text is what str() makes of bytes."""
    literal = _LITERAL.fullmatch(text)
    return literal is not None and literal[1] == "b"


def damage_of_secret(text: str) -> str:
    """Return in words what a secret has that no secret has, or how long it is."""
    literal = _LITERAL.fullmatch(text)
    if literal and literal[1]:
        return "b and quotes around it, as str() makes of bytes (use .decode())"
    if literal:
        return "quotes around it"
    if text != text.strip() and is_secret(text.strip()):
        return "white space or a line end around it (use .strip())"
    if text != text.lower() and is_secret(text.lower()):
        return "capital letters"
    strange = next((c for c in text if c not in _HEX_DIGITS), "")
    if strange and len(text) == MAX_LENGTHS["secret"]:
        return f"`{strange}` in it"
    return f"{len(text)} characters"


def _may_be_empty(name: str, clientid: str | int | None) -> bool:
    """Return whether no rule for the field alone forbids "". A number is empty in a team of one, swapped or not."""
    return name in ("studentnr2", "secret", "status") or (name == "studentnr1" and clientid == 2)


def _is_usual(number: str) -> bool:
    return len(number) == USUAL_DIGITS and number.isascii() and number.isdigit()


def is_placeholder(text: str) -> bool:
    """Return whether the text is one of the assignment's placeholders."""
    if len(text) > _MAX_PLACEHOLDER:
        return False
    lower = text.lower()
    return "your" in lower and _SIGNS.sub("", lower) in PLACEHOLDERS


def repeatable(fields: Fields) -> dict[str, str | int]:
    """Return the fields that a reply may repeat: of bounded size, without control characters or half characters."""
    return {name: value for name, value in fields.items() if is_repeatable(name, value)}


def is_repeatable(name: str, value: str | int) -> bool:
    """Return whether a reply may repeat the value of this field."""
    if isinstance(value, int):
        return len(str(value)) <= MAX_CLIENTID
    if CONTROL.search(value) or _SURROGATE.search(value):
        return False
    return len(value.encode()) <= MAX_LENGTHS[name]


_CONTROL_NAMES = {"\0": "a zero byte", "\t": "a tab", "\n": "a line end", "\r": "a carriage return"}


def code_point(c: str) -> str:
    """Return a character that cannot be shown by its number, and by its name if students know that."""
    name = _CONTROL_NAMES.get(c)
    return f"U+{ord(c):04X}, {name}" if name else f"U+{ord(c):04X}"


def control_in(text: str) -> re.Match[str] | None:
    """Return the first control character (C0, DEL, C1)."""
    return CONTROL.search(text)


def _check_exchange(fields: Fields) -> Iterable[Problem]:
    """Yield what is wrong with clientid, secret, status and the numbers together, as far as they could be read."""
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
    elif clientid == 2 and status is not None and status != STATUS_WAITING:
        yield Problem("status-changed", facts={"field": "status", "found": str(status)})


_LOCAL_NETWORKS = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"))
)


def is_shared_by_router(ip: str, address: str) -> bool:
    """Return whether the ip may be the public one of a router that the connection from `address` is behind.

    Every machine behind the router has the same one: that two clients send it says nothing.
    """
    return is_local(address) and not is_local(ip)


@lru_cache(maxsize=1024)
def is_local(ip: str) -> bool:
    """Return whether an IP address is one of a local network, which no router passes on."""
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(parsed in network for network in _LOCAL_NETWORKS)


@lru_cache(maxsize=1024)
def remarks_on_ip(ip: str, address: str) -> tuple[Problem, ...]:
    """Return the remarks on the ip of a message that came from `address` ("" if not known)."""
    facts = {"field": "ip", "found": ip, "wanted": address}
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return (Problem("ip-not-an-address", facts=facts),)
    if parsed.is_loopback:
        return () if address and is_loopback(address) else (Problem("ip-loopback", facts=facts),)
    if address and plain_ip(str(parsed)) != address:
        return (Problem("ip-elsewhere", facts=facts),)
    return ()
