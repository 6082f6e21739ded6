"""Lays out a team's visits as the arrows of a sequence diagram. Pure.

Client 1, the server and client 2 are three life lines. A visit is a welcome, a message and a reply. The server does not
see the handover between the clients, so its arrow is dashed: it is drawn before the visit of client 2, or last if it
comes next. Only the latest attempt is drawn; the page lists every visit. A visit has two recorded times: its start,
which is the time of the welcome, and the time when its reply was ready, at which its message had just been read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

from tandem.board.web.display_text import duration, fine_clock, problem_title, visible
from tandem.diagnosis.problem import CATALOGUE
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.records.queries import VisitRow
from tandem.records.visits import Outcome
from tandem.report.check import check

MAX_DRAWN = 5  # visits
WELCOME_BYTES = 57  # the welcome is always the same, and is not recorded
NOTE_HEIGHT = 17  # of one line under an arrow, in the units of the drawing

ARROW_NUMBERS = {CLIENT_1: (1, 2, 3), CLIENT_2: (5, 6, 7)}  # welcome, message and reply of a visit
HANDOVER_NUMBER = 4
MESSAGE_2_PROBLEMS = {  # found in message 2 only, whatever its clientid is
    "clientid-still-1",
    "secret-missing",
    "secret-wrong",
    "secret-damaged",
    "secret-of-another-team",
    "secret-expired",
    "not-swapped",
    "refusal-handed-on",
    "field-changed",
    "field-looks-alike",
    "number-changed",
    "number-lost",
    "status-blanked",
    "status-changed",
    "ip-of-client-1",
}


class ArrowStatus(StrEnum):
    """The state of an arrow according to the records."""

    SEEN = "seen"
    REFUSED = "refused"
    UNSEEN = "unseen"  # not on record


@dataclass(frozen=True, slots=True)
class Layout:
    """The measures of a diagram, in units of the drawing. Letters have the same size in every layout."""

    name: str
    width: int
    life_lines: Mapping[str, int]  # the x of each life line
    head_width: int  # of the box at the top of a life line
    top: int  # the y of the first arrow
    step: int  # from one arrow to the next
    line_chars: int  # in a line of a note
    margin: int  # the x of times
    time_offset: int  # how far a time is above its arrow
    label_offset: int  # how far a label is above its arrow
    indent: int | None  # of a label from the left end of its arrow; None: labels begin at the margin


WIDE = Layout("wide", 1000, {CLIENT_1: 180, SERVER: 520, CLIENT_2: 860}, 140, 76, 48, 44, 6, -5, 9, 22)
NARROW = Layout("narrow", 360, {CLIENT_1: 50, SERVER: 180, CLIENT_2: 310}, 84, 92, 66, 40, 6, 29, 12, None)


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow with its texts and its place."""

    layout: Layout
    y: int
    sender: str
    receiver: str
    label: str
    status: ArrowStatus
    time: str = ""
    notes: tuple[str, ...] = ()  # lines of text under the arrow

    @property
    def start_x(self) -> int:
        """Return the x of the sender."""
        return self.layout.life_lines[self.sender]

    @property
    def end_x(self) -> int:
        """Return the x of the receiver."""
        return self.layout.life_lines[self.receiver]

    @property
    def text_x(self) -> int:
        """Return the x where label and notes begin."""
        indent = self.layout.indent
        return self.layout.margin if indent is None else min(self.start_x, self.end_x) + indent

    @property
    def cross_x(self) -> int:
        """Return the x of the cross on a refused arrow, right of the label."""
        return max(self.start_x, self.end_x) - 40


@dataclass(frozen=True, slots=True)
class ExchangeDiagram:
    """A diagram that is ready to be drawn."""

    layout: Layout
    arrows: tuple[Arrow, ...]
    height: int
    hidden_visits: int  # that are not drawn


def draw(visits: Sequence[VisitRow], layout: Layout = WIDE) -> ExchangeDiagram:
    """Return the diagram of a team's visits. The visits must be in order of time."""
    drawn = _latest_attempt(visits)
    arrows: list[Arrow] = []
    y = layout.top
    for sender, receiver, label, status, time, notes in _arrows(drawn):
        lines = tuple(line for note in notes for line in wrap(note, layout.line_chars))
        arrows.append(Arrow(layout, y, sender, receiver, label, status, time, lines))
        y += layout.step + NOTE_HEIGHT * len(lines)
    return ExchangeDiagram(layout, tuple(arrows), y, len(visits) - len(drawn))


def client_of(visit: VisitRow) -> str:
    """Return which client made the visit.

    An accepted message tells which one. A refused one is client 2's if it has a problem that only message 2 can have,
    the clientid 2, or a secret, which client 1 cannot know; else it is client 1's.
    """
    if visit.outcome is not Outcome.REJECTED:
        return CLIENT_2 if visit.outcome is Outcome.MESSAGE_2 else CLIENT_1
    found = {problem.id for problem in visit.findings}
    if found & MESSAGE_2_PROBLEMS:
        return CLIENT_2
    message = check(visit.received).message
    has_secret = message.secret != "" and "secret-in-message-1" not in found
    return CLIENT_2 if has_secret or message.clientid == 2 else CLIENT_1


def _latest_attempt(visits: Sequence[VisitRow]) -> list[VisitRow]:
    """Return the visits from the last right message 1 on, up to message 2; at most MAX_DRAWN of them."""
    outcomes = [visit.outcome for visit in visits]
    end = outcomes.index(Outcome.MESSAGE_2) + 1 if Outcome.MESSAGE_2 in outcomes else len(visits)
    starts = [index for index in range(end) if outcomes[index] is Outcome.MESSAGE_1]
    start = starts[-1] if starts else 0
    attempt = list(visits[start:end])
    return [attempt[0], *attempt[1 - MAX_DRAWN :]] if len(attempt) > MAX_DRAWN else attempt


_ArrowParts = tuple[str, str, str, ArrowStatus, str, tuple[str, ...]]  # an Arrow without layout and y


def _arrows(visits: Sequence[VisitRow]) -> Iterator[_ArrowParts]:
    handed_over = False
    for visit in visits:
        client = client_of(visit)
        if client == CLIENT_2 and not handed_over:
            handed_over = True
            yield _handover("between the clients: not seen by the server")
        yield from _visit_arrows(visit, client)
    if visits and visits[-1].outcome is Outcome.MESSAGE_1:
        yield _handover("comes next: the server does not see it, and nothing has come from client 2 yet")


def _handover(note: str) -> _ArrowParts:
    return CLIENT_1, CLIENT_2, f"{HANDOVER_NUMBER} handover", ArrowStatus.UNSEEN, "", (note,)


def _visit_arrows(visit: VisitRow, client: str) -> Iterator[_ArrowParts]:
    welcome, message, reply = ARROW_NUMBERS[client]
    is_refused = visit.outcome is Outcome.REJECTED
    peer = f"{visible(visit.address)} port {visit.port}"
    started, ended = fine_clock(visit.started_us), fine_clock(visit.started_us + visit.duration_us)
    yield SERVER, client, f"{welcome} welcome: {WELCOME_BYTES} bytes", ArrowStatus.SEEN, started, (f"to {peer}",)
    yield (
        client,
        SERVER,
        f"{message} {ARROWS[message][2]}{', refused' if is_refused else ''}: {visit.size_bytes} bytes",
        ArrowStatus.REFUSED if is_refused else ArrowStatus.SEEN,
        ended,
        (f"from {peer}", *_problem_titles(visit)),
    )
    if visit.reply:
        label = f"{reply} reply: {len(visit.reply)} bytes, after {duration(visit.duration_us)}"
        yield SERVER, client, label, ArrowStatus.SEEN, ended, (f"to {peer}",)
    else:
        note = "the server was started with --errors close or silent"
        yield SERVER, client, f"{reply} no reply", ArrowStatus.UNSEEN, ended, (note,)


def _problem_titles(visit: VisitRow) -> list[str]:
    """Return the titles of the first problems of a refused visit."""
    if visit.outcome is not Outcome.REJECTED:
        return []
    titles = [problem_title(found.id) for found in visit.findings if found.id not in CATALOGUE or not found.is_remark]
    return titles[:3]
