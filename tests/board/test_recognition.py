"""Who is who: what fits best counts, and no note is lost, whoever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.gradebook.recognition import (
    MatchKind,
    TeamMatcher,
    assign_notes,
    differing_numbers,
    expected_key,
    renamed_teams,
)
from tandem.records.queries import TeamKey, TeamRow
from tandem.records.visits import Team

NAMES = st.sampled_from(["Beta", "BETA", "be-ta", "Gamma", "!"])
NUMBERS = st.sampled_from(["", "1", "2"])
TEAMS = st.builds(Team, st.just("INF2A"), NAMES, NUMBERS, NUMBERS)


def row(of: Team, is_certain: bool = True) -> TeamRow:
    return TeamRow(of, "rejected", "192.0.2.1", 1_000_000, None, 1, (), of.pair if is_certain else "")


ROWS = st.lists(st.builds(row, TEAMS, st.booleans()), unique_by=lambda each: each.key)


def test_what_fits_best_counts() -> None:
    beta = Team("INF2A", "Beta", "1", "2")
    rows = {
        MatchKind.KEY: row(beta),
        MatchKind.NUMBERS: row(beta._replace(teamname="Gamma")),
        MatchKind.NAME: row(beta._replace(studentnr1="3")),
        MatchKind.LETTERS: row(beta._replace(teamname="BE TA", studentnr1="3")),
        MatchKind.CLAIM: row(beta._replace(teamname="Delta"), is_certain=False),
    }
    for fit in MatchKind:
        left = [rows[each] for each in MatchKind if each >= fit]
        assert TeamMatcher.on_record(reversed(left)).find(expected_key(beta)) == (fit, [rows[fit].key])
    assert TeamMatcher.on_record([row(beta._replace(classname="inf2a"))]).find(expected_key(beta)) is not None
    strange = [row(beta._replace(classname="INF2Z")), row(Team("INF2A", "Other", "", ""))]
    assert TeamMatcher.on_record(strange).find(expected_key(beta)) is None


def test_a_name_is_found_in_another_unicode_form() -> None:
    expected = expected_key(Team("INF1A", "Zoë", "1", "2"))
    came = row(Team("inf1a", "ZOE\u0308", "3", "4"))
    assert TeamMatcher.on_record([came]).find(expected) == (MatchKind.LETTERS, [came.key])


def test_teams_that_came_under_another_name_than_the_rosters() -> None:
    alpha, beta = Team("INF1A", "Alpha", "911111", "922222"), Team("INF1A", "Beta", "0933333", "0944444")
    alfa = row(Team("INF1A", "Alfa", "0922222", "0911111"))
    assert renamed_teams([alpha, beta], [alfa, row(beta)]) == {alfa.key: alpha}


BETA = Team("INF2A", "Beta", "0923456", "0934567")
STRANGE = "0999999"
CAME = {  # a team that came -> the numbers of the roster, where they are others
    "as expected": (BETA, []),
    "with the zeros that the roster lost": (Team("INF2A", "Zero", "0911112", "0922223"), []),
    "with the zeros, under another name": (Team("INF2A", "Gamma", "0922223", "0911112"), []),
    "with other zeros": (Team("INF2A", "Zero", "0911112", "0911113"), ["911112", "922223"]),
    "swapped": (BETA._replace(studentnr1=BETA.studentnr2, studentnr2=BETA.studentnr1), []),
    "under another name": (BETA._replace(teamname="Gamma"), []),
    "one other number": (BETA._replace(studentnr2=STRANGE), ["0923456", "0934567"]),
    "one number less": (BETA._replace(studentnr2="0000000"), ["0923456", "0934567"]),
    "in other letters": (BETA._replace(teamname="BE-TA", studentnr1=STRANGE), ["0923456", "0934567"]),
    "nobody on the roster": (BETA._replace(teamname="Delta", studentnr1=STRANGE), []),
    "no number that could be read": (Team("INF2A", "Beta", "", ""), []),
    "a number where the roster has one": (Team("INF2A", "One", "0911111", STRANGE), []),
    "another where the roster has one": (Team("INF2A", "One", STRANGE, ""), ["0911111"]),
    "where the roster has none": (Team("INF2A", "None", STRANGE, ""), []),
}


@pytest.mark.parametrize(("came", "numbers"), CAME.values(), ids=CAME)
@pytest.mark.parametrize("is_certain", [True, False])
def test_numbers_that_are_not_those_of_the_roster(came: Team, numbers: list[str], is_certain: bool) -> None:
    roster = [BETA, Team("INF2A", "One", "0911111", ""), Team("INF2A", "None", "", "")]
    roster.append(Team("INF2A", "Zero", "911112", "922223"))
    assert differing_numbers(TeamMatcher(map(expected_key, roster)), row(came, is_certain)) == numbers


@given(st.lists(st.builds(expected_key, TEAMS), unique=True), ROWS, st.lists(TEAMS, unique_by=expected_key))
def test_every_note_is_shown_or_left(notes: list[TeamKey], rows: list[TeamRow], expected: list[Team]) -> None:
    filed = assign_notes(notes, rows, expected)
    shown = set(filed.sources.values())
    assert shown | set(filed.unassigned) == set(notes)
    assert not shown & set(filed.unassigned)
    on_record = {each.key for each in rows}
    assert set(filed.sources) <= on_record | set(map(expected_key, expected))
    assert all(filed.sources[key] == key for key in on_record & set(notes)), "its own before any other"
