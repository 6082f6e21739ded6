"""`tandem results`: its options and its output."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import chain

from tandem.commands.arguments import (
    DATABASE_VARIABLE,
    HOW_TO_WRITE_A_NAME,
    data_option,
    database_option,
    set_example,
    set_rules,
    text,
)
from tandem.commands.combinations import Excludes, Interaction
from tandem.commands.completeness import report_missing_results
from tandem.commands.names import find_class, find_teams
from tandem.records.queries import Records, TeamRow, VisitRow, open_records
from tandem.records.sqlite.sqlite_store import STATES
from tandem.records.visits import Team
from tandem.report import results, results_table
from tandem.report.screen import echo, use_utf8

NO_TEAM_HEADING = "visits without a team: no class or no team name could be read\n"

RULES = (
    Excludes(("--data",), ("--database", DATABASE_VARIABLE), "the records are read from the database"),
    Excludes(("--state",), ("--visits",), "the visits of a team are shown in every state"),
    Excludes(("--visits-without-team",), ("--visits", "--class", "--state"), "they belong to no team and no class"),
    Interaction(("--class", "--visits"), "the visits of the team of this name in this class only"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem results --class INF2A --format csv > INF2A.csv")
    set_rules(command, *RULES)
    command.description = (
        f"{command.description}, sorted by class and team (more than {results.MAX_SORTED:,} of them: by code points)."
        " A refused visit is written after its reply: for some seconds the results may lack the latest ones"
    )
    data_option(command)
    database_option(command)
    command.add_argument(
        "--format",
        choices=results.FORMATS,
        default="table",
        help="format of the output (default: table, 80 columns wide and without the times);"
        " CSV is UTF-8 with a byte order mark",
    )
    command.add_argument(
        "--class",
        dest="classname",
        type=text,
        metavar="CLASS",
        help="only the teams of this class, in any letter case (default: all)",
    )
    command.add_argument("--state", choices=STATES, help="only the teams in this state (default: all)")
    command.add_argument(
        "--visits",
        type=text,
        metavar="TEAM",
        help=f"the visits of one team: what came and what was wrong (default: all teams); {HOW_TO_WRITE_A_NAME}",
    )
    command.add_argument(
        "--visits-without-team",
        action="store_true",
        help="the visits whose message had no class or team name that could be read",
    )


def run(options: argparse.Namespace) -> int:
    """Print the teams, or the visits of some teams or of none."""
    report_missing_results(options.database or options.data)
    records = open_records(options.database or options.data)
    if options.format == "csv":
        use_utf8()
    try:
        if options.visits_without_team:
            return _show_visits([(NO_TEAM_HEADING, results.NO_TEAM, records.visits_without_team())], options.format)
        if options.visits is not None:
            teams = find_teams(records, options.visits, options.classname)
            sections = [(results.team_heading(team), team.team, records.visits(team.key)) for team in teams]
            return _show_visits(sections, options.format)
        return _show_teams(_teams(records, options), options.format)
    finally:
        records.close()


def _teams(records: Records, options: argparse.Namespace) -> Iterator[TeamRow]:
    if options.classname is None:
        return results.in_order(records.teams(state=options.state))
    classes = find_class(records, options.classname)
    return results.in_order(chain.from_iterable(records.teams(each, options.state) for each in classes))


def _show_teams(teams: Iterator[TeamRow], format: str) -> int:
    if format == "table":
        return echo(results_table.as_table(teams, sys.stdout.encoding))
    return echo(_shown(results.team_rows(teams), results.COLUMNS, format))


def _show_visits(sections: Sequence[tuple[str, Team, Iterator[VisitRow]]], format: str) -> int:
    """Print the visits of each section: its heading, its team, and its visits."""
    if format == "table":
        encoding = sys.stdout.encoding
        reports = (results.visits_report(heading, visits, encoding) for heading, _, visits in sections)
        return echo(chain.from_iterable(reports))
    rows = chain.from_iterable(results.visit_rows(team, visits) for _, team, visits in sections)
    return echo(_shown(rows, results.VISIT_COLUMNS, format))


def _shown(rows: Iterator[results.Row], columns: tuple[str, ...], format: str) -> Iterator[str]:
    return results.as_json(rows) if format == "json" else results.as_csv(rows, columns)
