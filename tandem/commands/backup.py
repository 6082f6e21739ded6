"""`tandem backup`"""

import argparse
from pathlib import Path

from tandem.backup.backup import Made, make_backup
from tandem.board.gradebook.board_schema import BOARD_FILE
from tandem.commands.arguments import data_option, database_option
from tandem.protocol.errors import UsageError
from tandem.protocol.printable import printable
from tandem.records.sqlite.data_file import RECORDS, Counts
from tandem.report.screen import show

KINDS = (RECORDS, BOARD_FILE)


def add_options(command: argparse.ArgumentParser) -> None:
    data_option(command)
    database_option(command)
    command.add_argument("file", type=Path, metavar="FILE", help="the backup, a new file; `tandem restore` reads it")


def run(options: argparse.Namespace) -> int:
    if options.database:
        help = "pg_dump"
        if (options.data / BOARD_FILE.name).exists():
            help += f"; for {options.data / BOARD_FILE.name} repeat the command with --database ''"
        raise UsageError("the backup of a database server is made with its own program", help)
    made = make_backup(options.data, options.file, KINDS)
    lines = [f"{options.file}: {made.size:,} bytes"]
    lines += [f"{stored.name}: {say_counts(stored.rows)}" for stored in made.manifest.files]
    lines += [f"{name} is not in {options.data}, so it is not in the backup" for name in made.missing]
    return show(f"{printable(line)}\n" for line in [*lines, _say_key(options.data, made)])


def say_counts(rows: Counts) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in rows.items())


def _say_key(data: Path, made: Made) -> str:
    key = made.manifest.key
    if key:
        return f"the key is not in it: copy {key.kept_in} to a safe place yourself (fingerprint {key.fingerprint})"
    if made.key_error:
        return f"the key is not in it, and cannot be read: {made.key_error}"
    return f"the key is not in it, nor in {data}: if the server has it in TANDEM_KEY, keep a copy of that yourself"
