"""Each target can fail: broken readers, judges, desks and loops, each caught by its law over the kept inputs."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from fuzz.kept import kept
from fuzz.targets.law import BrokenLaw
from tandem.exchange.answer import AnswerReader
from tandem.exchange.message import Message
from tandem.exchange.reader import COMPLETE, NEVER, Reader
from tandem.ground.desk import Desk
from tandem.ground.diagnose import Diagnosis, diagnose
from tandem.ground.judge import Judgement, judge
from tandem.ground.loop import LIMITS, Connection, Loop, Next, Phase
from tandem.ground.record import Outcome


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
        return super().feed(data) if b"{" in data or self.came else NEVER


def finds_nothing(reader: Reader, ending: Any, address: str) -> Diagnosis:
    """Whatever came is right."""
    return Diagnosis(Message())


def reads_on(reader: Reader, ending: Any, address: str) -> Diagnosis:
    """Depends on how the message was cut."""
    diagnosis: Diagnosis = diagnose(reader, ending, address)
    return diagnosis._replace(message=Message(status=reader.state + str(reader._at)))


def adds_a_newline(*asked: Any) -> Judgement:
    judgement = judge(*asked)
    return Judgement(judgement.outcome, judgement.reply + b"\n", judgement.team)


def accepts_everything(*asked: Any) -> Judgement:
    judgement = judge(*asked)
    return Judgement(Outcome.MESSAGE_2, judgement.reply, judgement.team)


class TellsTooSoon(Desk):
    """Does not wait for the record."""

    def received(self, connection: Connection, data: bytes) -> Next:
        wanted = super().received(connection, data)
        mind: Any = connection.mind
        return mind.judgement.reply if wanted is Phase.HELD else wanted


class TalksTooMuch(Desk):
    """Answers every piece."""

    def received(self, connection: Connection, data: bytes) -> Next:
        with suppress(OSError):
            connection.socket.send(b"{}")
        return super().received(connection, data)


class TellsItTwice(Desk):
    """Sends the reply itself, and then has it sent."""

    def received(self, connection: Connection, data: bytes) -> Next:
        wanted = super().received(connection, data)
        if isinstance(wanted, bytes):
            with suppress(OSError):
                connection.socket.send(wanted)
        return wanted


class Forgets(Desk):
    """Does not record who broke off."""

    def lost(self, connection: Connection) -> None: ...


class Waits(Desk):
    """Takes the end of the stream for a pause."""

    def received(self, connection: Connection, data: bytes) -> Next:
        return super().received(connection, data) if data else Phase.MESSAGE


class Silent(Desk):
    """Ends a visit without a word."""

    def received(self, connection: Connection, data: bytes) -> Next:
        wanted = super().received(connection, data)
        return b"" if isinstance(wanted, bytes) else wanted


class LeavesThemOpen(Loop):
    """Lets go of a connection without closing it."""

    def run(self, stirred: Callable[[], None]) -> None:
        super().run(stirred)
        self._queues[Phase.DRAIN][-1] = 0.0


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
    Specimen("loop", "Desk", TellsTooSoon, "finished is told once it is kept"),
    Specimen("loop", "Desk", TalksTooMuch, "a visit is recorded before it is answered"),
    Specimen("loop", "Desk", TellsItTwice, "there is one reply, in one send"),
    Specimen("loop", "Desk", Forgets, "and it is recorded"),
    Specimen("loop", "Desk", Waits, "the loop does not spin"),
    Specimen("loop", "Desk", Silent, "whoever stays is answered"),
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
    monkeypatch.setitem(LIMITS, Phase.DRAIN, 1e9)
    assert "nobody stays for ever" in laws_broken("loop")


def test_a_slow_diagnosis_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = count(step=3600)
    diagnosis = import_module("fuzz.targets.diagnosis")
    monkeypatch.setattr(diagnosis, "time", SimpleNamespace(process_time=lambda: next(hours)))
    assert next(laws_broken("diagnosis")) == "a diagnosis takes its time, but not that long"
