"""Reads the records in threads, with a new connection for each read, so that pages are not blocked.

Knows nothing of what is read: a read is a function of the Records.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tandem.records.queries import Records, open_records
from tandem.records.rows import DatabaseLocation

MAX_PARALLEL_READS = 4  # others wait

Result = TypeVar("Result")


class RecordsPool:
    """A pool of threads that read the records.

    Args:
        location: Where the records are.
        observe: Called with the duration of each read in seconds, from any thread.
    """

    def __init__(self, location: DatabaseLocation, observe: Callable[[float], None] = lambda duration_s: None) -> None:
        self.location = location
        self._observe = observe
        self._threads = ThreadPoolExecutor(MAX_PARALLEL_READS, "records-read")

    async def read(self, function: Callable[[Records], Result]) -> Result:
        """Return the result of the function, called in a thread.

        Raises:
            StoreError: The records cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, function)

    def close(self) -> None:
        """Wait for the reads that have begun, and end the threads."""
        self._threads.shutdown()

    def _read(self, function: Callable[[Records], Result]) -> Result:
        started_s = time.perf_counter()
        records = open_records(self.location)
        try:
            return function(records)
        finally:
            records.close()
            self._observe(time.perf_counter() - started_s)
