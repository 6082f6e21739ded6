"""`tandem forget`"""

import argparse
from datetime import UTC, datetime

from tandem.commands.arguments import data_option, database_option, reader
from tandem.exchange.printable import printable
from tandem.ground import upkeep
from tandem.report.screen import complain, show


def add_options(command: argparse.ArgumentParser) -> None:
    data_option(command)
    database_option(command)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--team", metavar="TEAM", help="the teams of this name, with all their visits")
    which.add_argument("--before", type=_moment, metavar="DATE", help="all that was last seen before YYYY-MM-DD, UTC")
    command.add_argument("--class", dest="classname", metavar="CLASS", help="with --team: only in this class")


def run(options: argparse.Namespace) -> int:
    where = options.database or options.data
    if options.team is not None:
        forgotten = upkeep.forget_team(where, options.team, options.classname)
    else:
        forgotten = upkeep.forget_before(where, options.before)
    if not forgotten.teams and not forgotten.visits:
        return complain("nothing was removed: nothing on record fits")
    show(f"removed {printable(team)}\n" for team in forgotten.teams)
    return show([f"removed {len(forgotten.teams)} teams and {forgotten.visits} visits, for good\n"])


@reader
def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{text!r} is not a date as 2026-12-31") from None
