"""Where a PostgreSQL server is, and how it is talked to: its URL, its connections, its errors in words.

Owns the driver's limits: nothing here waits for long, whatever becomes of the server or of the network. The
password in the URL goes to the server and nowhere else. Knows no table.
"""

import logging
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from tandem.records.sqlite.sqlite_store import StoreError

CONNECT = 3  # seconds for a connection to stand
ANSWER = 5.0  # seconds for an answer, if not told otherwise

# What the URL leaves open. The last four notice a host that is gone without a word.
PARAMETERS: dict[str, str | int] = {
    "application_name": "tandem",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,  # milliseconds
}
SECRETS = ("password", "sslpassword")

RV = TypeVar("RV")

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what it logs, it raises, too: nothing on the screen


class PostgresConnection(psycopg.Connection[TupleRow]):
    """A connection that gives up: a server that was stopped or cut off says nothing, for ever."""

    patience = ANSWER

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("it does not answer") from None


class PostgresServer:
    """One database on a server, or on a cluster that speaks the same protocol."""

    def __init__(self, url: str) -> None:
        try:
            parameters = conninfo_to_dict(url)
        except psycopg.Error:  # its words may hold the password
            raise StoreError("the URL of the database cannot be read", "postgresql://USER@HOST:PORT/NAME") from None
        self._parameters: dict[str, Any] = PARAMETERS | parameters
        self._secrets = [str(parameters[name]) for name in SECRETS if parameters.get(name)]
        self.name = _name(parameters)

    def connect(self, patience: float = ANSWER) -> PostgresConnection:
        """A new connection, each of its statements a transaction unless said otherwise. Raises StoreError."""
        try:
            connection = PostgresConnection.connect(**self._parameters, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise self.trouble(error) from None
        connection.patience = patience
        return connection

    def trouble(self, error: psycopg.Error) -> StoreError:
        """An error of the driver's as a StoreError, in one line."""
        return StoreError(f"the database {self.name} cannot be used: {self.words(error)}")

    def words(self, error: psycopg.Error) -> str:
        """What the server or the driver says. Its details are left out: they quote what was to be written."""
        words = error.diag.message_primary or " ".join(str(error).split())
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return words


def _name(parameters: dict[str, Any]) -> str:
    """The URL as it may be shown."""
    user = f"{parameters['user']}@" if "user" in parameters else ""
    port = f":{parameters['port']}" if "port" in parameters else ""
    return f"postgresql://{user}{parameters.get('host', '')}{port}/{parameters.get('dbname', '')}"
