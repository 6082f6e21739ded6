"""What is remembered. Made by the judge's side, kept by the store, read by results."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tandem.ground.problems import Problem

KEPT_BYTES = 8200  # of what came: a whole message behind its length


class Outcome(StrEnum):
    """How a visit ended."""

    MESSAGE_1 = "message 1"  # right: secret given
    MESSAGE_2 = "message 2"  # right: finished
    REJECTED = "rejected"
    NOTHING = "nothing"  # no message came: not one byte, or none that counts


RIGHT = (Outcome.MESSAGE_1, Outcome.MESSAGE_2)


class Team(NamedTuple):
    """Who an exchange belongs to; the numbers in the order of message 1."""

    classname: str
    teamname: str
    studentnr1: str
    studentnr2: str

    @property
    def pair(self) -> str:
        """Both numbers in sorted order: a team stays the same when they are swapped."""
        if self.studentnr1 <= self.studentnr2:
            return f"{self.studentnr1}\n{self.studentnr2}"
        return f"{self.studentnr2}\n{self.studentnr1}"


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


@dataclass(frozen=True, slots=True)
class Vitals:
    """How one ground was doing over a few seconds. Times in microseconds."""

    at: int  # the end of the period: microseconds since 1970, UTC
    ground: str  # which one: its address and process
    period: int
    visits: int  # answered in the period
    connections: int  # open at its end
    took_p50: int  # from the last byte of a right message 2 to its reply
    took_p99: int
    commits: int
    commit_p50: int
    commit_p99: int
    waiting: int  # records not yet on disk


Record = Visit | Surplus | Vitals
