"""The gradebook's rows: what is on record of each team, what the roster expects, what the teacher wrote.

Up to MAX_SORTED rows are read whole, sorted as asked and shown page by page. Of more, a page at a time is read in
the order of the names, which is the order that the records have: a million teams cost no more than a hundred.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from tandem.board.feed.class_counts import NOT_COUNTED, Counted
from tandem.board.feed.tiles import natural
from tandem.board.gradebook.board_store import NO_NOTE, BoardStore, Note
from tandem.board.gradebook.class_names import folded
from tandem.board.gradebook.recognition import Filed, Known, alike, expected_key, file_notes, missing, other_numbers
from tandem.records.queries import Records, TeamKey, TeamRow
from tandem.records.sqlite.sqlite_store import STATES
from tandem.records.visits import Team
from tandem.report.results import Row, timestamp

EXPECTED = "expected"
NOTE_ONLY = "note only"  # a note on a team that is neither on record nor on a roster
ALL_STATES = (*STATES, EXPECTED, NOTE_ONLY)
A_PAGE = 100  # rows
MAX_SORTED = 2_000


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
    rostered: Sequence[str] = ()  # the roster's numbers, where the team came with others


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
    before: TeamKey | None = None  # where they go back


@dataclass(frozen=True, slots=True)
class _ClassNotes:
    """One class as the book has it, set against the records."""

    missing: list[Team]  # on the roster, and nothing has come
    notes: dict[TeamKey, Note]
    filed: Filed


@dataclass(frozen=True, slots=True)
class GradePage:
    """One page of the gradebook."""

    grades: list[Grade]
    page: int
    pages: int | None  # None: there are more than can be sorted
    total: int | None
    next: TeamKey | None = None  # behind which the next page begins, if there are too many to be sorted
    back: TeamKey | None = None  # before which the page before ends


class Gradebook:
    """The records and the book together. Use it in the thread of the records."""

    def __init__(self, records: Records, book: BoardStore, counted: Counted = NOT_COUNTED) -> None:
        self._records = records
        self._counted = counted
        self._book = book
        self._deadlines = book.deadlines()
        self._noted = book.noted()
        self._rostered = book.rostered()
        self._ledgers: dict[str, _ClassNotes] = {}  # of the classes that the book knows, by their folded names
        self._listed: dict[str, Known] = {}  # their rosters

    def page(self, wanted: Wanted) -> GradePage:
        grades = self._few(wanted)
        if grades is None:
            return self._page_of_many(wanted)
        grades.sort(key=SORTS["team"])
        grades.sort(key=SORTS[wanted.sort], reverse=wanted.descending)
        grades.sort(key=lambda grade: grade.state == NOTE_ONLY)
        pages = max(1, -(-len(grades) // A_PAGE))
        page = min(wanted.page, pages)
        return GradePage(grades[(page - 1) * A_PAGE : page * A_PAGE], page, pages, len(grades))

    def grades(self, wanted: Wanted) -> Iterator[Grade]:
        """All that are wanted, however many: those on record by name, those that are missing, notes on nobody."""
        yield from map(self._grade, self._rows(wanted))
        yield from self._missing(wanted)
        yield from self._left(wanted)

    def note(self, key: TeamKey) -> Note:
        """The note that is shown with a team."""
        if key.classname not in self._noted:
            return NO_NOTE
        return self._ledger(key.classname).notes.get(self.source(key), NO_NOTE)

    def source(self, key: TeamKey) -> TeamKey:
        """What the note that is shown with a team is filed under."""
        return self._ledger(key.classname).filed.sources.get(key, key)

    def _few(self, wanted: Wanted) -> list[Grade] | None:
        """All that are wanted; None if they are too many."""
        rows = list(self._rows(wanted, limit=MAX_SORTED + 1))
        if len(rows) > MAX_SORTED:
            return None
        return [*map(self._grade, rows), *self._missing(wanted), *self._left(wanted)]

    def _page_of_many(self, wanted: Wanted) -> GradePage:
        """Those on record alone: who else is in the book is asked for by its state, and few enough to be sorted."""
        if wanted.before:
            found = list(islice(self._rows_before(wanted, wanted.before), A_PAGE + 1))
            rows, has_back, has_next = found[:A_PAGE][::-1], len(found) > A_PAGE, True
        else:
            found = list(self._rows(wanted, wanted.after, A_PAGE + 1))
            rows, has_back, has_next = found[:A_PAGE], wanted.after is not None, len(found) > A_PAGE
        next = rows[-1].key if rows and has_next else None
        back = rows[0].key if rows and has_back else None
        return GradePage([self._grade(row) for row in rows], 1, None, None, next, back)

    def _rows(self, wanted: Wanted, after: TeamKey | None = None, limit: int | None = None) -> Iterator[TeamRow]:
        """Those on record that are wanted, in their order, after a key, no more than a limit."""
        if wanted.state not in (None, *STATES):
            return iter(())
        spellings = [None] if wanted.classname is None else sorted(self._spellings(wanted.classname))
        found = (self._records.teams(each, wanted.state, after, limit, wanted.search) for each in spellings)
        return islice(chain.from_iterable(found), limit)

    def _rows_before(self, wanted: Wanted, key: TeamKey) -> Iterator[TeamRow]:
        """The same the other way: those before a key, the nearest first."""
        spellings = [None] if wanted.classname is None else sorted(self._spellings(wanted.classname), reverse=True)
        for each in spellings:
            yield from self._records.teams_before(key, A_PAGE + 1, each, wanted.state, wanted.search)

    def _spellings(self, classname: str) -> set[str]:
        return {classname, *self._counted.spellings(classname)}

    def _grade(self, row: TeamRow) -> Grade:
        deadline = self._deadlines.get(row.team.classname)
        late = bool(deadline and row.finished_us and row.finished_us > deadline)
        seen = row.first_seen_us, row.finished_us, late, row.visits, row.problems
        return Grade(row.key, row.team, row.state, *seen, self.note(row.key), self._other_numbers(row))

    def _other_numbers(self, row: TeamRow) -> Sequence[str]:
        if row.team.classname not in self._rostered:
            return ()
        name = folded(row.team.classname)
        if name not in self._listed:
            self._listed[name] = Known(map(expected_key, self._book.roster(name)))
        return other_numbers(self._listed[name], row)

    def _missing(self, wanted: Wanted) -> Iterator[Grade]:
        """Those on the rosters of whom nothing has come."""
        if wanted.state not in (None, EXPECTED):
            return
        for classname in [*self._rostered] if wanted.classname is None else [wanted.classname]:
            for team in self._ledger(classname).missing:
                if _fits(team, wanted.search):
                    yield self._unseen(team, EXPECTED, expected_key(team))

    def _left(self, wanted: Wanted) -> Iterator[Grade]:
        """The notes on teams that are neither on record nor on a roster."""
        if wanted.state not in (None, NOTE_ONLY):
            return
        for classname in [*self._noted] if wanted.classname is None else [wanted.classname]:
            for key in self._ledger(classname).filed.left:
                team = _named(key)
                if _fits(team, wanted.search):
                    yield self._unseen(team, NOTE_ONLY, key)

    def _unseen(self, team: Team, state: str, key: TeamKey) -> Grade:
        return Grade(key, team, state, None, None, False, 0, (), self.note(key))

    def _ledger(self, classname: str) -> _ClassNotes:
        """Looks at the records only where the book has something to set against them."""
        name = folded(classname)
        if name not in self._ledgers:
            expected, notes = self._book.roster(name), self._book.notes(name)
            keys = [*map(expected_key, expected), *notes]
            spellings = self._spellings(classname) | {key.classname for key in keys}
            rows = alike(self._records, sorted(spellings), keys) if keys else []
            self._ledgers[name] = _ClassNotes(missing(expected, rows), notes, file_notes(notes, rows, expected))
        return self._ledgers[name]


def _named(key: TeamKey) -> Team:
    """The team that a key is of; which number came first it does not tell."""
    first, _, second = key.pair.partition("\n")
    return Team(key.classname, key.teamname, first, second)


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
