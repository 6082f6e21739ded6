"""Removes rows from PostgreSQL for good. Does not reach the log and the backups of the database server."""

import psycopg
from psycopg import errors

from tandem.records.postgres.postgres_rows import with_percents
from tandem.records.postgres.postgres_schema import check_version
from tandem.records.postgres.postgres_server import PostgresServer
from tandem.records.rows import Row, Values
from tandem.records.sqlite.sqlite_store import no_results

ERASE_TIMEOUT_S = 600.0  # a statement may scan all visits
_TABLES = ("team", "team_name", "visit", "surplus")
_UNUSED_NAMES = """DELETE FROM team_name WHERE NOT EXISTS (SELECT 1 FROM team
    WHERE team.classname = team_name.classname AND team.teamname = team_name.teamname)"""


class PostgresEraser:
    """Removes rows in one transaction, while servers continue to write."""

    blocks_writers = False

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._connection = self._server.connect(ERASE_TIMEOUT_S)
        with self._server.preparing(self._connection):
            if check_version(self._connection, self._server.name) == 0:
                raise no_results(self._server.name, "that --database")

    def begin(self) -> None:
        """Start the transaction."""
        self._execute("BEGIN")

    def roll_back(self) -> None:
        """Undo the transaction."""
        self._execute("ROLLBACK")

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query."""
        return self._execute(sql, values).fetchall()

    def erase(self, table: str, chosen: str, values: Values) -> int:
        """Remove the rows of a table for which a condition holds. Return how many."""
        return self._execute(f"DELETE FROM {table} WHERE {chosen}", values).rowcount

    def update(self, table: str, changes: str, chosen: str, values: Values) -> int:
        """Change the rows of a table for which a condition holds. Return how many."""
        return self._execute(f"UPDATE {table} SET {changes} WHERE {chosen}", values).rowcount

    def commit(self) -> None:
        """Remove unused team names, commit, and let the server remove dead rows."""
        self._execute(_UNUSED_NAMES)
        self._execute("COMMIT")
        for table in _TABLES:
            try:
                self._connection.execute(f"VACUUM {table}".encode())
            except (errors.SyntaxError, errors.FeatureNotSupported):  # CockroachDB removes dead rows itself
                return
            except psycopg.Error as error:
                raise self._server.store_error(error) from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _execute(self, statement: str, values: Values | None = None) -> psycopg.Cursor[Row]:
        try:
            return self._connection.execute(with_percents(statement), values, binary=True)
        except psycopg.Error as error:
            raise self._server.store_error(error) from None
