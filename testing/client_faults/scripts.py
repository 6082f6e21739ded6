"""Which client meets which faults: a script, drawn from its seed alone, so that it can be run again alone.

`python3 bench/faults.py --again SEED` does so.
"""

from random import Random
from typing import NamedTuple

from testing.client_faults.filters import FILTERS, Values
from testing.client_faults.talk import CALLER, RIGHT, STRANGER, Talk, behind_lengths, joined, size

STYLES: dict[str, tuple[str, ...]] = {  # how the client is told to talk -> its options
    "text": (),
    "verbose": ("--verbose",),
    "json": ("--format", "json"),
    "length": ("--on-wire", "length"),
}


class Fault(NamedTuple):
    place: str
    filter: str
    values: Values

    @property
    def is_harmless(self) -> bool:
        """Must the client finish all the same? Strangers must never keep client 2 from it, whatever they do."""
        return self.place == STRANGER or FILTERS[self.filter].is_harmless(self.values)

    def on(self, talk: Talk) -> Talk:
        return FILTERS[self.filter].apply(talk, *self.values)


class Script(NamedTuple):
    seed: str
    client: int
    style: str
    faults: tuple[Fault, ...]

    @property
    def is_harmless(self) -> bool:
        """Must the client finish all the same? A length that comes slowly to client 2's door need not be taken."""
        if self.style == "length" and any(fault.place == CALLER for fault in self.faults):
            return False
        return all(fault.is_harmless for fault in self.faults)

    def talk(self, place: str) -> Talk:
        """What the other side does at this place, with all faults there."""
        talk = self._right(place)
        for fault in self.faults:
            if fault.place == place:
                talk = fault.on(talk)
        return joined(talk)

    def strangers(self) -> tuple[Talk, ...]:
        """One for each fault at the door."""
        right = self._right(STRANGER)
        return tuple(joined(fault.on(right)) for fault in self.faults if fault.place == STRANGER)

    def _right(self, place: str) -> Talk:
        right = RIGHT[self.client][place]
        return behind_lengths(right) if self.style == "length" else right


def drawn(seed: str) -> Script:
    """The script of this seed."""
    random = Random(seed)
    client = random.choice((1, 2))
    style = random.choice(tuple(STYLES))
    count = random.choice((0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3))
    faults = []
    for name in random.sample(tuple(FILTERS), count):
        place = random.choice(tuple(RIGHT[client]))
        values = FILTERS[name].draw(random, size(RIGHT[client][place]))
        faults.append(Fault(place, name, values))
    return Script(seed, client, style, tuple(faults))


def campaign(seed: int, count: int) -> list[Script]:
    """So many scripts, each with a seed of its own: SEED:NUMBER."""
    return [drawn(f"{seed}:{number}") for number in range(count)]
