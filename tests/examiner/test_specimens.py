"""The right submission, submissions with one mistake, and unruly ones: they are what they say. Some are examined.

All are examined by hand: python3 -m bench.examine.
"""

from pathlib import Path

import pytest

from tandem.examiner.scenarios import SCENARIOS
from testing.examiner.campaign import examined
from testing.examiner.manners import MANNERS
from testing.examiner.specimens import PROGRAM, SPECIMENS, write_submission

CHECKS = {check.id for scenario in SCENARIOS for check in scenario.checks}


def test_each_check_has_a_specimen_that_must_fail_it() -> None:
    assert SPECIMENS.keys() == CHECKS


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_specimen_differs_in_one_place_and_is_a_program(name: str, tmp_path: Path) -> None:
    folder = write_submission(tmp_path / name, SPECIMENS[name])
    compile((folder / PROGRAM).read_text(encoding="utf-8"), name, "exec")


@pytest.mark.parametrize("name", MANNERS)
def test_a_manner_is_a_program(name: str) -> None:
    compile(MANNERS[name].source(), name, "exec")
    assert MANNERS[name].fails <= CHECKS


# A fault of the reply, and a start in another order.
@pytest.mark.parametrize("name", ["other-status", "client-1-first"])
def test_a_specimen_fails_its_check_alone(name: str, tmp_path: Path) -> None:
    specimen = write_submission(tmp_path / "submission", SPECIMENS[name])
    assert examined(specimen, tmp_path, ["plain", name]) == {"plain": "pass", name: "fail"}
    right = write_submission(tmp_path / "right")
    assert examined(right, tmp_path, [name])[name] == "pass"
