"""The campaign, in short: the same scenarios at every run. bench/faults.py runs as many others as one likes."""

import os
import subprocess
import sys

import pytest

from testing.client_faults.filters import FILTERS
from testing.client_faults.laws import broken_laws
from testing.client_faults.runner import run_all
from testing.client_faults.scenarios import Fault, Scenario, campaign
from testing.client_faults.scripts import CALLER, PEER, RIGHT, SERVER, STRANGER
from testing.processes import ROOT

SEED = 1
AT_ONCE = 8


def assert_lawful(scenarios: list[Scenario]) -> None:
    outcomes = run_all(scenarios, AT_ONCE)
    broken = [
        f"{scenario}: {'; '.join(laws)}\n  {outcome}"
        for scenario, outcome in zip(scenarios, outcomes, strict=True)
        if (laws := broken_laws(scenario, outcome))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("half", [0, 1])
def test_sixty_scenarios(half: int) -> None:
    assert_lawful(campaign(SEED, 60)[half::2])


def test_the_ends_that_races_decide() -> None:
    """Faults whose outcome hangs on who is faster, more than once."""
    ends = [
        (client, Fault(place, filter, (0,)))
        for client, place in ((1, PEER), (1, SERVER), (2, CALLER), (2, STRANGER))
        for filter in ("close", "reset")
    ]
    assert_lawful(
        [Scenario(f"race {number}", client, "text", (fault,)) for client, fault in ends for number in range(3)]
    )


def test_a_seed_is_the_same_scenario_in_every_process() -> None:
    """Or `bench/faults.py --again SEED` would run another one than the one that broke a law."""
    program = f"from testing.client_faults.scenarios import campaign; print(campaign({SEED}, 20))"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert drawn == {f"{campaign(SEED, 20)}\n"}
    assert campaign(SEED, 20) != campaign(SEED + 1, 20)


def test_a_campaign_meets_every_fault_at_every_place() -> None:
    faults = [(scenario.client, fault) for scenario in campaign(SEED, 1500) for fault in scenario.faults]
    met = {(client, fault.place, fault.filter) for client, fault in faults}
    assert met == {(client, place, filter) for client in RIGHT for place in RIGHT[client] for filter in FILTERS}
