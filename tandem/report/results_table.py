"""The table of `tandem results`: 80 columns wide, and what a stuck team has wrong on a line below its row.

The times are left out: JSON and CSV have them. Names from the network are shown by names.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from textwrap import wrap

from tandem.diagnosis.excerpt import width
from tandem.protocol.printable import encodable, printable
from tandem.records.queries import TeamRow
from tandem.report.names import NameShortener, visible_name

TABLE_COLUMNS = 80  # of a terminal
NAMES = ("class", "team", "students")  # columns of what the teams have sent
COLUMNS = (*NAMES, "state", "visits")
MIN_NAME_COLUMNS = 7  # of a column that is made narrower
WIDTH_SAMPLE_ROWS = 1000  # first rows of a table, which set the widths of its columns

_GAP = "  "
_INDENT = "    "


def as_table(teams: Iterable[TeamRow], encoding: str | None = None) -> Iterator[str]:
    """Yield the teams as a table for a terminal. The first WIDTH_SAMPLE_ROWS teams set the widths of the columns.

    `encoding` is that of the terminal (default: UTF-8): characters that it lacks are escapes, which are measured.
    """
    teams = iter(teams)
    first = list(islice(teams, WIDTH_SAMPLE_ROWS))
    widths = _widths([COLUMNS, *(_cells(team, encoding) for team in first)])
    shorteners = {name: NameShortener() for name in NAMES}
    yield _line(COLUMNS, widths)
    yield _line(["-" * size for size in widths], widths)
    for team in chain(first, teams):
        yield _line(_cut(_cells(team, encoding), widths, shorteners), widths)
        yield from _problem_lines(team)


def state_words(team: TeamRow) -> str:
    """Return the state of a team in words: "rejected, stuck"."""
    return f"{team.state}, stuck" if team.stuck else team.state


def _cells(team: TeamRow, encoding: str | None) -> list[str]:
    classname, teamname, *numbers = (encodable(visible_name(name), encoding) for name in team.team)
    return [classname, teamname, " ".join(filter(None, numbers)), team.state, str(team.visits)]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the widths of the columns. The widest columns of names are made narrower until the table fits."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    spare = TABLE_COLUMNS - len(_GAP) * (len(widths) - 1) - sum(widths)
    for _ in range(-spare):
        widest = max(range(len(NAMES)), key=widths.__getitem__)
        widths[widest] -= widths[widest] > MIN_NAME_COLUMNS
    return widths


def _cut(cells: Sequence[str], widths: Sequence[int], shorteners: Mapping[str, NameShortener]) -> list[str]:
    names = [shorteners[name].cut(cell, size) for name, cell, size in zip(NAMES, cells, widths, strict=False)]
    return [*names, *cells[len(NAMES) :]]


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell + " " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip() + "\n"


def _problem_lines(team: TeamRow) -> Iterator[str]:
    """Yield what was wrong with the latest refused visit, in lines below the row; nothing if nothing was."""
    if team.stuck or team.problems:
        what = f"{'stuck' if team.stuck else 'refused before'}: {printable(', '.join(team.problems)) or 'refused'}"
        for line in wrap(what, TABLE_COLUMNS - len(_INDENT), break_on_hyphens=False):
            yield f"{_INDENT}{line}\n"
