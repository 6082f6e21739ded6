"""A team's visits as the arrows of a sequence diagram: what was recorded, and what follows from it. Pure.

Client 1, the ground and client 2 are three lines; every visit is a welcome, a message and a reply. The handover is
between the clients, so the ground never sees it: it is drawn as such, before client 2 comes, or where it is what
comes next. Only the latest attempt is drawn; the page lists every visit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

from tandem.board.showing import duration, fine_clock, problem_title, visible
from tandem.exchange.arrows import ARROWS, CLIENT_1, CLIENT_2, GROUND
from tandem.ground.problems import CATALOGUE
from tandem.ground.record import Outcome
from tandem.ground.records import VisitRow
from tandem.report.check import check

MOST_DRAWN = 5  # visits
LINES = {CLIENT_1: 180, GROUND: 520, CLIENT_2: 860}  # where each life line stands
WIDTH = 1000
TOP = 76  # of the first arrow
STEP = 48  # from an arrow to the next
TEXT_LINE = 17
LETTERS = 44  # of a line of text between two life lines

NUMBERS = {CLIENT_1: (1, 2, 3), CLIENT_2: (5, 6, 7)}  # welcome, message and reply of a visit
HANDOVER = 4


class Fate(StrEnum):
    """What became of an arrow."""

    SEEN = "seen"
    REFUSED = "refused"
    UNSEEN = "unseen"  # the ground has no record of it


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow, and where it is drawn."""

    y: int
    sender: str
    receiver: str
    words: str
    fate: Fate
    time: str = ""
    notes: tuple[str, ...] = ()  # lines of text under it

    @property
    def start(self) -> int:
        return LINES[self.sender]

    @property
    def end(self) -> int:
        return LINES[self.receiver]

    @property
    def left(self) -> int:
        return min(self.start, self.end)

    @property
    def cross(self) -> int:
        """Where an arrow that was refused is crossed out: right of its words."""
        return max(self.start, self.end) - 40


@dataclass(frozen=True, slots=True)
class Story:
    """The whole diagram."""

    arrows: tuple[Arrow, ...]
    height: int
    left_out: int  # visits that are not drawn


def tell(visits: Sequence[VisitRow]) -> Story:
    """The diagram of a team's visits, given in their order."""
    drawn = _latest_attempt(visits)
    arrows: list[Arrow] = []
    y = TOP
    for sender, receiver, words, fate, time, notes in _arrows(drawn):
        arrows.append(Arrow(y, sender, receiver, words, fate, time, notes))
        y += STEP + TEXT_LINE * len(notes)
    return Story(tuple(arrows), y, len(visits) - len(drawn))


def client_of(visit: VisitRow) -> str:
    """Which client came: by the message's own word, else client 1."""
    if visit.outcome is Outcome.MESSAGE_2:
        return CLIENT_2
    return CLIENT_2 if check(visit.received).message.clientid == 2 else CLIENT_1


def _latest_attempt(visits: Sequence[VisitRow]) -> list[VisitRow]:
    """From the last right message 1 on, or before it finished; the last few of them."""
    outcomes = [visit.outcome for visit in visits]
    end = outcomes.index(Outcome.MESSAGE_2) + 1 if Outcome.MESSAGE_2 in outcomes else len(visits)
    begins = [place for place in range(end) if outcomes[place] is Outcome.MESSAGE_1]
    start = begins[-1] if begins else 0
    attempt = list(visits[start:end])
    return [attempt[0], *attempt[1 - MOST_DRAWN :]] if len(attempt) > MOST_DRAWN else attempt


_Drawn = tuple[str, str, str, Fate, str, tuple[str, ...]]  # an Arrow but for its place


def _arrows(visits: Sequence[VisitRow]) -> Iterator[_Drawn]:
    handed_over = False
    for visit in visits:
        client = client_of(visit)
        if client == CLIENT_2 and not handed_over:
            handed_over = True
            yield _handover("between the clients: the ground does not see it")
        yield from _visit(visit, client)
    if visits and visits[-1].outcome is Outcome.MESSAGE_1:
        yield _handover("comes next: the ground does not see it, and nothing has come from client 2 yet")


def _handover(words: str) -> _Drawn:
    return CLIENT_1, CLIENT_2, f"{HANDOVER} handover", Fate.UNSEEN, "", (words,)


def _visit(visit: VisitRow, client: str) -> Iterator[_Drawn]:
    welcome, message, reply = NUMBERS[client]
    refused = visit.outcome is Outcome.REJECTED
    yield GROUND, client, f"{welcome} welcome", Fate.SEEN, fine_clock(visit.at), ()
    yield (
        client,
        GROUND,
        f"{message} {ARROWS[message][2]}{', refused' if refused else ''}: {visit.size} bytes",
        Fate.REFUSED if refused else Fate.SEEN,
        "",
        (f"from {visible(visit.address)} port {visit.port}", *_refusal(visit)),
    )
    if visit.answered:
        words = f"{reply} reply: {len(visit.answered)} bytes, after {duration(visit.took)}"
        yield GROUND, client, words, Fate.SEEN, fine_clock(visit.at + visit.took), ()
    else:
        yield GROUND, client, f"{reply} no reply", Fate.UNSEEN, "", ("this ground was told not to explain",)


def _refusal(visit: VisitRow) -> list[str]:
    """What was wrong, in lines that fit."""
    if visit.outcome is not Outcome.REJECTED:
        return []
    titles = [problem_title(found.id) for found in visit.findings if found.id not in CATALOGUE or not found.is_remark]
    return [line for title in titles[:3] for line in wrap(title, LETTERS)]
