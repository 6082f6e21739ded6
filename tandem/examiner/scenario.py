"""A scenario as data: what the examiner does, and the checks that are decided from the record.

A scenario is data. The lab carries it out (lab/), and says in events what happened; the facts of a record
(facts.py) decide its checks (verdicts.py).
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["assignment", "robustness", "rule"]
Direction = Literal["to server", "to client"]
FaultKind = Literal[
    "split",  # cut into pieces, with a pause between them
    "delay",  # everything comes later
    "drop",  # nothing comes any more, and the connection stays open
    "truncate",  # what follows some bytes never comes
    "corrupt",  # one byte is another one
    "reset",  # the connection is reset (RST)
    "half-close",  # the end of the stream comes
    "duplicate",  # every byte comes twice: the whole again after the whole
    "append",  # bytes are added at the end of a message
    "replace",  # some bytes of a message are others
]


@dataclass(frozen=True)
class Fault:
    """One disturbance of one direction of one visit. Several are applied in their order."""

    kind: FaultKind
    visit: int = 1  # 1: the visit of client 1, 2: of client 2, 0: both
    direction: Direction = "to client"
    on: Literal["welcome", "message"] = "message"  # what is disturbed: the welcome, or message and reply
    at: tuple[int, ...] = ()  # offsets in bytes where it acts; () lets the seed choose
    every: int = 0  # split: the size of each piece in bytes, 0 uses `at`
    pause_s: float = 0.0  # between pieces, or the delay
    old: bytes = b""  # replace: these bytes ...
    new: bytes = b""  # ... become these; append: what is added


@dataclass(frozen=True)
class Approach:
    """A connection of the examiner to client 2, made once the kernel says that it listens, before client 1 starts."""

    sends: bytes = b""
    closes: bool = True  # at once, or stays open until the scenario ends


@dataclass(frozen=True)
class Path:
    """The way between client 1's host and the others, in both directions."""

    delay_s: float = 0.0
    loss: float = 0.0  # the share of the frames that is lost, chosen by the seed


@dataclass(frozen=True)
class Check:
    """One question to the record of a scenario. Its facts (facts.py) decide it.

    It passes if all facts of one set in `lawful` are in the record and none of `never` is. If a fact of `needs` is
    missing, the case never arose, and the verdict is unclear.
    """

    id: str
    kind: Kind
    clause: str  # of PROTOCOL.md
    question: str
    lawful: tuple[frozenset[str], ...]
    help: str  # what the team can do if it fails
    needs: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    points: int = 1


@dataclass(frozen=True)
class Scenario:
    """One run of both programs."""

    id: str
    title: str
    what: str  # what the examiner does, in one or two sentences
    checks: tuple[Check, ...]
    first: Literal["client 2", "client 1"] = "client 2"  # the program that starts first
    faults: tuple[Fault, ...] = ()
    approach: Approach | None = None
    path: Path = field(default_factory=Path)
    team: dict[str, str] = field(default_factory=dict)  # details that differ from the plan's
    server_away_s: float = 0.0  # the server's port is closed so long after client 1's start
    own_name_is_loopback: bool = False  # gethostbyname(gethostname()) is 127.0.1.1
    again: bool = False  # both programs are started a second time at once, and only that run counts
    until: Literal["finished", "quiet"] = "finished"  # quiet: watch on for limits.quiet_s after the disturbance
