"""The fault campaign of the clients, run by hand.

    python3 bench/faults.py --scenarios 500 --seed N

Prints each scenario that breaks a law, and the figures. `--again SEED:NUMBER` runs one alone and shows all.
`--floods RUNS` lets crowds call at client 2's door instead, each so many times, and prints how long the real message
took. Exits with 1 if a law was broken or a message took a second or longer. The floods need Linux, and 10,500 files a
process.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from testing.client_faults.crowded import seconds_until_taken
from testing.client_faults.flood import FLOODS
from testing.client_faults.laws import broken_laws
from testing.client_faults.runner import Outcome, run, run_all
from testing.client_faults.scenarios import Scenario, campaign, drawn

SILENT = 10_000  # callers of the crowd that comes once and says nothing
OTHERS = 2_000  # callers of the other crowds
LIMIT = 1.0  # seconds for the real message


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scenarios", type=int, default=500)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--at-once", type=int, default=12)
    options.add_argument("--again", metavar="SEED:NUMBER")
    options.add_argument("--floods", type=int, metavar="RUNS")
    given = options.parse_args()
    if given.again:
        return again(given.again)
    if given.floods:
        return floods(given.floods)
    return whole_campaign(given.seed, given.scenarios, given.at_once)


def again(seed: str) -> int:
    """Run one scenario alone."""
    scenario = drawn(seed)
    print(scenario)
    outcome = run(scenario)
    print(f"exit code {outcome.code} after {outcome.seconds:.2f} s\n{outcome.out}{outcome.err}", end="")
    return report(scenario, outcome)


def whole_campaign(seed: int, count: int, at_once: int) -> int:
    begun = time.monotonic()
    scenarios = campaign(seed, count)
    outcomes = run_all(scenarios, at_once, report)
    broken = sum(bool(broken_laws(*pair)) for pair in zip(scenarios, outcomes, strict=True))
    codes = Counter(outcome.code for outcome in outcomes)
    harmless = sum(scenario.is_harmless for scenario in scenarios)
    worst = max(outcome.seconds for outcome in outcomes)
    print(
        f"{count} scenarios, seed {seed}, in {time.monotonic() - begun:.0f} s: {harmless} harmless, "
        f"exit codes {dict(codes)}, longest {worst:.1f} s, {broken} broke a law"
    )
    return 1 if broken else 0


def floods(runs: int) -> int:
    """All kinds of crowds, from the real client 1's own address and from a thousand others."""
    late = 0
    for kind in FLOODS:
        count = SILENT if kind == "silent" else OTHERS
        for where in ("one", "many"):
            taken = [seconds_until_taken(kind, count, where) for _ in range(runs)]
            median, worst = statistics.median(taken) * 1000, max(taken) * 1000
            print(f"{count:6} {kind:26} {where:5} median {median:5.0f} ms  worst {worst:5.0f} ms", flush=True)
            late += sum(seconds >= LIMIT for seconds in taken)
    return 1 if late else 0


def report(scenario: Scenario, outcome: Outcome) -> int:
    """Print what is wrong, if something is. Return how many laws were broken."""
    broken = broken_laws(scenario, outcome)
    if broken:
        print(
            f"{scenario}\n  broken: {'; '.join(broken)}\n"
            f"  code {outcome.code}, err {outcome.err!r}, out {outcome.out!r}",
            flush=True,
        )
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
