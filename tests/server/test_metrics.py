"""The metrics of one server process: what a sample of a period holds."""

import pytest

from tandem.server import metrics as metrics_module
from tandem.server.metrics import Metrics


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_700_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(metrics_module, "time", made)
    return made


def test_each_event_is_in_one_sample(clock: Clock) -> None:
    metrics = Metrics("here 1")
    metrics.visits += 4
    for milliseconds in range(1, 101):
        metrics.replies_s.append(milliseconds / 1000)
    metrics.commits_s.append(0.002)
    clock.now += 4.9
    assert not metrics.is_due
    clock.now += 0.1
    assert metrics.is_due
    sample = metrics.take_sample(7, 5)
    assert (sample.server, sample.visits, sample.connections, sample.waiting) == ("here 1", 4, 7, 5)
    assert (sample.reply_p50_us, sample.reply_p99_us) == (50_000, 99_000)
    assert (sample.commits, sample.commit_p50_us, sample.commit_p99_us) == (1, 2000, 2000)
    assert sample.period_us == 5_000_000
    assert sample.ended_us == int(clock.time() * 1e6)
    clock.now += 3.0
    after = metrics.take_sample(0, 0)
    assert (after.visits, after.reply_p99_us, after.commits, after.commit_p99_us) == (0, 0, 0, 0)
    assert after.period_us == 3_000_000


def test_the_durations_of_a_period_are_bounded(clock: Clock) -> None:
    metrics = Metrics("here 1")
    for _ in range(metrics_module.MAX_DURATIONS + 10):
        metrics.commits_s.append(0.001)
    assert metrics.take_sample(0, 0).commits == metrics_module.MAX_DURATIONS
