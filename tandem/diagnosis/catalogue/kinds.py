"""What an entry of the catalogue is made of. Data types only; the entries are in the four files in_*.py beside it."""

from dataclasses import dataclass
from enum import StrEnum

RIGHT = (
    b'{"studentnr1": "0923456", "studentnr2": "0934567", "classname": "INF2A", "clientid": 1, '
    b'"teamname": "Team1", "ip": "192.168.1.2", "secret": "", "status": ""}'
)

RIGHT_2 = (
    b'{"studentnr1": "0934567", "studentnr2": "0923456", "classname": "INF2A", "clientid": 2, '
    b'"teamname": "Team1", "ip": "192.168.1.3", '
    b'"secret": "3f5a0c77d1b24e96a8c0f3b1527e6d49880f4c2ab9e1d3675c0b8a4e7f216d93", '
    b'"status": "waiting for message 2"}'
)


class Severity(StrEnum):
    PROBLEM = "problem"  # the message is refused
    REMARK = "remark"  # odd, but accepted all the same


class Family(StrEnum):
    """Which layer of a message a kind belongs to, outermost first: also the order of telling."""

    BYTES = "bytes"
    JSON = "JSON"
    FIELDS = "fields"
    EXCHANGE = "the exchange"


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue. `what` and `help` are templates over the facts of a Problem."""

    id: str
    severity: Severity
    family: Family
    title: str
    what: str
    help: str
    clause: str  # of PROTOCOL.md
    specimen: bytes  # what has this mistake, and no other
    needs: str = ""  # what the judge must know besides the message to find it; "": the message tells


def but(old: bytes, new: bytes, right: bytes = RIGHT) -> bytes:
    """A specimen: a right message but for one place."""
    if old not in right:
        raise ValueError(f"{old!r} is not in the message")
    return right.replace(old, new, 1)
