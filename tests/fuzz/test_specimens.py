"""Each target can fail: broken readers, judges, handlers and loops, each caught by its law over the kept inputs."""

import gc
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from fuzz.kept import kept
from fuzz.targets.law import BrokenLaw
from tandem.diagnosis.diagnose import Diagnosis, diagnose
from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.message import Message
from tandem.protocol.reader import COMPLETE, INVALID, Reader
from tandem.records.visits import Outcome, Record
from tandem.server.actions import Action, CommitThenReply, End, Peer, Progress, Reply, Wait
from tandem.server.handler import VisitHandler
from tandem.server.judge import Judgement, judge
from tandem.server.loop import Connection, Loop
from tandem.server.states_and_limits import DRAINING, LIMITS, MESSAGE


class EndsTooSoon(Reader):
    """Takes the first closing brace for the last one."""

    def feed(self, data: bytes) -> str:
        return COMPLETE if b"}" in data else super().feed(data)


class LooksAgain(Reader):
    """Looks through everything at every piece."""

    def feed(self, data: bytes) -> str:
        assert self.received[:] is not None
        return super().feed(data)


class WantsAllAtOnce(AnswerReader):
    """Does not expect a welcome in two parts."""

    def feed(self, data: bytes) -> str:
        return super().feed(data) if b"{" in data or self.received else INVALID


def finds_nothing(reader: Reader, ending: Any, address: str) -> Diagnosis:
    """Whatever came is right."""
    return Diagnosis(Message())


def reads_on(reader: Reader, ending: Any, address: str) -> Diagnosis:
    """Depends on how the message was cut."""
    diagnosis: Diagnosis = diagnose(reader, ending, address)
    return diagnosis._replace(message=Message(status=reader.state + str(reader._scanned)))


def adds_a_newline(*asked: Any) -> Judgement:
    judgement = judge(*asked)
    return Judgement(judgement.outcome, judgement.reply + b"\n", judgement.team)


def accepts_everything(*asked: Any) -> Judgement:
    judgement = judge(*asked)
    return Judgement(Outcome.MESSAGE_2, judgement.reply, judgement.team)


class TellsTooSoon(VisitHandler):
    """Does not wait for the commit."""

    def _commit_right(self, *given: Any, **named: Any) -> Action:
        action = super()._commit_right(*given, **named)
        return Reply(action.reply, action.record) if isinstance(action, CommitThenReply) else action


class TalksTooMuch(VisitHandler):
    """Answers every piece."""

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        with suppress(OSError):
            peer.send(b"{}")  # type: ignore[attr-defined]
        return super().received_first(peer, progress, data)


class Forgets(VisitHandler):
    """Does not record a connection that broke."""

    def lost(self, peer: Peer, progress: Progress) -> Record | None: ...


class Waits(VisitHandler):
    """Takes the end of the stream for a pause."""

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        return super().received(peer, progress, data) if data else Wait(MESSAGE, progress)


class Silent(VisitHandler):
    """Ends a visit without a word."""

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        action = super().received(peer, progress, data)
        return End(action.record) if isinstance(action, Reply) else action


class Lawless(VisitHandler):
    """Wants a move that the table of states does not have."""

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        return Wait(DRAINING, None)


class SendsTwice(Loop):
    """Sends every reply twice."""

    def _reply(self, connection: Connection, data: bytes) -> None:
        with suppress(OSError):
            connection.send(data)
        super()._reply(connection, data)


class LeavesThemOpen(Loop):
    """Lets go of a connection without closing it."""

    def run(self) -> None:
        super().run()
        self._in[DRAINING][-1] = Connection()


class Specimen(NamedTuple):
    """What is broken, by what it is replaced, and the law that this breaks."""

    target: str
    part: str
    broken: object
    law: str


SPECIMENS = [
    Specimen("reader", "Reader", EndsTooSoon, "the state is the oracle's"),
    Specimen("reader", "Reader", LooksAgain, "no byte is looked at again and again"),
    Specimen("reader", "AnswerReader", WantsAllAtOnce, "an answer is read the same however it is cut"),
    Specimen("diagnosis", "diagnose", finds_nothing, "right is right"),
    Specimen("diagnosis", "diagnose", reads_on, "a cut changes nothing"),
    Specimen("diagnosis", "judge", adds_a_newline, "a reply is an object, nothing around it"),
    Specimen("diagnosis", "judge", accepts_everything, "wrong is refused"),
    Specimen("loop", "VisitHandler", TellsTooSoon, "finished is told once it is kept"),
    Specimen("loop", "VisitHandler", TalksTooMuch, "a visit is recorded before it is answered"),
    Specimen("loop", "Loop", SendsTwice, "there is one reply, in one send"),
    Specimen("loop", "VisitHandler", Forgets, "and it is recorded"),
    Specimen("loop", "VisitHandler", Waits, "the loop does not spin"),
    Specimen("loop", "VisitHandler", Silent, "whoever stays is answered"),
    Specimen("loop", "VisitHandler", Lawless, "the server finds no bug in itself"),
    Specimen("loop", "Loop", LeavesThemOpen, "nothing is left over"),
]


def laws_broken(target: str) -> Iterator[str]:
    """By the kept inputs, one after the other."""
    run = import_module(f"fuzz.targets.{target}").run
    for data in kept(target):
        try:
            run(data)
        except BrokenLaw as broken:
            yield str(broken).partition(":")[0]


@pytest.fixture
def _swept() -> Iterator[None]:
    """A loop that ended in the middle has descriptors open: they are closed here, and are no warning."""
    yield
    gc.collect()


left_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@left_open
@pytest.mark.usefixtures("_swept")
@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.law)
def test_what_is_broken_is_found(specimen: Specimen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module(f"fuzz.targets.{specimen.target}"), specimen.part, specimen.broken)
    assert specimen.law in laws_broken(specimen.target)


@left_open
@pytest.mark.usefixtures("_swept")
def test_a_connection_that_is_never_closed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, DRAINING, 1e9)
    assert "nobody stays for ever" in laws_broken("loop")


def test_a_slow_diagnosis_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = count(step=3600)
    diagnosis = import_module("fuzz.targets.diagnosis")
    monkeypatch.setattr(diagnosis, "time", SimpleNamespace(process_time=lambda: next(hours)))
    assert next(laws_broken("diagnosis")) == "a diagnosis takes its time, but not that long"
