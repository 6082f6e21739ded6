"""The kept inputs of the guided campaigns, and some made of them by chance: no target may find a law broken."""

import hashlib
import random
from importlib import import_module
from itertools import islice
from typing import Any

import pytest

from fuzz.diagnosis import spoiled
from fuzz.fewest import MAX_BYTES, MAX_FILES
from fuzz.kept import TARGETS, folder_of, kept

SEED = 20261123
SPOILED = 150  # inputs made of the kept ones, a target
PART = 100  # inputs that one test replays


def target(name: str) -> Any:
    return import_module(f"fuzz.targets.{name}")


@pytest.mark.parametrize("part", range(MAX_FILES // PART))
@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_breaks_no_law(name: str, part: int) -> None:
    for data in islice(kept(name), part * PART, (part + 1) * PART):
        target(name).run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_chance_makes_of_it_breaks_no_law(name: str) -> None:
    chance = random.Random(SEED)
    known = list(kept(name))
    for _ in range(SPOILED):
        target(name).run(spoiled(chance, chance.choice(known)))


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_little_and_named_by_its_content(name: str) -> None:
    paths = list(folder_of(name).iterdir())
    assert 0 < len(paths) <= MAX_FILES
    assert sum(path.stat().st_size for path in paths) <= MAX_BYTES
    for path in paths:
        assert path.name == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
