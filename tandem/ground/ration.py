"""How many refused visits of one address are recorded in a minute. The rest are answered, too, but only counted.

A flood of nonsense must not fill the disk; a class behind one campus address must not be throttled. So
nobody's reply depends on this, only what is kept of it. Pure: the time comes in.
"""

import ipaddress

from tandem.ground.record import Surplus

MOST = 120  # refused visits of an address in a minute
MOST_ADDRESSES = 10_000  # counted apart in a minute; the others together
OTHERS = "others"


class Ration:
    """Ask `allows` for every refused visit; hand what `take_surplus` returns to the records."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._minute = 0
        self._visits: dict[str, int] = {}  # in this minute, by address
        self._past: list[Surplus] = []

    def allows(self, address: str, now: float) -> bool:
        """Whether a refused visit at `now` (seconds since 1970) is recorded."""
        self._turn(int(now // 60))
        key = _network(address)
        if key not in self._visits and len(self._visits) >= MOST_ADDRESSES:
            key = OTHERS
        self._visits[key] = self._visits.get(key, 0) + 1
        return self._visits[key] <= self._most

    def is_just_over(self, address: str) -> bool:
        """Whether the visit asked for last was the first too many: worth a word in the log."""
        return self._visits.get(_network(address)) == self._most + 1

    def take_surplus(self, now: float | None = None) -> list[Surplus]:
        """What was only counted in the minutes before `now`, or until now without it; each is told once."""
        self._turn(int(now // 60) if now is not None else self._minute + 1)
        past, self._past = self._past, []
        return past

    def _turn(self, minute: int) -> None:
        if minute == self._minute:
            return
        for address, visits in self._visits.items():
            if visits > self._most:
                self._past.append(Surplus(self._minute * 60_000_000, address, visits - self._most))
        self._visits.clear()
        self._minute = minute


def _network(address: str) -> str:
    """Who has one IPv6 address has 2**64 of them: these count as one."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
