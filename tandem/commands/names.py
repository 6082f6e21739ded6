"""Finds the classes and teams that are named on a command line. For a name not on record, it says which there are.

A class is found in any letter case, a team by its name as written.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from difflib import get_close_matches
from itertools import islice

from tandem.protocol.errors import TandemError
from tandem.records.class_spellings import spellings
from tandem.records.queries import Records, TeamRow, open_records
from tandem.records.rows import DatabaseLocation
from tandem.report.names import NameShortener, visible_name

MAX_LISTED = 10  # names in an error
MAX_NAME_COLUMNS = 60  # of each
MAX_COMPARED = 5_000  # teams among which the one that was meant is looked for


def find_class(records: Records, classname: str) -> list[str]:
    """Return the spellings on record of a class.

    Raises:
        TandemError: No team of this class is on record; it says which classes there are.
        StoreError: The records cannot be read.
    """
    names = records.class_names()
    found = spellings(classname, names)
    if not found:
        raise _unknown("class", classname, names)
    return found


def find_teams(records: Records, teamname: str, classname: str | None) -> list[TeamRow]:
    """Return the teams of this name, in one class or in all classes.

    Raises:
        TandemError: The class, or a team of this name in it, is not on record; it says which there are.
        StoreError: The records cannot be read.
    """
    classes: Sequence[str | None] = [None] if classname is None else find_class(records, classname)
    teams = [team for each in classes for team in records.teams_named(teamname, each)]
    if not teams:
        on_record = (team.team.teamname for each in classes for team in records.teams(each, limit=MAX_COMPARED))
        raise _unknown("team", teamname, list(dict.fromkeys(islice(on_record, MAX_COMPARED))))
    return teams


def explain_nothing_found(where: DatabaseLocation, classname: str | None, teamname: str | None) -> None:
    """Raise the error for a class or team that is not on record; do nothing if they are.

    Raises:
        TandemError: It says which classes, or which teams, there are.
        StoreError: The records cannot be read.
    """
    with closing(open_records(where)) as records:
        if teamname is not None:
            find_teams(records, teamname, classname)
        elif classname is not None:
            find_class(records, classname)


def _unknown(what: str, name: str, known: Sequence[str]) -> TandemError:
    """Return the error for a name that is not on record. The help is the name that was probably meant."""
    shown = f"there is no {what} {_quoted(name)} on record"
    if not known:
        return TandemError(f"{shown}: there is no team on record yet")
    meant = _meant(name, known)
    plural = "classes" if what == "class" else "teams"
    return TandemError(
        f"{shown}; there {'is' if len(known) == 1 else 'are'} {_listed(known)}",
        _quoted(meant) if meant else f"one of these {plural}",
    )


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a name, in any letter case; "" if none is like it."""
    by_letters = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), by_letters, 1)
    return by_letters[found[0]] if found else ""


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many others there are."""
    listed = ", ".join(map(_quoted, names[:MAX_LISTED]))
    others = len(names) - MAX_LISTED
    return f"{listed} and {others:,} other{'' if others == 1 else 's'}" if others > 0 else listed


def _quoted(name: str) -> str:
    return f"'{NameShortener().cut(visible_name(name), MAX_NAME_COLUMNS)}'"
