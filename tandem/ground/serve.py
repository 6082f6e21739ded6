"""The ground as a whole: wires loop -> reader -> diagnose -> judge -> recorder -> reply.

The Desk here is what the loop asks; everything that decides something is called from it and pure.
"""

import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from tandem.exchange.address import show_address
from tandem.exchange.framing import LENGTH, PLAIN, frame
from tandem.exchange.message import Message, decode
from tandem.exchange.reader import COMPLETE, MORE, NEVER, Reader
from tandem.ground import explain
from tandem.ground.diagnose import Ending, diagnose
from tandem.ground.judge import Judgement, Recalled, judge
from tandem.ground.keyring import Keyring, KeyTrouble, load_keyring
from tandem.ground.log import Log
from tandem.ground.loop import BACKLOG, Connection, Loop, Next, Phase
from tandem.ground.ration import MOST, Ration
from tandem.ground.record import KEPT_BYTES, Outcome, Visit
from tandem.ground.recorder import Recorder, Settled
from tandem.ground.records import Records
from tandem.ground.store import FILE, Store, StoreTrouble

WELCOME = b"Tandem: socket connection established. Send your message."
STOP_WITHIN = 5.0  # seconds to finish what is in hand
SPARE_DESCRIPTORS = 64  # for the database, the log and the rest
MOST_CONNECTIONS = 20_000

OUR_BUG = "error: the ground itself failed over this message; that is no mistake of yours: tell your teacher"
NOT_KEPT = "error: your message is right, but the ground could not keep the result just now: send it again in a minute"

EXPLAIN, CLOSE, SILENT = "explain", "close", "silent"
ERRORS = (EXPLAIN, CLOSE, SILENT)


class ServeTrouble(Exception):
    """The ground cannot start; the text says why and what to try."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What a ground has to be told."""

    listen: tuple[str, int]
    data: Path
    errors: str = EXPLAIN  # what a wrong message gets: an explanation, a close without a word, silence
    on_wire: str = PLAIN  # how the welcome goes out
    most: int = field(default=MOST_CONNECTIONS)


def serve(options: ServeOptions) -> None:
    """Runs a ground until SIGTERM or Ctrl-C. Raises ServeTrouble if it cannot start."""
    try:
        make_private_folder(options.data)
        keyring = load_keyring(options.data)
        store = Store(options.data)
    except (KeyTrouble, StoreTrouble) as error:
        raise ServeTrouble(str(error)) from error
    except OSError as error:
        raise ServeTrouble(f"the data folder {options.data} cannot be used: {error.strerror}") from error
    listener = open_listener(*options.listen)
    log = Log()
    desk = FrontDesk(options, keyring, Records(options.data, patience=0), log)
    loop = Loop([listener], desk, min(options.most, _descriptors() - SPARE_DESCRIPTORS), log.write)
    recorder = Recorder(store, loop.wake, log.write)
    desk.open(loop, recorder)
    stop = _StopOnSignal(loop)

    def stirred() -> None:
        recorder.settle()
        stop.if_asked()

    print(f"tandem serve: listening on {show_address(*listener.getsockname()[:2])}", file=sys.stderr, flush=True)
    try:
        loop.run(stirred)
    finally:
        desk.close()
        recorder.stop()
        log.stop()


def make_private_folder(folder: Path) -> None:
    """Makes the data folder, for its owner alone. One that holds other things keeps its mode: it is not ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in folder.iterdir()}
    if not names or FILE in names:
        folder.chmod(0o700)


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket; host "" means all addresses of this machine, IPv4 and IPv6. Raises ServeTrouble."""
    where = show_address(host, port)
    both_families = not host and socket.has_dualstack_ipv6()
    try:
        found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=both_families)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ServeTrouble(
            f"cannot listen on {where}: {reason}. Try: another port, or an address that this machine has"
        ) from error
    listener.setblocking(False)
    return listener


class _Mind:
    """What the desk remembers of a connection: what came, and what was made of it."""

    __slots__ = ("reader", "judgement")

    def __init__(self) -> None:
        self.reader = Reader()
        self.judgement: Judgement | None = None


class FrontDesk:
    """Answers the loop's questions: one message in, one reply out, everything recorded."""

    def __init__(self, options: ServeOptions, keyring: Keyring, records: Records, log: Log) -> None:
        self.welcome = frame(WELCOME, options.on_wire)
        self._errors = options.errors
        self._keyring = keyring
        self._records = records
        self._log = log
        self._ration = Ration()

    def open(self, loop: Loop, recorder: Recorder) -> None:
        """Who carries the replies, and who keeps the records; before the first question."""
        self._loop = loop
        self._recorder = recorder

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
            self._record(connection, mind, judgement, reply, partial(self._settled, connection, mind))
            return Phase.HELD
        if judgement.outcome is Outcome.MESSAGE_1 or self._errors == EXPLAIN:
            reply = self._framed(mind, judgement.reply)
            self._record(connection, mind, judgement, reply)
            return reply
        self._record(connection, mind, judgement, b"")
        return b"" if self._errors == CLOSE else Phase.IGNORED

    def _judge(self, connection: Connection, mind: "_Mind", ending: Ending) -> Judgement:
        """Our own bugs end here: logged with their cause, and the student told that it was not their mistake."""
        try:
            diagnosis = diagnose(mind.reader, ending, connection.address)
            return judge(diagnosis, self._keyring.checking(time.time()), self._recall)
        except Exception:
            self._log.write(f"{connection.address} bug: {traceback.format_exc()}")
            return Judgement(Outcome.REJECTED, Message(status=OUR_BUG).encode(), None)

    def _settled(self, connection: Connection, mind: "_Mind", kept: bool) -> None:
        """The commit is over: `Finished successfully` goes out only if it holds the record."""
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

    def _recall(self, secret: str) -> Recalled | None:
        try:
            row = self._records.team_with_secret(secret)
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
        took = time.monotonic() - connection.opened
        received = mind.reader.received
        visit = Visit(
            at=int((time.time() - took) * 1e6),
            took=int(took * 1e6),
            address=connection.address,
            port=connection.port,
            outcome=judgement.outcome,
            received=bytes(received[:KEPT_BYTES]),
            size=len(received),
            answered=answered,
            team=judgement.team,
            secret=judgement.secret,
            ip=judgement.ip,
            problems=judgement.problems,
            remarks=judgement.remarks,
        )
        now = time.time()
        if visit.outcome in (Outcome.REJECTED, Outcome.NOTHING) and not self._ration.allows(visit.address, now):
            if self._ration.is_just_over(visit.address):
                self._log.write(f"{visit.address} refused more than {MOST} times this minute: the rest is only counted")
            return
        self._recorder.record(visit, settled)
        self._log.write(_log_line(visit))
        self._record_surplus(now)

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
    """Who came, what it was, how it ended; no student numbers."""
    team = f"{visit.team.classname}/{visit.team.teamname}" if visit.team else "-"
    found = "; ".join(explain.sentence(problem) for problem in visit.problems + visit.remarks)
    return (
        f"{show_address(visit.address, visit.port)} {visit.outcome} {team} {visit.size} bytes"
        f" {visit.took / 1000:.1f} ms{': ' if found else ''}{found}"
    )


class _StopOnSignal:
    """SIGTERM and Ctrl-C: the first lets the loop finish what is in hand, the second ends it at once."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._asked = 0
        signal.set_wakeup_fd(loop.rope, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def if_asked(self) -> None:
        if self._asked:
            self._loop.stop(STOP_WITHIN if self._asked == 1 else 0.0)


def _descriptors() -> int:
    """How many files and sockets this process may open; asks the system for as many as it allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MOST_CONNECTIONS + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
