"""The campaign, in short: the same scripts at every run. bench/faults.py runs as many others as one likes."""

import asyncio

import pytest

from testing.client_faults.filters import FILTERS
from testing.client_faults.laws import broken_laws
from testing.client_faults.runner import run_all
from testing.client_faults.scripts import Fault, Script, campaign
from testing.client_faults.talk import CALLER, GROUND, PEER, RIGHT, STRANGER

SEED = 1
AT_ONCE = 8


def assert_lawful(scripts: list[Script]) -> None:
    outcomes = asyncio.run(run_all(scripts, AT_ONCE))
    broken = [
        f"{script}: {'; '.join(laws)}\n  {outcome}"
        for script, outcome in zip(scripts, outcomes, strict=True)
        if (laws := broken_laws(script, outcome))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("half", [0, 1])
def test_sixty_scripts(half: int) -> None:
    assert_lawful(campaign(SEED, 60)[half::2])


def test_the_ends_that_races_decide() -> None:
    """Faults whose outcome hangs on who is faster, more than once."""
    ends = [
        (client, Fault(place, filter, (0,)))
        for client, place in ((1, PEER), (1, GROUND), (2, CALLER), (2, STRANGER))
        for filter in ("close", "reset")
    ]
    assert_lawful([Script(f"race {number}", client, "text", (fault,)) for client, fault in ends for number in range(3)])


def test_a_seed_is_a_script() -> None:
    assert campaign(SEED, 20) == campaign(SEED, 20)
    assert campaign(SEED, 20) != campaign(SEED + 1, 20)


def test_a_campaign_meets_every_fault_at_every_place() -> None:
    faults = [(script.client, fault) for script in campaign(SEED, 1500) for fault in script.faults]
    met = {(client, fault.place, fault.filter) for client, fault in faults}
    assert met == {(client, place, filter) for client in RIGHT for place in RIGHT[client] for filter in FILTERS}
