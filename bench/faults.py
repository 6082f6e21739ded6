"""The fault campaign of the clients, run by hand: python3 bench/faults.py --scripts 500 --seed N

Prints each script that breaks a law, and the figures. `--again SEED:NUMBER` runs one script alone and shows all.
`--floods RUNS` lets crowds call at client 2's door instead, each so many times, and prints how long the real message
took. Exits with 1 if a law was broken or a message took a second or longer. The floods need Linux, and 10,500 files a
process.
"""

import argparse
import asyncio
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
from testing.client_faults.scripts import Script, campaign, drawn

SILENT = 10_000  # callers of the crowd that comes once and says nothing
OTHERS = 2_000  # callers of the other crowds
LIMIT = 1.0  # seconds for the real message


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scripts", type=int, default=500)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--at-once", type=int, default=12)
    options.add_argument("--again", metavar="SEED:NUMBER")
    options.add_argument("--floods", type=int, metavar="RUNS")
    given = options.parse_args()
    if given.again:
        return again(given.again)
    if given.floods:
        return floods(given.floods)
    return whole_campaign(given.seed, given.scripts, given.at_once)


def again(seed: str) -> int:
    """One script alone."""
    script = drawn(seed)
    print(script)
    outcome = asyncio.run(run(script))
    print(f"exit code {outcome.code} after {outcome.seconds:.2f} s\n{outcome.out}{outcome.err}", end="")
    return told(script, outcome)


def whole_campaign(seed: int, count: int, at_once: int) -> int:
    begun = time.monotonic()
    scripts = campaign(seed, count)
    outcomes = asyncio.run(run_all(scripts, at_once, told))
    broken = [script for script, outcome in zip(scripts, outcomes, strict=True) if broken_laws(script, outcome)]
    codes = Counter(outcome.code for outcome in outcomes)
    harmless = sum(script.is_harmless for script in scripts)
    worst = max(outcome.seconds for outcome in outcomes)
    print(
        f"{count} scripts, seed {seed}, in {time.monotonic() - begun:.0f} s: {harmless} harmless, "
        f"exit codes {dict(codes)}, longest {worst:.1f} s, {len(broken)} broke a law"
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


def told(script: Script, outcome: Outcome) -> int:
    """Says what is wrong, if something is. Returns how much."""
    broken = broken_laws(script, outcome)
    if broken:
        print(
            f"{script}\n  broken: {'; '.join(broken)}\n  code {outcome.code}, err {outcome.err!r}, out {outcome.out!r}",
            flush=True,
        )
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
