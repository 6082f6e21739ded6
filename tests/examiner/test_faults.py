"""The faults: what each does to a message, whatever way TCP cuts it, and the same again with the same seed."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.examiner.lab.faults import FILTERS, Action, Chain, EndOfStream, Pause, Reset, Send
from tandem.examiner.lab.parts import FaultyDirection
from tandem.examiner.scenario import Direction, Fault
from tandem.examiner.scenarios import SCENARIOS
from testing.cuts import every_way, pieces

MESSAGE = b'{"status": "waiting for message 2"}'
WELCOME = b"socket connection established"
PAUSE = Pause(0.5)
END = EndOfStream()


def merged(actions: Iterable[Action]) -> list[Action]:
    """The actions with neighbouring bytes in one piece."""
    result: list[Action] = []
    for action in actions:
        last = result[-1] if result else None
        if isinstance(action, Send) and isinstance(last, Send):
            result[-1] = Send(last.data + action.data)
        else:
            result.append(action)
    return result


def applied(
    parts: Iterable[bytes], *faults: Fault, direction: Direction = "to server", seed: str = "1"
) -> list[Action]:
    """What a direction with these faults does with a stream in some pieces, and its end."""
    faulty = FaultyDirection(faults, direction, seed, lambda fault: None)
    return [action for part in parts for action in faulty.feed(part)] + faulty.end()


def to_server(fault: Fault) -> Fault:
    return Fault(**{**vars(fault), "direction": "to server"})


WHOLE = [
    (
        Fault("split", at=(3, 7), pause_s=0.5),
        [Send(MESSAGE[:3]), PAUSE, Send(MESSAGE[3:7]), PAUSE, Send(MESSAGE[7:]), END],
    ),
    (Fault("split", at=(99,), pause_s=0.5), [Send(MESSAGE), END]),
    (
        Fault("split", every=10, pause_s=0.5),
        [Send(MESSAGE[:10]), PAUSE, Send(MESSAGE[10:20]), PAUSE, Send(MESSAGE[20:30]), PAUSE, Send(MESSAGE[30:]), END],
    ),
    (Fault("delay", pause_s=0.5), [PAUSE, Send(MESSAGE), END]),
    (Fault("drop"), []),
    (Fault("drop", at=(5,)), [Send(MESSAGE[:5])]),
    (Fault("truncate", at=(5,)), [Send(MESSAGE[:5]), END]),
    (Fault("reset", at=(0,)), [Reset()]),
    (Fault("reset", at=(5,)), [Send(MESSAGE[:5]), Reset()]),
    (Fault("half-close", at=(5,)), [Send(MESSAGE[:5]), END]),
    (Fault("duplicate"), [Send(MESSAGE * 2), END]),
    (Fault("append", new=b"\n"), [Send(MESSAGE + b"\n"), END]),
    (Fault("replace", old=b"waiting", new=b"error"), [Send(MESSAGE.replace(b"waiting", b"error")), END]),
    (Fault("replace", old=b"ss", new=b""), [Send(MESSAGE.replace(b"ss", b"")), END]),
    (Fault("replace", old=b"not there", new=b"x"), [Send(MESSAGE), END]),
]


@pytest.mark.parametrize(
    ("fault", "wanted"), WHOLE, ids=[f"{fault.kind} {fault.at} {fault.old!r}" for fault, _ in WHOLE]
)
def test_each_fault_on_a_message_cut_in_every_way(fault: Fault, wanted: list[Action]) -> None:
    for parts in every_way(MESSAGE):
        assert merged(applied(parts, to_server(fault))) == merged(wanted)


def test_every_kind_has_a_filter_and_a_case() -> None:
    assert {fault.kind for fault, _ in WHOLE} | {"corrupt"} == set(FILTERS)


@given(st.integers(0, 2**32))
def test_corrupt_changes_one_byte(seed: int) -> None:
    long = MESSAGE * 4
    [send, end] = merged(applied([long], to_server(Fault("corrupt")), seed=str(seed)))
    assert isinstance(send, Send)
    assert end == END
    assert len(send.data) == len(long)
    assert sum(a != b for a, b in zip(send.data, long, strict=True)) == 1


some_fault = st.builds(
    Fault,
    kind=st.sampled_from(sorted(FILTERS)),
    direction=st.just("to server"),
    at=st.one_of(st.just(()), st.tuples(st.integers(0, 60))),
    every=st.integers(0, 5),
    pause_s=st.just(0.5),
    old=st.binary(min_size=1, max_size=3),
    new=st.binary(max_size=3),
)
messages = st.binary(max_size=120).map(lambda data: b"{" + data.replace(b'"', b"").replace(b"}", b"") + b"}")


@given(pieces(messages), st.lists(some_fault, max_size=3), st.integers(0, 9))
def test_the_cuts_of_tcp_change_nothing(parts: list[bytes], faults: list[Fault], seed: int) -> None:
    """The same seed disturbs the same message in the same way, however it came."""
    whole = applied([b"".join(parts)], *faults, seed=str(seed))
    assert merged(applied(parts, *faults, seed=str(seed))) == merged(whole)


@given(pieces(messages), st.lists(some_fault, max_size=3))
def test_nothing_follows_an_end(parts: list[bytes], faults: list[Fault]) -> None:
    actions = applied(parts, *faults)
    assert not any(isinstance(action, EndOfStream | Reset) for action in actions[:-1])


def test_without_a_fault_everything_goes_through() -> None:
    assert applied([b"a", b"", b"b"]) == [Send(b"a"), Send(b"b"), END]


def test_another_seed_cuts_elsewhere() -> None:
    fault = to_server(Fault("split", pause_s=0.5))
    seen = {str(applied([MESSAGE * 4], fault, seed=str(seed))) for seed in range(20)}
    assert len(seen) > 5


@pytest.mark.parametrize("glued", [True, False], ids=["in one piece", "in two"])
def test_the_welcome_and_the_reply_have_faults_of_their_own(glued: bool) -> None:
    faults = (
        Fault("append", on="welcome", new=b"!"),
        Fault("delay", on="welcome", pause_s=0.5),
        Fault("append", new=b"\n"),
    )
    parts = [WELCOME + MESSAGE] if glued else [WELCOME, MESSAGE]
    actions = merged(applied(parts, *faults, direction="to client"))
    assert actions == [PAUSE, Send(WELCOME + b"!" + MESSAGE + b"\n"), END]


def test_a_fault_of_the_other_direction_does_nothing() -> None:
    assert merged(applied([MESSAGE], Fault("drop", direction="to client"))) == [Send(MESSAGE), END]


def test_a_fault_is_told_once_when_it_takes_effect() -> None:
    told: list[str] = []
    late = Fault("truncate", direction="to server", at=(3,))
    faulty = FaultyDirection([late], "to server", "1", lambda fault: told.append(fault.kind))
    faulty.feed(b'{"a')
    assert told == []
    faulty.feed(b'": 1')
    faulty.feed(b"}")
    assert told == ["truncate"]


@pytest.mark.parametrize("fault", sorted({fault.kind: fault for each in SCENARIOS for fault in each.faults}.items()))
def test_the_scenarios_use_kinds_that_exist(fault: tuple[str, Fault]) -> None:
    assert Chain([fault[1]], "1").filters
