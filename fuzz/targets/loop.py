"""The loop's inputs: what callers, the clock, the disk and the system may do to a running server, in any order.

An input is a script (script.py), played to the real Loop and the real VisitHandler in a made-up world (world.py).
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from fuzz.targets.diagnosis import KEYS, eight_fields, verdict
from fuzz.targets.law import require
from fuzz.targets.script import ADDRESSES, MAX_CALLERS, PATIENCES, TIMES, UNTIL_DUE, Act, Event, Script, parse
from fuzz.targets.world import CLOGS, REFUSALS, Archive, Caller, Clock, Diary, Door, Entry, Ledger, Line, Watch
from tandem.keys.keyring import Keyring, OldKey
from tandem.net.poller import new_poller
from tandem.protocol.framing import frame, unframe
from tandem.protocol.message import ERROR_PREFIX, STATUS_FINISHED, STATUS_WAITING
from tandem.records.queries import Records
from tandem.records.visits import MAX_STORED_BYTES, Outcome
from tandem.server import handler as handler_module
from tandem.server import loop as loop_module
from tandem.server import metrics as metrics_module
from tandem.server.committer import Committer
from tandem.server.handler import NOT_STORED, VisitHandler
from tandem.server.log import Log
from tandem.server.loop import Connection, Loop, Wakeup
from tandem.server.metrics import Metrics
from tandem.server.serve_options import EXPLAIN

MAX_QUIET = 8_000.0  # seconds: two of the longest limits, one behind the other, each met late
KEYRING = Keyring(KEYS[0], (OldKey(KEYS[1], 2_000_000_000),))


def run(data: bytes) -> None:
    """Plays the script to its end, lets time pass until nobody is connected, stops the server, and looks around."""
    play = Play(parse(data))
    try:
        play.perform()
        play.check()
    finally:
        play.clear()


class Play:
    """One script and the world it is played in."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._events = deque(script.events)
        self._clock = Clock()
        self._door = Door(self._heard)
        self._callers: list[Caller] = []
        self._wakeup = Wakeup()
        self._ledger = Ledger(self._wakeup.wake)
        self._archive = Archive()
        self._stop_within: float | None = None  # asked for, and not yet done
        self._quiet_since = self._clock.now  # nothing has happened since, time has only passed
        self._stopped_early = False  # while somebody was connected

    def perform(self) -> None:
        """Runs a server from its first turn to its last, and the committer's last word."""
        log = cast(Log, Diary())
        with self._standing_in():
            records = cast(Records, self._archive)
            visits = VisitHandler(KEYRING, self._script.errors, self._script.framing, records, log, Metrics("fuzz"))
            committer = cast("Committer[Connection]", self._ledger)
            self._loop = Loop([self._door], visits, committer, self, self._wakeup, log, self._script.most)
            self._welcome = visits.welcome
            self._loop.run()
            for record in visits.last_records():
                self._ledger.record(record)
            self._ledger.decide(stored=True)  # a commit may end when the loop has ended

    @property
    def pending(self) -> bool:
        """Stand in for the signals: a stop request has come."""
        return self._stop_within is not None

    def take(self) -> float | None:
        """Stand in for the signals: the seconds in which to stop, if that was asked for."""
        within, self._stop_within = self._stop_within, None
        return within

    def check(self) -> None:
        """Holds what is left against what must be."""
        for caller in self._callers:
            entries = self._ledger.of(caller)
            require(not caller.open, "every connection is closed in the end", caller.port)
            require(len(entries) <= bool(caller.line), "a visit is recorded once", [entry.visit for entry in entries])
            if not caller.line or (self._stopped_early and not entries):
                continue
            require(len(entries) == 1, "and it is recorded", caller.port)
            if caller.stays:
                self._was_served(caller, entries[0])
        require(not left_over(self._loop), "nothing is left over", left_over(self._loop))

    def clear(self) -> None:
        """Closes every descriptor, whatever has happened."""
        self._door.close()
        for caller in self._callers:
            caller.clear()
        self._wakeup.close()

    @contextmanager
    def _standing_in(self) -> Iterator[None]:
        """Put the clock, the poller and the lines where the loop and the handler look for them."""
        asked: tuple[tuple[object, str, object], ...] = (
            (loop_module, "time", self._clock),
            (handler_module, "time", self._clock),
            (metrics_module, "time", self._clock),
            (loop_module, "new_poller", lambda: Watch(new_poller(), self._go_on)),
            (loop_module, "Connection", self._door.connection),
        )
        before = [(module, name, getattr(module, name)) for module, name, _ in asked]
        try:
            for module, name, stand_in in asked:
                setattr(module, name, stand_in)
            yield
        finally:
            for module, name, own in before:
                setattr(module, name, own)

    def _go_on(self, timeout: float) -> None:
        """Take the next event; when the script is over, only time passes."""
        self._keeps_to_its_size()
        while self._events:
            event = self._events.popleft()
            self._happen(event, timeout)
            self._quiet_since = self._clock.now
            if not event.at_once:
                return
        if any(caller.open or (not caller.line and self._door.fileno() >= 0) for caller in self._callers):
            self._door.refusals.clear()
            quiet = self._clock.now - self._quiet_since
            self._clock.sleep(max(timeout, quiet))  # twice as far each time, or 15 minutes would take for ever
        else:
            require(self._clock.now - self._quiet_since < MAX_QUIET, "nobody stays for ever", self._clock.now)
            self._ask_to_stop(0.0)

    def _happen(self, event: Event, timeout: float) -> None:
        if event.act is Act.CONNECT:
            self._connect(ADDRESSES[event.value % len(ADDRESSES)])
        elif event.act is Act.PASS:
            seconds = TIMES[event.value % len(TIMES)]
            self._clock.sleep(timeout if seconds == UNTIL_DUE else seconds)
        elif event.act in (Act.KEEP, Act.FAIL):
            self._ledger.decide(stored=event.act is Act.KEEP)
        elif event.act is Act.REFUSE:
            self._door.refusals.append(OSError(*REFUSALS[event.value % len(REFUSALS)]))
        elif event.act is Act.RECALL:
            self._archive.tells = event.value
        elif event.act is Act.STOP:
            self._stopped_early = True
            self._ask_to_stop(PATIENCES[event.value % len(PATIENCES)])
        elif self._callers:
            caller = self._callers[-1 - event.who % len(self._callers)]
            if event.step:
                caller.play(event.step)
            elif event.act is Act.CLOG:
                caller.clog_line(CLOGS[event.value % len(CLOGS)])

    def _connect(self, address: str) -> None:
        if len(self._callers) < MAX_CALLERS and self._door.fileno() >= 0:
            caller = Caller(len(self._callers))
            self._callers.append(caller)
            self._door.knock(caller, address)

    def _ask_to_stop(self, within: float) -> None:
        self._stop_within = within
        self._wakeup.wake()

    def _keeps_to_its_size(self) -> None:
        """Those who wait for a record may be too many; they are never sent away for somebody else."""
        came = [caller for caller in self._callers if caller.open]
        held = [caller for caller in came if any(entry.waiter for entry in self._ledger.of(caller))]
        require(len(came) - len(held) <= self._script.most, "no more are open than may be", len(came))

    def _heard(self, line: Line, data: bytes) -> None:
        """Something was sent on a line: the welcome, or the one reply that a visit is worth."""
        if len(line.sends) == 1:
            require(data == self._welcome, "the welcome comes first, in one send", data)
            return
        require(len(line.sends) == 2, "there is one reply, in one send", line.sends)
        caller = next(caller for caller in self._callers if caller.line is line)
        entries = self._ledger.of(caller)
        require(len(entries) == 1, "a visit is recorded before it is answered", caller.port, data)
        self._is_true(caller, entries[0], data)

    def _is_true(self, caller: Caller, entry: Entry, data: bytes) -> None:
        """The records tell what came, and its outcome."""
        visit = entry.visit
        came = caller.sent[: visit.size_bytes]
        require(visit.received == came[:MAX_STORED_BYTES], "what came is recorded", visit.received, came)
        reply = unframe(data, self._script.framing)
        require(data == frame(reply, self._script.framing), "a length is sent where lengths are wanted", data)
        status = str(eight_fields(reply)["status"])
        wanted, _ = verdict(came, self._script.framing)
        if status == NOT_STORED:
            require(wanted is Outcome.MESSAGE_2 and not entry.stored, "what is kept is told as kept", came)
            return
        require(data == visit.reply, "what is answered is recorded", data, visit.reply)
        told = {STATUS_WAITING: Outcome.MESSAGE_1, STATUS_FINISHED: Outcome.MESSAGE_2}.get(status, Outcome.REJECTED)
        require(told is wanted, "what is told is true", status, came)
        require(told is not Outcome.MESSAGE_2 or entry.stored is True, "finished is told once it is kept", came)
        require(told is not Outcome.REJECTED or status.startswith(ERROR_PREFIX), "an error is told as one", status)
        require(
            told is not Outcome.REJECTED or self._script.errors == EXPLAIN,
            "errors are told only to who wants it",
            status,
        )

    def _was_served(self, caller: Caller, entry: Entry) -> None:
        """A client that stayed has read all that was sent, and was answered if the server explains and had the room."""
        require(caller.hear() == b"".join(caller.sends), "what is sent arrives", caller.sends)
        crowded = len(self._callers) > self._script.most
        right = entry.visit.outcome in (Outcome.MESSAGE_1, Outcome.MESSAGE_2)
        if not crowded and not self._stopped_early and (right or self._script.errors == EXPLAIN):
            require(len(caller.sends) == 2, "whoever stays is answered", caller.sent)


def left_over(loop: Loop) -> list[object]:
    """Everything a loop still holds when it has ended: the only look inside it."""
    return [connection for connections in loop._in.values() for connection in connections.values()]
