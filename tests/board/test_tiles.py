"""The tiles of a class: states, order, changes; a property: whoever applies the changes has the same tiles."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.feed.class_counts import by_class
from tandem.board.feed.class_feed import read_class
from tandem.board.feed.tiles import MAX_TILES, ClassTiles, TileChanges, TileState, state_of
from tandem.board.gradebook.recognition import missing_teams
from tandem.records.queries import ClassRow, TeamRow, open_records
from tandem.records.sqlite.sqlite_store import FINISHED, WAITING
from tandem.records.visits import Team
from testing.boards import team, write_records
from testing.visits import message_1, message_2, rejected

NOW = 1_795_000_000_000_000


def row(
    of: Team, state: str = "waiting for message 2", *problems: str, stuck: bool = False, pair: str | None = None
) -> TeamRow:
    finished_at = 2_000_000 if state == "finished" else None
    pair = of.pair if pair is None else pair
    return TeamRow(of, state, "192.0.2.1", 1_000_000, finished_at, 1, problems, pair, stuck)


def feed() -> ClassTiles:
    return ClassTiles("INF2A", b"key")


STATES = {
    "finished": (row(team(1), "finished"), TileState.FINISHED, "finished 00:00"),
    "waiting": (row(team(1)), TileState.WAITING, "waiting for message 2"),
    "refused before": (
        row(team(1), "waiting for message 2", "not-swapped"),
        TileState.WAITING,
        "waiting for message 2",
    ),
    "refused last": (
        row(team(1), "waiting for message 2", "not-swapped", "secret-wrong", stuck=True),
        TileState.STUCK,
        "stuck: The numbers are not swapped",
    ),
    "never right": (row(team(1), "rejected", "not-json"), TileState.STUCK, "stuck: "),
}


def test_the_state_of_a_team() -> None:
    for found, state, words in STATES.values():
        told = state_of(found)
        assert told[0] is state
        assert told[1].startswith(words.replace("00:00", ""))


def test_a_team_goes_from_expected_to_finished() -> None:
    class_tiles = feed()
    class_tiles.replace([], [team(1), team(2)])
    assert class_tiles.counts()[TileState.EXPECTED] == 2
    changes = class_tiles.update({("INF2A", "Team 1"): [row(team(1))]})
    assert [tile.state for tile in changes.tiles] == [TileState.WAITING]
    assert len(changes.removed) == 1, "its tile as one that is expected"
    changes = class_tiles.update({("INF2A", "Team 1"): [row(team(1), "finished")]})
    assert ([tile.state for tile in changes.tiles], changes.removed) == ([TileState.FINISHED], [])
    assert [tile.name for tile in class_tiles.tiles] == ["Team 1", "Team 2"]


def test_the_same_again_is_no_change() -> None:
    class_tiles = feed()
    assert class_tiles.replace([row(team(1))], [])
    assert not class_tiles.replace([row(team(1))], [])


def test_numbers_that_become_known_replace_the_tile() -> None:
    class_tiles = feed()
    class_tiles.replace([row(team(1), "rejected", "not-json", pair="")], [])
    changes = class_tiles.update({("INF2A", "Team 1"): [row(team(1))]})
    assert (len(changes.tiles), len(changes.removed)) == (1, 1)


def test_a_tile_tells_no_number() -> None:
    class_tiles = feed()
    [tile] = class_tiles.replace([row(Team("INF2A", "1000001 is me", "1000001", "2000001"))], []).tiles
    assert "1000001" not in repr(tile)


def test_two_teams_with_one_name_have_two_tiles() -> None:
    class_tiles = feed()
    class_tiles.replace([row(team(1, "same")), row(team(2, "same"))], [])
    assert len({tile.key for tile in class_tiles.tiles}) == 2


def test_names_that_look_alike_have_numbers_that_stay() -> None:
    """In the order in which the teams came, so that they tell nothing of the student numbers."""
    class_tiles = feed()
    same = [replace(row(team(number, "Team1")), first_seen_us=9 - number) for number in (1, 2, 3)]
    masked = [row(Team("INF2A", name, "", "")) for name in ("Team 1234567", "Team 7654321")]
    class_tiles.replace([same[1], *masked, same[2]], [])
    first = {tile.key: tile.name for tile in class_tiles.tiles}
    assert list(first.values()) == ["Team1 (1)", "Team1 (2)", "Team ••• (1)", "Team ••• (2)"]
    class_tiles.update({("INF2A", "Team1"): same})
    after = {tile.key: tile.name for tile in class_tiles.tiles}
    assert after.items() >= first.items()
    assert [name for key, name in after.items() if key not in first] == ["Team1 (3)"]


def test_groups_of_one_name_on_a_roster_have_a_tile_each() -> None:
    class_tiles = feed()
    roster = [team(number, "Team1") for number in (1, 2, 3)]
    class_tiles.replace([], roster)
    assert [tile.name for tile in class_tiles.tiles] == ["Team1 (1)", "Team1 (2)", "Team1 (3)"]
    class_tiles.replace([row(roster[2])], roster)
    waiting, expected = TileState.WAITING, TileState.EXPECTED
    assert [tile.state for tile in class_tiles.tiles] == [waiting, expected, expected]


def test_only_so_many_tiles() -> None:
    class_tiles = feed()
    class_tiles.replace([row(team(number)) for number in range(MAX_TILES)], [], has_more=True)
    assert not class_tiles.update({("INF2A", "one more"): [row(team(1, "one more"))]})
    assert len(class_tiles.tiles) == MAX_TILES


def test_a_class_in_other_letters_is_the_same_class(tmp_path: Path) -> None:
    small = team(2, classname="inf2a")
    write_records(
        tmp_path, message_1(team(1)), message_1(small), rejected(team(3), "bare-key", NOW), message_1(team(4), NOW)
    )
    write_records(tmp_path, rejected(small, "bare-key", NOW), message_1(team(1, classname="INF2B")))
    roster = [team(number, classname="Inf2a") for number in (1, 2, 5)]
    with closing(open_records(tmp_path)) as records:
        content = read_class(records, ["INF2A", "inf2a"], roster, NOW / 1e6)
        class_tiles = feed()
        class_tiles.replace(content["rows"], roster)
        states = [(tile.name, tile.state) for tile in class_tiles.tiles]
        waiting, stuck, expected = TileState.WAITING, TileState.STUCK, TileState.EXPECTED
        assert states == [(f"Team {n}", s) for n, s in enumerate((waiting, stuck, stuck, waiting, expected), 1)]
        assert content["mistakes"] == [("bare-key", 2)]
        class_tiles.update({("inf2a", "Team 1"): [row(team(1, classname="inf2a"))]})
        names = [tile.name for tile in class_tiles.tiles]
        assert names[:2] == ["Team 1 (1)", "Team 1 (2)"], "it is another team, with another secret"


def test_the_list_of_classes_has_one_line_a_class_in_the_order_of_the_names() -> None:
    sizes = [("NET1", 1), ("Net10", 1), ("Net2", 1), ("net1", 3), ("Économie", 1), ("net10", 1)]
    counted = by_class(ClassRow(name, {"finished": size}) for name, size in sizes)
    assert list(counted) == ["Économie", "net1", "Net2", "Net10"]
    assert [row.classname for row in counted["NET1"]] == ["net1", "NET1"]


def test_who_was_expected_gets_a_tile_also_when_there_are_no_more() -> None:
    class_tiles = feed()
    class_tiles.replace([row(team(number)) for number in range(MAX_TILES)], [team(4000, "Zeta")], has_more=True)
    assert class_tiles.update({("INF2A", "ZETA"): [row(team(5000, "ZETA"), "finished")]})
    assert class_tiles.counts()[TileState.EXPECTED] == 0
    assert class_tiles.tiles[-1].name == "ZETA"
    assert not class_tiles.update({("INF2A", "zeta"): [row(team(5001, "zeta"))]}), "it has come already"


@pytest.mark.parametrize("compared", [4, 5_000])
def test_the_teams_of_the_roster_are_shown_before_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: int
) -> None:
    monkeypatch.setattr("tandem.board.feed.class_feed.MAX_TILES", 3)
    monkeypatch.setattr("tandem.board.gradebook.recognition.MAX_COMPARED_TEAMS", compared)
    write_records(tmp_path, *(message_1(team(number, f"A{number}")) for number in range(6)), message_2(team(9, "Zeta")))
    roster = [team(8, "Zeta"), team(7, "Never")]
    with closing(open_records(tmp_path)) as records:
        content = read_class(records, ["INF2A"], roster, 0)
        class_tiles = feed()
        class_tiles.replace(content["rows"], roster, content["has_more"])
        found = [(tile.name, tile.state) for tile in class_tiles.tiles]
        waiting = TileState.WAITING
        assert found == [("A0", waiting), ("A1", waiting), ("Never", TileState.EXPECTED), ("Zeta", TileState.FINISHED)]


def test_who_is_missing() -> None:
    expected = [team(1), team(2), Team("INF2A", "Team 3", "", ""), Team("INF2A", "!!", "", "")]
    assert missing_teams(expected, []) == expected
    assert missing_teams(expected, [row(team(1, "TEAM-1"))]) == expected[1:], "its name, written otherwise"
    assert missing_teams(expected, [row(team(2, "renamed"))]) == [expected[0], *expected[2:]], "its numbers"
    assert missing_teams(expected, [row(Team("INF2A", "another", "", ""))]) == expected


class Page:
    """What a browser does with changes."""

    def __init__(self) -> None:
        self.tiles: list[tuple[str, object]] = []

    def apply(self, changes: TileChanges, class_tiles: ClassTiles) -> None:
        self.tiles = [(key, tile) for key, tile in self.tiles if key not in changes.removed]
        for tile in changes.tiles:
            keys = [key for key, _ in self.tiles]
            if tile.key in keys:
                self.tiles[keys.index(tile.key)] = (tile.key, tile)
            else:
                follower = class_tiles.next_key(tile.key)
                self.tiles.insert(keys.index(follower) if follower else len(keys), (tile.key, tile))


NAMED = st.integers(1, 12)
STATE = st.sampled_from(["waiting for message 2", "finished", "rejected"])
STEPS = st.lists(st.tuples(st.dictionaries(NAMED, st.lists(STATE, max_size=2), max_size=4), st.booleans()), max_size=10)


@given(st.lists(NAMED, unique=True), STEPS)
def test_who_applies_every_change_has_the_same_tiles(
    expected: list[int], steps: list[tuple[dict[int, list[str]], bool]]
) -> None:
    class_tiles, page = feed(), Page()
    roster = [team(number) for number in expected]
    page.apply(class_tiles.replace([], roster), class_tiles)
    for named, is_all in steps:
        rows = {
            ("INF2A", f"Team {number}"): [
                row(team(number + 100 * place, f"Team {number}"), state) for place, state in enumerate(states)
            ]
            for number, states in named.items()
        }
        if is_all:
            changes = class_tiles.replace([each for some in rows.values() for each in some], roster)
        else:
            changes = class_tiles.update(rows)
        page.apply(changes, class_tiles)
        assert page.tiles == [(tile.key, tile) for tile in class_tiles.tiles]


def test_the_board_has_the_same_words_for_the_states_of_the_records() -> None:
    assert (TileState.WAITING, TileState.FINISHED) == (WAITING, FINISHED)
