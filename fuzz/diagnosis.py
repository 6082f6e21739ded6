"""The campaign against the diagnosis, run by hand: a million broken messages, and the slowest one of 8 KiB.

    python3 -m fuzz.diagnosis [--count 1000000] [--seed 20261122]

Every input must give a diagnosis without an exception, agree with the tests' oracle on right and wrong,
offer nothing that is wrong itself, and fit a reply. Ends with 1 at the first that does not, and shows it.
"""

import argparse
import gc
import json
import random
import sys
import time
import timeit
from collections import Counter
from collections.abc import Callable, Iterator

from tandem.server.judge import MAX_REPLY_BYTES, reject
from testing.messages.corpus import CASES
from testing.messages.mutations import RIGHT
from testing.messages.oracle import is_right
from testing.messages.pieces import PIECES
from testing.messages.sending import diagnosed
from testing.messages.working import MESSAGES

SIZE = 8192
ROUNDS = 5  # the best of so many: what is measured is the program, not its neighbours on the machine
SEEDS = [*RIGHT, *(case.data for case in CASES if len(case.data) < 1000), *(message.data for message in MESSAGES)]


def main() -> int:
    parser = argparse.ArgumentParser(description="fuzz the diagnosis")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    began = time.monotonic()
    for number, data in enumerate(inputs(random.Random(options.seed), options.count), 1):
        try:
            seen.update(judged(data))
        except Exception as error:
            print(f"input {number}: {data!r}\n{type(error).__name__}: {error}")
            return 1
        if number % 100_000 == 0:
            print(f"{number:,} in {time.monotonic() - began:,.0f} s", file=sys.stderr)
    print(f"{options.count:,} inputs, seed {options.seed}, {seen.pop('right', 0):,} of them right: no exception")
    print(f"{len(seen)} kinds seen, the rarest: " + ", ".join(f"{id} {n}" for id, n in seen.most_common()[-5:]))
    for line in slowest():
        print(line)
    return 0


def judged(data: bytes) -> set[str]:
    """The ids of the input's problems, after it was held against everything that must be so."""
    diagnosis = diagnosed(data)
    if is_right(data) != (not diagnosis.problems):
        raise AssertionError(f"the oracle disagrees: {diagnosis.problems}")
    if diagnosis.repaired and diagnosed(diagnosis.repaired.encode()).problems:
        raise AssertionError(f"what is offered is wrong: {diagnosis.repaired}")
    if diagnosis.problems and len(reject(diagnosis, diagnosis.problems).reply) > MAX_REPLY_BYTES:
        raise AssertionError("the reply is too long")
    return {problem.id for problem in diagnosis.problems} or {"right"}


def inputs(chance: random.Random, count: int) -> Iterator[bytes]:
    """Spoiled messages mostly; pure noise, and pieces of messages in any order, now and then."""
    for _ in range(count):
        kind = chance.random()
        if kind < 0.05:
            yield chance.randbytes(chance.randrange(64))
        elif kind < 0.25:
            yield b"".join(chance.choices(PIECES, k=chance.randrange(1, 40)))
        else:
            yield spoiled(chance, chance.choice(SEEDS))


def spoiled(chance: random.Random, data: bytes) -> bytes:
    """The message after one to four changes: something put in, taken out, or copied from elsewhere in it."""
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((0, 1, 1, 2, 8, 40))
        put = chance.choice((b"", chance.choice(PIECES), chance.randbytes(1), data[at - length : at]))
        data = data[:at] + put + data[at + chance.choice((0, 0, length)) :]
    return data


UNITS = [
    *PIECES,
    *(
        b'"a',
        b"'a",
        b'",',
        b'": ',
        b'\\"',
        b'"a":',
        b'"a":1,',
        b'"a" "b" ',
        b'" a',
        b'"* ',
        b'"\n',
        b'k:"',
        b"x=",
        b"a",
    ),
    *(
        "“a".encode(),
        b"\xe9",
        b"studentnr ",
        b'"x":[',
        b'"x":{',
        b"{[",
        b"{}",
        b'{"studentnr1":',
        b'{"studentnr1": "x", ',
    ),
]
STARTS = [b"", b"{", b'{"a": "', b'{"teamname": ', b'{"teamname" ', RIGHT[0][:-1] + b", ", RIGHT[0][:20]]
ENDS = [b"", b'"}', b"}"]


def slowest() -> Iterator[str]:
    """The slowest of some thousand inputs of 8 KiB, and how much longer it takes than its half."""
    gc.disable()  # it would count against whichever input it strikes
    times = {
        (start, unit, end): taken(shaped(start, unit, end, SIZE - 2))
        for start in STARTS
        for unit in UNITS
        for end in ENDS
    }
    worst = sorted(times, key=lambda shape: times[shape])[-20:]
    times = {shape: min(taken(shaped(*shape, SIZE - 2)) for _ in range(ROUNDS)) for shape in worst}
    shape = max(worst, key=lambda shape: times[shape])
    half = min(taken(shaped(*shape, SIZE // 2)) for _ in range(ROUNDS))
    yardstick = min(timeit.repeat(lambda: json.loads(RIGHT[0]), number=1000, repeat=ROUNDS)) / 1000
    yield f"the slowest of {len(STARTS) * len(UNITS) * len(ENDS):,} shapes of 8 KiB: {times[shape] * 1000:.1f} ms"
    yield f"  {shape[0]!r}, then {shape[1]!r} over and over, then {shape[2]!r}; half as long: {half * 1000:.1f} ms"
    yield f"  beside it on the same machine, json.loads of a right message: {yardstick * 1e6:.1f} µs"


def shaped(start: bytes, unit: bytes, end: bytes, size: int) -> bytes:
    return (start + unit * (size // len(unit) + 1))[: size - len(end)] + end


def taken(data: bytes, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of the processor for one diagnosis."""
    began = clock()
    diagnosed(data)
    return clock() - began


if __name__ == "__main__":
    sys.exit(main())
