"""The damage campaign, run by hand.

    python3 bench/damage.py

Damages each file of the database in each way under a running server, with one worker and with two, and prints what
became of the teams that were confirmed. Exits with 1 if one was confirmed after the damage and lost.
"""

import sys
import tempfile
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from testing.server_faults.damage import DAMAGES, FILES, WORKERS, run_row


def main() -> int:
    failed = False
    for file, damage, workers in product(FILES, DAMAGES, WORKERS):
        with tempfile.TemporaryDirectory(prefix="tandem-damage-") as folder:
            try:
                outcome = run_row(Path(folder), file, damage, workers)
                outcome.check()
                words = str(outcome)
            except AssertionError as error:
                failed, words = True, f"FAILED: {error}"
        print(f"{file} {damage}, {workers} worker{'s' * (workers > 1)}: {words}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
