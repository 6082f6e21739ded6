"""Asks the records without holding up the pages: in threads, with a connection of its own for each question.

Knows nothing of what is asked. A question is a function that takes the Records and reads all it wants of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tandem.records.queries import Records, open_records
from tandem.records.rows import DatabaseLocation

AT_ONCE = 4  # questions; the others wait

Answer = TypeVar("Answer")


class RecordsPool:
    """The records, as a place to ask. Every question may raise StoreError."""

    def __init__(self, where: DatabaseLocation) -> None:
        self.where = where
        self._threads = ThreadPoolExecutor(AT_ONCE, "reading")

    async def ask(self, question: Callable[[Records], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.ask_here, question)

    def ask_here(self, question: Callable[[Records], Answer]) -> Answer:
        """The same, in the thread that calls."""
        records = open_records(self.where)
        try:
            return question(records)
        finally:
            records.close()

    def close(self) -> None:
        self._threads.shutdown()
