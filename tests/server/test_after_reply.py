"""Bytes after the reply: one remark for a visit, and so few a minute that nobody takes those of the others."""

from typing import cast

import pytest

from tandem.net.networks import parse_networks
from tandem.records.visits import LateBytes
from tandem.server import handler as handler_module
from tandem.server.actions import ProxiedPeer
from tandem.server.handler import VisitHandler
from tandem.server.log import Log
from tandem.server.proxy_handler import ProxyProtocolHandler
from tandem.server.record_quota import MAX_LATE, MAX_LATE_OF_ADDRESS
from testing.handled import Lines, new_handler


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def time(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.now_s


def sender(address: str, port: int) -> ProxiedPeer:
    return ProxiedPeer(address, port, 0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(handler_module, "time", made)
    return made


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
def visits(clock: Clock, log: Lines) -> VisitHandler:
    return new_handler(log=log)


def test_a_visit_has_one_remark_and_one_line(visits: VisitHandler, log: Lines) -> None:
    assert [type(visits.after_reply(sender("192.0.2.1", 1), b"x")) for _ in range(3)] == [
        LateBytes,
        type(None),
        type(None),
    ]
    assert len(log.lines) == 1


def test_an_address_does_not_take_the_remarks_of_others(visits: VisitHandler) -> None:
    many = [visits.after_reply(sender("192.0.2.1", port), b"x") for port in range(MAX_LATE_OF_ADDRESS + 5)]
    assert sum(record is not None for record in many) == MAX_LATE_OF_ADDRESS
    assert visits.after_reply(sender("192.0.2.2", 1), b'{"second": 1}') is not None


def test_all_of_them_are_bounded_for_a_minute(visits: VisitHandler, clock: Clock) -> None:
    records = [visits.after_reply(sender(f"192.0.{n // 256}.{n % 256}", 1), b"x") for n in range(MAX_LATE + 5)]
    assert sum(record is not None for record in records) == MAX_LATE
    clock.now_s += 60
    assert visits.after_reply(sender("192.0.2.1", 1), b"x") is not None


@pytest.mark.parametrize(
    ("data", "found"), [(b" \r\n" * 100, ""), (b"\r\n" * 100 + b"{}", '"{}"'), (b"\xff", r"\\xff")]
)
def test_white_space_is_no_message(visits: VisitHandler, data: bytes, found: str) -> None:
    record = visits.after_reply(sender("192.0.2.1", 1), data)
    assert (record is not None) == bool(found)
    assert found in getattr(record, "findings", "")


def test_a_connection_from_a_balancer_has_no_remark(visits: VisitHandler, log: Lines) -> None:
    handler = ProxyProtocolHandler(visits, parse_networks("192.0.2.1"), cast(Log, log))
    assert handler.after_reply(sender("192.0.2.1", 1), b"x") is None
    assert handler.after_reply(sender("192.0.2.2", 1), b"x") is not None
