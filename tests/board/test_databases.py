"""Every page reads from SQLite and from PostgreSQL alike."""

import csv
import io
import time
from pathlib import Path

from tandem.records.rows import DatabaseLocation
from tandem.records.visits import MetricsSample
from tandem.server.committer import BatchStore
from testing.boards import board, numbered, page_text, refused, secret, table_rows, team, with_secret
from testing.processes import wait_until
from testing.visits import message_2, rejected

NOW = int(time.time() * 1e6)


def test_every_page_on_both_databases(where: DatabaseLocation, store: BatchStore, tmp_path: Path) -> None:
    store.write([numbered(1, NOW), with_secret(message_2(team(1), NOW), 1), numbered(2, NOW)])
    with board(tmp_path / "board", where) as visitor:
        assert "1 finished 0 stuck 1 waiting for message 2" in page_text(visitor.get("/class", name="INF2A"))
        store.write([refused(2, "not-swapped", NOW), rejected(team(3, "T\u00e9am 3"), "not-json", NOW)])
        wait_until(lambda: "1 finished 2 stuck" in page_text(visitor.get("/class", name="INF2A")))
        wait_until(lambda: "INF2A 1 3" in page_text(visitor.get("/")))
        visitor.post("/team", 303, secret=secret(2))
        assert "6 message 2, refused" in page_text(visitor.get("/team"))

        visitor.log_in()
        assert len(table_rows(visitor.get("/gradebook"))) == 3
        assert len(table_rows(visitor.get("/gradebook", state="rejected"))) == 1
        assert len(table_rows(visitor.get("/gradebook", search="TEAM 2"))) == 1
        assert len(table_rows(visitor.get("/gradebook", search="2000001"))) == 1
        rows = list(csv.reader(io.StringIO(visitor.get("/gradebook/export"))))
        assert len(rows) == 4
        assert "Team 1" in page_text(visitor.send("/gradebook/secret", 200, secret=secret(1)))
        store.write([MetricsSample(NOW, "a:1 1", 5_000_000, 50, 3, 300, 900, 10, 2000, 5000, 0)])
        right = {"Authorization": f"Bearer {visitor.token}"}
        wait_until(lambda: "tandem_ground_connections" in visitor.client.get("/metrics", headers=right).text)
