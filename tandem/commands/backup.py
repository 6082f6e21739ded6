"""`tandem backup`: its options and its output."""

import argparse
from pathlib import Path

from tandem.backup.backup import BackupSummary, make_backup
from tandem.board.gradebook.board_schema import BOARD_FILE
from tandem.commands.arguments import data_option, database_option, file_name, set_example
from tandem.commands.completeness import report_missing_results
from tandem.protocol.errors import UsageError
from tandem.protocol.printable import printable
from tandem.records.sqlite.data_file import RECORDS, Counts
from tandem.report.screen import echo_done

BACKUP_FILES = (RECORDS, BOARD_FILE)  # listed here, because backup/ may not import board/


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem backup --data tandem-data monday.backup")
    data_option(command)
    database_option(command, "a URL is refused, because pg_dump copies a database server; '' for the files in DIR")
    command.add_argument("file", type=file_name, metavar="FILE", help="name of a new file for the backup")


def run(options: argparse.Namespace) -> int:
    """Make a backup, and print what is in it."""
    if options.database:
        help = "pg_dump"
        if (options.data / BOARD_FILE.name).exists():
            help += f"; for {options.data / BOARD_FILE.name} repeat the command with --database ''"
        raise UsageError("the backup of a database server is made with its own program", help)
    report_missing_results(options.data, can_do_without=(options.data / BOARD_FILE.name).exists())
    made = make_backup(options.data, options.file, BACKUP_FILES)
    lines = [f"{options.file}: {made.size:,} bytes"]
    lines += [f"{stored.name}: {counts_text(stored.rows)}" for stored in made.manifest.files]
    lines += [f"{name} is not in {options.data}, so it is not in the backup" for name in made.missing]
    report = (f"{printable(line)}\n" for line in [*lines, _key_lines(options.data, made)])
    return echo_done(f"the backup {options.file} is complete", report)


def counts_text(rows: Counts) -> str:
    """Return counts as text: "3 teams, 7 visits"."""
    return ", ".join(f"{number:,} {what}" for what, number in rows.items())


def _key_lines(data: Path, made: BackupSummary) -> str:
    key = made.manifest.key
    if key:
        return f"the key is not in it: copy {key.kept_in} to a safe place yourself (fingerprint {key.fingerprint})"
    if made.key_error:
        return f"the key is not in it, and cannot be read: {made.key_error}"
    return f"the key is not in it, nor in {data}: if the server has it in TANDEM_KEY, keep a copy of that yourself"
