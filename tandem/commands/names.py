"""Finds the classes and teams that are named on a command line. For a name not on record, it says which there are.

A class is found in any letter case. A team is found by its name as written; if there is none, in any letter case, where
that is one name only.
"""

import re
from collections.abc import Sequence
from contextlib import closing
from difflib import SequenceMatcher, get_close_matches

from tandem.protocol.errors import TandemError
from tandem.records.class_spellings import distinct_classes, folded, spellings
from tandem.records.queries import Records, TeamRow, open_records
from tandem.records.readable_order import name_order
from tandem.records.rows import DatabaseLocation
from tandem.report.names import NameShortener, visible_name

MAX_LISTED = 10  # names in an error
MAX_NAME_COLUMNS = 60  # of each
MAX_COMPARED = 5_000  # names among which the one that was meant is looked for
MIN_LIKENESS = 0.75  # of that name, as SequenceMatcher.ratio() counts: one wrong letter of four

_DIGITS = re.compile(r"\d")


def find_class(records: Records, classname: str) -> list[str]:
    """Return the spellings on record of a class.

    Raises:
        TandemError: No team of this class is on record; it says which classes there are.
        StoreError: The records cannot be read.
    """
    names = records.class_names()
    found = spellings(classname, names)
    if not found:
        raise _unknown("class", classname, distinct_classes(names))
    return found


def find_teams(records: Records, teamname: str, classname: str | None) -> list[TeamRow]:
    """Return the teams of this name, in one class or in all classes.

    Raises:
        TandemError: The class, or a team of this name in it, is not on record, or several names differ from this one in
            letter case; it says which there are.
        StoreError: The records cannot be read.
    """
    classes: Sequence[str | None] = [None] if classname is None else find_class(records, classname)
    teams = [team for each in classes for team in records.teams_named(teamname, each)]
    if teams:
        return teams
    spelling = _one_spelling(records, teamname, classname)
    return [team for each in classes for team in records.teams_named(spelling, each)]


def name_on_record(where: DatabaseLocation, classname: str | None, teamname: str | None) -> str | None:
    """Return the name of a team as it is on record; None if no team is given.

    Raises:
        TandemError: The class or the team is not on record; it says which there are.
        StoreError: The records cannot be read.
    """
    with closing(open_records(where)) as records:
        if teamname is not None:
            return find_teams(records, teamname, classname)[0].team.teamname
        if classname is not None:
            find_class(records, classname)
        return None


def _one_spelling(records: Records, teamname: str, classname: str | None) -> str:
    """Return the only name on record that differs from this one in letter case, or raise the error about it."""
    classes = records.class_names() if classname is None else find_class(records, classname)
    names = list(dict.fromkeys(name for each in classes for name in records.team_names(each)))
    found = spellings(teamname, names)
    if len(found) != 1:
        raise _unknown("team", teamname, found or names)
    return found[0]


def _unknown(what: str, name: str, known: Sequence[str]) -> TandemError:
    """Return the error for a name that is not on record. The help is the name that was probably meant."""
    shown = f"there is no {what} {_quoted(name)} on record"
    if not known:
        return TandemError(f"{shown}: there is no team on record yet")
    near = _near(name, known)
    all_of_them = "tandem results, which shows all of them" if len(known) > MAX_LISTED else ""
    return TandemError(
        f"{shown}; there {'is' if len(known) == 1 else 'are'} {_listed(known)}",
        _quoted(near) if near else all_of_them,
    )


def _near(name: str, known: Sequence[str]) -> str:
    """Return the known name that is like a name in any letter case; "" if none is, or two are equally like it.

    A name that differs in digits alone is that of another team, not a typing error.
    """
    wanted, letters = folded(name), _letters(name)
    compared = [each for each in known[:MAX_COMPARED] if _letters(each) != letters]
    found = get_close_matches(wanted, map(folded, compared), 2, MIN_LIKENESS)
    likeness = [SequenceMatcher(None, each, wanted).ratio() for each in found]
    return spellings(found[0], compared)[0] if len(set(likeness)) == len(found) > 0 else ""


def _letters(name: str) -> str:
    return _DIGITS.sub("", folded(name))


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many others there are."""
    listed = ", ".join(map(_quoted, sorted(names[:MAX_COMPARED], key=name_order)[:MAX_LISTED]))
    others = len(names) - MAX_LISTED
    return f"{listed} and {others:,} other{'' if others == 1 else 's'}" if others > 0 else listed


def _quoted(name: str) -> str:
    return f"'{NameShortener().cut(visible_name(name), MAX_NAME_COLUMNS)}'"
