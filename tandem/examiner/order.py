"""The order for the lab: one scenario of one submission, with every address, command line and limit filled in."""

from dataclasses import dataclass, field

from tandem.examiner.scenario import Scenario


@dataclass(frozen=True)
class Limits:
    """The most that one program may use in one run."""

    seconds: float = 60.0  # of wall time
    cpu_seconds: int = 20
    memory_mib: int = 512
    processes: int = 32
    output_kib: int = 256
    disk_mib: int = 32  # of its own folder and of /tmp
    quiet_s: float = 10.0  # how long a disturbed client 1 is watched
    grace_s: float = 2.0  # after the exchange has finished, until the programs are stopped


@dataclass(frozen=True)
class ProgramOrder:
    """The start of one instance."""

    words: tuple[str, ...]  # the command line
    prompts: tuple[tuple[str, str], ...] = ()  # pattern (regular expression) in its output -> the line that is typed


@dataclass(frozen=True)
class LabOrder:
    """One run."""

    folder: str  # the submission; the lab copies it
    client1: ProgramOrder
    client2: ProgramOrder
    scenario: Scenario
    server_host: str  # built into the program or given to it; the server's host owns it
    server_port: int
    client1_address: str
    client2_address: str
    peer_host: str  # where client 1 looks for client 2: client2_address, or an address of 127.0.0.0/8 that is built in
    listen_port: int  # client 2's
    files: dict[str, str] = field(default_factory=dict)  # written into each copy of the folder: path -> text
    seed: int = 0
    limits: Limits = Limits()
    isolated: bool = True  # False: `--local`, on loopback without hosts of their own
    # without hosts of their own: the port where client 1 looks for client 2, if it is another one than listen_port.
    # A relay listens there, and sees the handover.
    peer_port: int = 0
