"""Events of the tap as data: who did it, which arrow it is, and what is wrong with it."""

from dataclasses import dataclass
from enum import Enum

from tandem.diagnosis.diagnose import Diagnosis

CLIENT = "client"  # the side that connected to the tap
SERVER = "server"  # the side that the tap connected to


class EventKind(Enum):
    """The kinds of events. The values are those of --format json."""

    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    BYTES = "bytes"
    WELCOME = "welcome"
    MESSAGE = "message"
    REPLY = "reply"
    HANDOVER = "handover"
    REST = "rest"  # bytes that do not belong to the protocol
    END = "end"
    RESET = "reset"
    CLOSED = "closed"


@dataclass(frozen=True)
class WatchEvent:
    """One thing that happened on a connection."""

    kind: EventKind
    sender: str = ""  # CLIENT or SERVER; "" for what the tap itself did
    arrows: tuple[int, ...] = ()  # of the protocol; several if it cannot be told which of them
    data: bytes = b""  # bytes as received; of a welcome and a reply the text in them
    diagnosis: Diagnosis | None = None  # of a message
    text: str = ""  # what is wrong or missing, or an address


def other_side(side: str) -> str:
    """Return the other one of the two sides."""
    return SERVER if side == CLIENT else CLIENT
