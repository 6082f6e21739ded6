"""Runs a lab for a test, and reads its record."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from tandem.examiner.events import Event, Link, What, Who, read_events
from tandem.examiner.lab.start import start_lab
from tandem.examiner.order import LabOrder, Limits, ProgramOrder
from tandem.examiner.scenario import Scenario
from testing.examiner.specimens import PROGRAM
from testing.processes import TEAM

DEFAULT_LIMITS = Limits()
LIMIT_S = 100  # of one lab, above all that it may take

SERVER = ("145.24.222.82", 8001)
CLIENT_1 = "10.0.0.11"
CLIENT_2 = ("10.0.0.12", 5551)
DETAILS = tuple(TEAM[name] for name in ("studentnr1", "studentnr2", "classname", "teamname"))

PLAIN = Scenario("plain", "The plain exchange", "Nothing is disturbed.", ())
ALONE = Scenario("alone", "Client 1 alone", "Over when client 1 has ended.", (), first="client 1", until="quiet")


def program(clientid: int, server: tuple[str, int] = SERVER, peer: tuple[str, int] = CLIENT_2) -> ProgramOrder:
    """Return how a right submission is started."""
    addresses = (server[0], str(server[1]), peer[0], str(peer[1]))
    return ProgramOrder(("python3", PROGRAM, str(clientid), *addresses, *DETAILS))


def order(submission: Path, scenario: Scenario = PLAIN, limits: Limits = DEFAULT_LIMITS) -> LabOrder:
    """Return an order for a right submission. Change it with `dataclasses.replace`."""
    return LabOrder(
        folder=str(submission),
        client1=program(1),
        client2=program(2),
        scenario=scenario,
        server_host=SERVER[0],
        server_port=SERVER[1],
        client1_address=CLIENT_1,
        client2_address=CLIENT_2[0],
        peer_host=CLIENT_2[0],
        listen_port=CLIENT_2[1],
        limits=limits,
    )


@dataclass(frozen=True)
class Record:
    """The record of a lab."""

    folder: Path
    events: list[Event] = field(default_factory=list)

    def of(self, who: Who, what: What, link: Link = "") -> list[Event]:
        """Return the events of one kind."""
        return [event for event in self.events if (event.who, event.what, event.link) == (who, what, link)]

    def bytes_of(self, who: Who, what: What, link: Link = "") -> bytes:
        """Return all bytes of the events of one kind."""
        return b"".join(event.data for event in self.of(who, what, link))

    def output(self, who: Who) -> str:
        """Return what a program wrote."""
        return self.bytes_of(who, "output").decode(errors="replace")

    def texts(self, who: Who, what: What, link: Link = "") -> list[str]:
        """Return the texts of the events of one kind."""
        return [event.text for event in self.of(who, what, link)]


def run_lab(wanted: LabOrder, folder: Path) -> Record:
    """Carry out an order, and return its record, which is written into a new folder.

    Raises:
        AssertionError: the lab itself failed.
    """
    folder.mkdir()
    with start_lab(wanted, folder) as lab:
        assert lab.wait(LIMIT_S) == 0, lab.stderr and lab.stderr.read()
    record = Record(folder, list(read_events(folder)))
    failures = [event.text for event in record.events if event.what == "failure"]
    assert failures == []
    return record


def run_source(source: str, folder: Path, limits: Limits) -> Record:
    """Run a small program as client 1, and return the record."""
    submission = folder / "submission"
    submission.mkdir(parents=True)
    (submission / PROGRAM).write_text(source, encoding="utf-8")
    tried, nothing = ProgramOrder(("python3", PROGRAM)), ProgramOrder(("true",))
    wanted = order(submission, ALONE, limits)
    return run_lab(replace(wanted, client1=tried, client2=nothing), folder / "record")


def processes_with(marker: str) -> list[str]:
    """Return the command lines of all processes that have a text in theirs."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended
        if marker in line:
            found.append(line)
    return found
