"""Right messages with one small random mistake each, the same ones for the same seed."""

import json
import random
from collections.abc import Iterator
from typing import NamedTuple

from testing.messages.corpus import LINES, ONE, SECOND, TEAM_2, TIGHT

SEED = 20261122
COUNT = 2000

RIGHT = (ONE.encode(), LINES.encode(), TIGHT.encode(), SECOND.encode(), json.dumps(TEAM_2, indent=2).encode())

_INSERTED = b"{}[]\":,.;= \n\\'/#0aZ\x00\x1b\xff"


class Mutation(NamedTuple):
    """A right message that was changed at one place."""

    data: bytes
    start: int
    end: int  # of the change; of a duplicate both copies, which cannot be told apart

    def distance(self, offset: int | None) -> int:
        """Return how many bytes an offset is away from the change."""
        return len(self.data) if offset is None else max(self.start - offset, offset - self.end, 0)


def mutations(count: int = COUNT, seed: int = SEED) -> Iterator[Mutation]:
    """Yield mutations: delete, insert, replace, swap, truncate, duplicate, each about equally often."""
    rng = random.Random(seed)
    ways = (_delete, _insert, _replace, _swap, _truncate, _duplicate)
    for number in range(count):
        right = RIGHT[number % len(RIGHT)]
        at = rng.randrange(len(right))
        yield ways[number % len(ways)](rng, right, at)


def _delete(rng: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + data[at + rng.choice((1, 1, 1, 2, 3)) :], at, at)


def _insert(rng: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + bytes([rng.choice(_INSERTED)]) + data[at:], at, at + 1)


def _replace(rng: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + bytes([rng.choice(_INSERTED)]) + data[at + 1 :], at, at + 1)


def _swap(rng: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :], at, at + 2)


def _truncate(rng: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at], at, at)


def _duplicate(rng: random.Random, data: bytes, at: int) -> Mutation:
    copied = data[at : at + rng.randrange(1, 8)]
    return Mutation(data[:at] + copied + data[at:], at, at + 2 * len(copied))
