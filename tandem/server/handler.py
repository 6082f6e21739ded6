"""The visit handler: one message in, one action out, and what is to be recorded of it.

Takes values and returns values; the loop (loop.py) carries the actions out. A right message as most programs send it
takes the fast lane. Everything else goes the long way: reader, diagnose, judge. A right message 2 is committed before
its reply; every other reply goes out at once. A bug of ours is logged, and the reply says that it was our mistake.
"""

import time
import traceback
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from tandem.diagnosis.diagnose import Ending, diagnose, with_offsets
from tandem.diagnosis.problems import findings_text
from tandem.keys.keyring import Keyring
from tandem.protocol.framing import LENGTH, LENGTH_BYTES, frame, is_framed
from tandem.protocol.message import Message, decode
from tandem.protocol.reader import COMPLETE, INVALID, NEED_DATA, Reader
from tandem.records.queries import Given, Records
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import MAX_STORED_BYTES, Outcome, Record, RightVisit, Visit
from tandem.server.actions import Action, CommitThenReply, End, Peer, Progress, Reply, Wait
from tandem.server.fast_lane import judge_usual
from tandem.server.judge import Accepted, Judgement, judge
from tandem.server.log import Log
from tandem.server.message_2 import Recalled
from tandem.server.metrics import Metrics
from tandem.server.quota import RecordQuota
from tandem.server.serve_options import CLOSE, EXPLAIN
from tandem.server.states import IN_DOUBT, MESSAGE, SILENCED, State

WELCOME = b"Tandem: socket connection established. Send your message."

OUR_BUG = "error: the ground itself failed over this message; that is no mistake of yours: tell your teacher"
NOT_KEPT = "error: your message is right, but the ground could not keep the result just now: send it again in a minute"

MAX_RECENT = 10_000  # teams whose message 1 is remembered, whether or not it is on record yet


class VisitHandler:
    """Decides what becomes of a visit. See Handler in actions.py."""

    def __init__(
        self,
        keyring: Keyring,
        errors: str,
        on_wire: str,
        records: Records | None,
        log: Log,
        pulse: Metrics,
        recent: Iterable[Given] = (),
    ) -> None:
        """Recall teams from `recent` and, if it is not None, from `records`.

        Pass None for a database on another machine: the loop must not wait for one.
        """
        self.welcome = frame(WELCOME, on_wire)
        self._errors = errors
        self._keyring = keyring
        self._records = records
        self._log = log
        self._ration = RecordQuota()
        self._pulse = pulse
        self._nothing = judge(diagnose(Reader(), Ending.END_OF_STREAM), [], lambda message: None)
        self._recent: OrderedDict[str, Recalled] = OrderedDict()  # by secret
        for given in recent:
            self._remember(given.secret, Recalled(given.team, given.ip))

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Take the fast lane if the message fits. A client that left without a word costs no closer look either."""
        if not data:
            return self._answer(peer, Reader(), Ending.END_OF_STREAM)
        try:
            accepted = judge_usual(data, peer.address, self._keyring.key, self._recent)
        except MemoryError:
            raise  # no bug of ours, and nothing that the long way could do better
        except Exception:
            self._log_bug(peer)
            return None  # the long way may have an answer
        return self._accept(peer, accepted, data, framed=False) if accepted else None

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Feed the reader, and answer as soon as the message is complete or can never become one."""
        reader = _reader_in(progress)
        if not data:
            return self._answer(peer, reader, Ending.END_OF_STREAM)
        state = reader.feed(data)
        if state is COMPLETE or state is INVALID:
            return self._answer(peer, reader, Ending.DECIDED)
        return Wait(IN_DOUBT if reader.maybe_framed else MESSAGE, reader)

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Answer silence: nothing came, the rest of a length did not, or an object was never closed."""
        reader = _reader_in(progress)
        if state is IN_DOUBT and reader.assume_bare() is not NEED_DATA:
            return self._answer(peer, reader, Ending.DECIDED)
        return self._answer(peer, reader, Ending.SILENCE)

    def committed(self, commit: CommitThenReply, stored: bool, waited: float) -> bytes:
        """Return the reply that was waiting if the record is on disk, else one that says to send the message again."""
        self._pulse.replied(waited)
        if stored:
            return commit.reply
        self._log.write(f"{commit.record.address} was told to try again: the result could not be kept")
        framed = is_framed(commit.reply)
        message = decode(commit.reply[LENGTH_BYTES:] if framed else commit.reply)
        return _framed(message.answered("", NOT_KEPT).encode(), framed)

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return the visit of a connection that broke before its reply."""
        reader = _reader_in(progress)
        return self._refused(peer, reader, self._judge(peer, reader, Ending.END_OF_STREAM), b"")

    def on_tick(self, connections: int, waiting: int) -> Iterator[Record]:
        """Return the server's metrics once a period, and with them what was only counted."""
        vitals = self._pulse.take(connections, waiting)
        if vitals:
            yield vitals
            yield from self._ration.take_surplus(time.time())

    def last_records(self) -> Iterable[Record]:
        """Return what was only counted until now. Call it after the last answer."""
        return self._ration.take_surplus(None)

    def _answer(self, peer: Peer, reader: Reader, ending: Ending) -> Action:
        """Judge what came the long way."""
        judgement = self._judge(peer, reader, ending)
        outcome, reply, team, secret, ip, _, remarks = judgement
        if team and outcome in (Outcome.MESSAGE_1, Outcome.MESSAGE_2):
            accepted = Accepted(outcome, reply, team, secret, ip, findings_text(remarks))
            return self._accept(peer, accepted, bytes(reader.received), reader.framed)
        if self._errors == EXPLAIN:
            reply = _framed(reply, reader.framed)
            return Reply(reply, self._refused(peer, reader, judgement, reply))
        record = self._refused(peer, reader, judgement, b"")
        return End(record) if self._errors == CLOSE else Wait(SILENCED, None, record)

    def _accept(self, peer: Peer, accepted: Accepted, received: bytes, framed: bool) -> Action:
        """Answer a right message."""
        outcome, reply, team, secret, ip, findings = accepted
        reply = _framed(reply, framed)
        self._pulse.visits += 1
        now, took = time.time(), time.monotonic() - peer.opened
        address = peer.address
        whole = self._ration.allows_right(address, team, now)
        visit = RightVisit(
            team.classname,
            team.teamname,
            team.pair,
            int((now - took) * 1e6),
            int(took * 1e6),
            address,
            peer.port,
            outcome.value,
            received[:MAX_STORED_BYTES],
            len(received),
            reply,
            findings,
            team.studentnr1,
            team.studentnr2,
            secret,
            ip,
            whole,
        )
        if whole:
            self._log.write(visit)
        if outcome is Outcome.MESSAGE_2:
            return CommitThenReply(visit, reply)
        self._remember(secret, Recalled(team, ip))
        return Reply(reply, visit)

    def _judge(self, peer: Peer, reader: Reader, ending: Ending) -> Judgement:
        if ending is Ending.END_OF_STREAM and not reader.received:
            return self._nothing  # always the same, and a flood of such connections must cost little
        try:
            diagnosis = diagnose(reader, ending, peer.address)
            return judge(diagnosis, self._keyring.checking(time.time()), self._recall)
        except MemoryError:
            raise
        except Exception:
            self._log_bug(peer)
            return Judgement(Outcome.REJECTED, Message(status=OUR_BUG).encode(), None)

    def _refused(self, peer: Peer, reader: Reader, judgement: Judgement, answered: bytes) -> Visit | None:
        """Return the record of a visit that is not right; None if it is only counted, and of no team."""
        self._pulse.visits += 1
        now, took = time.time(), time.monotonic() - peer.opened
        whole = self._is_within_quota(peer, judgement, now)
        if not whole and not judgement.team:
            return None
        received = reader.received
        visit = Visit(
            int((now - took) * 1e6),
            int(took * 1e6),
            peer.address,
            peer.port,
            judgement.outcome,
            bytes(received[:MAX_STORED_BYTES]),
            len(received),
            answered,
            judgement.team,
            with_offsets(judgement.problems, received),
            judgement.remarks,
            whole,
        )
        if whole:
            self._log.write(visit)
        return visit

    def _is_within_quota(self, peer: Peer, judgement: Judgement, now: float) -> bool:
        """Return whether a refused visit is recorded whole; if not, it is only counted."""
        if self._ration.allows(peer.address, judgement.team, now):
            return True
        if self._ration.is_first_surplus(peer.address):
            self._log.write(f"{peer.address} is refused too often this minute: the rest is only counted")
        return False

    def _recall(self, message: Message) -> Recalled | None:
        """Return what is known of the team of the message's secret."""
        recent = self._recent.get(message.secret)
        if recent or not self._records:
            return recent
        try:
            row = self._records.team_given(message.secret, message.classname, message.teamname)
        except StoreError:
            return None  # it only makes the words better
        return Recalled(row.team, row.ip) if row else None

    def _remember(self, secret: str, recalled: Recalled) -> None:
        """Cache the team of a secret. Evict the oldest entry beyond MAX_RECENT."""
        self._recent[secret] = recalled
        if len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)

    def _log_bug(self, peer: Peer) -> None:
        self._log.write(f"{peer.address} bug: {traceback.format_exc()}")


def _reader_in(progress: Progress) -> Reader:
    """Return the reader that has what came so far."""
    return progress if isinstance(progress, Reader) else Reader()


def _framed(reply: bytes, framed: bool) -> bytes:
    return frame(reply, LENGTH) if framed else reply
