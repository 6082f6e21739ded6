"""A board in this process, and records for it to show."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from tandem.board.app import build
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.security import LOOPBACK
from tandem.board.web.sessions import Sessions
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import FILE, Store
from tandem.records.visits import Record, RightVisit, Team, Visit
from testing.processes import wait_until
from testing.raw_sockets import encoded
from testing.raw_sockets import message_1 as as_sent
from testing.visits import message_1, rejected

ADDRESS = "http://127.0.0.1"


def team(number: int, name: str | None = None, classname: str = "INF2A") -> Team:
    return Team(classname, name or f"Team {number}", f"{1000000 + number}", f"{2000000 + number}")


def secret(number: int) -> str:
    """A secret as it looks, the same for the same number."""
    return f"{number:064x}"


def with_secret(visit: RightVisit, number: int) -> RightVisit:
    """The visit with the secret of that number."""
    return visit._replace(secret=secret(number))


def numbered(number: int, at: int = 1_000_000) -> RightVisit:
    """The right message 1 of a team, which gets its secret."""
    return with_secret(message_1(team(number), at), number)


def refused(number: int, problem: str, at: int) -> Visit:
    """What a program of the team sends as client 2: both numbers right, something else wrong."""
    visit = rejected(team(number), problem, at)
    fields = {"studentnr1": f"{1000000 + number}", "studentnr2": f"{2000000 + number}", "clientid": 2}
    visit.received = encoded(as_sent(**fields))
    return visit


def keep(folder: Path, *records: Record) -> None:
    """Writes records as a ground does."""
    folder.mkdir(exist_ok=True)
    with closing(Store(folder)) as store:
        store.write(records)


class Visitor:
    """A browser without scripts."""

    def __init__(self, client: TestClient, book: BoardStore, token: str) -> None:
        self.client = client
        self.book = book
        self.token = token

    def get(self, path: str, status: int = 200, /, **query: str) -> str:
        """A page's text; fails unless it answers so."""
        answer = self.client.get(path, params=query or None, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(self, path: str, status: int = 200, /, **fields: str) -> str:
        answer = self.client.post(path, data=fields, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def log_in(self) -> None:
        self.post("/login", 303, token=self.token, then="/gradebook")

    def form_token(self) -> str:
        """Out of a teacher's page."""
        [found, *_] = re.findall(r'name="form_token" value="(\w+)"', self.get("/gradebook/classes"))
        return str(found)

    def send(self, path: str, status: int = 303, /, **fields: str) -> str:
        """A teacher's form."""
        return self.post(path, status, form_token=self.form_token(), **fields)


@contextmanager
def board(
    folder: Path, where: DatabaseLocation | None = None, client: str = "127.0.0.1", allows_clear: bool = False
) -> Iterator[Visitor]:
    """A board that has read its records, if there are any: in its folder, or elsewhere.

    `client`: the browser's address.
    """
    with closing(BoardStore(folder)) as book, closing(Sessions(folder)) as sessions:
        token = book.renew_token()
        built = build(where or folder, folder, book, sessions, LOOPBACK, allows_clear=allows_clear)
        with TestClient(built.app, base_url=ADDRESS, client=(client, 50_000)) as browser:
            if where or (folder / FILE).exists():
                wait_until(lambda: not built.follower.trouble)
            yield Visitor(browser, book, token)
