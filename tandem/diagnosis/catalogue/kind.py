"""The data types of the catalogue: Kind, an entry, with its Severity and Family. It holds no entries.

The entries are in the four files in_*.py beside this one. The code that finds a mistake names its entry by the id:
diagnosis/recovery/ (bytes and JSON), diagnosis/rules.py (fields, and what a message alone shows of the exchange), and
server/message_2.py (the rest of the exchange).
"""

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
    """Whether a message with it is refused."""

    PROBLEM = "problem"  # the message is refused
    REMARK = "remark"  # unusual, but accepted


class Family(StrEnum):
    """The layer of a message that a kind belongs to, the outermost first: the order in which problems are reported."""

    BYTES = "bytes"
    JSON = "JSON"
    FIELDS = "fields"
    EXCHANGE = "the exchange"


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue. `what`, `help` and `help_framed` are templates for the facts of a Problem."""

    id: str
    severity: Severity
    family: Family
    title: str
    what: str
    help: str
    clause: str  # of PROTOCOL.md
    specimen: bytes  # a message with this mistake and no other
    needs: str = ""  # what the server must know besides the message to find it; "": the message is enough
    help_framed: str = ""  # what to try where a length is wanted (--framing length); "": the same


def but(old: bytes, new: bytes, right: bytes = RIGHT) -> bytes:
    """Return a right message with one change.

    Raises:
        ValueError: `old` is not in the message.
    """
    if old not in right:
        raise ValueError(f"{old!r} is not in the message")
    return right.replace(old, new, 1)
