"""The gradebook's rows: few are sorted, many are read page by page; the figures of both are the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.board import grades
from tandem.board.book import Book, Note
from tandem.board.exports import MOST_XLSX, TooMany, write_xlsx
from tandem.board.grades import EXPECTED, Gradebook, GradePage, Wanted, as_row
from tandem.ground.record import Team
from tandem.ground.records import open_records
from tests.board.boards import keep, team
from tests.ground.records import message_1, message_2, rejected


@pytest.fixture
def gradebook(tmp_path: Path) -> Iterator[Gradebook]:
    """Thirty teams, of which every third has finished; one more is expected."""
    keep(
        tmp_path,
        *(message_1(team(number), 1_000_000 * number) for number in range(1, 30)),
        *(message_2(team(number), 90_000_000 - number) for number in range(3, 30, 3)),
        rejected(team(30)),
    )
    book = Book(tmp_path)
    book.set_rosters([team(1), Team("INF2A", "Nobody", "", "")])
    records = open_records(tmp_path)
    yield Gradebook(records, book)
    records.close()
    book.close()


def names(page: GradePage) -> list[str]:
    return [grade.team.teamname for grade in page.grades]


def numbered(page: GradePage) -> list[int]:
    return [int(name.split()[1]) for name in names(page) if name != "Nobody"]


def test_few_are_sorted_as_asked(gradebook: Gradebook) -> None:
    page = gradebook.page(Wanted())
    assert numbered(page) == list(range(1, 31)), "as people count"
    assert (page.total, page.pages, names(page)[0]) == (31, 1, "Nobody")
    finished = gradebook.page(Wanted(state="finished", sort="finished"))
    assert numbered(finished) == list(range(27, 0, -3))
    assert numbered(gradebook.page(Wanted(state="finished", sort="finished", descending=True))) == list(range(3, 30, 3))
    for sort in grades.SORTS:
        assert len(gradebook.page(Wanted(sort=sort)).grades) == 31


def test_few_come_on_numbered_pages(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "A_PAGE", 10)
    pages = [gradebook.page(Wanted(page=number)) for number in (1, 2, 3, 4)]
    assert [len(page.grades) for page in pages] == [10, 10, 10, 1]
    assert gradebook.page(Wanted(page=99)).page == 4


def test_many_come_in_the_order_of_the_records(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "A_PAGE", 7)
    monkeypatch.setattr(grades, "MOST_SORTED", 20)
    found: list[str] = []
    wanted = Wanted()
    while True:
        page = gradebook.page(wanted)
        assert page.pages is page.total is None
        found += names(page)
        if page.next is None:
            break
        wanted = Wanted(after=page.next)
    assert found == sorted(f"Team {number}" for number in range(1, 31))
    assert names(gradebook.page(Wanted(state=EXPECTED))) == ["Nobody"]


def test_a_file_has_all_of_them(gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "MOST_SORTED", 20)
    rows = [as_row(grade) for grade in gradebook.grades(Wanted())]
    assert len(rows) == 31
    assert {row["state"] for row in rows} == {"finished", "waiting for message 2", "rejected", "expected"}


def test_notes_and_lateness_stand_in_the_rows(tmp_path: Path) -> None:
    keep(tmp_path, message_1(team(1)), message_2(team(1)), message_2(team(2)))
    book = Book(tmp_path)
    book.set_deadline("INF2A", 2_000_000)
    records = open_records(tmp_path)
    [key, _] = [row.key for row in records.teams()]
    book.write_note(key, Note(True, "7", "short"))
    first, second = (as_row(grade) for grade in Gradebook(records, book).grades(Wanted()))
    assert (first["late"], first["oral"], first["mark"], first["note"]) == ("late", "done", "7", "short")
    assert (second["oral"], second["mark"], second["note"]) == ("", "", "")
    records.close()
    book.close()


def test_more_rows_than_a_spreadsheet_holds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.board.exports.MOST_XLSX", 2)
    with (tmp_path / "x").open("wb") as file, pytest.raises(TooMany, match="choose a class, or CSV"):
        write_xlsx([{"a": "1"}] * 3, file)
    assert MOST_XLSX == 2**20 - 1
