"""Reads the rows of the gradebook: the records of each team, the roster, and the teacher's notes.

Up to MAX_SORTED rows are read and sorted as asked. Of more, one page is read at a time, in the order of the names. That
is the order of the records, so a million teams cost no more than a hundred.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from tandem.board.feed.class_counts import NO_COUNTS, TeamCounts
from tandem.board.gradebook.board_store import NO_NOTE, BoardStore, Note
from tandem.board.gradebook.recognition import (
    NoteAssignment,
    TeamMatcher,
    assign_notes,
    candidate_rows,
    differing_numbers,
    expected_key,
    missing_teams,
    renamed_teams,
)
from tandem.records.class_spellings import folded
from tandem.records.queries import Records, TeamKey, TeamRow
from tandem.records.readable_order import name_order, team_order
from tandem.records.sqlite.sqlite_store import STATES
from tandem.records.visits import Team
from tandem.report.results import MAX_SORTED as MAX_SORTED
from tandem.report.results import Row, in_order, timestamp

EXPECTED = "expected"
NOTE_ONLY = "note only"  # a note on a team that is not on record and not on a roster
ALL_STATES = (*STATES, EXPECTED, NOTE_ONLY)
PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Grade:
    """One row of the gradebook."""

    key: TeamKey
    team: Team
    state: str
    first_seen_us: int | None  # microseconds since 1970
    finished_us: int | None  # microseconds since 1970
    is_late: bool
    visits: int
    problems: tuple[str, ...]
    note: Note
    stuck: bool = False  # the latest visit was refused, and the team has not finished
    roster_numbers: Sequence[str] = ()  # the numbers on the roster, if the team has sent others
    roster_name: str = ""  # the name on the roster, if the team came under another one


SORTS: dict[str, Callable[[Grade], tuple[object, ...]]] = {
    "team": lambda grade: (*team_order(grade.team), grade.key),
    "state": lambda grade: (ALL_STATES.index(grade.state),),
    "first seen": lambda grade: (grade.first_seen_us is None, grade.first_seen_us),
    "finished": lambda grade: (grade.finished_us is None, grade.finished_us),
    "visits": lambda grade: (grade.visits,),
    "mark": lambda grade: (not grade.note.mark, name_order(grade.note.mark)),
    "oral": lambda grade: (not grade.note.oral,),
}


@dataclass(frozen=True, slots=True)
class GradeQuery:
    """The rows that the teacher asks for, and their order. None: all."""

    classname: str | None = None
    state: str | None = None
    search: str | None = None
    sort: str = "team"
    descending: bool = False
    page: int = 1
    after: TeamKey | None = None  # for more than MAX_SORTED rows: the page after this team
    before: TeamKey | None = None  # the page before this team


@dataclass(frozen=True, slots=True)
class _ClassNotes:
    """The roster and notes of one class, compared with the records."""

    missing_teams: list[Team]  # on the roster, and not on record
    rows: list[TeamRow]  # on record, as far as they were compared
    renamed: dict[TeamKey, Team]  # teams on record that came under another name -> their line on the roster
    notes: dict[TeamKey, Note]
    assignment: NoteAssignment


@dataclass(frozen=True, slots=True)
class GradePage:
    """One page of the gradebook."""

    grades: list[Grade]
    page: int
    pages: int | None  # None: there are more than MAX_SORTED rows
    total: int | None
    next_key: TeamKey | None = None  # for more than MAX_SORTED rows: the next page is after this team
    previous_key: TeamKey | None = None  # the previous page is before this team


class Gradebook:
    """The records and the board store together. Use it in one thread, while the records are open.

    Every method raises StoreError or BoardStoreError if its data cannot be read.
    """

    def __init__(self, records: Records, board_store: BoardStore, team_counts: TeamCounts = NO_COUNTS) -> None:
        self._records = records
        self._team_counts = team_counts
        self._board_store = board_store
        self._deadlines = board_store.deadlines()
        self._note_counts = board_store.note_counts()
        self._roster_sizes = board_store.roster_sizes()
        self._class_notes_of: dict[str, _ClassNotes] = {}  # by folded class name
        self._roster_matchers: dict[str, TeamMatcher] = {}  # by folded class name

    def page(self, grade_query: GradeQuery) -> GradePage:
        """Return the page that the query asks for."""
        grades = self._sortable_grades(grade_query)
        if grades is None:
            return self._unsorted_page(grade_query)
        grades.sort(key=SORTS["team"])
        grades.sort(key=SORTS[grade_query.sort], reverse=grade_query.descending)
        grades.sort(key=lambda grade: grade.state == NOTE_ONLY)
        pages = max(1, -(-len(grades) // PAGE_ROWS))
        page = min(grade_query.page, pages)
        return GradePage(grades[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], page, pages, len(grades))

    def grades(self, grade_query: GradeQuery) -> Iterator[Grade]:
        """Yield all rows: teams on record by name, then missing teams, then notes without a team."""
        yield from map(self._grade, in_order(self._rows(grade_query)))
        yield from map(self._grade, self._renamed(grade_query))
        yield from self._missing(grade_query)
        yield from self._orphan_notes(grade_query)

    def note(self, key: TeamKey) -> Note:
        """Return the note that is shown with a team."""
        if key.classname not in self._note_counts:
            return NO_NOTE
        return self._class_notes(key.classname).notes.get(self.source(key), NO_NOTE)

    def source(self, key: TeamKey) -> TeamKey:
        """Return the key of the note that is shown with a team."""
        return self._class_notes(key.classname).assignment.sources.get(key, key)

    def _sortable_grades(self, grade_query: GradeQuery) -> list[Grade] | None:
        """Return all rows; None if there are more than MAX_SORTED."""
        rows = list(self._rows(grade_query, limit=MAX_SORTED + 1))
        if len(rows) > MAX_SORTED:
            return None
        rows += self._renamed(grade_query)
        return [*map(self._grade, rows), *self._missing(grade_query), *self._orphan_notes(grade_query)]

    def _unsorted_page(self, grade_query: GradeQuery) -> GradePage:
        """Return a page of the teams on record. The other rows, which are few, are found by their state."""
        if grade_query.before:
            found = list(islice(self._rows_before(grade_query, grade_query.before), PAGE_ROWS + 1))
            rows, has_previous, has_next = found[:PAGE_ROWS][::-1], len(found) > PAGE_ROWS, True
        else:
            found = list(self._rows(grade_query, grade_query.after, PAGE_ROWS + 1))
            rows, has_previous, has_next = found[:PAGE_ROWS], grade_query.after is not None, len(found) > PAGE_ROWS
        next_key = rows[-1].key if rows and has_next else None
        previous_key = rows[0].key if rows and has_previous else None
        return GradePage([self._grade(row) for row in rows], 1, None, None, next_key, previous_key)

    def _rows(
        self, grade_query: GradeQuery, after: TeamKey | None = None, limit: int | None = None
    ) -> Iterator[TeamRow]:
        """Return the teams on record in their order, after a key, up to a limit."""
        if grade_query.state not in (None, *STATES):
            return iter(())
        spellings = [None] if grade_query.classname is None else sorted(self._spellings(grade_query.classname))
        found = (self._records.teams(each, grade_query.state, after, limit, grade_query.search) for each in spellings)
        return islice(chain.from_iterable(found), limit)

    def _rows_before(self, grade_query: GradeQuery, key: TeamKey) -> Iterator[TeamRow]:
        """Yield the teams on record before a key, the nearest first."""
        spellings = (
            [None] if grade_query.classname is None else sorted(self._spellings(grade_query.classname), reverse=True)
        )
        for each in spellings:
            yield from self._records.teams_before(key, PAGE_ROWS + 1, each, grade_query.state, grade_query.search)

    def _spellings(self, classname: str) -> set[str]:
        return {classname, *self._team_counts.spellings(classname)}

    def _grade(self, row: TeamRow) -> Grade:
        deadline_us = self._deadlines.get(row.team.classname)
        is_late = bool(deadline_us and row.finished_us and row.finished_us > deadline_us)
        return Grade(
            row.key,
            row.team,
            row.state,
            row.first_seen_us,
            row.finished_us,
            is_late,
            row.visits,
            row.problems,
            self.note(row.key),
            row.stuck,
            self._roster_numbers(row),
            self._roster_name(row),
        )

    def _roster_numbers(self, row: TeamRow) -> Sequence[str]:
        if row.team.classname not in self._roster_sizes:
            return ()
        name = folded(row.team.classname)
        if name not in self._roster_matchers:
            self._roster_matchers[name] = TeamMatcher(map(expected_key, self._board_store.roster(name)))
        return differing_numbers(self._roster_matchers[name], row)

    def _roster_name(self, row: TeamRow) -> str:
        if row.team.classname not in self._roster_sizes:
            return ""
        line = self._class_notes(row.team.classname).renamed.get(row.key)
        return line.teamname if line else ""

    def _renamed(self, grade_query: GradeQuery) -> Iterator[TeamRow]:
        """Yield the teams on record that a search finds only by the name or the numbers of their line on the roster."""
        if grade_query.search is None or grade_query.state not in (None, *STATES):
            return
        for classname in [*self._roster_sizes] if grade_query.classname is None else [grade_query.classname]:
            class_notes = self._class_notes(classname)
            for row in class_notes.rows:
                line = class_notes.renamed.get(row.key)
                is_found = line is not None and _matches(line, grade_query.search)
                if is_found and not _matches(row.team, grade_query.search) and grade_query.state in (None, row.state):
                    yield row

    def _missing(self, grade_query: GradeQuery) -> Iterator[Grade]:
        """Yield the teams on the rosters that are not on record."""
        if grade_query.state not in (None, EXPECTED):
            return
        for classname in [*self._roster_sizes] if grade_query.classname is None else [grade_query.classname]:
            for team in self._class_notes(classname).missing_teams:
                if _matches(team, grade_query.search):
                    yield self._grade_without_visits(team, EXPECTED, expected_key(team))

    def _orphan_notes(self, grade_query: GradeQuery) -> Iterator[Grade]:
        """Yield the notes on teams that are not on record and not on a roster."""
        if grade_query.state not in (None, NOTE_ONLY):
            return
        for classname in [*self._note_counts] if grade_query.classname is None else [grade_query.classname]:
            for key in self._class_notes(classname).assignment.unassigned:
                team = _team_of_key(key)
                if _matches(team, grade_query.search):
                    yield self._grade_without_visits(team, NOTE_ONLY, key)

    def _grade_without_visits(self, team: Team, state: str, key: TeamKey) -> Grade:
        return Grade(key, team, state, None, None, False, 0, (), self.note(key))

    def _class_notes(self, classname: str) -> _ClassNotes:
        """Compare a class with the records. They are read only if the class has a roster or notes."""
        name = folded(classname)
        if name not in self._class_notes_of:
            expected, notes = self._board_store.roster(name), self._board_store.notes(name)
            keys = [*map(expected_key, expected), *notes]
            spellings = self._spellings(classname) | {key.classname for key in keys}
            rows = candidate_rows(self._records, sorted(spellings), keys) if keys else []
            self._class_notes_of[name] = _ClassNotes(
                missing_teams(expected, rows),
                rows,
                renamed_teams(expected, rows),
                notes,
                assign_notes(notes, rows, expected),
            )
        return self._class_notes_of[name]


def _team_of_key(key: TeamKey) -> Team:
    """Return the team of a key. A key does not say which number was studentnr1."""
    first, _, second = key.pair.partition("\n")
    return Team(key.classname, key.teamname, first, second)


def _matches(team: Team, search: str | None) -> bool:
    """Return whether the team has this text in its name, or as a student number, as a search of the records does."""
    if search is None:
        return True
    return search.lower() in team.teamname.lower() or search in (team.studentnr1, team.studentnr2)


def as_row(grade: Grade) -> Row:
    """Return a row for the exports: the names and types of `tandem results`, and the teacher's data."""
    return {
        "classname": grade.team.classname,
        "teamname": grade.team.teamname,
        "roster_teamname": grade.roster_name,
        "studentnr1": grade.team.studentnr1,
        "studentnr2": grade.team.studentnr2,
        "state": grade.state,
        "stuck": grade.stuck,
        "first_seen": None if grade.first_seen_us is None else timestamp(grade.first_seen_us),
        "finished_at": None if grade.finished_us is None else timestamp(grade.finished_us),
        "late": "late" if grade.is_late else "",
        "visits": grade.visits,
        "problems": list(grade.problems),
        "oral": "done" if grade.note.oral else "",
        "mark": grade.note.mark,
        "note": grade.note.text,
    }
