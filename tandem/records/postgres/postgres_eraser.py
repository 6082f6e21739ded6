"""Removes rows from PostgreSQL for good, as far as that is in our hands: its log and its backups are its owner's."""

import psycopg
from psycopg import errors

from tandem.records.postgres.postgres_rows import with_percents
from tandem.records.postgres.postgres_schema import check_version
from tandem.records.postgres.postgres_server import PostgresServer
from tandem.records.rows import Row, Values
from tandem.records.sqlite.sqlite_store import StoreError, no_results

PATIENCE = 600.0  # seconds: it may look at every visit
_TABLES = ("team", "team_name", "visit", "surplus")
_UNUSED_NAMES = """DELETE FROM team_name WHERE NOT EXISTS (SELECT 1 FROM team
    WHERE team.classname = team_name.classname AND team.teamname = team_name.teamname)"""


class PostgresEraser:
    """One transaction; servers go on meanwhile."""

    holds_up_writers = False

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._connection = self._server.connect(PATIENCE)
        try:
            if check_version(self._connection, self._server.name) == 0:
                raise no_results(self._server.name, "that --database")
        except psycopg.Error as error:
            self.close()
            raise self._server.trouble(error) from None
        except StoreError:
            self.close()
            raise

    def begin(self) -> None:
        self._do("BEGIN")

    def roll_back(self) -> None:
        self._do("ROLLBACK")

    def ask(self, query: str, values: Values) -> list[Row]:
        return self._do(query, values).fetchall()

    def erase(self, table: str, chosen: str, values: Values) -> int:
        return self._do(f"DELETE FROM {table} WHERE {chosen}", values).rowcount

    def finish(self) -> None:
        self._do(_UNUSED_NAMES)
        self._do("COMMIT")
        for table in _TABLES:
            try:
                self._connection.execute(f"VACUUM {table}".encode())
            except (errors.SyntaxError, errors.FeatureNotSupported):  # CockroachDB clears up by itself
                return
            except psycopg.Error as error:
                raise self._server.trouble(error) from None

    def close(self) -> None:
        self._connection.close()

    def _do(self, statement: str, values: Values | None = None) -> psycopg.Cursor[Row]:
        try:
            return self._connection.execute(with_percents(statement), values, binary=True)
        except psycopg.Error as error:
            raise self._server.trouble(error) from None
