"""`tandem forget`: its options and its output."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from tandem.board.gradebook.forget_board import ForgottenNotes, forget_notes
from tandem.commands.arguments import (
    HOW_TO_WRITE_A_NAME,
    argument_type,
    data_option,
    database_option,
    set_example,
    set_rules,
    text,
)
from tandem.commands.combinations import Excludes, Interaction, Requires
from tandem.commands.completeness import report_missing_results
from tandem.commands.names import name_on_record
from tandem.protocol.errors import TandemError, UsageError
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable
from tandem.records.forget import Forgetting, Forgotten, Selection, forgetting
from tandem.records.queries import TeamKey
from tandem.records.readable_order import team_order
from tandem.records.sqlite.database_copy import saved_copies
from tandem.records.sqlite.sqlite_store import FILE
from tandem.report.names import visible_name
from tandem.report.results import timestamp
from tandem.report.screen import echo, echo_done

MAX_CONTENT = 40  # characters that are shown of a visit

RULES = (
    Requires("--yes", "--before", "it confirms a date in the future"),
    Excludes(("--yes",), ("--dry-run",), "a dry run removes nothing, so there is nothing to confirm"),
    Interaction(("--class", "--team", "--studentnr", "--before"), "only records that match all of them are removed"),
    Interaction(("--data", "--database"), "the records are in the database, the file of the board is in the folder"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem forget --class INF2A --dry-run", "tandem forget --before 2026-09-01 --yes")
    set_rules(command, *RULES)
    command.description = f"{command.description}, in the data folder or the database; backups made before keep it"
    data_option(command)
    database_option(command)
    command.add_argument(
        "--class",
        dest="classname",
        type=text,
        metavar="CLASS",
        help="the teams of this class, in any letter case (default: all classes)",
    )
    command.add_argument(
        "--team",
        type=text,
        metavar="TEAM",
        help=f"the teams of this name (default: all names); {HOW_TO_WRITE_A_NAME}",
    )
    command.add_argument(
        "--studentnr", type=_student, metavar="NUMBER", help="the teams of this student (default: all students)"
    )
    command.add_argument(
        "--before",
        type=_moment,
        metavar="DATE",
        help="teams and visits last seen before YYYY-MM-DD, UTC (default: all)",
    )
    command.add_argument("--dry-run", action="store_true", help="list what would be removed and remove nothing")
    command.add_argument(
        "--yes", action="store_true", help="allow a --before in the future, which selects every record"
    )


def run(options: argparse.Namespace) -> int:
    """Remove the selected records, or list them with --dry-run."""
    selection = Selection(options.classname, options.team, options.studentnr, options.before)
    if selection == Selection():
        raise UsageError("say what to forget", "--class, --team, --studentnr or --before, or several of them")
    _check_date(options)
    report_missing_results(options.database or options.data)
    forgotten, notes = _forget(options, selection)
    if not _is_any(forgotten, notes):
        teamname = name_on_record(options.database or options.data, options.classname, options.team)
        if teamname != options.team:
            forgotten, notes = _forget(options, replace(selection, teamname=teamname))
    if not _is_any(forgotten, notes):
        raise TandemError("nothing was removed: no record matches")
    copies = [] if options.database or options.dry_run else saved_copies(options.data / FILE)
    report = chain(_report(forgotten, notes, options.dry_run), map(_copy_line, copies))
    return echo(report) if options.dry_run else echo_done(f"{_totals(forgotten)} were removed for good", report)


def _commit(removal: Forgetting) -> None:
    """Commit, which takes long because the file is rewritten.

    Raises:
        KeyboardInterrupt: Ctrl-C, with a text.
    """
    try:
        removal.commit()
    except KeyboardInterrupt:
        done = TandemError("records may be removed already, and traces of them stay on disk", "the same command again")
        raise KeyboardInterrupt(str(done)) from None


def _forget(options: argparse.Namespace, selection: Selection) -> tuple[Forgotten, ForgottenNotes]:
    """Remove what is selected, or only find it with --dry-run."""
    with forgetting(options.database or options.data, selection) as removal:
        notes = forget_notes(options.data, selection, removal.forgotten, commit=not options.dry_run)
        if not options.dry_run:
            _commit(removal)
        return removal.forgotten, notes


def _is_any(forgotten: Forgotten, notes: ForgottenNotes) -> bool:
    return bool(forgotten.teams or forgotten.visits or forgotten.ips or notes.notes or notes.expected)


def _check_date(options: argparse.Namespace) -> None:
    """Raise UsageError if --before and --yes cannot be used together."""
    is_future = options.before is not None and options.before > datetime.now(UTC)
    if is_future and not (options.yes or options.dry_run):
        raise UsageError(
            f"--before {options.before:%Y-%m-%d} is in the future, so it selects every record",
            "--dry-run to see what would be removed, then --yes to remove it",
        )
    if options.yes and not is_future:
        raise UsageError("--yes is for a day in the future", "leave it out")


def _report(forgotten: Forgotten, notes: ForgottenNotes, is_dry_run: bool) -> Iterator[str]:
    """Yield the lines of the output. Student numbers are shown only while they are still recorded."""
    verb = "would remove" if is_dry_run else "removed"
    for row in sorted(forgotten.teams, key=lambda each: team_order(each.team)):
        numbers = f" ({visible_name(row.team.studentnr1)}, {visible_name(row.team.studentnr2)})" if is_dry_run else ""
        yield f"{verb} {_name(row.key)}{numbers}\n"
    for_good = "" if is_dry_run else ", for good"
    yield f"{verb} {_totals(forgotten)}{for_good}\n"
    if is_dry_run:
        yield from _visit_lines(forgotten)
    if notes.notes or notes.expected:
        what = f"{_count(notes.notes, 'note')} and {_count(notes.expected, 'line')} of rosters"
        yield f"{verb} from the file of the board: {what}\n"
    if forgotten.ips:
        yield f"{verb} the ip of {_count(forgotten.ips, 'other team')}: it has a student number in it\n"
    for key in forgotten.sharing:
        yield f"stays: {_name(key)} has a student number of a removed team\n"
    for key in notes.mentions:
        yield f"stays: the note or roster line of {_name(key)} on the board has a student number of a removed team\n"
    if is_dry_run:
        yield "nothing was removed: leave --dry-run out to remove it\n"
    else:
        yield "backups made before, and files made with tandem results, still contain all of it: delete them, too\n"


def _visit_lines(forgotten: Forgotten) -> Iterator[str]:
    """Yield a line for each of the first visits. The others are counted."""
    for visit in forgotten.listed:
        line = f"  {timestamp(visit.started_us)}  {visit.outcome}  from {visit.address} port {visit.port}, "
        if visit.has_team:
            yield f"{line}{_name(TeamKey(visit.classname, visit.teamname, ''))}\n"
        else:
            yield f"{line}no team: {_content(visit.received)}\n"
    others = forgotten.visits - len(forgotten.listed)
    if others:
        yield f"  and {_count(others, 'other visit')}\n"


def _content(received: bytes) -> str:
    """Return the beginning of what came, with # for each digit: it may have the number of any student in it."""
    text = received.decode(errors="backslashreplace")
    shown = "".join("#" if character.isdigit() else character for character in text[:MAX_CONTENT])
    return printable(shown) + ("..." if len(text) > MAX_CONTENT else "")


def _totals(forgotten: Forgotten) -> str:
    return f"{_count(len(forgotten.teams), 'team')} and {_count(forgotten.visits, 'visit')}"


def _copy_line(copy: Path) -> str:
    return f"{printable(str(copy))}, which a server saved, still contains all of it: delete it, too\n"


def _name(key: TeamKey) -> str:
    return f"{visible_name(key.classname)}/{visible_name(key.teamname)}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@argument_type
def _student(number: str) -> str:
    found = text(number)
    if found in NO_TEAMMATE:
        raise ValueError(f"{found!r} is not the number of a student: teams of one have it")
    return found


@argument_type
def _moment(date: str) -> datetime:
    try:
        date.encode("ascii")  # strptime also reads the digits of other scripts
        return datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{date!r} is not a date as 2026-12-31") from None
