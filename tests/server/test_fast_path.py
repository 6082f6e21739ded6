"""The fast path and the slow path: what the fast path returns for a message, the slow path returns, too."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.diagnosis import rules
from tandem.diagnosis.diagnose import Ending, diagnose
from tandem.diagnosis.problem import findings_text
from tandem.keys.keyring import Keyring
from tandem.keys.secret import derive
from tandem.protocol.framing import PLAIN
from tandem.protocol.message import STATUS_WAITING, Message
from tandem.protocol.reader import COMPLETE, Reader
from tandem.records.queries import IssuedSecret, Records
from tandem.records.visits import RightVisit, Team, Visit
from tandem.server import handler as handler_module
from tandem.server.actions import CommitThenReply, ProxiedPeer, Reply
from tandem.server.fast_path import judge_usual
from tandem.server.handler import VisitHandler
from tandem.server.judge import Accepted, judge
from tandem.server.log import Log
from tandem.server.message_2 import SecretOwner
from tandem.server.metrics import Metrics

KEY = b"k" * 32
ADDRESS = "192.0.2.7"
TEAM = Team("INF2A", "Team1", "0923456", "0934567")
SECRET = derive(KEY, TEAM)
ONE = Message("0923456", "0934567", "INF2A", 1, "Team1", ADDRESS)
TWO = Message("0934567", "0923456", "INF2A", 2, "Team1", ADDRESS, SECRET, STATUS_WAITING)
PEER = ProxiedPeer(ADDRESS, 40000, 0.0)
RECENT = {SECRET: SecretOwner(TEAM, "10.0.0.1")}


def the_long_way(data: bytes, address: str) -> Accepted | None:
    """Return what reader, diagnose and judge make of the bytes; None for a message that is not right."""
    reader = Reader()
    if reader.feed(data) is not COMPLETE:
        return None
    diagnosis = diagnose(reader, Ending.DECIDED, address)
    outcome, reply, team, secret, ip, problems, remarks = judge(
        diagnosis, [KEY], lambda message: RECENT.get(message.secret)
    )
    if problems or team is None:
        return None
    return Accepted(outcome, reply, team, secret, ip, findings_text(remarks))


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs", "Cc")), max_size=12)
numbers = st.one_of(st.sampled_from(["0923456", "0934567", "0000000", "", "12345678"]), texts)
names = st.one_of(st.sampled_from(["INF2A", "Team1", "YOURCLASSCODE", "your", "c" * 64, "t" * 128, "t" * 129]), texts)
ips = st.sampled_from(
    [
        ADDRESS,
        "10.0.0.1",
        "10.0.0.2",
        "127.0.0.1",
        "pc-7",
        "::1",
        "2001:db8::7",
        "::ffff:192.0.2.7",
        "",
        " 127.0.0.1",
        "  ",
    ]
)
secrets = st.sampled_from(["", SECRET, SECRET.upper(), "x", "0" * 64])
statuses = st.sampled_from(["", STATUS_WAITING, "Finished successfully"])
messages = st.builds(Message, numbers, numbers, names, st.sampled_from((0, 1, 2, 3)), names, ips, secrets, statuses)


@given(
    messages | st.sampled_from([ONE, TWO]),
    st.sampled_from([ADDRESS, "127.0.0.1", "2001:db8::7"]),
    st.sampled_from([None, (",", ":"), (", ", ":"), (",", ": ")]),
    st.sampled_from([b"", b"\n", b" ", b"x"]),
    st.none() | st.tuples(st.integers(0, 400), st.integers(0, 255)),
)
@example(ONE, ADDRESS, None, b"", None)
@example(TWO, ADDRESS, None, b"", None)
@example(Message("0923456", "0000000", "INF2A", 1, "Team1", ADDRESS), ADDRESS, (",", ":"), b"", None)
@example(Message("0923456", "0934567", "INF2A", 1, "b'Rev'", ADDRESS), ADDRESS, None, b"", None)
def test_both_ways_return_the_same(
    message: Message,
    address: str,
    separators: tuple[str, str] | None,
    tail: bytes,
    damage: tuple[int, int] | None,
) -> None:
    data = json.dumps(message.fields(), separators=separators, ensure_ascii=False).encode() + tail
    if damage and damage[0] < len(data):
        data = data[: damage[0]] + bytes((damage[1],)) + data[damage[0] + 1 :]
    usual = judge_usual(data, address, KEY, RECENT)
    if usual is not None:
        assert usual == the_long_way(data, address)


@pytest.mark.parametrize("message", [ONE, TWO], ids=["message 1", "message 2"])
@pytest.mark.parametrize("ip", [ADDRESS, "127.0.0.1", "pc-7", "10.0.0.2"])
def test_the_fast_path_is_taken(message: Message, ip: str) -> None:
    changed = Message(**message.fields() | {"ip": ip})  # type: ignore[arg-type]
    assert judge_usual(changed.encode(), ADDRESS, KEY, RECENT) == the_long_way(changed.encode(), ADDRESS)


@pytest.mark.parametrize(
    "change",
    [{"secret": "0" * 64}, {"secret": ""}, {"status": ""}, {"clientid": 1}, {"studentnr1": "0923456"}],
    ids=str,
)
def test_a_wrong_message_2_is_left_to_the_slow_path(change: dict[str, str | int]) -> None:
    changed = Message(**TWO.fields() | change)  # type: ignore[arg-type]
    assert judge_usual(changed.encode(), ADDRESS, KEY, RECENT) is None


@pytest.mark.parametrize("name", ["classname", "teamname"])
def test_the_longest_names_that_the_rules_allow_fit(name: str) -> None:
    longest, too_long = ("x" * (rules.MAX_LENGTHS[name] + more) for more in (0, 1))
    fields = ONE.fields()
    assert judge_usual(Message(**fields | {name: longest}).encode(), ADDRESS, KEY, {}) is not None  # type: ignore[arg-type]
    assert judge_usual(Message(**fields | {name: too_long}).encode(), ADDRESS, KEY, {}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("message", [ONE, TWO], ids=["message 1", "message 2"])
@pytest.mark.parametrize("ip", [ADDRESS, "127.0.0.1", "pc-7", "10.0.0.1", "10.0.0.2"])
def test_both_ways_record_and_reply_the_same(message: Message, ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Message(**message.fields() | {"ip": ip})  # type: ignore[arg-type]
    peer = ProxiedPeer(ADDRESS, 40000, 0.0)

    def visited() -> tuple[Reply | CommitThenReply, RightVisit]:
        log = Log()
        handler = VisitHandler(
            Keyring(KEY), "explain", PLAIN, None, log, Metrics("a server"), [IssuedSecret(SECRET, TEAM, "10.0.0.1")]
        )
        action = handler.received_first(peer, None, changed.encode())
        action = action or handler.received(peer, None, changed.encode())
        log.stop()
        assert isinstance(action, Reply | CommitThenReply)
        assert isinstance(action.record, RightVisit)
        record = action.record._replace(started_us=0, duration_us=0)
        return action._replace(record=record), record

    fast = visited()
    monkeypatch.setattr(handler_module, "judge_usual", lambda *_: None)
    assert visited() == fast


@contextmanager
def visit_handler(records: Records | None = None, recent: Iterable[IssuedSecret] = ()) -> Iterator[VisitHandler]:
    log = Log()
    try:
        yield VisitHandler(Keyring(KEY), "explain", PLAIN, records, log, Metrics("a server"), recent)
    finally:
        log.stop()


def test_the_start_and_the_duration_of_a_visit_are_recorded_in_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "time", SimpleNamespace(time=lambda: 1000.0, monotonic=lambda: 52.5))
    with visit_handler() as handler:
        action = handler.received_first(ProxiedPeer(ADDRESS, 40000, 50.0), None, ONE.encode())
        assert isinstance(action, Reply)
        assert isinstance(action.record, RightVisit)
        assert (action.record.started_us, action.record.duration_us) == (997_500_000, 2_500_000)


def test_without_records_a_secret_that_is_not_known_is_only_wrong() -> None:
    with visit_handler() as handler:
        unknown = Message(**TWO.fields() | {"secret": "0" * 64})  # type: ignore[arg-type]
        action = handler.received(PEER, None, unknown.encode())
        assert isinstance(action, Reply)
        assert isinstance(action.record, Visit)
        assert [problem.id for problem in action.record.problems] == ["secret-wrong"]


def test_a_secret_that_is_known_is_not_looked_up() -> None:
    nothing = cast(Records, SimpleNamespace())  # it has no methods
    with visit_handler(nothing, [IssuedSecret(SECRET, TEAM, "10.0.0.1")]) as handler:
        changed = Message(**TWO.fields() | {"classname": "INF9Z"})  # type: ignore[arg-type]
        action = handler.received(PEER, None, changed.encode())
        assert isinstance(action, Reply)
        assert isinstance(action.record, Visit)
        assert [problem.id for problem in action.record.problems] == ["field-changed"]
