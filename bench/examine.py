"""Examine the specimens and the unruly programs, and compare the verdicts with those that must come out.

python3 -m bench.examine [--seed N] [--rounds N] [--jobs N] [--only specimens|manners]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from testing.examiner.campaign import manners, specimens

CAMPAIGNS = {"specimens": specimens, "manners": manners}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--jobs", default="4")
    options.add_argument("--only", choices=tuple(CAMPAIGNS))
    given = options.parse_args()
    wrong = 0
    for number in range(given.rounds):
        for name, campaign in CAMPAIGNS.items():
            if given.only in (None, name):
                began = time.monotonic()
                with tempfile.TemporaryDirectory() as folder:
                    found = campaign(Path(folder) / "work", given.seed, "--jobs", given.jobs)
                wrong += len(found)
                print(f"round {number + 1}, {name}: {len(found)} differences, {time.monotonic() - began:.0f} s")
                for each in found:
                    print(f"  {each.submission}: {each.check} is {each.found}, wanted {each.wanted}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
