"""An order as a file: the same comes back, whatever the scenario."""

from dataclasses import replace
from pathlib import Path

import pytest

from tandem.examiner.events import ORDER
from tandem.examiner.order_file import read_order, write_order
from tandem.examiner.scenario import Scenario
from tandem.examiner.scenarios import SCENARIOS
from testing.examiner.labs import order


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.id for each in SCENARIOS])
def test_an_order_comes_back(scenario: Scenario, tmp_path: Path) -> None:
    wanted = replace(order(tmp_path, scenario), files={"TEAM.json": '{"teamname": "Zoë"}'}, seed=7)
    write_order(tmp_path, wanted)
    assert read_order(tmp_path) == wanted


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", '{"folder": "x"}', '{"surprise": 1}', '{"limits": 3}'])
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / ORDER).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"order|JSON|Expecting"):
        read_order(tmp_path)
