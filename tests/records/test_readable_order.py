"""The order of names for readers, and the spellings of a class."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.class_spellings import ByClass, distinct_classes, spellings
from tandem.records.readable_order import name_order, team_order
from tandem.records.visits import Team

ORDERED = {
    "numbers before letters, and each as a number": ["1", "a", "Team 1", "team 2", "Team 10"],
    "without accents": ["Eclair", "éclair", "Ed", "Éducation", "Söder", "Sofa"],
    "digits of other scripts": ["Team ١", "Team 2", "Team \uff13"],
    "in another Unicode form": ["zoa", "zoe\u0308", "zof"],
}


@pytest.mark.parametrize("names", ORDERED.values(), ids=ORDERED)
def test_names_are_ordered_as_people_read_them(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=name_order) == names


@given(st.text(), st.text())
def test_only_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert (name_order(one) == name_order(other)) == (one.casefold() == other.casefold())
    assert name_order(unicodedata.normalize("NFD", one))[0] == name_order(unicodedata.normalize("NFC", one))[0]


def test_spellings_of_a_class_are_one_class() -> None:
    names = ["Net10", "NET1", "Net2", "net1", "net10", "Net1"]
    assert distinct_classes(names) == ["NET1", "Net2", "Net10"]
    assert spellings("nEt1", names) == ["NET1", "net1", "Net1"]
    assert ByClass([("Net1", 1), ("NET1", 2)])["net1"] == 2
    teams = [Team("net1", "b", "", ""), Team("Net1", "a", "", ""), Team("NET1", "c", "", "")]
    assert sorted(teams, key=team_order) == [teams[1], teams[0], teams[2]]
