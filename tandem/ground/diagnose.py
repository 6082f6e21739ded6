"""From what came to the fields that could be read, and everything that is wrong or odd about them.

Pure and total: for any bytes it returns. A right message takes the fast path and pays nothing for the
rest. What needs the key or the records (is this secret right?) is the judge's business, not decided here.
"""

import ipaddress
import json
from dataclasses import dataclass, field
from enum import Enum, auto

from tandem.exchange.message import FIELDS, TEXT_FIELDS, WAITING, Message, is_unicode
from tandem.exchange.reader import COMPLETE, Reader
from tandem.ground.problems import Problem

LONGEST = {"studentnr1": 32, "studentnr2": 32, "classname": 64, "teamname": 128, "ip": 64, "secret": 64, "status": 64}


class Ending(Enum):
    """Why the ground stopped reading."""

    DECIDED = auto()  # the reader said COMPLETE or NEVER
    SILENCE = auto()  # nothing came for a while, in the middle of a message
    END_OF_STREAM = auto()  # the sender closed its side


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What could be read, and what is wrong or odd about it. No problem: the message is right in itself."""

    message: Message  # fields that could not be read are "", clientid 0
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    repaired: Message | None = field(default=None)  # the message that was probably meant


def diagnose(reader: Reader, ending: Ending, address: str = "") -> Diagnosis:
    """Reads what came; `address` is where it came from ("" if that is not known)."""
    if not reader.received:
        return Diagnosis(Message(), (Problem("nothing-came"),))
    if reader.state is not COMPLETE:
        kind = "not-json" if ending is Ending.DECIDED else "never-closed"
        return Diagnosis(Message(), (Problem(kind, facts={"found": "no object"}),))
    try:
        found = json.loads(reader.text)
    except (ValueError, RecursionError) as error:
        return Diagnosis(Message(), (Problem("not-json", facts={"found": str(error)}),))
    problems, remarks, read = [], [], {}
    for name in FIELDS:
        value = found.get(name)
        wanted = str if name in TEXT_FIELDS else int
        if name not in found:
            problems.append(Problem("field-missing", facts={"field": name}))
        elif value is None and name in ("secret", "status"):
            read[name] = ""
            remarks.append(Problem("null-as-empty", facts={"field": name}))
        elif type(value) is not wanted or (wanted is str and not is_unicode(value)):
            problems.append(
                Problem("field-type", facts={"field": name, "found": str(type(value)), "wanted": str(wanted)})
            )
        else:
            read[name] = value
    message = Message(**read)
    if not problems:
        if message.clientid not in (1, 2):
            problems.append(Problem("clientid-not-1-or-2", facts={"found": str(message.clientid)}))
        if message.clientid == 1 and message.secret:
            problems.append(Problem("clientid-still-1" if len(message.secret) == 64 else "secret-in-message-1"))
        elif message.clientid == 1 and message.status:
            problems.append(Problem("status-in-message-1"))
        if message.clientid == 2 and not message.secret:
            problems.append(Problem("secret-missing"))
        if message.clientid == 2 and message.status != WAITING:
            remarks.append(Problem("status-changed", facts={"found": message.status}))
    remarks += remarks_on_ip(message.ip, address)
    return Diagnosis(message, tuple(problems), tuple(remarks))


def remarks_on_ip(ip: str, address: str) -> list[Problem]:
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return [Problem("ip-not-an-address", facts={"field": "ip", "found": ip})]
    if parsed.is_loopback:
        return [Problem("ip-loopback", facts={"field": "ip", "found": ip})]
    if address and ip != address:
        return [Problem("ip-elsewhere", facts={"field": "ip", "found": ip, "wanted": address})]
    return []
