"""How many visits are recorded whole in a minute. The rest are answered, too, but only counted.

A flood of nonsense must not fill the disk; a class behind one campus address must not be throttled, and one
noisy team there must not cost the others their records. So there is a ration for each team at an address,
and a larger one for the address. Nobody's reply depends on it. Pure: the time comes in.
"""

from tandem.net.host_network import host_network
from tandem.records.visits import SuppressedVisits, Team

MAX_OF_TEAM = 60  # refused visits in a minute: of one team at one address
MAX_OF_ADDRESS = 600  # of one address
MAX_COUNTED = 20_000  # addresses, and teams, that are counted apart in a minute; the others together
OTHERS = "others"


class RecordQuota:
    """Ask `allows` for every refused visit; hand what `take_surplus` returns to the records."""

    def __init__(self, of_team: int = MAX_OF_TEAM, of_address: int = MAX_OF_ADDRESS) -> None:
        self._of_team = of_team
        self._of_address = of_address
        self._minute = 0
        self._by_address: dict[str, int] = {}  # refused visits that were allowed in this minute
        self._by_team: dict[tuple[str, str, str], int] = {}  # visits in this minute
        self._surplus: dict[str, int] = {}  # those of them that were not allowed, by address
        self._past: list[SuppressedVisits] = []

    def allows(self, address: str, team: Team | None, now: float) -> bool:
        """Whether a refused visit at `now` (seconds since 1970) is recorded whole."""
        self._turn(int(now // 60))
        host = host_network(address)
        if host not in self._by_address and len(self._by_address) >= MAX_COUNTED:
            host = OTHERS
        who = (host, team.classname, team.teamname) if team else (host, "", "")
        if who not in self._by_team and len(self._by_team) >= MAX_COUNTED:
            who = (OTHERS, "", "")
        of_team = self._by_team[who] = self._by_team.get(who, 0) + 1
        of_address = self._by_address.setdefault(host, 0)
        if of_team <= self._of_team and of_address < self._of_address:
            self._by_address[host] = of_address + 1
            return True
        self._surplus[host] = self._surplus.get(host, 0) + 1
        return False

    def allows_right(self, address: str, team: Team, now: float) -> bool:
        """Whether a right visit is recorded whole: a team that repeats itself without end counts, no more.

        An address has no ration of these: a whole class may be behind one.
        """
        minute = int(now // 60)
        if minute != self._minute:
            self._turn(minute)
        host = host_network(address)
        who = (host, team.classname, team.teamname)
        if who not in self._by_team and len(self._by_team) >= MAX_COUNTED:
            return True
        of_team = self._by_team[who] = self._by_team.get(who, 0) + 1
        return of_team <= self._of_team

    def is_first_surplus(self, address: str) -> bool:
        """Whether the visit asked for last was the first of its address too many: worth a word in the log."""
        return self._surplus.get(host_network(address)) == 1

    def take_surplus(self, now: float | None = None) -> list[SuppressedVisits]:
        """What was only counted in the minutes before `now`, or until now without it; each is told once."""
        self._turn(int(now // 60) if now is not None else self._minute + 1)
        past, self._past = self._past, []
        return past

    def _turn(self, minute: int) -> None:
        if minute == self._minute:
            return
        began = self._minute * 60_000_000
        self._past += [SuppressedVisits(began, address, visits) for address, visits in self._surplus.items()]
        for counts in (self._by_address, self._by_team, self._surplus):
            counts.clear()
        self._minute = minute
