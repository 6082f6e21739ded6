"""The visit handler: takes the bytes of one message, returns one action and the record of the visit.

Takes values and returns values. The loop (loop.py) carries the actions out. A right message as most programs spell it
takes the fast path. Everything else takes the slow path: reader, diagnose, judge. A right message 2 is committed before
its reply. Every other reply is sent at once. A bug of the server is logged, and the reply says that it is not the
student's mistake.
"""

import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

from tandem.diagnosis.diagnose import Ending, diagnose, with_offsets
from tandem.diagnosis.problem import Problem, findings_text
from tandem.keys.keyring import Keyring
from tandem.protocol.address import show_address
from tandem.protocol.framing import LENGTH, frame, unframe
from tandem.protocol.message import Message, decode
from tandem.protocol.reader import COMPLETE, NEED_DATA, Reader
from tandem.records.queries import IssuedSecret, Records
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import BYTES_AFTER_REPLY, MAX_STORED_BYTES, LateBytes, Outcome, Record, RightVisit, Visit
from tandem.server.actions import Action, CommitThenReply, End, Peer, Progress, Reply, Wait
from tandem.server.fast_path import judge_usual
from tandem.server.judge import Accepted, Judgement, judge
from tandem.server.log import Log
from tandem.server.message_2 import SecretOwner
from tandem.server.metrics import Metrics
from tandem.server.record_quota import LateBytesQuota, RecordQuota
from tandem.server.serve_options import CLOSE, EXPLAIN
from tandem.server.states_and_limits import MESSAGE, NO_MESSAGE, SILENCED, State

WELCOME = b"Tandem: socket connection established. Send your message."

SERVER_BUG = "error: the server failed on this message, and that is not your mistake: tell your teacher"
NOT_STORED = "error: your message is right, but the server could not store the result: send it again in a minute"

MAX_SHOWN_AFTER_REPLY = 80  # bytes

MAX_RECENT = 10_000  # secrets whose team is cached, whether or not it is recorded yet


class VisitHandler:
    """Decides on the bytes of a visit. Implements Handler (actions.py)."""

    def __init__(
        self,
        keyring: Keyring,
        errors: str,
        framing: str,
        records: Records | None,
        log: Log,
        metrics: Metrics,
        recent: Iterable[IssuedSecret] = (),
        beat: Callable[[], Iterable[Record]] = tuple,
    ) -> None:
        """Look up the teams of secrets in `recent`, the latest ones, and in `records` if it is not None.

        Pass None for a database on another machine: the loop must not wait for one. `beat` is called once a second,
        and returns what to record as a heartbeat.
        """
        self.welcome = frame(WELCOME, framing)
        self._framing = framing
        self._errors = errors
        self._keyring = keyring
        self._records = records
        self._log = log
        self._quota = RecordQuota()
        self._late_quota = LateBytesQuota()
        self._metrics = metrics
        self._beat = beat
        self._judgement_of_nothing = judge(diagnose(Reader(), Ending.END_OF_STREAM), [], lambda message: None)
        self._recent_owners: OrderedDict[str, SecretOwner] = OrderedDict()  # by secret
        for given in recent:
            self._cache_owner(given.secret, SecretOwner(given.team, given.ip))

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        """Return the fast path's action, or that for a client that ended the stream without a byte. PROTOCOL 3.2."""
        if not data:
            return self._answer(peer, self._reader_in(progress), Ending.END_OF_STREAM)
        if self._framing == LENGTH:
            return None
        try:
            accepted = judge_usual(data, peer.address, self._keyring.key, self._recent_owners)
        except MemoryError:
            raise  # not a bug, and the slow path needs more memory
        except Exception:
            self._log_bug(peer)
            return None  # the slow path may have an answer
        return self._commit_right(peer, accepted, data) if accepted else None

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        """Feed the reader, and answer once the message is complete or cannot become one. PROTOCOL 2.4, 3.4."""
        reader = self._reader_in(progress)
        if not data:
            return self._answer(peer, reader, Ending.END_OF_STREAM)
        state = reader.feed(data)
        if state is NEED_DATA:
            return Wait(MESSAGE, reader)
        if state is COMPLETE or reader.is_full:
            return self._answer(peer, reader, Ending.DECIDED)
        return Wait(NO_MESSAGE, reader)

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        """Answer after silence: nothing came, a message was not finished, or it is none. PROTOCOL 3.4."""
        return self._answer(peer, self._reader_in(progress), Ending.SILENCE)

    def reply_after_commit(self, commit: CommitThenReply, stored: bool, waited_s: float) -> bytes:
        """Return the reply if the record is on disk, else one that asks to send it again. PROTOCOL 5.4, 7.3."""
        self._metrics.replies_s.append(waited_s)
        if stored:
            return commit.reply
        self._log.write(f"{commit.record.address} was told to try again: the result could not be stored")
        message = decode(unframe(commit.reply, self._framing))
        return frame(message.answered("", NOT_STORED).encode(), self._framing)

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        """Return the visit of a connection that broke before its reply."""
        reader = self._reader_in(progress)
        return self._refused(peer, reader, self._judge(peer, reader, Ending.END_OF_STREAM), b"")

    def after_reply(self, peer: Peer, data: bytes) -> Record | None:
        """Log bytes that came after the reply, and return a remark for the visit: once for each, within the limits."""
        shown = data.strip()[:MAX_SHOWN_AFTER_REPLY]
        now = time.time()
        if not shown or not self._late_quota.allows(peer.address, peer.port, now):
            return None
        self._log.write(f"{show_address(peer.address, peer.port)} sent more after the reply, which nothing answers")
        remark = Problem(BYTES_AFTER_REPLY, facts={"found": shown.decode(errors="backslashreplace")})
        started_s = now - (time.monotonic() - peer.connected_at)
        return LateBytes(int(started_s * 1e6), peer.address, peer.port, findings_text([remark]))

    def on_tick(self, connections: int, waiting: int) -> Iterator[Record]:
        """Beat, and return the periodic records that are due. Call it once a second."""
        yield from self._beat()
        if self._metrics.is_due:
            yield self._metrics.take_sample(connections, waiting)
        yield from self._quota.take_suppressed(time.time())

    def last_records(self) -> Iterable[Record]:
        """Return the counts of suppressed visits that are not recorded yet. Call it after the last reply."""
        return self._quota.take_suppressed(None)

    def _answer(self, peer: Peer, reader: Reader, ending: Ending) -> Action:
        """Return the action of the slow path."""
        judgement = self._judge(peer, reader, ending)
        outcome, reply, team, secret, ip, _, remarks = judgement
        if team and outcome in (Outcome.MESSAGE_1, Outcome.MESSAGE_2):
            accepted = Accepted(outcome, reply, team, secret, ip, findings_text(remarks))
            return self._commit_right(peer, accepted, bytes(reader.received))
        if self._errors == EXPLAIN:
            reply = frame(reply, self._framing)
            return Reply(reply, self._refused(peer, reader, judgement, reply))
        record = self._refused(peer, reader, judgement, b"")
        return End(record) if self._errors == CLOSE else Wait(SILENCED, None, record)

    def _commit_right(self, peer: Peer, accepted: Accepted, received: bytes) -> Action:
        """Return the action for a right message."""
        outcome, reply, team, secret, ip, findings = accepted
        reply = frame(reply, self._framing)
        self._metrics.visits += 1
        now, duration_s = time.time(), time.monotonic() - peer.connected_at
        address = peer.address
        stored_in_full = self._quota.allows_right(address, team, now)
        visit = RightVisit(
            team.classname,
            team.teamname,
            team.pair,
            int((now - duration_s) * 1e6),
            int(duration_s * 1e6),
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
            stored_in_full,
        )
        if stored_in_full:
            self._log.write(visit)
        if outcome is Outcome.MESSAGE_2:
            return CommitThenReply(visit, reply)
        self._cache_owner(secret, SecretOwner(team, ip))
        return Reply(reply, visit)

    def _judge(self, peer: Peer, reader: Reader, ending: Ending) -> Judgement:
        if ending is Ending.END_OF_STREAM and not reader.received:
            return self._judgement_of_nothing  # it never changes, and a flood of such connections must cost little
        try:
            diagnosis = diagnose(reader, ending, peer.address)
            return judge(diagnosis, self._keyring.valid_keys(time.time()), self._find_owner)
        except MemoryError:
            raise
        except Exception:
            self._log_bug(peer)
            return Judgement(Outcome.REJECTED, Message(status=SERVER_BUG).encode(), None)

    def _refused(self, peer: Peer, reader: Reader, judgement: Judgement, sent: bytes) -> Visit | None:
        """Return the record of a visit without a right message, None if over the quota and of no known team."""
        self._metrics.visits += 1
        now, duration_s = time.time(), time.monotonic() - peer.connected_at
        stored_in_full = self._is_within_quota(peer, judgement, now)
        if not stored_in_full and not judgement.team:
            return None
        received = reader.received
        owner = self._recent_owners.get(judgement.secret)
        visit = Visit(
            int((now - duration_s) * 1e6),
            int(duration_s * 1e6),
            peer.address,
            peer.port,
            judgement.outcome,
            bytes(received[:MAX_STORED_BYTES]),
            len(received),
            sent,
            judgement.team,
            with_offsets(judgement.problems, received),
            judgement.remarks,
            stored_in_full,
            judgement.secret,
            owner.team if owner else None,
        )
        if stored_in_full:
            self._log.write(visit)
        return visit

    def _is_within_quota(self, peer: Peer, judgement: Judgement, now: float) -> bool:
        """Return whether a refused visit is stored in full. Log the first one of an address that is not."""
        if self._quota.allows(peer.address, judgement.team, now):
            return True
        if self._quota.is_first_suppressed(peer.address):
            self._log.write(f"{peer.address} is refused too often this minute: further visits are only counted")
        return False

    def _find_owner(self, message: Message) -> SecretOwner | None:
        """Return the team that the message's secret was given to, None if it is not known."""
        owner = self._recent_owners.get(message.secret)
        if owner or not self._records:
            return owner
        try:
            row = self._records.named_team_with_secret(message.secret, message.classname, message.teamname)
        except StoreError:
            return None  # it only makes the problem more exact
        return SecretOwner(row.team, row.ip) if row else None

    def _cache_owner(self, secret: str, owner: SecretOwner) -> None:
        """Cache the team of a secret. Evict the oldest entry beyond MAX_RECENT."""
        self._recent_owners[secret] = owner
        if len(self._recent_owners) > MAX_RECENT:
            self._recent_owners.popitem(last=False)

    def _reader_in(self, progress: Progress) -> Reader:
        """Return the reader with the bytes that came so far."""
        return progress if isinstance(progress, Reader) else Reader(self._framing)

    def _log_bug(self, peer: Peer) -> None:
        self._log.write(f"{peer.address} bug: {traceback.format_exc()}")
