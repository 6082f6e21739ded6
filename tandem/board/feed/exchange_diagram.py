"""A team's visits as the arrows of a sequence diagram: what was recorded, and what follows from it. Pure.

Client 1, the ground and client 2 are three lines; every visit is a welcome, a message and a reply. The handover is
between the clients, so the ground never sees it: it is drawn as such, before client 2 comes, or where it is what
comes next. Only the latest attempt is drawn; the page lists every visit. A visit has two times on record: when it
began, which is the welcome's, and when its reply was ready, which is also when its message had been read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

from tandem.board.web.display_text import duration, fine_clock, problem_title, visible
from tandem.diagnosis.problems import CATALOGUE
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.records.queries import VisitRow
from tandem.records.visits import Outcome
from tandem.report.check import check

MAX_DRAWN = 5  # visits
WELCOME = 57  # bytes of its text, which nobody records: it is always the same
TEXT_LINE = 17  # its height

NUMBERS = {CLIENT_1: (1, 2, 3), CLIENT_2: (5, 6, 7)}  # welcome, message and reply of a visit
HANDOVER = 4
OF_MESSAGE_2 = {  # what can be wrong or odd with no other message, whatever its clientid says
    "clientid-still-1",
    "secret-missing",
    "secret-wrong",
    "secret-damaged",
    "secret-of-another-team",
    "secret-expired",
    "not-swapped",
    "field-changed",
    "number-changed",
    "number-lost",
    "status-blanked",
    "status-changed",
    "ip-of-client-1",
}


class ArrowStatus(StrEnum):
    """What became of an arrow."""

    SEEN = "seen"
    REFUSED = "refused"
    UNSEEN = "unseen"  # the ground has no record of it


@dataclass(frozen=True, slots=True)
class Layout:
    """What a diagram is drawn on: its measures. The letters are of the same size on each."""

    name: str
    width: int
    lines: Mapping[str, int]  # where each life line stands
    head: int  # width of what stands over a life line
    top: int  # of the first arrow
    step: int  # from an arrow to the next
    letters: int  # in a line of text
    margin: int  # where a time begins
    time_over: int  # how far over its arrow a time stands
    words_over: int
    indent: int | None  # of the words behind the left end of their arrow; None: they begin at the margin


WIDE = Layout("wide", 1000, {CLIENT_1: 180, SERVER: 520, CLIENT_2: 860}, 140, 76, 48, 44, 6, -5, 9, 22)
NARROW = Layout("narrow", 360, {CLIENT_1: 50, SERVER: 180, CLIENT_2: 310}, 84, 92, 66, 40, 6, 29, 12, None)


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow, and where it is drawn."""

    paper: Layout
    y: int
    sender: str
    receiver: str
    words: str
    fate: ArrowStatus
    time: str = ""
    notes: tuple[str, ...] = ()  # lines of text under it

    @property
    def start(self) -> int:
        return self.paper.lines[self.sender]

    @property
    def end(self) -> int:
        return self.paper.lines[self.receiver]

    @property
    def text(self) -> int:
        """Where its words begin."""
        indent = self.paper.indent
        return self.paper.margin if indent is None else min(self.start, self.end) + indent

    @property
    def cross(self) -> int:
        """Where an arrow that was refused is crossed out: right of its words."""
        return max(self.start, self.end) - 40


@dataclass(frozen=True, slots=True)
class ExchangeDiagram:
    """The whole diagram."""

    paper: Layout
    arrows: tuple[Arrow, ...]
    height: int
    left_out: int  # visits that are not drawn


def tell(visits: Sequence[VisitRow], paper: Layout = WIDE) -> ExchangeDiagram:
    """The diagram of a team's visits, given in their order."""
    drawn = _latest_attempt(visits)
    arrows: list[Arrow] = []
    y = paper.top
    for sender, receiver, words, fate, time, notes in _arrows(drawn):
        lines = tuple(line for note in notes for line in wrap(note, paper.letters))
        arrows.append(Arrow(paper, y, sender, receiver, words, fate, time, lines))
        y += paper.step + TEXT_LINE * len(lines)
    return ExchangeDiagram(paper, tuple(arrows), y, len(visits) - len(drawn))


def client_of(visit: VisitRow) -> str:
    """Which client came: by how the ground took the message, by what it says of itself, and by whether it has a
    secret, which client 1 cannot know; else client 1."""
    if visit.outcome is not Outcome.REJECTED:
        return CLIENT_2 if visit.outcome is Outcome.MESSAGE_2 else CLIENT_1
    found = {problem.id for problem in visit.findings}
    if found & OF_MESSAGE_2:
        return CLIENT_2
    came = check(visit.received).message
    has_secret = came.secret != "" and "secret-in-message-1" not in found
    return CLIENT_2 if has_secret or came.clientid == 2 else CLIENT_1


def _latest_attempt(visits: Sequence[VisitRow]) -> list[VisitRow]:
    """From the last right message 1 on, or before it finished; the last few of them."""
    outcomes = [visit.outcome for visit in visits]
    end = outcomes.index(Outcome.MESSAGE_2) + 1 if Outcome.MESSAGE_2 in outcomes else len(visits)
    begins = [place for place in range(end) if outcomes[place] is Outcome.MESSAGE_1]
    start = begins[-1] if begins else 0
    attempt = list(visits[start:end])
    return [attempt[0], *attempt[1 - MAX_DRAWN :]] if len(attempt) > MAX_DRAWN else attempt


_Drawn = tuple[str, str, str, ArrowStatus, str, tuple[str, ...]]  # an Arrow but for its place


def _arrows(visits: Sequence[VisitRow]) -> Iterator[_Drawn]:
    handed_over = False
    for visit in visits:
        client = client_of(visit)
        if client == CLIENT_2 and not handed_over:
            handed_over = True
            yield _handover("between the clients: not seen by the ground")
        yield from _visit(visit, client)
    if visits and visits[-1].outcome is Outcome.MESSAGE_1:
        yield _handover("comes next: the ground does not see it, and nothing has come from client 2 yet")


def _handover(words: str) -> _Drawn:
    return CLIENT_1, CLIENT_2, f"{HANDOVER} handover", ArrowStatus.UNSEEN, "", (words,)


def _visit(visit: VisitRow, client: str) -> Iterator[_Drawn]:
    welcome, message, reply = NUMBERS[client]
    refused = visit.outcome is Outcome.REJECTED
    peer = f"{visible(visit.address)} port {visit.port}"
    began, ended = fine_clock(visit.started_us), fine_clock(visit.started_us + visit.duration_us)
    yield SERVER, client, f"{welcome} welcome: {WELCOME} bytes", ArrowStatus.SEEN, began, (f"to {peer}",)
    yield (
        client,
        SERVER,
        f"{message} {ARROWS[message][2]}{', refused' if refused else ''}: {visit.size_bytes} bytes",
        ArrowStatus.REFUSED if refused else ArrowStatus.SEEN,
        ended,
        (f"from {peer}", *_refusal(visit)),
    )
    if visit.reply:
        words = f"{reply} reply: {len(visit.reply)} bytes, after {duration(visit.duration_us)}"
        yield SERVER, client, words, ArrowStatus.SEEN, ended, (f"to {peer}",)
    else:
        yield SERVER, client, f"{reply} no reply", ArrowStatus.UNSEEN, ended, ("this ground was told not to explain",)


def _refusal(visit: VisitRow) -> list[str]:
    """What was wrong, in a few words each."""
    if visit.outcome is not Outcome.REJECTED:
        return []
    titles = [problem_title(found.id) for found in visit.findings if found.id not in CATALOGUE or not found.is_remark]
    return titles[:3]
