"""Decides when the next program is started, and when a run is over. Pure: from one look at the run."""

from dataclasses import dataclass

from tandem.examiner.lab.program import StopReason
from tandem.examiner.order import Limits
from tandem.examiner.scenario import Scenario

CLIENT_2_AFTER_S = 2.0  # client 1 first: client 2 is started so long after client 1 has its reply
PATIENCE_S = 10.0  # for what the next start waits for
AFTER_BOTH_ENDED_S = 0.3  # what they sent is still on its way
AFTER_CLIENT_1_ENDED_S = 1.0  # in a scenario that watches for quiet


@dataclass(frozen=True)
class ProgramTimes:
    """The start and the end of a program, in seconds of the run; None: not yet."""

    started_s: float | None = None
    ended_s: float | None = None


@dataclass(frozen=True)
class Look:
    """A run as it is known at one moment. Times are in seconds of the run; None: not yet."""

    now_s: float
    client1: ProgramTimes = ProgramTimes()
    client2: ProgramTimes = ProgramTimes()
    client2_listens: bool = False
    approached: bool = True  # or the scenario has no approach
    handover_tried: bool = False
    replied_s: float | None = None  # client 1 has a whole reply
    finished_s: float | None = None  # client 2 has the final reply
    disturbed_s: float | None = None  # a fault took effect for the first time
    last_event_s: float = 0.0
    record_is_full: bool = False

    @property
    def both_ended_s(self) -> float | None:
        """The end of the second of the two; None if one runs or was not started."""
        first, second = self.client1.ended_s, self.client2.ended_s
        return None if first is None or second is None else max(first, second)


def client1_is_due(look: Look, scenario: Scenario) -> bool:
    """Return whether client 1 has to be started, if it was not."""
    if scenario.first == "client 1":
        return True
    if look.client2.ended_s is not None or _since(look.client2.started_s, look) >= PATIENCE_S:
        return True  # what client 1 does without it is shown
    return look.client2_listens and look.approached


def client2_is_due(look: Look, scenario: Scenario) -> bool:
    """Return whether client 2 has to be started, if it was not."""
    if scenario.first == "client 2" or look.handover_tried or look.client1.ended_s is not None:
        return True
    has_reply = _since(look.replied_s, look) >= CLIENT_2_AFTER_S
    return has_reply or _since(look.client1.started_s, look) >= PATIENCE_S + scenario.server_away_s


def over(look: Look, scenario: Scenario, limits: Limits) -> StopReason | None:
    """Return why what still runs has to be stopped; None if the run goes on."""
    if look.record_is_full:
        return "output"
    if max(_since(look.client1.started_s, look), _since(look.client2.started_s, look)) >= limits.seconds:
        return "time"
    ends = [
        _since(look.both_ended_s, look) >= AFTER_BOTH_ENDED_S,
        _since(look.finished_s, look) >= limits.grace_s,
        look.client1.ended_s is not None and look.now_s - look.last_event_s >= limits.quiet_s,
    ]
    if scenario.until == "quiet":
        ends += [
            _since(look.disturbed_s, look) >= limits.quiet_s,
            _since(look.client1.ended_s, look) >= AFTER_CLIENT_1_ENDED_S,
        ]
    return "done" if any(ends) else None


def _since(time_s: float | None, look: Look) -> float:
    """Return how long ago something was; negative if it was not."""
    return -1.0 if time_s is None else look.now_s - time_s
