"""The plan of an examination: how a submission is started, what it has built in, and what counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tandem.examiner.order import Limits
from tandem.examiner.placeholders import TEAM_DETAILS, names_in
from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT

# PlanAddresses for programs that have none built in: of the ranges for documentation, each in another network.
SERVER_HOST = "192.0.2.10"
CLIENT_1_HOST = "198.51.100.11"
CLIENT_2_HOST = "203.0.113.12"

TEAM = {"studentnr1": "0123456", "studentnr2": "0654321", "classname": "INF2A", "teamname": "Examined Team"}
UNKNOWN = "FILL-IN"  # in a draft: what a person must correct before it is a plan
IMPORTS = ("socket", "json", "sys")  # the assignment allows these


@dataclass(frozen=True)
class PlannedProgram:
    """The start of one instance. Command and answers may have placeholders."""

    command: tuple[str, ...]
    prompts: tuple[tuple[str, str], ...] = ()  # regular expression on its output -> the line that is typed

    def texts(self) -> Iterator[str]:
        """Yield all that may have placeholders."""
        yield from self.command
        yield from (answer for _, answer in self.prompts)


@dataclass(frozen=True)
class PlanAddresses:
    """The addresses of all hosts: as the program has it built in, or as the examiner chooses."""

    server: tuple[str, int] = (SERVER_HOST, SERVER_PORT)
    client1: str = CLIENT_1_HOST
    client2: str = CLIENT_2_HOST  # where client 1 looks for client 2; an address of 127.0.0.0/8 if that is built in
    listen_port: int = CLIENT_2_PORT


@dataclass(frozen=True)
class Plan:
    """One way to examine a submission."""

    client1: PlannedProgram
    client2: PlannedProgram
    addresses: PlanAddresses = PlanAddresses()
    team: dict[str, str] = field(default_factory=TEAM.copy)
    files: dict[str, str] = field(default_factory=dict)  # written into the copy of the submission: path -> text
    limits: Limits = field(default_factory=Limits)
    imports: tuple[str, ...] = IMPORTS
    leave_out: frozenset[str] = frozenset()  # ids of scenarios and checks that do not count
    points: dict[str, int] = field(default_factory=dict)  # of checks, where they differ

    def given_details(self) -> frozenset[str]:
        """Return the team details that client 1 is given. It has the others built in."""
        return names_in([*self.client1.texts(), *self.files.values()]) & frozenset(TEAM_DETAILS)


@dataclass(frozen=True)
class Submission:
    """A submission to examine."""

    name: str  # of its folder
    folder: Path
    plan: Plan
