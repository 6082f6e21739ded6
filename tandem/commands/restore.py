"""`tandem restore`: its options and its output."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from tandem.backup.restore import KeyReport, RestoreSummary, restore
from tandem.commands.arguments import data_option, database_option, file_name, set_example
from tandem.commands.backup import BACKUP_FILES, counts_text
from tandem.protocol.errors import UsageError
from tandem.protocol.printable import printable
from tandem.report.screen import echo_done


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem restore --data tandem-data monday.backup")
    data_option(command)
    database_option(command, "a URL is refused, because pg_restore restores a database server; '' for the files in DIR")
    command.add_argument(
        "--replace", action="store_true", help="replace existing files, and keep them in DIR/before-restore-DATE"
    )
    command.add_argument("file", type=file_name, metavar="FILE", help="backup of any version of tandem")


def run(options: argparse.Namespace) -> int:
    """Restore a backup, and print what was restored."""
    if options.database:
        raise UsageError("a database server is restored with its own program", "pg_restore")
    restored = restore(options.file, options.data, BACKUP_FILES, options.replace)
    report = (f"{printable(line)}\n" for line in _restore_lines(options.data, restored))
    return echo_done(f"the backup was restored into {options.data}", report)


def _restore_lines(data: Path, restored: RestoreSummary) -> Iterator[str]:
    of = f", as it was at {restored.made_at}" if restored.made_at else ""
    yield f"restored into {data}{of}"
    for name, rows in restored.rows.items():
        yield f"{name}: {counts_text(rows)}"
    for name in restored.kept:
        yield f"{name} is not in the backup: the one in {data} stays as it is"
    if restored.previous_files:
        yield f"the files that were there before are in {restored.previous_files}"
    if not restored.locked:
        yield f"{data} is on a file system without locks: make sure that no server or board was using it"
    if restored.key:
        yield from _key_lines(restored.key)


def _key_lines(key: KeyReport) -> Iterator[str]:
    right = f" (fingerprint {key.wanted.fingerprint})" if key.wanted else ""
    if key.error:
        yield f"the key cannot be used: {key.error}"
    elif not key.found:
        yield (
            f"there is no key: copy the one of the backup{right} to {key.place}, mode 0600, before the server starts;"
            " if it is lost, tandem key rotate makes a new one"
        )
    elif key.fits:
        yield f"{key.place} is the key of the backup{right}"
    elif key.wanted:
        yield f"{key.place} is not the key of the backup{right}: put that one there before the server starts"
    elif not key.invalidated:
        yield f"{key.place} accepts the secret of every team that waits for message 2"
    if key.invalidated:
        more = f" and {key.invalidated - len(key.named):,} more" if key.invalidated > len(key.named) else ""
        other = "with this key" if key.found else "with another key"
        yield (
            f"{other} the secrets of {key.invalidated:,} teams that wait for message 2 are not valid,"
            f" and their client 1 has to run again: {', '.join(key.named)}{more}"
        )
