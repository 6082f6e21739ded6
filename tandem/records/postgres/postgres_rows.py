"""Runs the queries of the reading side on PostgreSQL. Owns the reading connection, knows no query."""

import re
from functools import lru_cache

import psycopg

from tandem.records.postgres.postgres_schema import check_version
from tandem.records.postgres.postgres_server import PostgresServer
from tandem.records.rows import Row, Values
from tandem.records.sqlite.sqlite_store import no_results

READ_TIMEOUT_S = 60.0  # a query may scan all teams
VISIBILITY_DELAY_S = 10.0  # longer than any transaction of a server


class PostgresRows:
    """Reads while servers write. Connects again if the connection broke since the last query."""

    visibility_delay_s = VISIBILITY_DELAY_S

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._connection = self._server.connect(READ_TIMEOUT_S)
        with self._server.preparing(self._connection):
            if check_version(self._connection, self._server.name) == 0:
                raise no_results(self._server.name, "that --database")

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query, in which `:name` stands for a value.

        Raises:
            StoreError: the query failed, or the database does not answer.
        """
        if any(isinstance(value, str) and "\0" in value for value in values.values()):
            return []  # PostgreSQL has no text with a NUL, and rejects one in a query
        was_open = not self._connection.closed
        try:
            return self._query(sql, values)
        except psycopg.errors.QueryCanceled as error:
            raise self._server.store_error(error) from None
        except psycopg.OperationalError as error:
            lost = self._connection.broken
            self._connection.close()
            if not (was_open and lost):
                raise self._server.store_error(error) from None
        except psycopg.Error as error:
            raise self._server.store_error(error) from None
        return self.query(sql, values)  # it broke while idle: try once more on a new one

    def _query(self, sql: str, values: Values) -> list[Row]:
        if self._connection.closed:
            self._connection = self._server.connect(READ_TIMEOUT_S)
        return self._connection.execute(with_percents(sql), values, binary=True).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@lru_cache(maxsize=256)
def with_percents(query: str) -> bytes:
    """Replace `:name`, the form of SQLite, with `%(name)s`, the form of the driver."""
    return re.sub(r":(\w+)", r"%(\1)s", query.replace("%", "%%")).encode()
