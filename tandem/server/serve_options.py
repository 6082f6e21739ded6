"""What a ground has to be told. Data; who starts one, and who only asks for it, need the same words."""

from dataclasses import dataclass
from pathlib import Path

from tandem.net.proxy_header import Networks
from tandem.protocol.framing import PLAIN

EXPLAIN, CLOSE, SILENT = "explain", "close", "silent"
ERRORS = (EXPLAIN, CLOSE, SILENT)  # what a wrong message gets: an explanation, a close without a word, nothing

MAX_CONNECTIONS = 20_000
MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What a ground has to be told."""

    listen: tuple[str, int]
    data: Path
    database: str = ""  # the URL of a server, in the place of the file in the data folder
    errors: str = EXPLAIN
    on_wire: str = PLAIN  # how the welcome goes out
    most: int = MAX_CONNECTIONS  # connections at a time
    balancers: Networks = ()  # whose connections begin with a PROXY header
    workers: int = 1  # processes
    log: Path | None = None  # a file for the log; None: standard error
