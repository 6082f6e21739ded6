"""Sessions in the board's file: over when they are ended, when their time is over, and whatever the clock does."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.board.gradebook.board_store import FILE, BoardStore, BoardStoreError
from tandem.board.web import sessions
from tandem.board.web.sessions import CLOCK_SLACK_S, MAX_PER_CREDENTIAL, SESSION_HOURS, SessionKind, SessionStore

HOUR = 3600.0
DAY = 24 * HOUR
TEACHER, TEAM = SessionKind.TEACHER, SessionKind.TEAM


class Clock:
    """Says what the test wants."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(tmp_path: Path, clock: Clock) -> Iterator[SessionStore]:
    with closing(BoardStore(tmp_path)), closing(SessionStore(tmp_path, clock)) as opened:
        yield opened


def test_a_session_says_what_opened_it_until_it_is_ended(table: SessionStore) -> None:
    one, other = table.open(TEACHER, "hash"), table.open(TEACHER, "hash")
    assert one != other
    assert table.credential_hash(TEACHER, one) == table.credential_hash(TEACHER, other) == "hash"
    table.end(one)
    assert (table.credential_hash(TEACHER, one), table.credential_hash(TEACHER, other)) == (None, "hash")
    table.end("no such cookie")


def test_a_cookie_is_of_one_kind_and_counts_only_whole(table: SessionStore) -> None:
    cookie = table.open(TEAM, "hash", "facts")
    assert cookie.endswith(".facts")
    assert table.credential_hash(TEAM, cookie) == "hash"
    assert table.credential_hash(TEACHER, cookie) is None
    for changed in ("", cookie + "x", cookie[1:], cookie.replace("facts", "other"), cookie.partition(".")[0], "\ud800"):
        assert table.credential_hash(TEAM, changed) is None


def test_the_file_lets_nobody_in(table: SessionStore, tmp_path: Path) -> None:
    cookies = table.open(TEACHER, "hash"), table.open(TEAM, "hash", "facts")
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert data
    assert not [cookie for cookie in cookies if cookie.partition(".")[0].encode() in data]
    assert b"facts" not in data


@pytest.mark.parametrize("kind", SessionKind)
def test_a_session_has_its_time(table: SessionStore, clock: Clock, kind: SessionKind) -> None:
    cookie = table.open(kind, "hash")
    clock.now += SESSION_HOURS[kind] * HOUR - 1
    assert table.credential_hash(kind, cookie) == "hash"
    clock.now += 1
    assert table.credential_hash(kind, cookie) is None


@pytest.mark.parametrize("kind", SessionKind)
def test_a_clock_that_is_set_back_makes_no_session_longer_and_locks_nobody_out(
    table: SessionStore, clock: Clock, kind: SessionKind
) -> None:
    before = table.open(kind, "hash")
    clock.now -= CLOCK_SLACK_S
    assert table.credential_hash(kind, before) == "hash", "a clock that is corrected a little"
    clock.now -= 400 * DAY
    assert table.credential_hash(kind, before) is None
    after = table.open(kind, "hash")
    assert table.credential_hash(kind, after) == "hash"
    clock.now += 400 * DAY
    assert table.credential_hash(kind, after) is None
    assert table.credential_hash(kind, before) is None, "it was removed when the next one was opened"


def test_several_boards_share_them(table: SessionStore, tmp_path: Path, clock: Clock) -> None:
    cookie = table.open(TEACHER, "hash")
    with closing(SessionStore(tmp_path, clock)) as other:
        assert other.credential_hash(TEACHER, cookie) == "hash"
        other.end(cookie)
    assert table.credential_hash(TEACHER, cookie) is None


def test_a_teacher_with_another_token_ends_the_sessions_of_the_one_before(table: SessionStore) -> None:
    before, team = table.open(TEACHER, "old"), table.open(TEAM, "secret")
    after = table.open(TEACHER, "new")
    assert table.credential_hash(TEACHER, before) is None
    assert (table.credential_hash(TEACHER, after), table.credential_hash(TEAM, team)) == ("new", "secret")


def test_one_secret_has_so_many_sessions_and_takes_no_place_of_others(table: SessionStore) -> None:
    other = table.open(TEAM, "other")
    mine = [table.open(TEAM, "mine") for _ in range(MAX_PER_CREDENTIAL + 2)]
    assert [table.credential_hash(TEAM, cookie) for cookie in mine[:3]] == [None, None, "mine"]
    assert (table.credential_hash(TEAM, mine[-1]), table.credential_hash(TEAM, other)) == ("mine", "other")


def test_all_together_are_bounded_and_teams_take_no_place_of_the_teacher(
    table: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_PER_KIND", 3)
    teacher = table.open(TEACHER, "token")
    teams = [table.open(TEAM, f"secret {number}") for number in range(5)]
    assert [table.credential_hash(TEAM, cookie) is not None for cookie in teams] == [False, False, True, True, True]
    assert table.credential_hash(TEACHER, teacher) == "token"


def test_what_is_over_leaves_the_file(table: SessionStore, tmp_path: Path, clock: Clock) -> None:
    table.open(TEACHER, "hash")
    table.open(TEAM, "hash")
    clock.now += DAY
    table.open(TEAM, "hash")
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        assert database.execute("SELECT count(*) FROM session").fetchall() == [(1,)]


def test_a_file_that_cannot_be_used_is_told(table: SessionStore, tmp_path: Path) -> None:
    with pytest.raises(BoardStoreError, match=FILE):
        SessionStore(tmp_path / "not there")
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("DROP TABLE session")
    uses: list[Callable[[], object]] = [
        lambda: table.open(TEAM, "hash"),
        lambda: table.credential_hash(TEAM, "x"),
        lambda: table.end("x"),
    ]
    for use in uses:
        with pytest.raises(BoardStoreError, match="no such table"):
            use()
