"""How PostgreSQL finds what the statements of the store need: by an index, for each row, never by reading a table.

A plan is made once a connection, while the tables hold whatever they hold then, and lasts while they grow.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tandem.records.postgres import postgres_store as statements
from tandem.records.postgres.postgres_server import PostgresConnection
from tandem.records.postgres.postgres_store import PostgresStore
from tandem.records.visits import Heartbeat, LateBytes, Record, SuppressedVisits
from testing.visits import SAMPLE, apart, message_1, message_2, rejected

EVERYTHING: list[Record] = [
    *apart([rejected(), message_1(), message_2()]),
    SuppressedVisits(1, "192.0.2.1", 1),
    LateBytes(1, "192.0.2.1", 1, "[]"),
    SAMPLE,
    Heartbeat("a server"),
]

# The first columns of an index, which find one row or the few that belong to one.
FINDS = {
    "team_pkey": {"classname", "teamname"},
    "team_name_pkey": {"classname", "teamname"},
    "visit_at_mark_key": {"at", "mark"},
    "visit_team": {"classname", "teamname", "at"},
    "vitals_pkey": {"at"},
}
OF_A_ROW = re.compile(r"\((\w+) (?:=|<) (?:\(r\.|r\.|ANY \(ARRAY\[r\.|\(SubPlan|\$|''::)")

# The visits of two seconds, of which one is looked for.
OF_A_MOMENT = re.compile(r"\(at >= \(r\.\w+ - .*\(at <= \(r\.")

# Each was in use, or is how one would write it first. Right in every way, but for how long they take one day.
ADOPT = """
    UPDATE team SET pair = r.pair FROM json_to_recordset(%s::json) AS r (classname TEXT, teamname TEXT, pair TEXT)
    WHERE team.classname = r.classname AND team.teamname = r.teamname AND team.pair = '' AND NOT EXISTS (
        SELECT 1 FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname AND t.pair = r.pair)
"""
COUNT = """
    UPDATE team SET visits = team.visits + 1
    FROM json_to_recordset(%s::json) AS r (classname TEXT, teamname TEXT, pair TEXT)
    WHERE team.classname = r.classname AND team.teamname = r.teamname AND team.pair = r.pair
"""
NEW = """
    INSERT INTO team_name (classname, teamname)
    SELECT 'x', 'y' FROM json_to_recordset(%s::json) AS r (at BIGINT, mark BIGINT)
    WHERE NOT EXISTS (SELECT 1 FROM visit AS v WHERE v.at = r.at AND v.mark = r.mark)
"""
FILL = """
    INSERT INTO team SELECT 'INF2A', 'Team' || n, '1 2', '1', '2', 'finished', 'secret', '', n, n, 2, '[]'
        FROM generate_series(1, {count}) AS n;
    INSERT INTO team_name SELECT classname, teamname FROM team;
    INSERT INTO visit (classname, teamname, pair, at, took, address, port, outcome, received, size, answered, findings,
        mark) SELECT classname, teamname, pair, first_seen, 1, '', 1, 'message 1', '', 1, '', '[]', 1 FROM team;
"""


@pytest.fixture
def store(database: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(database)) as opened:
        yield opened


def plan(connection: PostgresConnection, statement: str) -> list[dict[str, Any]]:
    """All nodes of the plan that the connection has for a statement, or makes now."""
    ready = "SELECT name FROM pg_prepared_statements WHERE statement = %s"
    as_sent = statement.replace("%s", "$1")
    found = connection.execute(ready, (as_sent,), prepare=False).fetchone()
    name = found[0] if found else "on_trial"
    if not found:
        connection.execute(f"PREPARE {name} (json) AS {as_sent}".encode(), prepare=False)
    row = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ('[]')".encode(), prepare=False).fetchone()
    if not found:
        connection.execute(f"DEALLOCATE {name}".encode(), prepare=False)
    assert row
    return list(_nodes(row[0][0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def is_slow_one_day(node: dict[str, Any]) -> bool:
    """Does this node read more of a table than what belongs to its row?"""
    if node["Node Type"] in ("Seq Scan", "Sample Scan", "Tid Scan"):
        return True
    if "Index Name" not in node:
        return False
    condition = node.get("Index Cond", "")
    return not (FINDS[node["Index Name"]] <= set(OF_A_ROW.findall(condition)) or OF_A_MOMENT.search(condition))


def slow_ones(connection: PostgresConnection, statement: str) -> list[dict[str, Any]]:
    return [node for node in plan(connection, statement) if is_slow_one_day(node)]


def all_statements() -> set[str]:
    found = {text for text in vars(statements).values() if isinstance(text, str)}
    return {text for text in found if re.match(r"\s*(INSERT|UPDATE|DELETE)\b", text)}


def fill(database: str, count: int) -> None:
    """So many teams with a visit each; the server knows how many there are."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(FILL.format(count=count).encode())
        owner.execute("VACUUM ANALYZE team, team_name, visit, vitals")


def test_a_batch_of_everything_needs_all_statements() -> None:
    assert {statement for statement, _ in statements.steps(EVERYTHING)} == all_statements()


@pytest.mark.parametrize("known", [None, 0, 1, 5, 100, 3000])
def test_whatever_is_in_the_tables_rows_are_found_by_an_index(
    store: PostgresStore, database: str, known: int | None
) -> None:
    """None: as in a new database, of which the server knows nothing."""
    if known is not None:
        fill(database, known)
    for statement in all_statements():
        assert slow_ones(store._connection, statement) == [], statement


def test_the_plan_that_is_looked_at_is_the_one_that_is_used(store: PostgresStore) -> None:
    store.write(EVERYTHING)
    ready = "SELECT statement FROM pg_prepared_statements WHERE generic_plans > 0 AND custom_plans = 0"
    used = {row[0] for row in store._connection.execute(ready.encode(), prepare=False)}
    assert used >= {statement.replace("%s", "$1") for statement in all_statements()}
    for statement in all_statements():
        assert slow_ones(store._connection, statement) == [], statement


@pytest.mark.parametrize(
    ("statement", "known"), [(ADOPT, None), (ADOPT, 0), (ADOPT, 100), (COUNT, 0), (COUNT, 1), (NEW, 0), (NEW, 5)]
)
def test_what_reads_a_table_is_found_out(
    store: PostgresStore, database: str, statement: str, known: int | None
) -> None:
    if known is not None:
        fill(database, known)
    assert slow_ones(store._connection, statement)


def test_a_statement_that_reads_a_table_for_want_of_an_index_is_found_out(store: PostgresStore) -> None:
    assert slow_ones(store._connection, "DELETE FROM team WHERE ip IN (SELECT address FROM surplus)")
    assert not slow_ones(store._connection, statements._LOCK_NAMES)


@pytest.mark.parametrize("statement", [statements._ADOPT, statements._REFUSED])
def test_what_is_changed_is_found_by_its_whole_key(store: PostgresStore, statement: str) -> None:
    nodes = plan(store._connection, statement)
    [changed] = [node for node in nodes if node.get("Alias") == "team" and "Index Name" in node]
    assert set(OF_A_ROW.findall(changed["Index Cond"])) == {"classname", "teamname", "pair"}
