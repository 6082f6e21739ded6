"""Damaged files of the database under a running server: nothing is confirmed that is not found afterwards.

A sample of bench/damage.py, which runs every row.
"""

from pathlib import Path

import pytest

from testing.server_faults.damage import TEAMS, run_row

# file, damage, workers -> the parts of three before the damage of which every team is kept, at least
KEPT = {
    ("main", "deleted", 1): 3,
    ("main", "overwritten", 2): 1,  # the copy has the first part; more if a worker has the other pages in memory
    ("log", "deleted", 2): 3,
    ("log", "replaced", 2): 3,
    ("log", "truncated", 1): 3,
    ("log", "overwritten", 1): 3,
    ("log and index", "deleted", 1): 3,
    ("log and index", "deleted", 2): 3,
    ("all", "deleted", 2): 3,
    ("index", "deleted", 1): 3,
    ("index", "deleted", 2): 3,
    ("index", "overwritten", 1): 3,
}


@pytest.mark.parametrize(("row", "parts"), KEPT.items(), ids=map(str, KEPT))
def test_a_damaged_file_costs_no_team_that_is_confirmed_afterwards(
    tmp_path: Path, row: tuple[str, str, int], parts: int
) -> None:
    outcome = run_row(tmp_path, *row)
    outcome.check()
    assert len(outcome.before) == 3 * TEAMS
    assert len(outcome.before - outcome.lost) >= parts * TEAMS, str(outcome)
    if row[0] != "index" and row[2] == 1:  # files that fit together may serve a worker that is started anew
        assert outcome.after == set()
