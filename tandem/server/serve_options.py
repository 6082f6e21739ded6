"""The options of a server. Data only: `serve` obeys them, and the command line and the handler need the same words."""

from dataclasses import dataclass
from pathlib import Path

from tandem.net.networks import Networks
from tandem.protocol.framing import PLAIN

EXPLAIN, CLOSE, SILENT = "explain", "close", "silent"
ERRORS = (EXPLAIN, CLOSE, SILENT)  # the answer to a wrong message: an explanation, a close without a reply, nothing

MAX_CONNECTIONS = 20_000
MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of a server."""

    listen: tuple[str, int]  # host and port
    data: Path  # the data folder
    database: str = ""  # URL of a database server; "": the SQLite file in the data folder
    errors: str = EXPLAIN
    framing: str = PLAIN  # whether a length comes before each message and the welcome
    max_connections: int = MAX_CONNECTIONS
    balancers: Networks = ()  # connections from these networks begin with a PROXY header
    workers: int = 1  # processes
    log: Path | None = None  # the log file; None: standard error
