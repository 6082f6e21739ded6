"""How a ground is doing: what it counts, and when it tells."""

import pytest

from tandem.server import metrics as pulse_module
from tandem.server.metrics import PERIOD, Metrics


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_700_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pulse_module, "time", made)
    return made


def test_nothing_is_told_before_the_period_is_over(clock: Clock) -> None:
    pulse = Metrics("here 1")
    clock.now += PERIOD - 0.1
    assert pulse.take(3, 0) is None


def test_what_happened_in_the_period_is_told_once(clock: Clock) -> None:
    pulse = Metrics("here 1")
    pulse.visits += 4
    for milliseconds in range(1, 101):
        pulse.replied(milliseconds / 1000)
    pulse.committed(0.002)
    clock.now += PERIOD
    told = pulse.take(7, 5)
    assert told is not None
    assert (told.server, told.visits, told.connections, told.waiting) == ("here 1", 4, 7, 5)
    assert (told.reply_p50_us, told.reply_p99_us) == (50_000, 99_000)
    assert (told.commits, told.commit_p50_us, told.commit_p99_us) == (1, 2000, 2000)
    assert told.period_us == 5_000_000
    assert told.ended_us == int(clock.time() * 1e6)
    clock.now += PERIOD
    after = pulse.take(0, 0)
    assert after is not None
    assert (after.visits, after.reply_p99_us, after.commits, after.commit_p99_us) == (0, 0, 0, 0)


def test_what_is_remembered_of_a_period_is_bounded(clock: Clock) -> None:
    pulse = Metrics("here 1")
    for _ in range(pulse_module.MAX_TIMES + 10):
        pulse.committed(0.001)
    clock.now += PERIOD
    told = pulse.take(0, 0)
    assert told is not None
    assert told.commits == pulse_module.MAX_TIMES
