"""The store in PostgreSQL: one round trip, several servers at once, a database that goes and comes back."""

import itertools
import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

import psycopg
import pytest

from tandem.records.postgres.postgres_schema import MIGRATIONS, VERSION
from tandem.records.postgres.postgres_server import PostgresConnection, PostgresServer
from tandem.records.postgres.postgres_store import _OPTIONAL_SETTINGS, MAX_RETRY_S, PostgresStore, steps
from tandem.records.queries import open_records
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Heartbeat, Outcome, Record
from testing.postgres import Server, server
from testing.processes import LIMIT, wait_until
from testing.relay import Relay, relay
from testing.tables import teams
from testing.visits import SAMPLE, TEAM, apart, changed, message_1, message_2, rejected

PASSWORD = "topsecret%2Fpassword"


@contextmanager
def opened(url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url)) as store:
        yield store


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that the tests of this module may stop, kill and start."""
    with server() as started:
        yield started


@pytest.fixture
def network(own_server: Server) -> Iterator[Relay]:
    with relay(own_server.socket / ".s.PGSQL.5432") as carrying:
        yield carrying


def hurry(store: PostgresStore) -> None:
    """It waits for the answers on its connection no longer than a test likes."""
    store._connection.answer_timeout_s = 0.3


def kept(store: PostgresStore, visits: Sequence[Record]) -> bool:
    try:
        store.write(visits)
    except StoreError:
        return False
    return True


def together(*works: Callable[[], object]) -> None:
    """Runs all at once; fails if one fails."""
    failures: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            gate.wait(LIMIT)
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_a_batch_is_one_round_trip(network: Relay) -> None:
    with opened(network.url()) as store:
        before = network.turns
        store.write(
            [rejected(), message_1(started_us=4), message_2(started_us=5), rejected(None, started_us=6), SAMPLE]
        )
        assert network.turns == before + 1


def test_a_batch_may_have_any_number_of_visits_of_one_team() -> None:
    visits = [message_1(started_us=number) for number in range(300)]
    updated = [row["at"] for statement, rows in steps(visits) if "INTO team (" in statement for row in json.loads(rows)]
    assert updated == list(range(300))


def test_it_is_durable_whatever_the_server_likes(database: str) -> None:
    with opened(f"{database}%20-csynchronous_commit%3Doff") as store:
        assert store._connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    with opened(f"{database}%20-csynchronous_commit%3Dremote_apply") as store:
        assert store._connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


def test_another_connection_has_the_same_settings(database: str) -> None:
    with opened(f"{database}%20-csynchronous_commit%3Doff") as store:
        store._connection.close()
        store.write([message_1()])
        assert store._connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_wish_that_the_server_does_not_know_costs_no_other_setting(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tandem.records.postgres.postgres_store._OPTIONAL_SETTINGS", ("SET no_such_thing = on", *_OPTIONAL_SETTINGS)
    )
    with opened(f"{database}%20-csynchronous_commit%3Doff") as store:
        for setting, value in (
            ("synchronous_commit", "on"),
            ("lock_timeout", "4s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_mergejoin", "off"),
        ):
            assert store._connection.execute(f"SHOW {setting}".encode()).fetchone() == (value,)
        store.write([message_1()])


def test_a_server_without_a_needed_setting_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.records.postgres.postgres_store._REQUIRED_SETTINGS", "SET no_such_timeout = '4s'")
    with pytest.raises(StoreError, match="no_such_timeout"):
        PostgresStore(database)


def test_a_name_that_is_held_for_long_is_an_error(database: str) -> None:
    with opened(database) as store, psycopg.connect(database) as other:
        store.write([message_1()])
        other.execute("SELECT * FROM team_name FOR UPDATE")
        store._connection.execute("SET lock_timeout = '100ms'")
        with pytest.raises(StoreError, match="lock timeout"):
            store.write([message_2()])
        other.rollback()
        store.write([message_2()])
    assert [row.state for row in teams(database)] == ["finished"]


def test_two_servers_finish_the_same_team_at_once(database: str) -> None:
    many = [TEAM._replace(teamname=f"Team{number}") for number in range(40)]

    def play(seed: int) -> None:
        """Every team's whole story, over and over, in an order of its own; with names that it shares."""
        order = random.Random(seed)
        with opened(database) as store:
            for turn in range(5):
                visits = [story(team, started_us=turn) for team in many for story in (rejected, message_1, message_2)]
                order.shuffle(visits)
                store.write([changed(visit, port=seed * 1000 + number) for number, visit in enumerate(visits)])

    together(*(partial(play, seed) for seed in range(3)))
    found = teams(database)
    assert [row.team for row in found] == sorted(many)
    with closing(open_records(database)) as records:
        assert {row.state for row in found} == {"finished"}
        assert {row.visits for row in found} == {3 * 5 * 3}
        assert all(len(list(records.visits(row.key))) == row.visits for row in found)


def test_a_refused_and_a_right_visit_at_once_make_one_team(database: str) -> None:
    with opened(database) as one, opened(database) as other:
        for number in range(50):
            team = TEAM._replace(teamname=f"Team{number}")
            together(lambda: one.write([rejected(team)]), lambda: other.write([message_1(team)]))  # noqa: B023
    assert {(row.state, row.visits) for row in teams(database)} == {("waiting for message 2", 2)}
    assert len(teams(database)) == 50


def test_what_is_written_again_counts_once(database: str) -> None:
    batch: list[Record] = [
        rejected(started_us=1),
        message_1(started_us=2),
        rejected(None, started_us=3),
        message_2(started_us=4),
        SAMPLE,
    ]
    with opened(database) as store:
        store.write(batch)
        store.write(batch)
    [row] = teams(database)
    assert (row.state, row.visits) == ("finished", 3)
    with closing(open_records(database)) as records:
        assert len(list(records.visits_since(0))) == 4
        assert len(list(records.metrics_since(0))) == 1


def test_a_heartbeat_is_one_row_a_server_with_the_time_of_the_database(database: str) -> None:
    with opened(database) as store, closing(open_records(database)) as records:
        assert records.heartbeat_age_s() is None
        store.write([Heartbeat("one"), Heartbeat("two"), Heartbeat("one")])
        assert records._rows.query("SELECT server FROM heartbeat ORDER BY server", {}) == [("one",), ("two",)]
        age_s = records.heartbeat_age_s()
        assert age_s is not None
        assert 0 <= age_s < LIMIT


def test_a_commit_of_which_nobody_heard_counts_once_when_it_is_tried_again(network: Relay) -> None:
    team = TEAM._replace(teamname="nobody heard")
    with opened(network.url()) as store:
        hurry(store)
        network.answers.clear()  # the server hears everything, and commits; its answer is lost
        assert not kept(store, [message_1(team)])
        wait_until(lambda: any(row.team == team for row in teams(network.to_url())))
        network.cut()
        network.answers.set()
        wait_until(lambda: kept(store, [message_1(team)]))
    [row] = [row for row in teams(network.url()) if row.team == team]
    assert row.visits == 1


def test_a_server_that_says_nothing_is_an_error_soon(network: Relay) -> None:
    with opened(network.url()) as store:
        hurry(store)
        network.answers.clear()
        with pytest.raises(StoreError, match="does not answer"):
            store.write([message_1()])
        network.cut()
        network.answers.set()
        wait_until(lambda: kept(store, [message_1()]))


def test_a_stopped_server_is_an_error_soon(own_server: Server) -> None:
    with opened(own_server.url()) as store:
        hurry(store)
        backend = store._connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(StoreError, match="does not answer"):
                store.write([message_1()])
        finally:
            os.kill(backend, signal.SIGCONT)
        assert kept(store, [message_1()])


def end(connection: PostgresConnection) -> None:
    """As an administrator does, or a limit for idle connections; it is over when this returns."""
    with psycopg.connect(connection.info.dsn, autocommit=True) as owner:
        ended = owner.execute("SELECT pg_terminate_backend(%s, 10000)", (connection.info.backend_pid,)).fetchone()
        assert ended == (True,)


def test_a_connection_that_was_ended_while_nobody_used_it_costs_no_record(database: str) -> None:
    with opened(database) as store:
        for at in range(5):
            end(store._connection)
            store.write([message_1(started_us=at)])
        assert store._connection.execute("SHOW plan_cache_mode").fetchone() == ("force_generic_plan",)
    [row] = teams(database)
    assert row.visits == 5


def test_a_connection_that_was_cut_while_nobody_used_it_costs_no_record(network: Relay) -> None:
    team = TEAM._replace(teamname="cut")
    with opened(network.url()) as store:
        for at in range(5):
            network.cut()
            store.write([message_1(team, at)])
    [row] = [row for row in teams(network.url()) if row.team == team]
    assert row.visits == 5


def test_a_connection_that_breaks_again_at_once_is_an_error(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[PostgresConnection] = []

    def set_options(connection: PostgresConnection) -> None:
        made.append(connection)
        end(connection)

    with opened(database) as store, monkeypatch.context() as broken:
        broken.setattr("tandem.records.postgres.postgres_store._set_session_options", set_options)
        end(store._connection)
        with pytest.raises(StoreError, match="cannot be used"):
            store.write([message_1()])
        assert len(made) == 1
        broken.undo()
        store.write([message_1()])


def test_a_connection_that_breaks_after_a_long_silence_is_an_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the record has waited long enough."""
    with opened(database) as store, monkeypatch.context() as slow:
        later = itertools.count(1000.0, store._connection.answer_timeout_s)
        slow.setattr("tandem.records.postgres.postgres_store.time.monotonic", partial(next, later))
        end(store._connection)
        with pytest.raises(StoreError, match="cannot be used"):
            store.write([message_1()])
        slow.undo()
        store.write([message_1()])


def test_a_server_that_was_killed_is_found_again(own_server: Server) -> None:
    with opened(own_server.url()) as store, closing(open_records(own_server.url())) as records:
        store.write([message_1(TEAM._replace(teamname="before"))])
        own_server.kill()
        assert not kept(store, [message_1()])
        with pytest.raises(StoreError, match="cannot be used"):
            list(records.teams())
        own_server.start()
        wait_until(lambda: kept(store, [message_1(TEAM._replace(teamname="after"))]))
        assert {row.team.teamname for row in records.teams()} >= {"before", "after"}


def test_a_reader_does_not_notice_a_restart(own_server: Server) -> None:
    with opened(own_server.url()) as store:
        store.write([message_1()])
    with closing(open_records(own_server.url())) as records:
        own_server.kill()
        own_server.start()
        assert TEAM in {row.team for row in records.teams()}


def test_while_a_server_is_away_most_tries_cost_nothing(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    tried: list[float] = []

    def connect() -> PostgresConnection:
        tried.append(now)
        return real()

    monkeypatch.setattr("tandem.records.postgres.postgres_store.time.monotonic", lambda: now)
    with opened(own_server.url()) as store:
        real = store._server.connect
        monkeypatch.setattr(store._server, "connect", connect)
        own_server.kill()
        try:
            while now < 1010.0:
                assert not kept(store, [message_1()])
                now += 0.05
        finally:
            own_server.start()
        pauses = [after - before for before, after in itertools.pairwise(tried)]
        assert pauses == sorted(pauses)
        assert MAX_RETRY_S <= pauses[-1] < MAX_RETRY_S + 0.1
        assert len(tried) < 12
        now += MAX_RETRY_S
        assert kept(store, [message_1()])


def test_who_loses_against_another_server_tries_again(database: str) -> None:
    url = f"{database}%20-cdefault_transaction_isolation%3Dserializable"  # as CockroachDB is
    teams_of_all = [TEAM._replace(teamname=f"Team{number}") for number in range(5)]

    def play(port: int) -> None:
        with opened(url) as store:
            for at in range(20):
                visits = [message_2(team, at, port=port) for team in teams_of_all]
                wait_until(partial(kept, store, visits))

    together(*(partial(play, port) for port in range(3)))
    assert [row.visits for row in teams(database)] == [60] * 5


def test_servers_that_start_at_once_make_the_tables_once(database: str) -> None:
    together(*[lambda: PostgresStore(database).close()] * 4)
    with opened(database) as store:
        store.write([message_1()])
    assert len(teams(database)) == 1


def test_a_newer_schema_is_left_alone(database: str) -> None:
    with opened(database), psycopg.connect(database) as connection:
        connection.execute("INSERT INTO tandem_schema VALUES (%s)", (VERSION + 1,))
    for opening in (PostgresStore, open_records):
        with pytest.raises(StoreError, match="newer version"):
            opening(database)


def test_an_older_schema_is_brought_up_to_date(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(database) as store:
        store.write([message_1()])
    steps = (*MIGRATIONS, "ALTER TABLE team ADD COLUMN mark TEXT; CREATE INDEX team_mark ON team (mark)")
    monkeypatch.setattr("tandem.records.postgres.postgres_schema.MIGRATIONS", steps)
    monkeypatch.setattr("tandem.records.postgres.postgres_schema.VERSION", len(steps))
    with opened(database) as store:
        store.write([message_2()])
    [row] = teams(database)
    assert row.state == "finished"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT mark FROM team").fetchall() == [(None,)]


def test_a_step_that_fails_is_not_made_by_half(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tandem.records.postgres.postgres_schema.MIGRATIONS", ("CREATE TABLE half (x INT); SELECT nonsense",)
    )
    with pytest.raises(StoreError, match="nonsense"):
        PostgresStore(database)
    monkeypatch.undo()
    with opened(database) as store, psycopg.connect(database) as connection:
        store.write([message_1()])
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_a_database_without_tables_has_no_results(database: str) -> None:
    with pytest.raises(StoreError, match="no results"):
        open_records(database)


def test_a_database_that_is_not_utf8_is_refused(own_server: Server) -> None:
    with psycopg.connect(own_server.url(), autocommit=True) as owner:
        owner.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreError, match="UTF8"):
        PostgresStore(own_server.url().replace("/postgres?", "/latin?"))


def test_text_that_the_server_cannot_hold_is_our_bug_and_costs_the_others_nothing(database: str) -> None:
    with opened(database) as store:
        with pytest.raises(ValueError, match="refused") as caught:
            store.write([message_1(TEAM._replace(teamname="a\0b"))])
        assert TEAM.studentnr1 not in str(caught.value)
        store.write([message_1()])
    assert len(teams(database)) == 1


def test_lost_tables_are_an_error_and_not_a_bug(database: str) -> None:
    with opened(database) as store:
        with psycopg.connect(database) as connection:
            connection.execute("ALTER TABLE visit RENAME TO visit_away")
        with pytest.raises(StoreError, match="visit"):
            store.write([message_1()])
        with psycopg.connect(database) as connection:
            connection.execute("ALTER TABLE visit_away RENAME TO visit")
        store.write([message_1()])


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://tandem:{PASSWORD}@127.0.0.1:1/x",
        f"postgresql://127.0.0.1:1/x?user=tandem&password={PASSWORD}",
        f"postgresql://tandem:{PASSWORD}@[::1/x",
        f"postgresql://tandem:{PASSWORD}@127.0.0.1:1/x?nonsense=1",
        f"postgresql://tandem:{PASSWORD}@127.0.0.1:port/x",
        f"postgresql://tandem:{PASSWORD}@127.0.0.1,localhost:1,2/x",
    ],
)
def test_no_error_shows_the_password(url: str) -> None:
    for opening in (PostgresStore, open_records):
        with pytest.raises(StoreError) as caught:
            opening(url)
        words = str(caught.value)
        assert "topsecret" not in words
        assert "\n" not in words


def test_a_refusal_in_words_that_hold_the_password_hides_it() -> None:
    at_server = PostgresServer("postgresql://tandem:topsecret@192.0.2.1/x")
    assert at_server.error_text(psycopg.OperationalError("no topsecret\n\there")) == "no *** here"
    assert at_server.name == "postgresql://tandem@192.0.2.1/x"


def test_visits_that_differ_are_never_taken_for_one(database: str) -> None:
    one = message_1()
    others = [
        changed(one, port=one.port + 1),
        changed(one, address="192.0.2.2"),
        changed(one, duration_us=one.duration_us + 1),
        changed(one, received=b"{else}"),
        changed(one, reply=b"{else}"),
        changed(one, started_us=one.started_us + 1),
        rejected(started_us=one.started_us),
        message_1(TEAM._replace(teamname="Team2")),
    ]
    with opened(database) as store:
        for batch in ([one], others[::2], others[1::2]):
            store.write(batch)
    with closing(open_records(database)) as records:
        assert len(list(records.visits_since(0))) == 1 + len(others)
    assert sum(row.visits for row in teams(database)) == 1 + len(others)


def test_outcomes_are_those_of_the_contract(database: str) -> None:
    with opened(database) as store:
        store.write(apart([message_1(), rejected(), message_2()]))
    with closing(open_records(database)) as records:
        assert {row.outcome for row in records.visits_since(0)} == set(Outcome) - {Outcome.NOTHING}
