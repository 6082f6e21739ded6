"""Limits how often one address may do something: a token bucket for each address.

Pure: the time is an argument, in monotonic seconds. Memory is bounded: beyond MAX_BUCKETS full buckets are removed, and
if that is not enough, all further addresses share one bucket.
"""

from tandem.net.networks import host_network

MAX_BUCKETS = 10_000
SHARED_BUCKET = "others"


class RateLimiter:
    """Allows `burst` tries at once, and one more every `interval_s` seconds."""

    def __init__(self, burst: int, interval_s: float) -> None:
        self._burst = burst
        self._interval_s = interval_s
        self._full_at: dict[str, float] = {}  # bucket -> the time in seconds at which it is full again

    def wait_s(self, address: str, now: float) -> float:
        """Return the seconds until the next try is allowed; 0 if it is allowed now."""
        full_at = self._full_at.get(self._bucket(address), now)
        return max(0.0, full_at - now - (self._burst - 1) * self._interval_s)

    def count_try(self, address: str, now: float) -> None:
        """Count a try."""
        if len(self._full_at) >= MAX_BUCKETS:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        bucket = self._bucket(address)
        self._full_at[bucket] = max(now, self._full_at.get(bucket, now)) + self._interval_s

    def _bucket(self, address: str) -> str:
        bucket = host_network(address)
        return bucket if bucket in self._full_at or len(self._full_at) < MAX_BUCKETS else SHARED_BUCKET
