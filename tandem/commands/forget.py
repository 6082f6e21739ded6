"""`tandem forget`"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from tandem.board.gradebook.forget_board import ForgottenNotes, forget_notes
from tandem.commands.arguments import combine, data_option, database_option, reader, text
from tandem.commands.combinations import Apart, Needs, Together
from tandem.protocol.errors import TandemError, UsageError
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable
from tandem.records.forget import Forgotten, Selection, forgetting
from tandem.records.queries import TeamKey
from tandem.report.screen import show

RULES = (
    Needs("--yes", "--before", "it confirms a date in the future"),
    Apart(("--yes",), ("--dry-run",), "a dry run removes nothing, so there is nothing to confirm"),
    Together(("--class", "--team", "--studentnr", "--before"), "only what all of them name is removed"),
    Together(("--data", "--database"), "the records are in the database, what the board keeps is in the folder"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    combine(command, *RULES)
    data_option(command)
    database_option(command)
    command.add_argument("--class", dest="classname", type=text, metavar="CLASS", help="all teams of this class")
    command.add_argument("--team", type=text, metavar="TEAM", help="the teams of this name")
    command.add_argument("--studentnr", type=_student, metavar="NUMBER", help="the teams of this student")
    command.add_argument(
        "--before", type=_moment, metavar="DATE", help="teams and visits that were last seen before YYYY-MM-DD, UTC"
    )
    command.add_argument("--dry-run", action="store_true", help="list what would be removed, and remove nothing")
    command.add_argument("--yes", action="store_true", help="--before may be a day in the future: everything goes")


def run(options: argparse.Namespace) -> int:
    selection = Selection(options.classname, options.team, options.studentnr, options.before)
    if selection == Selection():
        raise UsageError("say what to forget", "--class, --team, --studentnr or --before, or several of them")
    _check_date(options)
    with forgetting(options.database or options.data, selection) as removal:
        forgotten = removal.forgotten
        notes = forget_notes(options.data, selection, forgotten, commit=not options.dry_run)
        if not options.dry_run:
            removal.commit()
    if not (forgotten.teams or forgotten.visits or notes.notes or notes.expected):
        raise TandemError("nothing was removed: nothing on record fits")
    return show(_report(forgotten, notes, options.dry_run))


def _check_date(options: argparse.Namespace) -> None:
    """Raise UsageError if --before and --yes do not go together."""
    is_future = options.before is not None and options.before > datetime.now(UTC)
    if is_future and not (options.yes or options.dry_run):
        raise UsageError(
            f"--before {options.before:%Y-%m-%d} is in the future: all that came until now would be removed",
            "--dry-run to see what that is, then --yes if it is meant",
        )
    if options.yes and not is_future:
        raise UsageError("--yes is for a day in the future", "leave it out")


def _report(forgotten: Forgotten, notes: ForgottenNotes, is_dry_run: bool) -> Iterator[str]:
    """What goes and what stays. The student numbers are shown only while they are still on record."""
    verb = "would remove" if is_dry_run else "removed"
    for row in forgotten.teams:
        numbers = f" ({row.team.studentnr1}, {row.team.studentnr2})" if is_dry_run else ""
        yield f"{verb} {_name(row.key)}{printable(numbers)}\n"
    for_good = "" if is_dry_run else ", for good"
    yield f"{verb} {_count(len(forgotten.teams), 'team')} and {_count(forgotten.visits, 'visit')}{for_good}\n"
    if notes.notes or notes.expected:
        what = f"{_count(notes.notes, 'note')} and {_count(notes.expected, 'line')} of rosters"
        yield f"{verb} from the board's own file: {what}\n"
    for key in forgotten.sharing:
        yield f"stays: {_name(key)} has a student number of a team that goes\n"
    for key in notes.mentions:
        yield f"stays: the board's note or roster line of {_name(key)} has a student number of a team that goes\n"
    if is_dry_run:
        yield "nothing has been removed: for that, leave --dry-run out\n"
    else:
        yield "backups, and files made with results, still have all of it: delete them, too\n"


def _name(key: TeamKey) -> str:
    return printable(f"{key.classname}/{key.teamname}")


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@reader
def _student(number: str) -> str:
    if number in NO_TEAMMATE:
        raise ValueError(f"{number!r} is the number of no student: teams of one have it")
    return text(number)


@reader
def _moment(date: str) -> datetime:
    try:
        return datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{date!r} is not a date as 2026-12-31") from None
