"""Right messages with one small mistake each, made by chance but the same ones every time."""

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
    """A message that was right before one thing happened to it at one place."""

    data: bytes
    start: int
    end: int  # of what was changed; of a duplicate both copies, which nobody can tell apart

    def distance(self, at: int | None) -> int:
        """How many bytes away from the change a place is."""
        return len(self.data) if at is None else max(self.start - at, at - self.end, 0)


def mutations(count: int = COUNT, seed: int = SEED) -> Iterator[Mutation]:
    """Delete, insert, replace, swap, truncate, duplicate: each about equally often."""
    chance = random.Random(seed)
    ways = (_delete, _insert, _replace, _swap, _truncate, _duplicate)
    for number in range(count):
        right = RIGHT[number % len(RIGHT)]
        at = chance.randrange(len(right))
        yield ways[number % len(ways)](chance, right, at)


def _delete(chance: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + data[at + chance.choice((1, 1, 1, 2, 3)) :], at, at)


def _insert(chance: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + bytes([chance.choice(_INSERTED)]) + data[at:], at, at + 1)


def _replace(chance: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + bytes([chance.choice(_INSERTED)]) + data[at + 1 :], at, at + 1)


def _swap(chance: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :], at, at + 2)


def _truncate(chance: random.Random, data: bytes, at: int) -> Mutation:
    return Mutation(data[:at], at, at)


def _duplicate(chance: random.Random, data: bytes, at: int) -> Mutation:
    copied = data[at : at + chance.randrange(1, 8)]
    return Mutation(data[:at] + copied + data[at:], at, at + 2 * len(copied))
