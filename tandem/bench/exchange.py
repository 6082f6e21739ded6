"""One exchange of an invented team: what to send at each visit, and whether what came is right. No socket, no clock.

Makes message 2 really from the reply to message 1: secret taken over, numbers swapped, client id 2. It must cost
less than the server that it measures: a reply in the shape that this project writes is known by its bytes, and only
what came in another shape or in pieces is read in full.
"""

import json
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from tandem.protocol.answer import AnswerReader
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, WELCOME_WORD, NotAMessageError, decode
from tandem.protocol.reader import COMPLETE, INVALID

CLASSNAME = "BENCH"  # of every team that is invented here
SECRET_DIGITS = 64

STATUSES = (STATUS_WAITING, STATUS_FINISHED)  # what the visits have to bring

_WELCOME_WORD = WELCOME_WORD.encode()
_ENDINGS = tuple(f'", "status": "{status}"}}'.encode() for status in STATUSES)


class WrongReplyError(Exception):
    """What came is not what the protocol promises. Facts: which kind of failure, and what came."""

    def __init__(self, kind: str, came: str = "") -> None:
        super().__init__(kind, came)
        self.kind = kind
        self.came = came


class Next(Enum):
    """What to do after bytes came."""

    RECEIVE = auto()
    SEND = auto()  # the welcome is here: send the message
    CLOSE = auto()  # the reply is here, and right


@dataclass(frozen=True, slots=True)
class LoadTeam:
    """Who makes the exchange. Nothing in it needs an escape in JSON."""

    studentnr1: str
    studentnr2: str
    teamname: str
    ip: str


def invent(random: Random, number: int, ip: str) -> LoadTeam:
    """A team that no other run has: names and numbers differ."""
    drawn = random.getrandbits(44)
    return LoadTeam(
        str(1_000_000 + (drawn & 0x3FFFFF)),
        str(5_500_000 + (drawn >> 22)),
        f"bench {drawn:011x} {number}",
        ip,
    )


class Exchange:
    """At each visit: connect, give what comes to `received`, send `message` when told, and close when told."""

    __slots__ = ("visit", "message", "_team", "_secret", "_head", "_came", "_welcome")

    def __init__(self, team: LoadTeam) -> None:
        self._team = team
        self._secret = b""
        self._came = b""
        self._begin(0)

    @property
    def is_at_last_visit(self) -> bool:
        return self.visit == len(STATUSES) - 1

    def go_on(self) -> None:
        """To the next visit, with the secret that this one has brought."""
        self._begin(self.visit + 1)

    def received(self, data: bytes) -> Next:
        """Takes what came, b"" for the end of the stream. Raises WrongReplyError."""
        before, self._came = self._came, self._came + data
        ending = _ENDINGS[self.visit]
        if not before:
            if _WELCOME_WORD in data and b"{" not in data:
                return self._welcomed()
        elif data.startswith(self._head) and data.endswith(ending):
            self._secret = data[len(self._head) : -len(ending)]
            if len(self._secret) == SECRET_DIGITS:
                return Next.CLOSE
        return self._look_closer(before, data)

    def out_of_time(self) -> WrongReplyError:
        """How the visit failed if no more is awaited: with what came, but for the welcome."""
        return WrongReplyError("timeout", self._came[self._welcome :].decode(errors="backslashreplace"))

    def _begin(self, visit: int) -> None:
        self.visit = visit
        team, numbers = self._team, self._numbers()
        status = STATUSES[visit - 1] if visit else ""
        self._head = (
            f'{{"studentnr1": "{numbers[0]}", "studentnr2": "{numbers[1]}", "classname": "{CLASSNAME}", '
            f'"clientid": {visit + 1}, "teamname": "{team.teamname}", "ip": "{team.ip}", "secret": "'
        ).encode()
        self.message = b'%b%b", "status": "%b"}' % (self._head, self._secret, status.encode())
        self._came = b""
        self._welcome = 0  # bytes of it, once it is here

    def _numbers(self) -> tuple[str, str]:
        """The sender's first: they change places from visit to visit."""
        numbers = self._team.studentnr1, self._team.studentnr2
        return numbers[::-1] if self.visit else numbers

    def _look_closer(self, before: bytes, data: bytes) -> Next:
        """What came in pieces, or in a shape of its own: reads all of it again; how much it can be is bounded."""
        answer = AnswerReader()
        state = answer.feed(self._came)
        if state is COMPLETE:
            self._check(answer.text)
            return Next.CLOSE
        if state is INVALID:
            raise WrongReplyError("bad reply", answer.welcome)
        if not data:
            raise WrongReplyError("closed early", answer.welcome)
        return self._welcomed() if _WELCOME_WORD in self._came and _WELCOME_WORD not in before else Next.RECEIVE

    def _welcomed(self) -> Next:
        self._welcome = len(self._came)
        return Next.SEND

    def _check(self, text: bytes) -> None:
        """Whether it is the right reply to this message."""
        try:
            reply = decode(text)
        except NotAMessageError as error:
            raise WrongReplyError("bad reply", str(error)) from None
        if reply.status != STATUSES[self.visit]:
            raise WrongReplyError("wrong status", reply.status)
        names = reply.studentnr1, reply.studentnr2, reply.classname, reply.teamname, reply.clientid
        if names != (*self._numbers(), CLASSNAME, self._team.teamname, self.visit + 1):
            raise WrongReplyError("bad reply", "it is the reply to another message")
        if not reply.secret:
            raise WrongReplyError("bad reply", "it brings no secret")
        self._secret = json.dumps(reply.secret)[1:-1].encode()  # as it stands in a message
