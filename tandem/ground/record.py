"""What is remembered. Made by the judge's side, kept by the store, read by results."""

from dataclasses import dataclass
from enum import StrEnum

from tandem.ground.problems import Problem

KEPT_BYTES = 8200  # of what came: a whole message behind its length


class Outcome(StrEnum):
    """How a visit ended."""

    MESSAGE_1 = "message 1"  # right: secret given
    MESSAGE_2 = "message 2"  # right: finished
    REJECTED = "rejected"
    NOTHING = "nothing"  # no message came: not one byte, or none that counts


@dataclass(frozen=True, slots=True)
class Team:
    """Who an exchange belongs to; the numbers in the order of message 1."""

    classname: str
    teamname: str
    studentnr1: str
    studentnr2: str


@dataclass(slots=True)
class Visit:
    """One connection to the ground."""

    at: int  # when it began: microseconds since 1970, UTC
    took: int  # microseconds until its reply was ready
    address: str  # where it came from: an IP address
    port: int
    outcome: Outcome
    received: bytes  # what came, cut off at KEPT_BYTES
    size: int  # bytes that came
    answered: bytes
    team: Team | None  # as far as it could be read; None: class or team name could not
    secret: str  # of the team, where the visit was right; else ""
    ip: str  # as the message has it
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    whole: bool = True  # False: one too many, it only counts for its team


@dataclass(frozen=True, slots=True)
class Surplus:
    """Refused visits of one address that were counted in the place of being recorded."""

    minute: int  # when it began: microseconds since 1970, UTC
    address: str
    visits: int


Record = Visit | Surplus
