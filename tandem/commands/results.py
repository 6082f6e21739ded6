"""`tandem results`: its options and its output."""

import argparse
from collections.abc import Iterator

from tandem.commands.arguments import DATABASE_VARIABLE, data_option, database_option, set_rules, text
from tandem.commands.combinations import Excludes, Interaction
from tandem.protocol.errors import TandemError
from tandem.records.queries import Records, open_records
from tandem.records.sqlite.sqlite_store import STATES
from tandem.report import results
from tandem.report.screen import echo

RULES = (
    Excludes(("--data",), ("--database", DATABASE_VARIABLE), "the records are read from the database"),
    Excludes(("--state",), ("--visits",), "the visits of a team are shown in every state"),
    Interaction(("--class", "--visits"), "the visits of the team of this name in this class only"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_rules(command, *RULES)
    data_option(command)
    database_option(command)
    command.add_argument(
        "--format", choices=results.FORMATS, default="table", help="format of the output (default: table)"
    )
    command.add_argument(
        "--class", dest="classname", type=text, metavar="CLASS", help="only the teams of this class (default: all)"
    )
    command.add_argument("--state", choices=STATES, help="only the teams in this state (default: all)")
    command.add_argument(
        "--visits",
        type=text,
        metavar="TEAM",
        help="the visits of one team: what came and what was wrong (default: all teams)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the teams, or the visits of one team."""
    records = open_records(options.database or options.data)
    try:
        if options.visits is None:
            teams = records.teams(options.classname, options.state)
            return echo(_shown(results.team_rows(teams), results.COLUMNS, options.format))
        return _visits(records, options)
    finally:
        records.close()


def _visits(records: Records, options: argparse.Namespace) -> int:
    teams = list(records.teams_named(options.visits, options.classname))
    if not teams:
        raise TandemError(f"no team called {options.visits!r} has come", "`python3 -m tandem results` for the names")
    if options.format == "table":
        for team in teams:
            echo(results.visits_report(team, records.visits(team.key)))
        return 0
    visits = (visit for team in teams for visit in records.visits(team.key))
    return echo(_shown(results.visit_rows(visits), results.VISIT_COLUMNS, options.format))


def _shown(rows: Iterator[results.Row], columns: tuple[str, ...], format: str) -> Iterator[str]:
    if format == "json":
        return results.as_json(rows)
    return results.as_csv(rows, columns) if format == "csv" else results.as_table(rows, columns)
