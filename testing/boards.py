"""Boards for tests, in this process and in processes of their own, and records for them to show."""

import asyncio
import http.client
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from starlette.testclient import TestClient

from tandem.board.app import build
from tandem.board.feed.server_health import ServerHealth
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.security import LOOPBACK
from tandem.board.web.sessions import SessionStore
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore
from tandem.records.visits import Record, RightVisit, Team, Visit
from testing.processes import LIMIT, ROOT, Process, process, wait_until
from testing.raw_sockets import encoded
from testing.raw_sockets import message_1 as as_sent
from testing.visits import message_1, rejected

ADDRESS = "http://127.0.0.1"

_CERTIFICATES = ROOT / "tests" / "board" / "certificate"
CERTIFICATE, KEY = _CERTIFICATES / "cert.pem", _CERTIFICATES / "key.pem"
TLS_OPTIONS = ("--certfile", str(CERTIFICATE), "--keyfile", str(KEY))


def team(number: int, name: str | None = None, classname: str = "INF2A") -> Team:
    """Return a team whose name and student numbers come from a number."""
    return Team(classname, name or f"Team {number}", f"{1000000 + number}", f"{2000000 + number}")


def secret(number: int) -> str:
    """Return a text in the form of a secret, the same for the same number."""
    return f"{number:064x}"


def with_secret(visit: RightVisit, number: int) -> RightVisit:
    """Return the visit with the secret of that number."""
    return visit._replace(secret=secret(number))


def numbered(number: int, at: int = 1_000_000) -> RightVisit:
    """Return the visit of a team's right message 1, with the secret of its number."""
    return with_secret(message_1(team(number), at), number)


def refused(number: int, problem: str, at: int) -> Visit:
    """Return a refused visit of the team's client 2, whose message has both student numbers."""
    visit = rejected(team(number), problem, at)
    fields = {"studentnr1": f"{1000000 + number}", "studentnr2": f"{2000000 + number}", "clientid": 2}
    visit.received = encoded(as_sent(**fields))
    return visit


def write_records(folder: Path, *records: Record) -> None:
    """Write records as a server does."""
    folder.mkdir(exist_ok=True)
    with closing(SqliteStore(folder)) as store:
        store.write(records)


class Visitor:
    """A browser without scripts, and the board that it visits."""

    def __init__(self, client: TestClient, board_store: BoardStore, token: str) -> None:
        self.client = client
        self.board_store = board_store
        self.token = token

    def get(self, path: str, status: int = 200, /, **query: str) -> str:
        """Return the text of a page.

        Raises:
            AssertionError: The response has another status.
        """
        response = self.client.get(path, params=query or None, follow_redirects=False)
        assert response.status_code == status, response.text
        return str(response.text)

    def post(self, path: str, status: int = 200, /, **fields: str) -> str:
        """Send a form, and return the text of the response.

        Raises:
            AssertionError: The response has another status.
        """
        response = self.client.post(path, data=fields, follow_redirects=False)
        assert response.status_code == status, response.text
        return str(response.text)

    def log_in(self) -> None:
        """Log in as the teacher."""
        self.post("/login", 303, token=self.token, then="/gradebook")

    def form_token(self) -> str:
        """Return the form token of the teacher's session."""
        [found, *_] = re.findall(r'name="form_token" value="(\w+)"', self.get("/gradebook/classes"))
        return str(found)

    def send(self, path: str, status: int = 303, /, **fields: str) -> str:
        """Send a form as the teacher, and return the text of the response."""
        return self.post(path, status, form_token=self.form_token(), **fields)


@contextmanager
def board(
    folder: Path, location: DatabaseLocation | None = None, client: str = "127.0.0.1", insecure_login: bool = False
) -> Iterator[Visitor]:
    """Run a board in this process, and wait until it has read its records, if there are any.

    Args:
        folder: The board's --data.
        location: Where the records are, if not in the folder.
        client: The address of the browser.
        insecure_login: As the option of the board.
    """
    with closing(BoardStore(folder)) as board_store, closing(SessionStore(folder)) as sessions:
        token = board_store.renew_token()
        built = build(location or folder, folder, board_store, sessions, LOOPBACK, insecure_login=insecure_login)
        with TestClient(built.app, base_url=ADDRESS, client=(client, 50_000)) as browser:
            if location or (folder / FILE).exists():
                wait_until(lambda: not built.follower.read_error)
            yield Visitor(browser, board_store, token)


class RunningBoard:
    """A board in a process of its own."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url
        self.address = url.removeprefix("http://")

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a page."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@contextmanager
def running_board(data: Path, *options: str, listen: str = "127.0.0.1:0") -> Iterator[RunningBoard]:
    """Run `tandem board` on a free port. It is stopped at the end of the block."""
    data.mkdir(exist_ok=True)  # the board does not make it: a name that does not exist may be a typing error
    with process("-m", "tandem", "board", "--listen", listen, "--data", str(data), *options) as started:
        yield RunningBoard(started, started.wait_for("listening on").rpartition(" ")[2])
        started.stop()


def token_of(started: Process) -> str:
    """Return the teacher's token that a board has logged at its first start."""
    return started.wait_for("shown this once").rpartition(" ")[2]


def with_limits(limits: str) -> tuple[str, ...]:
    """Return what to put before a command that gets limits, in the options of the shell's `ulimit`."""
    return ("sh", "-c", f'ulimit {limits}; exec "$0" "$@"')


def page_text(page: str) -> str:
    """Return the text of a page without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def table_rows(page: str) -> list[str]:
    """Return the text of each row of a page's table, without the header. Marks are text, although they are fields."""
    page = re.sub(r'<input name="mark"[^>]* value="([^"]*)"[^>]*>', r"\1", page)
    return [page_text(row) for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)][1:]


async def with_server_health(server_health: ServerHealth, scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene while a monitor of the servers runs, for at most LIMIT seconds."""
    task = asyncio.create_task(server_health.run())
    try:
        async with asyncio.timeout(LIMIT):
            await scene()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
