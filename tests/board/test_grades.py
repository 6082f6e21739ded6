"""The gradebook's rows: few are sorted, many are read page by page; the figures of both are the same."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.board.gradebook import grades, recognition
from tandem.board.gradebook.board_store import BoardStore, Note
from tandem.board.gradebook.exports import COLUMNS, MAX_XLSX_ROWS, TooManyRowsError, write_xlsx
from tandem.board.gradebook.grades import EXPECTED, NOTE_ONLY, Gradebook, GradePage, GradeQuery, as_row
from tandem.board.gradebook.recognition import expected_key
from tandem.records.queries import open_records
from tandem.records.visits import Record, Team
from testing.boards import team, write_records
from testing.visits import message_1, message_2, rejected


@pytest.fixture
def gradebook(tmp_path: Path) -> Iterator[Gradebook]:
    """Thirty teams, of which every third has finished; one more is expected."""
    write_records(
        tmp_path,
        *(message_1(team(number), 1_000_000 * number) for number in range(1, 30)),
        *(message_2(team(number), 90_000_000 - number) for number in range(3, 30, 3)),
        rejected(team(30)),
    )
    with closing(BoardStore(tmp_path)) as board_store:
        board_store.replace_rosters([team(1), Team("INF2A", "Nobody", "", "")])
        with closing(open_records(tmp_path)) as records:
            yield Gradebook(records, board_store)


def names(page: GradePage) -> list[str]:
    return [grade.team.teamname for grade in page.grades]


def numbered(page: GradePage) -> list[int]:
    return [int(name.split()[1]) for name in names(page) if name != "Nobody"]


def test_few_are_sorted_as_asked(gradebook: Gradebook) -> None:
    page = gradebook.page(GradeQuery())
    assert numbered(page) == list(range(1, 31)), "as people count"
    assert (page.total, page.pages, names(page)[0]) == (31, 1, "Nobody")
    finished = gradebook.page(GradeQuery(state="finished", sort="finished"))
    assert numbered(finished) == list(range(27, 0, -3))
    assert numbered(gradebook.page(GradeQuery(state="finished", sort="finished", descending=True))) == list(
        range(3, 30, 3)
    )
    for sort in grades.SORTS:
        assert len(gradebook.page(GradeQuery(sort=sort)).grades) == 31


def test_few_come_on_numbered_pages(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "PAGE_ROWS", 10)
    pages = [gradebook.page(GradeQuery(page=number)) for number in (1, 2, 3, 4)]
    assert [len(page.grades) for page in pages] == [10, 10, 10, 1]
    assert gradebook.page(GradeQuery(page=99)).page == 4


def test_many_come_in_the_order_of_the_records(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "PAGE_ROWS", 7)
    monkeypatch.setattr(grades, "MAX_SORTED", 20)
    found: list[str] = []
    wanted = GradeQuery()
    while True:
        page = gradebook.page(wanted)
        assert page.pages is page.total is None
        found += names(page)
        if page.next_key is None:
            break
        wanted = GradeQuery(after=page.next_key)
    assert found == sorted(f"Team {number}" for number in range(1, 31))
    assert page.previous_key is not None
    before = gradebook.page(GradeQuery("INF2A", before=page.previous_key))
    assert (names(before), before.next_key is not None) == (found[21:28], True)
    assert gradebook.page(GradeQuery(after=before.next_key)).grades == page.grades
    while before.previous_key:
        before = gradebook.page(GradeQuery(before=before.previous_key))
    assert names(before) == found[:7]
    assert names(gradebook.page(GradeQuery(state=EXPECTED))) == ["Nobody"]


def test_a_file_has_all_of_them(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "MAX_SORTED", 20)
    rows = [as_row(grade) for grade in gradebook.grades(GradeQuery())]
    assert len(rows) == 31
    assert {row["state"] for row in rows} == {"finished", "waiting for message 2", "rejected", "expected"}


def test_notes_and_lateness_stand_in_the_rows(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(team(1)), message_2(team(1)), message_2(team(2)))
    with closing(BoardStore(tmp_path)) as board_store:
        board_store.set_deadline("INF2A", 2_000_000)
        with closing(open_records(tmp_path)) as records:
            [key, _] = [row.key for row in records.teams()]
            board_store.write_note(key, Note(True, "7", "short"))
            first, second = (as_row(grade) for grade in Gradebook(records, board_store).grades(GradeQuery()))
            assert (first["late"], first["oral"], first["mark"], first["note"]) == ("late", "done", "7", "short")
            assert (second["oral"], second["mark"], second["note"]) == ("", "", "")


@pytest.mark.parametrize("search", ["alfa", "Alph", "911111", "0911111"])
def test_a_team_that_came_under_another_name_is_found_by_both(tmp_path: Path, search: str) -> None:
    came = Team("INF1A", "Alfa", "0922222", "0911111")
    write_records(tmp_path, message_1(came), message_1(Team("INF1A", "Beta", "3", "4")), rejected(came))
    with closing(BoardStore(tmp_path)) as board_store:
        board_store.replace_rosters([Team("inf1a", "Alpha", "911111", "922222")])
        with closing(open_records(tmp_path)) as records:
            gradebook = Gradebook(records, board_store)
            query = GradeQuery(search=search, classname="INF1A")
            [row] = map(as_row, gradebook.grades(query))
            [grade] = gradebook.page(query).grades
            assert [each.roster_name for each in gradebook.grades(GradeQuery())] == ["Alpha", ""]
    assert (row["teamname"], row["roster_teamname"], grade.roster_name) == ("Alfa", "Alpha", "Alpha")
    assert (row["state"], row["stuck"], grade.roster_numbers) == ("waiting for message 2", True, [])
    assert tuple(row) == COLUMNS


def marks(tmp_path: Path, noted: Team, *came: Record, roster: bool = True) -> list[tuple[str, str, str]]:
    """Name, state and mark of everybody, when a team has a mark and these records have come."""
    write_records(tmp_path, *came)
    with closing(BoardStore(tmp_path)) as board_store:
        board_store.replace_rosters([noted] if roster else [])
        board_store.write_note(expected_key(noted), Note(mark="8"))
        with closing(open_records(tmp_path)) as records:
            gradebook = Gradebook(records, board_store)
            exported = [(grade.team.teamname, grade.state, grade.note.mark) for grade in gradebook.grades(GradeQuery())]
            shown = [
                (grade.team.teamname, grade.state, grade.note.mark) for grade in gradebook.page(GradeQuery()).grades
            ]
            assert sorted(shown) == sorted(exported)
    return exported


BETA = team(1, "Beta")


@pytest.mark.parametrize(
    "came",
    [team(2, "Beta"), team(1, "BETA"), team(2, "BE-TA"), team(1, "Gamma"), BETA],
    ids=["other numbers", "other letters", "both", "another name", "as expected"],
)
def test_a_note_on_who_is_expected_goes_with_whom_it_is_recognised_in(tmp_path: Path, came: Team) -> None:
    assert marks(tmp_path, BETA, message_1(came), message_2(came)) == [(came.teamname, "finished", "8")]


def test_a_note_stays_with_its_team_when_others_use_its_name(tmp_path: Path) -> None:
    found = marks(tmp_path, BETA, message_1(BETA), message_1(team(2, "Beta")), message_1(team(3, "BETA")))
    assert sorted(mark for _, _, mark in found) == ["", "", "8"]
    with closing(open_records(tmp_path)) as records, closing(BoardStore(tmp_path)) as board_store:
        [key] = [row.key for row in records.teams() if row.team == BETA]
        assert Gradebook(records, board_store).note(key) == Note(mark="8")


def test_a_note_on_nobody_stands_at_the_end(tmp_path: Path) -> None:
    came = [message_1(team(number, "Zeta")) for number in (5, 6)]
    found = marks(tmp_path, BETA, *came, roster=False)
    assert found[-1] == ("Beta", NOTE_ONLY, "8")
    with closing(open_records(tmp_path)) as records, closing(BoardStore(tmp_path)) as board_store:
        for wanted in (
            GradeQuery(),
            GradeQuery(sort="mark"),
            GradeQuery(descending=True),
            GradeQuery("INF2A", state=NOTE_ONLY),
        ):
            assert Gradebook(records, board_store).page(wanted).grades[-1].team == BETA
        assert names(Gradebook(records, board_store).page(GradeQuery(state="finished"))) == []


def test_of_two_notes_on_one_team_the_surer_is_shown_and_the_other_not_lost(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(BETA))
    with closing(BoardStore(tmp_path)) as board_store, closing(open_records(tmp_path)) as records:
        key = expected_key(BETA)
        board_store.write_note(key._replace(pair=""), Note(mark="1"))
        board_store.write_note(key, Note(mark="2"))
        found = [(grade.state, grade.note.mark) for grade in Gradebook(records, board_store).grades(GradeQuery())]
        assert found == [("waiting for message 2", "2"), (NOTE_ONLY, "1")]


def test_who_came_is_found_behind_all_that_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "MAX_COMPARED_TEAMS", 3)
    others = [message_1(team(number, f"A{number}")) for number in range(10, 20)]
    found = marks(tmp_path, BETA, *others, message_1(team(2, "Beta")))
    assert found[-1] == ("Beta", "waiting for message 2", "8")
    assert len(found) == 11


def test_more_rows_than_a_spreadsheet_holds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.board.gradebook.exports.MAX_XLSX_ROWS", 2)
    with (tmp_path / "x").open("wb") as file, pytest.raises(TooManyRowsError, match="choose a class, or CSV"):
        write_xlsx([{"a": "1"}] * 3, file)
    assert MAX_XLSX_ROWS == 2**20 - 1
