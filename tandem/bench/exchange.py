"""One exchange of an invented team: what to send at each visit, and whether the reply is right. No socket, no clock.

Message 2 is made from the reply to message 1: same secret, numbers swapped, client id 2. It must use less CPU than
the server: a reply in the form that this project writes is compared byte by byte, and only a reply that came in
another form or in pieces is parsed.
"""

import json
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, WELCOME_WORD, NotAMessageError, decode
from tandem.protocol.reader import COMPLETE, INVALID

CLASSNAME = "BENCH"  # of all invented teams, which `tandem forget --class BENCH` removes
SECRET_DIGITS = 64

STATUSES = (STATUS_WAITING, STATUS_FINISHED)  # of the replies to the two visits

_WELCOME_WORD = WELCOME_WORD.encode()
_ENDINGS = tuple(f'", "status": "{status}"}}'.encode() for status in STATUSES)


class WrongReplyError(Exception):
    """The reply breaks the protocol, or did not come.

    Attributes:
        kind: The kind of failure, as in tally.KINDS.
        came: What came, for people to read, or "".
    """

    def __init__(self, kind: str, came: str = "") -> None:
        super().__init__(kind, came)
        self.kind = kind
        self.came = came


class Next(Enum):
    """The next action after bytes have come."""

    RECEIVE = auto()
    SEND = auto()  # the welcome is complete: send the message
    CLOSE = auto()  # the reply is complete and right


@dataclass(frozen=True, slots=True)
class LoadTeam:
    """The team that makes the exchange. None of its fields needs an escape in JSON."""

    studentnr1: str
    studentnr2: str
    teamname: str
    ip: str


def invent(random: Random, number: int, ip: str) -> LoadTeam:
    """Return a random team: its name and numbers differ from those of other runs."""
    drawn = random.getrandbits(44)
    return LoadTeam(
        str(1_000_000 + (drawn & 0x3FFFFF)),
        str(5_500_000 + (drawn >> 22)),
        f"bench {drawn:011x} {number}",
        ip,
    )


class Exchange:
    """One exchange. At each visit connect, pass what comes to `received`, and do what it returns.

    Attributes:
        visit: 0 for client 1's visit, 1 for client 2's.
        message: The bytes to send at this visit.
    """

    __slots__ = ("visit", "message", "_team", "_secret", "_head", "_came", "_welcome_size")

    def __init__(self, team: LoadTeam) -> None:
        self._team = team
        self._secret = b""
        self._came = b""
        self._start_visit(0)

    @property
    def is_at_last_visit(self) -> bool:
        """Whether this is client 2's visit."""
        return self.visit == len(STATUSES) - 1

    def start_next_visit(self) -> None:
        """Go on to client 2's visit, with the secret from the reply to client 1."""
        self._start_visit(self.visit + 1)

    def received(self, data: bytes) -> Next:
        """Pass the bytes that have come, b"" for the end of the stream.

        Raises:
            WrongReplyError: The server breaks the protocol.
        """
        before, self._came = self._came, self._came + data
        ending = _ENDINGS[self.visit]
        if not before:
            if _WELCOME_WORD in data and b"{" not in data:
                return self._welcomed()
        elif data.startswith(self._head) and data.endswith(ending):
            self._secret = data[len(self._head) : -len(ending)]
            if len(self._secret) == SECRET_DIGITS:
                return Next.CLOSE
        return self._parse(before, data)

    def timeout_error(self) -> WrongReplyError:
        """Return the error for a visit that takes too long, with what came after the welcome."""
        return WrongReplyError("timeout", self._came[self._welcome_size :].decode(errors="backslashreplace"))

    def _start_visit(self, visit: int) -> None:
        self.visit = visit
        team, numbers = self._team, self._numbers()
        status = STATUSES[visit - 1] if visit else ""
        self._head = (
            f'{{"studentnr1": "{numbers[0]}", "studentnr2": "{numbers[1]}", "classname": "{CLASSNAME}", '
            f'"clientid": {visit + 1}, "teamname": "{team.teamname}", "ip": "{team.ip}", "secret": "'
        ).encode()
        self.message = b'%b%b", "status": "%b"}' % (self._head, self._secret, status.encode())
        self._came = b""
        self._welcome_size = 0  # bytes, once it is complete

    def _numbers(self) -> tuple[str, str]:
        """Return the student numbers, the sender's first."""
        numbers = self._team.studentnr1, self._team.studentnr2
        return numbers[::-1] if self.visit else numbers

    def _parse(self, before: bytes, data: bytes) -> Next:
        """Parse a reply that came in pieces or in another form. All of it is read again; its size is limited."""
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
        self._welcome_size = len(self._came)
        return Next.SEND

    def _check(self, text: bytes) -> None:
        """Raise WrongReplyError unless this is the right reply to the message."""
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
        self._secret = json.dumps(reply.secret)[1:-1].encode()  # as it is written in a message
