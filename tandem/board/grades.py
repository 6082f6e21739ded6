"""The gradebook's rows: what is on record of each team, what the roster expects, what the teacher wrote.

Up to MOST_SORTED rows are read whole, sorted as asked and shown page by page. Of more, a page at a time is read in
the order of the names, which is the order that the records have: a million teams cost no more than a hundred.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tandem.board.book import Book, Note, note_of
from tandem.board.classroom import missing, natural
from tandem.ground.record import Team
from tandem.ground.records import Records, TeamKey, TeamRow
from tandem.ground.store import STATES
from tandem.report.results import Row, timestamp

EXPECTED = "expected"
ALL_STATES = (*STATES, EXPECTED)
A_PAGE = 100  # rows
MOST_SORTED = 2_000
MOST_COMPARED = 5_000  # teams of a class that its roster is compared with


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of the gradebook."""

    key: TeamKey
    team: Team
    state: str
    first_seen: int | None
    finished_at: int | None
    late: bool
    visits: int
    problems: tuple[str, ...]
    note: Note


SORTS: dict[str, Callable[[Grade], tuple[object, ...]]] = {
    "team": lambda grade: (natural(grade.team.classname), natural(grade.team.teamname), grade.key),
    "state": lambda grade: (ALL_STATES.index(grade.state),),
    "first seen": lambda grade: (grade.first_seen is None, grade.first_seen),
    "finished": lambda grade: (grade.finished_at is None, grade.finished_at),
    "visits": lambda grade: (grade.visits,),
    "mark": lambda grade: (not grade.note.mark, natural(grade.note.mark)),
    "oral": lambda grade: (not grade.note.oral,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the teacher asks for; None: all."""

    classname: str | None = None
    state: str | None = None
    search: str | None = None
    sort: str = "team"
    descending: bool = False
    page: int = 1
    after: TeamKey | None = None  # where more than can be sorted go on


@dataclass(frozen=True, slots=True)
class GradePage:
    """One page of the gradebook."""

    grades: list[Grade]
    page: int
    pages: int | None  # None: there are more than can be sorted
    total: int | None
    next: TeamKey | None  # where the next page begins, if there are too many to be sorted


class Gradebook:
    """The records and the book together. Use it in the thread of the records."""

    def __init__(self, records: Records, book: Book) -> None:
        self._records = records
        self._book = book
        self._deadlines = book.deadlines()

    def page(self, wanted: Wanted) -> GradePage:
        grades = self._few(wanted)
        if grades is None:
            return self._page_of_many(wanted)
        grades.sort(key=SORTS["team"])
        grades.sort(key=SORTS[wanted.sort], reverse=wanted.descending)
        pages = max(1, -(-len(grades) // A_PAGE))
        page = min(wanted.page, pages)
        return GradePage(grades[(page - 1) * A_PAGE : page * A_PAGE], page, pages, len(grades), None)

    def grades(self, wanted: Wanted) -> Iterator[Grade]:
        """All that are wanted, however many: those on record by name, then those that are missing."""
        if wanted.state != EXPECTED:
            notes = self._book.notes(wanted.classname)
            for row in self._records.teams(wanted.classname, wanted.state, search=wanted.search):
                yield self._grade(row, note_of(notes, row.key))
        yield from self._missing(wanted)

    def _few(self, wanted: Wanted) -> list[Grade] | None:
        """All that are wanted; None if they are too many."""
        rows: list[TeamRow] = []
        if wanted.state != EXPECTED:
            found = self._records.teams(wanted.classname, wanted.state, limit=MOST_SORTED + 1, search=wanted.search)
            rows = list(found)
        if len(rows) > MOST_SORTED:
            return None
        notes = self._book.notes(wanted.classname)
        return [*(self._grade(row, note_of(notes, row.key)) for row in rows), *self._missing(wanted)]

    def _page_of_many(self, wanted: Wanted) -> GradePage:
        found = self._records.teams(
            wanted.classname, wanted.state, after=wanted.after, limit=A_PAGE + 1, search=wanted.search
        )
        rows = list(found)
        notes = self._book.notes(wanted.classname)
        grades = [self._grade(row, note_of(notes, row.key)) for row in rows[:A_PAGE]]
        return GradePage(grades, 1, None, None, rows[A_PAGE - 1].key if len(rows) > A_PAGE else None)

    def _grade(self, row: TeamRow, note: Note) -> Grade:
        deadline = self._deadlines.get(row.team.classname)
        late = bool(deadline and row.finished_at and row.finished_at > deadline)
        seen = row.first_seen, row.finished_at, late, row.visits, row.problems
        return Grade(row.key, row.team, row.state, *seen, note)

    def _missing(self, wanted: Wanted) -> Iterator[Grade]:
        """Those on the rosters of whom nothing has come."""
        if wanted.state not in (None, EXPECTED):
            return
        classes = list(self._book.rostered()) if wanted.classname is None else [wanted.classname]
        for classname in classes:
            expected = self._book.roster(classname)
            if not expected:
                continue
            notes = self._book.notes(classname)
            for team in missing(expected, self._records.teams(classname, limit=MOST_COMPARED)):
                if _fits(team, wanted.search):
                    key = expected_key(team)
                    yield Grade(key, team, EXPECTED, None, None, False, 0, (), note_of(notes, key))


def expected_key(team: Team) -> TeamKey:
    """What the note of a team that only a roster knows is filed under."""
    return TeamKey(team.classname, team.teamname, team.pair if team.studentnr1 or team.studentnr2 else "")


def _fits(team: Team, search: str | None) -> bool:
    """As the records search: a part of the name, or a whole number."""
    if search is None:
        return True
    return search.lower() in team.teamname.lower() or search in (team.studentnr1, team.studentnr2)


def as_row(grade: Grade) -> Row:
    """For programs and spreadsheets: the names and types of `tandem results`, and the teacher's own."""
    return {
        "classname": grade.team.classname,
        "teamname": grade.team.teamname,
        "studentnr1": grade.team.studentnr1,
        "studentnr2": grade.team.studentnr2,
        "state": grade.state,
        "first_seen": None if grade.first_seen is None else timestamp(grade.first_seen),
        "finished_at": None if grade.finished_at is None else timestamp(grade.finished_at),
        "late": "late" if grade.late else "",
        "visits": grade.visits,
        "problems": list(grade.problems),
        "oral": "done" if grade.note.oral else "",
        "mark": grade.note.mark,
        "note": grade.note.text,
    }
