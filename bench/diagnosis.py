"""The cost of diagnosing the most expensive inputs that are known, run by hand.

    python3 bench/diagnosis.py

Prints a line for each of fuzz/corpus/slowest.json: CPU time of the diagnosis with its words, of the reader, memory at
the peak, and what is held by the judgement. Exits with 1 if one of them takes 2 ms or 100 KiB. Times are the best of
some rounds, and a busy machine still makes them longer: beside them stands json.loads of a right message.
"""

import argparse
import json
import sys
import timeit
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.shapes import cost_of, data_of, kept
from testing.messages.mutations import RIGHT

MAX_MS = 2.0
MAX_KIB = 100.0
SHOWN = 60  # characters of an input


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=30, help="of which the best counts")
    given = options.parse_args()
    costs = []
    for shape in kept():
        data = data_of(shape)
        cost = cost_of(data, given.rounds)
        costs.append(cost)
        print(f"{cost}, {len(data):5,} bytes: {data[:SHOWN]!r}", flush=True)
    slowest, largest = max(cost.cpu_ms for cost in costs), max(cost.peak_kib for cost in costs)
    yardstick = min(timeit.repeat(lambda: json.loads(RIGHT[0]), number=1000, repeat=20)) * 1000
    print(
        f"the worst of {len(costs)}: {slowest:.2f} ms, {largest:.1f} KiB; "
        f"json.loads of a right message: {yardstick:.1f} µs"
    )
    return 1 if slowest >= MAX_MS or largest >= MAX_KIB else 0


if __name__ == "__main__":
    sys.exit(main())
