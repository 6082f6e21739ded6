"""Scenarios: a client and its faults, drawn from a seed alone, so that each can be run again alone.

`python3 bench/faults.py --again SEED` does so.
"""

from random import Random
from typing import NamedTuple

from testing.client_faults.filters import FILTERS, Values
from testing.client_faults.scripts import RIGHT, STRANGER, joined, size, with_lengths
from testing.other_side import Script

STYLES: dict[str, tuple[str, ...]] = {  # how the client is told to talk -> its options
    "text": (),
    "verbose": ("--verbose",),
    "json": ("--format", "json"),
    "length": ("--framing", "length"),
}


class Fault(NamedTuple):
    """A filter with its values, at one place."""

    place: str
    filter: str
    values: Values

    @property
    def is_harmless(self) -> bool:
        """Whether the client must finish all the same. Strangers must never keep client 2 from it."""
        return self.place == STRANGER or FILTERS[self.filter].is_harmless(self.values)

    def on(self, script: Script) -> Script:
        """Return the script with this fault in it."""
        return FILTERS[self.filter].apply(script, *self.values)


class Scenario(NamedTuple):
    """One run of a client: how it is started, and the faults that it meets."""

    seed: str
    client: int
    style: str
    faults: tuple[Fault, ...]

    @property
    def is_harmless(self) -> bool:
        """Whether the client must finish all the same."""
        return all(fault.is_harmless for fault in self.faults)

    def script(self, place: str) -> Script:
        """Return what the other side does at this place, with all faults there."""
        script = self._right(place)
        for fault in self.faults:
            if fault.place == place:
                script = fault.on(script)
        return joined(script)

    def strangers(self) -> tuple[Script, ...]:
        """Return one script for each fault of a stranger."""
        right = self._right(STRANGER)
        return tuple(joined(fault.on(right)) for fault in self.faults if fault.place == STRANGER)

    def _right(self, place: str) -> Script:
        right = RIGHT[self.client][place]
        return with_lengths(right) if self.style == "length" else right


def drawn(seed: str) -> Scenario:
    """Return the scenario of this seed."""
    random = Random(seed)
    client = random.choice((1, 2))
    style = random.choice(tuple(STYLES))
    count = random.choice((0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3))
    faults = []
    for name in random.sample(tuple(FILTERS), count):
        place = random.choice(tuple(RIGHT[client]))
        values = FILTERS[name].draw(random, size(RIGHT[client][place]))
        faults.append(Fault(place, name, values))
    return Scenario(seed, client, style, tuple(faults))


def campaign(seed: int, count: int) -> list[Scenario]:
    """Return scenarios with a seed each: SEED:NUMBER."""
    return [drawn(f"{seed}:{number}") for number in range(count)]
