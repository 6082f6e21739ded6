"""How often one address may do something: wrong tokens, wrong secrets, messages to check.

Pure: the time comes in, and must only ever grow.

A bucket an address: each try takes one from it, and it fills again with time. Bounded: when too many addresses are
remembered, those that have filled up are forgotten first, and if that is not enough, the rest share one bucket.
"""

from tandem.net.host_network import host_network

MAX_ADDRESSES = 10_000
OTHERS = "others"


class RateLimiter:
    """`most` tries at once, and one more every `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._full_at: dict[str, float] = {}  # when the bucket of an address will have filled up

    def wait(self, address: str, now: float) -> float:
        """Seconds until the next try; 0: it may be now."""
        full_at = self._full_at.get(self._bucket(address), now)
        return max(0.0, full_at - now - (self._most - 1) * self._seconds)

    def count(self, address: str, now: float) -> None:
        """One try was made."""
        if len(self._full_at) >= MAX_ADDRESSES:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        bucket = self._bucket(address)
        self._full_at[bucket] = max(now, self._full_at.get(bucket, now)) + self._seconds

    def _bucket(self, address: str) -> str:
        bucket = host_network(address)
        return bucket if bucket in self._full_at or len(self._full_at) < MAX_ADDRESSES else OTHERS
