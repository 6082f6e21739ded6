"""The tiles of a class: states, order, changes; a property: whoever applies the changes has the same tiles."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.feed.class_feed import read_class
from tandem.board.feed.tiles import MAX_TILES, Changes, Classroom, TeamStatus, TileState, natural, state_of
from tandem.board.gradebook.recognition import missing
from tandem.records.queries import TeamRow, open_records
from tandem.records.visits import Team
from testing.boards import keep, team
from testing.visits import message_1, message_2, rejected

NOW = 1_795_000_000_000_000


def row(
    of: Team, state: str = "waiting for message 2", problems: tuple[str, ...] = (), pair: str | None = None
) -> TeamRow:
    finished_at = 2_000_000 if state == "finished" else None
    return TeamRow(of, state, "192.0.2.1", 1_000_000, finished_at, 1, problems, of.pair if pair is None else pair)


def standing(of: Team, state: str = "waiting for message 2", *problems: str, refused_last: bool = False) -> TeamStatus:
    return TeamStatus(row(of, state, problems), refused_last)


def room() -> Classroom:
    return Classroom("INF2A", b"key")


STATES = {
    "finished": (standing(team(1), "finished"), TileState.FINISHED, "finished 00:00"),
    "waiting": (standing(team(1)), TileState.WAITING, "waiting for client 2"),
    "refused before": (
        standing(team(1), "waiting for message 2", "not-swapped"),
        TileState.WAITING,
        "waiting for client 2",
    ),
    "refused last": (
        standing(team(1), "waiting for message 2", "not-swapped", "secret-wrong", refused_last=True),
        TileState.STUCK,
        "stuck: The numbers are not swapped",
    ),
    "never right": (standing(team(1), "rejected", "not-json"), TileState.STUCK, "stuck: "),
}


def test_the_state_of_a_team() -> None:
    for found, state, words in STATES.values():
        told = state_of(found)
        assert told[0] is state
        assert told[1].startswith(words.replace("00:00", ""))


def test_a_team_goes_from_expected_to_finished() -> None:
    classroom = room()
    classroom.replace([], [team(1), team(2)])
    assert classroom.counts()[TileState.EXPECTED] == 2
    changes = classroom.update({("INF2A", "Team 1"): [standing(team(1))]})
    assert [tile.state for tile in changes.tiles] == [TileState.WAITING]
    assert len(changes.gone) == 1, "its tile as one that is expected"
    changes = classroom.update({("INF2A", "Team 1"): [standing(team(1), "finished")]})
    assert ([tile.state for tile in changes.tiles], changes.gone) == ([TileState.FINISHED], [])
    assert [tile.name for tile in classroom.tiles] == ["Team 1", "Team 2"]


def test_the_same_again_is_no_change() -> None:
    classroom = room()
    assert classroom.replace([standing(team(1))], [])
    assert not classroom.replace([standing(team(1))], [])


def test_numbers_that_become_known_replace_the_tile() -> None:
    classroom = room()
    classroom.replace([TeamStatus(row(team(1), "rejected", ("not-json",), pair=""), False)], [])
    changes = classroom.update({("INF2A", "Team 1"): [standing(team(1))]})
    assert (len(changes.tiles), len(changes.gone)) == (1, 1)


def test_a_tile_tells_no_number() -> None:
    classroom = room()
    [tile] = classroom.replace([standing(Team("INF2A", "1000001 is me", "1000001", "2000001"))], []).tiles
    assert "1000001" not in repr(tile)


def test_two_teams_with_one_name_have_two_tiles() -> None:
    classroom = room()
    classroom.replace([standing(team(1, "same")), standing(team(2, "same"))], [])
    assert len({tile.key for tile in classroom.tiles}) == 2


def test_only_so_many_tiles() -> None:
    classroom = room()
    classroom.replace([standing(team(number)) for number in range(MAX_TILES)], [], more=True)
    assert not classroom.update({("INF2A", "one more"): [standing(team(1, "one more"))]})
    assert len(classroom.tiles) == MAX_TILES


def test_a_class_in_other_letters_is_the_same_class(tmp_path: Path) -> None:
    small = team(2, classname="inf2a")
    keep(tmp_path, message_1(team(1)), message_1(small), rejected(team(3), "bare-key", NOW), message_1(team(4), NOW))
    keep(tmp_path, rejected(small, "bare-key", NOW), message_1(team(1, classname="INF2B")))
    roster = [team(number, classname="Inf2a") for number in (1, 2, 5)]
    with closing(open_records(tmp_path)) as records:
        news = read_class(records, ["INF2A", "inf2a"], roster, NOW / 1e6)
        classroom = room()
        classroom.replace(news["standings"], roster)
        states = [(tile.name, tile.state) for tile in classroom.tiles]
        waiting, stuck, expected = TileState.WAITING, TileState.STUCK, TileState.EXPECTED
        assert states == [(f"Team {n}", s) for n, s in enumerate((waiting, stuck, stuck, waiting, expected), 1)]
        assert news["mistakes"] == [("bare-key", 2)]
        classroom.update({("inf2a", "Team 1"): [standing(team(1, classname="inf2a"))]})
        assert [tile.name for tile in classroom.tiles].count("Team 1") == 2, "it is another team, with another secret"


def test_who_was_expected_gets_a_tile_also_when_there_are_no_more() -> None:
    classroom = room()
    classroom.replace([standing(team(number)) for number in range(MAX_TILES)], [team(4000, "Zeta")], more=True)
    assert classroom.update({("INF2A", "ZETA"): [standing(team(5000, "ZETA"), "finished")]})
    assert classroom.counts()[TileState.EXPECTED] == 0
    assert classroom.tiles[-1].name == "ZETA"
    assert not classroom.update({("INF2A", "zeta"): [standing(team(5001, "zeta"))]}), "it has come already"


@pytest.mark.parametrize("compared", [4, 5_000])
def test_the_teams_of_the_roster_are_shown_before_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: int
) -> None:
    monkeypatch.setattr("tandem.board.feed.class_feed.MAX_TILES", 3)
    monkeypatch.setattr("tandem.board.gradebook.recognition.MAX_COMPARED", compared)
    keep(tmp_path, *(message_1(team(number, f"A{number}")) for number in range(6)), message_2(team(9, "Zeta")))
    roster = [team(8, "Zeta"), team(7, "Never")]
    with closing(open_records(tmp_path)) as records:
        news = read_class(records, ["INF2A"], roster, 0)
        classroom = room()
        classroom.replace(news["standings"], roster, news["more"])
        found = [(tile.name, tile.state) for tile in classroom.tiles]
        waiting = TileState.WAITING
        assert found == [("A0", waiting), ("A1", waiting), ("Never", TileState.EXPECTED), ("Zeta", TileState.FINISHED)]


def test_who_is_missing() -> None:
    expected = [team(1), team(2), Team("INF2A", "Team 3", "", ""), Team("INF2A", "!!", "", "")]
    assert missing(expected, []) == expected
    assert missing(expected, [row(team(1, "TEAM-1"))]) == expected[1:], "its name, written otherwise"
    assert missing(expected, [row(team(2, "renamed"))]) == [expected[0], *expected[2:]], "its numbers"
    assert missing(expected, [row(Team("INF2A", "another", "", ""))]) == expected


def test_names_are_ordered_as_people_count() -> None:
    assert sorted(["Team 10", "team 2", "Team 1", "a", "1"], key=natural) == ["1", "a", "Team 1", "team 2", "Team 10"]


class Page:
    """What a browser does with changes."""

    def __init__(self) -> None:
        self.tiles: list[tuple[str, object]] = []

    def apply(self, changes: Changes, classroom: Classroom) -> None:
        self.tiles = [(key, tile) for key, tile in self.tiles if key not in changes.gone]
        for tile in changes.tiles:
            keys = [key for key, _ in self.tiles]
            if tile.key in keys:
                self.tiles[keys.index(tile.key)] = (tile.key, tile)
            else:
                follower = classroom.follower(tile.key)
                self.tiles.insert(keys.index(follower) if follower else len(keys), (tile.key, tile))


NAMED = st.integers(1, 12)
STATE = st.sampled_from(["waiting for message 2", "finished", "rejected"])
STEPS = st.lists(st.tuples(st.dictionaries(NAMED, st.lists(STATE, max_size=2), max_size=4), st.booleans()), max_size=10)


@given(st.lists(NAMED, unique=True), STEPS)
def test_who_applies_every_change_has_the_same_tiles(
    expected: list[int], steps: list[tuple[dict[int, list[str]], bool]]
) -> None:
    classroom, page = room(), Page()
    roster = [team(number) for number in expected]
    page.apply(classroom.replace([], roster), classroom)
    for named, is_all in steps:
        standings = {
            ("INF2A", f"Team {number}"): [
                standing(team(number + 100 * place, f"Team {number}"), state) for place, state in enumerate(states)
            ]
            for number, states in named.items()
        }
        if is_all:
            changes = classroom.replace([each for some in standings.values() for each in some], roster)
        else:
            changes = classroom.update(standings)
        page.apply(changes, classroom)
        assert page.tiles == [(tile.key, tile) for tile in classroom.tiles]
