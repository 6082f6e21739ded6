"""What the loop asks: one message in, one reply out, everything recorded.

Leads each message through reader -> diagnose -> judge; everything that decides something is called from
here and pure. A right message 2 waits for its record; every other reply goes out at once.
"""

import time
import traceback
from collections import OrderedDict
from functools import partial

from tandem.exchange.address import show_address
from tandem.exchange.framing import LENGTH, frame
from tandem.exchange.message import Message, decode
from tandem.exchange.reader import COMPLETE, MORE, NEVER, Reader
from tandem.ground.diagnose import Ending, diagnose, placed
from tandem.ground.judge import Judgement, judge
from tandem.ground.keyring import Keyring
from tandem.ground.log import Log
from tandem.ground.loop import Connection, Loop, Next, Phase
from tandem.ground.message_2 import Recalled
from tandem.ground.options import CLOSE, EXPLAIN
from tandem.ground.pulse import Pulse
from tandem.ground.ration import Ration
from tandem.ground.record import KEPT_BYTES, RIGHT, Outcome, Visit
from tandem.ground.recorder import Recorder, Settled
from tandem.ground.records import Records
from tandem.ground.store import StoreTrouble

WELCOME = b"Tandem: socket connection established. Send your message."

OUR_BUG = "error: the ground itself failed over this message; that is no mistake of yours: tell your teacher"
NOT_KEPT = "error: your message is right, but the ground could not keep the result just now: send it again in a minute"

MOST_RECENT = 10_000  # teams whose message 1 is remembered, whether or not it is on record yet


class _Mind:
    """What the desk remembers of a connection: what came, and what was made of it."""

    __slots__ = ("reader", "judgement", "held_since")

    def __init__(self) -> None:
        self.reader = Reader()
        self.judgement: Judgement | None = None
        self.held_since = 0.0  # time.monotonic(): when the reply was ready but for its record


class Desk:
    """Answers the loop's questions: one message in, one reply out, everything recorded."""

    def __init__(
        self, keyring: Keyring, errors: str, on_wire: str, records: Records | None, log: Log, pulse: Pulse
    ) -> None:
        """Without `records` (a database on another machine would keep the loop waiting) only memory recalls."""
        self.welcome = frame(WELCOME, on_wire)
        self._errors = errors
        self._keyring = keyring
        self._records = records
        self._log = log
        self._ration = Ration()
        self._pulse = pulse
        self._nothing = judge(diagnose(Reader(), Ending.END_OF_STREAM), [], lambda message: None)
        self._recent: OrderedDict[str, Recalled] = OrderedDict()  # by secret

    def open(self, loop: Loop, recorder: Recorder) -> None:
        """Who carries the replies, and who keeps the records; before the first question."""
        self._loop = loop
        self._recorder = recorder

    def remember(self, secret: str, recalled: Recalled) -> None:
        """Whose a secret is, in the place of what has been remembered for longest."""
        self._recent[secret] = recalled
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)

    def received(self, connection: Connection, data: bytes) -> Next:
        """Feeds the reader; answers as soon as a message is complete or can never become one."""
        mind = _mind_of(connection)
        if not data:
            return self._answer(connection, mind, Ending.END_OF_STREAM)
        state = mind.reader.feed(data)
        if state is COMPLETE or state is NEVER:
            return self._answer(connection, mind, Ending.DECIDED)
        return Phase.DOUBT if mind.reader.doubtful else Phase.MESSAGE

    def expired(self, connection: Connection) -> Next:
        """Silence: nothing came, the rest of a length did not, an object was never closed, a commit hangs."""
        mind = _mind_of(connection)
        if connection.phase is Phase.HELD:
            return self._not_kept(connection, mind)
        if connection.phase is Phase.DOUBT:
            ending = Ending.SILENCE if mind.reader.settle() is MORE else Ending.DECIDED
            return self._answer(connection, mind, ending)
        return self._answer(connection, mind, Ending.SILENCE)

    def lost(self, connection: Connection) -> None:
        """The connection broke before its reply: recorded all the same."""
        mind = _mind_of(connection)
        judgement = self._judge(connection, mind, Ending.END_OF_STREAM)
        self._record(connection, mind, judgement, b"")

    def _answer(self, connection: Connection, mind: "_Mind", ending: Ending) -> Next:
        judgement = mind.judgement = self._judge(connection, mind, ending)
        if judgement.outcome is Outcome.MESSAGE_2:
            reply = self._framed(mind, judgement.reply)
            mind.held_since = time.monotonic()
            self._record(connection, mind, judgement, reply, partial(self._settled, connection, mind))
            return Phase.HELD
        if judgement.outcome is Outcome.MESSAGE_1 and judgement.team:
            self.remember(judgement.secret, Recalled(judgement.team, judgement.ip))
        if judgement.outcome is Outcome.MESSAGE_1 or self._errors == EXPLAIN:
            reply = self._framed(mind, judgement.reply)
            self._record(connection, mind, judgement, reply)
            return reply
        self._record(connection, mind, judgement, b"")
        return b"" if self._errors == CLOSE else Phase.IGNORED

    def _judge(self, connection: Connection, mind: "_Mind", ending: Ending) -> Judgement:
        """Our own bugs end here: logged with their cause, and the student told that it was not their mistake."""
        if ending is Ending.END_OF_STREAM and not mind.reader.received:
            return self._nothing  # always the same; whoever floods us with it should cost little
        try:
            diagnosis = diagnose(mind.reader, ending, connection.address)
            return judge(diagnosis, self._keyring.checking(time.time()), self._recall)
        except Exception:
            self._log.write(f"{connection.address} bug: {traceback.format_exc()}")
            return Judgement(Outcome.REJECTED, Message(status=OUR_BUG).encode(), None)

    def _settled(self, connection: Connection, mind: "_Mind", kept: bool) -> None:
        """The commit is over: `Finished successfully` goes out only if it holds the record."""
        self._pulse.replied(time.monotonic() - mind.held_since)
        if connection.phase is not Phase.HELD:
            return  # it took too long, and has been told
        if kept and mind.judgement:
            self._loop.reply(connection, self._framed(mind, mind.judgement.reply))
        else:
            self._loop.reply(connection, self._not_kept(connection, mind))

    def _not_kept(self, connection: Connection, mind: "_Mind") -> bytes:
        self._log.write(f"{connection.address} was told to try again: the result could not be kept")
        message = decode(mind.judgement.reply) if mind.judgement else Message()
        message.secret, message.status = "", NOT_KEPT
        return self._framed(mind, message.encode())

    def _framed(self, mind: "_Mind", reply: bytes) -> bytes:
        return frame(reply, LENGTH) if mind.reader.framed else reply

    def _recall(self, message: Message) -> Recalled | None:
        recent = self._recent.get(message.secret)
        if recent or not self._records:
            return recent
        try:
            row = self._records.team_given(message.secret, message.classname, message.teamname)
        except StoreTrouble:
            return None  # it only makes the words better
        return Recalled(row.team, row.ip) if row else None

    def _record(
        self,
        connection: Connection,
        mind: "_Mind",
        judgement: Judgement,
        answered: bytes,
        settled: Settled | None = None,
    ) -> None:
        self._pulse.visits += 1
        now = time.time()
        whole = self._is_within_ration(connection, judgement, now)
        if not whole and not judgement.team:
            return  # counted; there is no team to note it at
        took = time.monotonic() - connection.opened
        received = mind.reader.received
        visit = Visit(
            int((now - took) * 1e6),
            int(took * 1e6),
            connection.address,
            connection.port,
            judgement.outcome,
            bytes(received[:KEPT_BYTES]),
            len(received),
            answered,
            judgement.team,
            judgement.secret,
            judgement.ip,
            placed(judgement.problems, received),
            judgement.remarks,
            whole,
        )
        if whole:
            self._log.write(_log_line(visit))
        self._recorder.record(visit, settled)

    def _is_within_ration(self, connection: Connection, judgement: Judgement, now: float) -> bool:
        """Whether a visit is recorded whole; if not, it is counted."""
        if judgement.team and judgement.outcome in RIGHT:
            return self._ration.allows_right(connection.address, judgement.team, now)
        if self._ration.allows(connection.address, judgement.team, now):
            return True
        if self._ration.is_first_surplus(connection.address):
            self._log.write(f"{connection.address} is refused too often this minute: the rest is only counted")
        return False

    def look_up(self) -> None:
        """Call it every second or so: puts on record, when it is time, how this ground is doing."""
        vitals = self._pulse.take(self._loop.open, self._recorder.waiting)
        if vitals:
            self._recorder.record(vitals)
            self._record_surplus(time.time())

    def close(self) -> None:
        """Hands over what was only counted; after the last answer."""
        self._record_surplus(None)

    def _record_surplus(self, now: float | None) -> None:
        for surplus in self._ration.take_surplus(now):
            self._recorder.record(surplus)


def _mind_of(connection: Connection) -> "_Mind":
    if not isinstance(connection.mind, _Mind):
        connection.mind = _Mind()
    return connection.mind


def _log_line(visit: Visit) -> str:
    """Who came, what it was, what was wrong or odd; no values, so no student numbers."""
    team = f"{visit.team.classname}/{visit.team.teamname}" if visit.team else "-"
    line = (
        f"{show_address(visit.address, visit.port)} {visit.outcome} {team} {visit.size} bytes"
        f" {visit.took / 1000:.1f} ms"
    )
    if not visit.problems and not visit.remarks:
        return line
    found = [f"{problem.kind.title} ({problem.id})" for problem in visit.problems]
    found += [f"remark: {remark.kind.title} ({remark.id})" for remark in visit.remarks]
    return f"{line}: {'; '.join(found)}"
