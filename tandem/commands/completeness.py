"""The notice of commands that read the records: what they lack of the commits that they had."""

import sqlite3

from tandem.net.line_writer import report
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.commit_mark import ResultsGoneError, find_missing
from tandem.records.sqlite.sqlite_store import FILE


def report_missing_results(where: DatabaseLocation, can_do_without: bool = False) -> None:
    """Print a line on standard error if the records in a data folder lack commits that they had.

    A database that cannot be read is left to the command, which says why.

    Args:
        where: a data folder or a URL.
        can_do_without: the command has something to do without any records.

    Raises:
        ResultsGoneError: nothing is left, and the command needs records.
    """
    if isinstance(where, str):
        return
    try:
        notice = find_missing(where / FILE)
    except (sqlite3.Error, OSError):
        return
    if isinstance(notice, ResultsGoneError) and not can_do_without:
        raise notice
    if notice:
        report(str(notice), "tandem")
