"""`tandem backup`"""

import argparse
from pathlib import Path

from tandem.commands.arguments import data_option, database_option
from tandem.ground import upkeep
from tandem.report.screen import complain, show


def add_options(command: argparse.ArgumentParser) -> None:
    data_option(command)
    database_option(command)
    command.add_argument("file", type=Path, metavar="FILE", help="the copy, a new file; to restore, copy it back")


def run(options: argparse.Namespace) -> int:
    if options.database:
        return complain("the backup of a database server is made with its own program: pg_dump", code=2)
    size = upkeep.backup(options.data, options.file)
    return show([f"{options.file}: {size:,} bytes; the key is not in it: keep {options.data / 'key'} apart\n"])
