"""Looks for the inputs whose answer costs the most CPU time or memory, by hand.

    python3 -m fuzz.slowest [--minutes 5] [--seed 20261128] [--measure cpu|memory] [--size 8192] [--save 12]

Begins with the kept shapes and with pieces of messages repeated; changes the most expensive ones by chance and goes
on with what costs more. Shows the most expensive in the end. With --save they are added to fuzz/corpus/slowest.json.
"""

import argparse
import gc
import random
import time
from collections import Counter
from collections.abc import Iterator

from fuzz.diagnosis import ENDS, STARTS, UNITS
from fuzz.shapes import Shape, cost_of, cpu_of, data_of, keep, kept, memory_of
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from testing.messages.corpus import CASES
from testing.messages.mutations import RIGHT

MAX_KEPT = 80  # shapes that are changed further
MAX_ALIKE = 8  # of them, whose longest part repeats the same piece: else all of them are soon the same
MAX_PIECES = 8
COUNTS = (1, 1, 1, 2, 7, 8, 20, 30, 64, 128, 200, 256, 1000, MAX_MESSAGE_BYTES)
SIGNS = [bytes((byte,)) for byte in b"{}[]\",:;.='`\\/#*-+_$<| \n\r\tnu0aZ\x00\x1b\xff\xe9\xc2"]
WORDS = [
    *("\u201c", "\u2018", "\u200b", "\xa0", "\uff0c", "\uff1a", "\u4e2d", "\U0001f3f4"),
    *('"estudnent1r":', '"tnedutsrn1": 1,', '"studnetnr2": ', '"tiepd": ', '"":', "a:", "{a:", '{"ip":', "[[", "]]"),
    *('\\"', "\\u0041", "\\ud83d", "\\x41", "\\'", "\\\\", "b'", 'b"', "//", "/*", "*/", "=>", "1e", "0x", "None,"),
]
PIECES = [*UNITS, *SIGNS, *(word.encode() for word in WORDS)]
Found = list[tuple[float, Shape]]  # what each costs, the most expensive first


def main() -> None:
    parser = argparse.ArgumentParser(description="look for the inputs whose answer costs the most")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--measure", choices=("cpu", "memory"), default="cpu")
    parser.add_argument(
        "--size", type=int, default=MAX_MESSAGE_BYTES, help="bytes of the longest input (default: %(default)s)"
    )
    parser.add_argument("--save", type=int, default=0, metavar="COUNT", help="keep so many of the most expensive ones")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    count, found = climb(options.measure, chance, options.size, options.minutes * 60)
    found = again(options.measure, found, options.size)
    print(f"{count:,} inputs, seed {options.seed}; the most expensive by {options.measure}:")
    for _, shape in found[:12]:
        print(cost_of(data_of(shape, options.size)), " ".join(f"{piece!r}*{times}" for piece, times in shape))
    if options.save:
        keep(dict.fromkeys((*kept(), *(shape for _, shape in found[: options.save]))))


def climb(measure: str, chance: random.Random, size: int, seconds: float) -> tuple[int, Found]:
    """The number of inputs that were tried, and the most expensive of them."""
    gc.freeze()
    end = time.monotonic() + seconds
    found: Found = []
    seen: set[bytes] = set()
    beginnings = seeds()
    while time.monotonic() < end:
        shape = next(beginnings, None) or changed(chance, found)
        data = data_of(shape, size)
        if data in seen:
            continue
        seen.add(data)
        least = found[-1][0] if len(found) == MAX_KEPT else 0.0
        cost = price(measure, data, least)
        if cost > least:
            found = most_expensive([*found, (cost, shape)])
    return len(seen), found


def price(measure: str, data: bytes, least: float) -> float:
    """Milliseconds or KiB. What costs less than `least` the first time is not measured again."""
    if measure == "memory":
        return memory_of(data)[0]
    cost = cpu_of(data, 1)[0]
    return min(cost, cpu_of(data, 4)[0]) if cost > least else cost


def again(measure: str, found: Found, size: int) -> Found:
    """The same after more measurements: one by one, and each several times."""
    costs = ((cost_of(data_of(shape, size), 15), shape) for _, shape in found[:40])
    return sorted(((cost.cpu_ms if measure == "cpu" else cost.peak_kib, shape) for cost, shape in costs), reverse=True)


def most_expensive(found: Found) -> Found:
    """Those that are changed further."""
    alike: Counter[bytes] = Counter()
    kept_ones: Found = []
    for cost, shape in sorted(found, reverse=True):
        longest = max(shape, key=lambda part: len(part[0]) * part[1])[0]
        alike[longest] += 1
        if alike[longest] <= MAX_ALIKE:
            kept_ones.append((cost, shape))
    return kept_ones[:MAX_KEPT]


def seeds() -> Iterator[Shape]:
    """The kept inputs; shapes of a start, a repeated piece and an end; and the wrong messages of the tests."""
    yield from kept()
    for start in STARTS:
        for piece in PIECES:
            for end in ENDS:
                yield (start, 1), (piece, (MAX_MESSAGE_BYTES - len(start) - len(end)) // len(piece)), (end, 1)
    for case in CASES:
        yield (case.data, 1), (b" ", MAX_MESSAGE_BYTES)
        yield (case.data, MAX_MESSAGE_BYTES // (len(case.data) or 1) + 1), (b"", 1)


def changed(chance: random.Random, found: Found) -> Shape:
    """One of the expensive shapes, the worst most often, with one to four changes."""
    rank = int(len(found) * chance.random() ** 2)
    parts = list(found[rank][1])
    for _ in range(chance.choice((1, 1, 2, 3, 4))):
        _change(chance, parts, found)
    return tuple(part for part in parts if part[0] and part[1])[:MAX_PIECES] or ((b"{", 1),)


def _change(chance: random.Random, parts: list[tuple[bytes, int]], found: Found) -> None:
    at = chance.randrange(len(parts))
    piece, times = parts[at]
    kind = chance.randrange(8)
    if kind == 0:
        parts[at] = piece, chance.choice(COUNTS)
    elif kind == 1:
        parts[at] = piece, max(1, times + chance.choice((-16, -1, 1, 16)))
    elif kind == 2:
        parts.insert(at, (_new_piece(chance), chance.choice(COUNTS)))
    elif kind == 3 and len(parts) > 1:
        del parts[at]
    elif kind == 4:
        other = chance.choice(found)[1]
        parts[at:] = other[chance.randrange(len(other)) :]
    else:
        parts[at] = _changed_piece(chance, piece), times


def _new_piece(chance: random.Random) -> bytes:
    return b"".join(chance.choice(PIECES) for _ in range(chance.choice((1, 1, 2, 3))))


def _changed_piece(chance: random.Random, piece: bytes) -> bytes:
    start = chance.randrange(len(piece) + 1)
    end = min(len(piece), start + chance.choice((0, 0, 1, 1, 2, 5)))
    put = chance.choice((b"", chance.choice(PIECES), chance.choice(SIGNS), piece[start:end] * 2, RIGHT[0][start:end]))
    return (piece[:start] + put + piece[end:])[:600]


if __name__ == "__main__":
    main()
