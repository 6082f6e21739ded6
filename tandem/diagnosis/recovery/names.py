"""Which of the eight names was meant by one that is none of them."""

import re
from collections.abc import Collection

from tandem.protocol.message import FIELDS

MAX_LENGTH = 24  # characters of a name that is still looked at

# What people call a field, in small letters, without blanks and signs.
ALIASES = {
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
    "id": "clientid",
    "client": "clientid",
    "clientnr": "clientid",
    "clientnumber": "clientid",
    "team": "teamname",
    "name": "teamname",
    "teamcode": "teamname",
    "group": "teamname",
    "groupname": "teamname",
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
    "state": "status",
    "statuscode": "status",
}

SINGLE = frozenset(("studentnr", "studentnumber", "studentnummer", "studentno", "studentid", "student"))

_SIGNS = re.compile(r"[\W_]+")
_NUMBERS = ("studentnr1", "studentnr2")


def normalise(name: str) -> str:
    """Small letters and digits only: studentnr_1 and StudentNr-1 are the same then. "" for what is too long."""
    return _SIGNS.sub("", name.lower()) if len(name) <= MAX_LENGTH else ""


def wanted_value(name: str) -> str:
    """In words, what to write for a field where nothing, or None, stands."""
    plain = normalise(name)
    if plain == "clientid":
        return "the number 1 or 2"
    return '"", or what the ground sent' if plain in ("secret", "status") else "a text in quotes"


def is_known(name: str) -> bool:
    """Whether the name is a field's, or plainly stands for one."""
    plain = normalise(name[:MAX_LENGTH])
    return plain in FIELDS or plain in ALIASES or plain in SINGLE


def meant(name: str, wanting: Collection[str]) -> str | None:
    """The one of the fields still `wanting` that the name stands for; None if it is like none of them."""
    likely = plainly_meant(name, wanting)
    if likely or len(name) > MAX_LENGTH:
        return likely
    plain = normalise(name)
    near = [(distance(plain, field, _slips(field)), field) for field in wanting if _may_be_near(plain, field)]
    cost, field = min(near, default=(MAX_LENGTH, ""))
    return field if field and cost <= _slips(field) and len(plain) > 1 else None


def plainly_meant(name: str, wanting: Collection[str]) -> str | None:
    """The same, but letters that are missing or wrong in the middle of a name are not looked for."""
    if len(name) > MAX_LENGTH:
        return None
    plain = normalise(name)
    guesses = [plain, ALIASES.get(plain, ""), *(number for number in _NUMBERS if plain in SINGLE)]
    likely = [guess for guess in guesses if guess in wanting] or [field for field in wanting if _is_like(plain, field)]
    return likely[0] if likely else None


def _may_be_near(plain: str, field: str) -> bool:
    """Whether so few letters differ that the distance is worth computing. A slip changes two counts at most."""
    slips = _slips(field)
    if abs(len(plain) - len(field)) > slips:
        return False
    return sum(abs(plain.count(c) - field.count(c)) for c in {*plain, *field}) <= 2 * slips


def _is_like(plain: str, field: str) -> bool:
    """Whether the one is a part of the other, or begins and ends like it: letters were lost or doubled."""
    if len(plain) < 3 or len(field) < 3:
        return False
    return plain in field or field in plain or (plain[:4] == field[:4] and plain[-1] == field[-1])


def _slips(field: str) -> int:
    """How many slips of the finger still leave the field recognisable."""
    return 2 if len(field) > 4 else 1


def distance(one: str, other: str, most: int) -> int:
    """How many letters one must insert, delete, replace or swap with the next to get from one to the other.

    If that takes more than `most` slips, returns a number that is higher than `most`. A letter that is further than
    that from its place cannot be part of the shortest way, so only a band of each row is computed.
    """
    while one[:1] == other[:1] != "":
        one, other = one[1:], other[1:]
    while one[-1:] == other[-1:] != "":
        one, other = one[:-1], other[:-1]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [most + 1] * len(row)
        row[0] = i
        for j in range(max(1, i - most), min(len(other), i + most) + 1):
            if a == other[j - 1]:
                row[j] = before[j - 1]  # never more than the other ways
                continue
            cost = min(before[j], row[j - 1], before[j - 1])
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, older[j - 2])
            row[j] = cost + 1
        if min(row) > most:
            break
    return row[-1]
