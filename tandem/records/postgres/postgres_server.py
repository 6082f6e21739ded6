"""A PostgreSQL server: its URL, its connections, its errors as StoreError.

Owns the timeouts of the driver: no call here blocks for long, also when the server or the network fails. The password
in the URL is sent to the server only. Knows no table.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from tandem.records.sqlite.sqlite_store import StoreError

CONNECT_TIMEOUT_S = 3
ANSWER_TIMEOUT_S = 5.0  # default

# Defaults for the URL. The last four detect a host that is gone without closing the connection.
PARAMETERS: dict[str, str | int] = {
    "application_name": "tandem",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,  # milliseconds
}
SECRETS = ("password", "sslpassword")

RV = TypeVar("RV")

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # it also raises what it logs: no output of its own


class PostgresConnection(psycopg.Connection[TupleRow]):
    """A connection with a time limit for each answer: a stopped or unreachable server never answers."""

    answer_timeout_s = ANSWER_TIMEOUT_S

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer, at most `answer_timeout_s`. Then close, and raise psycopg.OperationalError."""
        try:
            return super().wait(gen, interval, self.answer_timeout_s if timeout is None else timeout)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("it does not answer") from None


class PostgresServer:
    """One database on a server, or on a cluster that speaks the same protocol."""

    def __init__(self, url: str) -> None:
        try:
            parameters = conninfo_to_dict(url)
        except (psycopg.Error, UnicodeError):  # its message may hold the password
            raise StoreError("the URL of the database cannot be read", "postgresql://USER@HOST:PORT/NAME") from None
        self._parameters: dict[str, Any] = PARAMETERS | parameters
        self._secrets = [str(parameters[name]) for name in SECRETS if parameters.get(name)]
        self.name = _name(parameters)

    def connect(self, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> PostgresConnection:
        """Open a connection in autocommit mode. Close it after use.

        Raises:
            StoreError: the server cannot be reached, or refuses the connection.
        """
        try:
            connection = PostgresConnection.connect(**self._parameters, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise self.store_error(error) from None
        except UnicodeError:  # the look-up of the name, such as a..b
            raise StoreError(f"the database {self.name} cannot be used: its host is not a host name") from None
        connection.answer_timeout_s = answer_timeout_s
        return connection

    @contextmanager
    def preparing(self, connection: PostgresConnection) -> Iterator[None]:
        """Close a new connection if the block that prepares it fails.

        Raises:
            StoreError: the block raised it, or an error of the driver.
        """
        try:
            yield
        except psycopg.Error as error:
            connection.close()
            raise self.store_error(error) from None
        except StoreError:
            connection.close()
            raise

    def store_error(self, error: psycopg.Error) -> StoreError:
        """Return the StoreError for an error of the driver."""
        return StoreError(f"the database {self.name} cannot be used: {self.error_text(error)}")

    def error_text(self, error: psycopg.Error) -> str:
        """Return the message of the server or driver in one line. Its details quote the data, so they are left out."""
        words = error.diag.message_primary or " ".join(str(error).split())
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return words


def _name(parameters: dict[str, Any]) -> str:
    """Return the URL without its password."""
    user = f"{parameters['user']}@" if "user" in parameters else ""
    port = f":{parameters['port']}" if "port" in parameters else ""
    return f"postgresql://{user}{parameters.get('host', '')}{port}/{parameters.get('dbname', '')}"
