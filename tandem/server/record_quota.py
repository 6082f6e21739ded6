"""Limits the visits a minute that are stored in full. The rest are answered like all others, but only counted.

A flood of wrong messages must not fill the disk. A class behind one campus address must not lose records, and one noisy
team there must not cost the others theirs. So there is a quota for each team at an address, and a larger one for the
address. Remarks on bytes after a reply have a quota of their own. No reply depends on any of them. The time is an
argument, and the counters are the only state.
"""

from collections import Counter
from functools import lru_cache

from tandem.net.networks import host_network
from tandem.records.visits import SuppressedVisits, Team

MAX_PER_TEAM = 60  # visits a minute of one team at one address, right or refused
MAX_PER_ADDRESS = 600  # refused visits a minute of one address
MAX_COUNTERS = 20_000  # addresses, and teams, that are counted apart in a minute; all others are counted together
OTHERS = "others"
MAX_LATE_OF_ADDRESS = 20  # remarks a minute on bytes after the reply, of one address
MAX_LATE = 600  # the same, of all addresses

_cached_network = lru_cache(maxsize=4096)(host_network)  # an address mostly comes again


class RecordQuota:
    """Decides which visits are stored in full, and counts the others. Record what `take_suppressed` returns."""

    def __init__(self, max_per_team: int = MAX_PER_TEAM, max_per_address: int = MAX_PER_ADDRESS) -> None:
        """Both are visits a minute."""
        self._max_per_team = max_per_team
        self._max_per_address = max_per_address
        self._minute = 0  # since 1970
        self._allowed: dict[str, int] = {}  # refused visits of this minute that were allowed, by address
        self._visits: dict[tuple[str, str, str], int] = {}  # visits of this minute, by address and team
        self._suppressed: dict[str, int] = {}  # refused visits of this minute that were not allowed, by address
        self._finished: list[SuppressedVisits] = []  # of earlier minutes

    def allows(self, address: str, team: Team | None, now: float) -> bool:
        """Return whether a refused visit at `now` (seconds since 1970) is stored in full."""
        self._start_minute(int(now // 60))
        host = _cached_network(address)
        if host not in self._allowed and len(self._allowed) >= MAX_COUNTERS:
            host = OTHERS
        key = (host, team.classname, team.teamname) if team else (host, "", "")
        if key not in self._visits and len(self._visits) >= MAX_COUNTERS:
            key = (OTHERS, "", "")
        of_team = self._visits[key] = self._visits.get(key, 0) + 1
        of_address = self._allowed.setdefault(host, 0)
        if of_team <= self._max_per_team and of_address < self._max_per_address:
            self._allowed[host] = of_address + 1
            return True
        self._suppressed[host] = self._suppressed.get(host, 0) + 1
        return False

    def allows_right(self, address: str, team: Team, now: float) -> bool:
        """Return whether a right visit at `now` is stored in full: its team must be within its quota.

        The quota of an address does not count for it: a whole class may be behind one address.
        """
        minute = int(now // 60)
        if minute != self._minute:
            self._start_minute(minute)
        host = _cached_network(address)
        key = (host, team.classname, team.teamname)
        if key not in self._visits and len(self._visits) >= MAX_COUNTERS:
            return True
        of_team = self._visits[key] = self._visits.get(key, 0) + 1
        return of_team <= self._max_per_team

    def is_first_suppressed(self, address: str) -> bool:
        """Return whether the last visit was the first one of its address over the quota in this minute."""
        return self._suppressed.get(_cached_network(address)) == 1

    def take_suppressed(self, now: float | None = None) -> list[SuppressedVisits]:
        """Return the counts of the minutes before `now`, or of all without it. Each is returned once."""
        self._start_minute(int(now // 60) if now is not None else self._minute + 1)
        finished, self._finished = self._finished, []
        return finished

    def _start_minute(self, minute: int) -> None:
        if minute == self._minute:
            return
        minute_us = self._minute * 60_000_000
        self._finished += [SuppressedVisits(minute_us, host, visits) for host, visits in self._suppressed.items()]
        for counts in (self._allowed, self._visits, self._suppressed):
            counts.clear()
        self._minute = minute


class LateBytesQuota:
    """Decides which visits get a remark on bytes after their reply: each visit once."""

    def __init__(self) -> None:
        self._minute = 0  # since 1970
        self._peers: set[tuple[str, int]] = set()  # address and port of those with a remark in this minute
        self._by_address: Counter[str] = Counter()  # the same, counted

    def allows(self, address: str, port: int, now: float) -> bool:
        """Return whether the visit from this address and port gets a remark at `now` (seconds since 1970)."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            self._peers.clear()
            self._by_address.clear()
        if (address, port) in self._peers or len(self._peers) >= MAX_LATE:
            return False
        if self._by_address[address] >= MAX_LATE_OF_ADDRESS:
            return False
        self._peers.add((address, port))
        self._by_address[address] += 1
        return True
