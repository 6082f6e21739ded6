"""Which field a name that is none of the eight stands for. Without a message."""

import pytest

from tandem.diagnosis.recovery.fields import meant_field
from tandem.diagnosis.rules import ALIASES, MAX_NAME, SINGLE
from tandem.protocol.message import FIELDS

# name -> the field that it stands for, None for none
NAMES = [
    ("classnmae", "classname"),  # two letters swapped
    ("clasname", "classname"),
    ("Class Name", "classname"),
    ("clssnme", "classname"),  # 2 typos
    ("clszzme", None),  # more
    ("sectret", "secret"),
    ("secert", "secret"),
    ("ipp", "ip"),
    ("up", "ip"),  # 1 typo, and more are not allowed in so short a name
    ("classname" + "_" * (MAX_NAME - 9), "classname"),
    ("classname" + "_" * (MAX_NAME - 8), None),
    ("id" + "_" * (MAX_NAME - 2), "clientid"),
    ("id" + "_" * (MAX_NAME - 1), None),
    ("ab", None),
    ("i", None),
    ("", None),
    ("x" * (MAX_NAME + 1), None),
    ("classname" + "x" * MAX_NAME, None),
]


@pytest.mark.parametrize(("name", "field"), NAMES)
def test_a_name_stands_for_the_field_that_it_is_most_like(name: str, field: str | None) -> None:
    assert meant_field(name, FIELDS) == field


@pytest.mark.parametrize("alias", ALIASES)
def test_what_people_call_a_field_stands_for_it(alias: str) -> None:
    assert meant_field(alias, [ALIASES[alias]]) == ALIASES[alias]


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_a_number_without_a_digit_stands_for_the_first_that_is_missing(name: str) -> None:
    assert meant_field(name, FIELDS) == "studentnr1"
    assert meant_field(name, ["classname", "studentnr2"]) == "studentnr2"


def test_only_missing_fields_are_meant() -> None:
    assert meant_field("clasname", [field for field in FIELDS if field != "classname"]) != "classname"
