"""The load itself, against addresses where no connection can be made. What servers do is in test_bench.py."""

import socket
from random import Random

import pytest

from tandem.bench.load import Load, Target
from tandem.bench.pace import Pace


def load(address: tuple[str, int], pace: Pace) -> Load:
    made = Load(Target(socket.AF_INET, address, "127.0.0.1"), pace, 5.0, Random(1))
    made.run(lambda load: None)
    return made


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("rate", [None, 1000.0])
def test_a_port_on_which_nothing_listens(closed_port: int, rate: float | None) -> None:
    done = load(("127.0.0.1", closed_port), Pace(2, 4, None, rate))
    assert (done.started, done.open_visits, done.tally.finished) == (4, 0, 0)
    assert done.tally.failures == {("refused", "visit 1", ""): 4}


def test_an_address_that_no_connection_can_have() -> None:
    """The system refuses this one by itself: nothing is sent."""
    done = load(("255.255.255.255", 9), Pace(1, 2, None))
    assert done.tally.failed == 2
    assert {(kind, visit) for kind, visit, _ in done.tally.failures} == {("unreachable", "visit 1")}


def test_a_server_that_is_gone_does_not_cause_a_busy_loop(closed_port: int) -> None:
    """It waits after each failure, so a short run cannot count many of them."""
    done = load(("127.0.0.1", closed_port), Pace(10, None, 0.2))
    assert 0 < done.tally.failed <= 100
