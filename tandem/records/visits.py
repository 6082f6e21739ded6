"""The records of visits, teams and metrics: made by the server, written by the store, read by the queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from tandem.diagnosis.problem import Problem, findings_in, findings_text, is_only_handed_on
from tandem.protocol.address import show_address
from tandem.protocol.message import NO_TEAMMATE, Message

MAX_STORED_BYTES = 8200  # of what came: a whole message behind its length


class Outcome(StrEnum):
    """The outcome of a visit."""

    MESSAGE_1 = "message 1"  # right: secret given
    MESSAGE_2 = "message 2"  # right: finished
    REJECTED = "rejected"
    NOTHING = "nothing"  # no message came: not one byte, or none that counts


class Team(NamedTuple):
    """The team of an exchange, with the student numbers in the order of message 1."""

    classname: str
    teamname: str
    studentnr1: str
    studentnr2: str

    @property
    def pair(self) -> str:
        """Both student numbers in sorted order: the team is the same when they are swapped."""
        if self.studentnr1 <= self.studentnr2:
            return f"{self.studentnr1}\n{self.studentnr2}"
        return f"{self.studentnr2}\n{self.studentnr1}"


def has_number_in_common(one: Message | Team, other: Team) -> bool:
    """Return whether two teams have a student number in common. That of a missing teammate does not count."""
    numbers = {one.studentnr1, one.studentnr2} & {other.studentnr1, other.studentnr2}
    return not numbers.issubset(NO_TEAMMATE)


class RightVisit(NamedTuple):
    """A visit with a right message. Its first fields are the columns of its row, in order; see ROW_COLUMNS.

    It is a tuple because nearly every visit is one, and the database takes it unchanged.
    """

    classname: str
    teamname: str
    pair: str  # see Team.pair
    started_us: int  # microseconds since 1970, UTC
    duration_us: int  # from the start until the reply was ready
    address: str
    port: int
    outcome: str  # the text of an Outcome: SQLite takes it as it is
    received: bytes  # what came, cut off at MAX_STORED_BYTES
    size_bytes: int  # of everything that came
    reply: bytes
    findings: str  # its remarks as JSON (findings_text in diagnosis/problem.py)
    studentnr1: str  # the numbers in the order of message 1
    studentnr2: str
    secret: str
    ip: str  # as the message has it
    stored_in_full: bool = True  # False: over the quota, so the visit is only counted for its team

    @property
    def team(self) -> Team:
        """The team of the visit."""
        return Team(self.classname, self.teamname, self.studentnr1, self.studentnr2)

    def log_line(self) -> str:
        """Return the visit in one line. It holds no values, so no student numbers."""
        return (
            f"{show_address(self.address, self.port)} {self.outcome} {self.classname}/{self.teamname}"
            f" {self.size_bytes} bytes {self.duration_us / 1000:.1f} ms{_remarks_in_words(self.findings)}"
        )


ROW_COLUMNS = RightVisit._fields.index("findings") + 1  # fields of a RightVisit that are columns of its row


@dataclass(slots=True)
class Visit:
    """A visit without a right message."""

    started_us: int  # microseconds since 1970, UTC
    duration_us: int  # from the start until the reply was ready
    address: str  # where it came from: an IP address
    port: int
    outcome: Outcome
    received: bytes  # what came, cut off at MAX_STORED_BYTES
    size_bytes: int  # of everything that came
    reply: bytes
    team: Team | None  # as far as it could be read; None: class or team name could not
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    stored_in_full: bool = True  # False: over the quota, so the visit is only counted for its team
    secret: str = ""  # as the message has it, until the store has looked up whose it is
    owner: Team | None = None  # the team that the secret was given to, as far as the server remembers it

    @property
    def filed_under(self) -> Team | None:
        """The team that the visit is counted for. The message may have another name, class or number."""
        return self.owner or self.team

    @property
    def claimed_pair(self) -> str:
        """The student numbers that tell this visit from those of other teams of the name; "" if none came."""
        team = self.filed_under
        return team.pair if team and (team.studentnr1 or team.studentnr2) else ""

    @property
    def is_handed_on(self) -> bool:
        """Whether nothing else is wrong than that the server's refusal of message 1 was handed on."""
        return is_only_handed_on(problem.id for problem in self.problems)

    @property
    def findings(self) -> str:
        """The problems and remarks as JSON, as the row holds them."""
        return findings_text(self.problems + self.remarks)

    def log_line(self) -> str:
        """Return the visit in one line. It holds no values, so no student numbers."""
        team = f"{self.team.classname}/{self.team.teamname}" if self.team else "-"
        line = (
            f"{show_address(self.address, self.port)} {self.outcome} {team}"
            f" {self.size_bytes} bytes {self.duration_us / 1000:.1f} ms"
        )
        if not self.problems and not self.remarks:
            return line
        problems = [f"{problem.kind.title} ({problem.id})" for problem in self.problems]
        return f"{line}: {'; '.join((*problems, *_remarks(self.remarks)))}"


def _remarks(remarks: tuple[Problem, ...]) -> list[str]:
    return [f"remark: {remark.kind.title} ({remark.id})" for remark in remarks]


@lru_cache(maxsize=1024)  # clients behind one address get the same remark
def _remarks_in_words(findings: str) -> str:
    remarks = findings_in(findings)
    return f": {'; '.join(_remarks(remarks))}" if remarks else ""


@dataclass(frozen=True, slots=True)
class SuppressedVisits:
    """Refused visits of one address that were counted instead of recorded. The fields are the columns of its row."""

    minute_us: int  # the start of the minute: microseconds since 1970, UTC
    address: str
    visits: int


BYTES_AFTER_REPLY = "bytes-after-reply"  # the remark
LATE_BYTES_TOLERANCE_US = 1_000_000  # the clock may have been set since the visit was recorded


@dataclass(frozen=True, slots=True)
class LateBytes:
    """Bytes that came after the reply of a visit. They add a remark to the visit on record, once.

    A client may use its port again at once. Of several visits from one address and port within the tolerance, the
    one with the nearest start gets the remark.
    """

    started_us: int  # of the visit, to LATE_BYTES_TOLERANCE_US
    address: str
    port: int
    findings: str  # the remark, as a row holds it


@dataclass(frozen=True, slots=True)
class MetricsSample:
    """The metrics of one server process over a few seconds. The fields stand in the order of METRICS_COLUMNS."""

    ended_us: int  # the end of the period: microseconds since 1970, UTC
    server: str  # its address and process
    period_us: int
    visits: int  # answered in the period
    connections: int  # open at its end
    reply_p50_us: int  # from the start of the commit of a right message 2 to its reply
    reply_p99_us: int
    commits: int
    commit_p50_us: int
    commit_p99_us: int
    waiting: int  # records not yet on disk


METRICS_COLUMNS = (  # of the row of a MetricsSample, in the order of its fields
    "at",
    "ground",
    "period",
    "visits",
    "connections",
    "took_p50",
    "took_p99",
    "commits",
    "commit_p50",
    "commit_p99",
    "waiting",
)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign that a server works, for PostgreSQL: one row a server, with the database's time. See heartbeat.py."""

    server: str  # its machine and address


Record = RightVisit | Visit | LateBytes | SuppressedVisits | MetricsSample | Heartbeat


def has_secret_to_file(records: Iterable[Record]) -> bool:
    """Return whether a refused visit among these has a secret, whose team the store looks up (secret_owners.py)."""
    return any(isinstance(record, Visit) and record.secret for record in records)
