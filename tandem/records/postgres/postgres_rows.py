"""How the reading side asks PostgreSQL. Knows nothing of what is asked."""

import re
from functools import lru_cache

import psycopg

from tandem.records.postgres.postgres_schema import check_version
from tandem.records.postgres.postgres_server import PostgresServer
from tandem.records.rows import Row, Values
from tandem.records.sqlite.sqlite_store import StoreError, no_results

ANSWER = 60.0  # seconds: a question may look at every team
LATENESS = 10.0  # seconds: longer than any ground's transaction lasts


class PostgresRows:
    """Reads while grounds write. A connection that broke since the last question is made anew."""

    lateness = LATENESS

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._connection = self._server.connect(ANSWER)
        try:
            version = check_version(self._connection, self._server.name)
        except psycopg.Error as error:
            self.close()
            raise self._server.trouble(error) from None
        except StoreError:
            self.close()
            raise
        if version == 0:
            self.close()
            raise no_results(self._server.name, "that --database")

    def ask(self, query: str, values: Values) -> list[Row]:
        if any(isinstance(value, str) and "\0" in value for value in values.values()):
            return []  # no text in PostgreSQL has a NUL, and none may be asked for
        was_open = not self._connection.closed
        try:
            return self._ask(query, values)
        except psycopg.errors.QueryCanceled as error:
            raise self._server.trouble(error) from None
        except psycopg.OperationalError as error:
            lost = self._connection.broken
            self._connection.close()
            if not (was_open and lost):
                raise self._server.trouble(error) from None
        except psycopg.Error as error:
            raise self._server.trouble(error) from None
        return self.ask(query, values)  # it broke while nobody asked: once more, with a new one

    def _ask(self, query: str, values: Values) -> list[Row]:
        if self._connection.closed:
            self._connection = self._server.connect(ANSWER)
        return self._connection.execute(with_percents(query), values, binary=True).fetchall()

    def close(self) -> None:
        self._connection.close()


@lru_cache(maxsize=256)
def with_percents(query: str) -> bytes:
    """:name, as SQLite has it, becomes %(name)s, as the driver has it."""
    return re.sub(r":(\w+)", r"%(\1)s", query.replace("%", "%%")).encode()
