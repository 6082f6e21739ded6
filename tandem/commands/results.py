"""`tandem results`"""

import argparse
from collections.abc import Iterator

from tandem.commands.arguments import DATABASE_VARIABLE, combine, data_option, database_option, text
from tandem.commands.combinations import Apart, Together
from tandem.protocol.errors import TandemError
from tandem.records.queries import Records, open_records
from tandem.records.sqlite.sqlite_store import STATES
from tandem.report import results
from tandem.report.screen import show

RULES = (
    Apart(("--data",), ("--database", DATABASE_VARIABLE), "what is on record is read from the database"),
    Apart(("--state",), ("--visits",), "the visits of a team are shown whatever its state is"),
    Together(("--class", "--visits"), "the visits of the team of this name in this class only"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    combine(command, *RULES)
    data_option(command)
    database_option(command)
    command.add_argument("--format", choices=results.FORMATS, default="table", help="how to show it (table)")
    command.add_argument("--class", dest="classname", type=text, metavar="CLASS", help="only the teams of one class")
    command.add_argument("--state", choices=STATES, help="only the teams in one state")
    command.add_argument(
        "--visits", type=text, metavar="TEAM", help="the visits of one team: what came, and what was wrong"
    )


def run(options: argparse.Namespace) -> int:
    records = open_records(options.database or options.data)
    try:
        if options.visits is None:
            teams = records.teams(options.classname, options.state)
            return show(_shown(results.team_rows(teams), results.COLUMNS, options.format))
        return _visits(records, options)
    finally:
        records.close()


def _visits(records: Records, options: argparse.Namespace) -> int:
    teams = list(records.teams_named(options.visits, options.classname))
    if not teams:
        raise TandemError(f"no team called {options.visits!r} has come", "`tandem results` for the names")
    if options.format == "table":
        for team in teams:
            show(results.visits_story(team, records.visits(team.key)))
        return 0
    visits = (visit for team in teams for visit in records.visits(team.key))
    return show(_shown(results.visit_rows(visits), results.VISIT_COLUMNS, options.format))


def _shown(rows: Iterator[results.Row], columns: tuple[str, ...], format: str) -> Iterator[str]:
    if format == "json":
        return results.as_json(rows)
    return results.as_csv(rows, columns) if format == "csv" else results.as_table(rows, columns)
