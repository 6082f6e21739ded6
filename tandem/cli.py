"""The commands: arguments, exit codes, wiring, nothing else. `client` has its own: tandem/client/__main__.py."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from tandem import __version__
from tandem.demo.demo import DemoTrouble, demo
from tandem.exchange.address import GROUND_PORT, parse_address
from tandem.exchange.framing import PLAIN, WAYS
from tandem.exchange.printable import printable
from tandem.ground import upkeep
from tandem.ground.desk import ERRORS, EXPLAIN
from tandem.ground.keyring import KeyTrouble, rotate
from tandem.ground.records import Records
from tandem.ground.serve import ServeOptions, ServeTrouble, serve
from tandem.ground.store import STATES, StoreTrouble
from tandem.report import check, results

DATA = Path("tandem-data")
MOST_TO_CHECK = 65_536  # bytes of a file that check reads; a message has at most 8,192


def main(arguments: list[str]) -> int:
    """Runs one command. Returns the exit code: 0 done, 1 it did not work, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        done: int = options.run(options)
        sys.stdout.flush()
    except (ServeTrouble, StoreTrouble, KeyTrouble, DemoTrouble) as trouble:
        return _complain(str(trouble))
    except BrokenPipeError:  # nobody reads on, as in `tandem results | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _complain("stopped by Ctrl-C")
    return done


def _serve(options: argparse.Namespace) -> int:
    serve(ServeOptions(options.listen, options.data, options.errors, options.on_wire))
    return 0


def _results(options: argparse.Namespace) -> int:
    records = Records(options.data)
    try:
        if options.visits is None:
            teams = records.teams(options.classname, options.state)
            return _print(_shown(results.team_rows(teams), results.COLUMNS, options.format))
        return _visits(records, options)
    finally:
        records.close()


def _visits(records: Records, options: argparse.Namespace) -> int:
    teams = list(records.teams_named(options.visits, options.classname))
    if not teams:
        return _complain(f"no team called {options.visits!r} has come: see the names with `tandem results`")
    if options.format == "table":
        for team in teams:
            _print(results.visits_story(team, records.visits(team.id)))
        return 0
    visits = (visit for team in teams for visit in records.visits(team.id))
    return _print(_shown(results.visit_rows(visits), results.VISIT_COLUMNS, options.format))


def _shown(rows: Iterator[results.Row], columns: tuple[str, ...], format: str) -> Iterator[str]:
    if format == "json":
        return results.as_json(rows)
    return results.as_csv(rows, columns) if format == "csv" else results.as_table(rows, columns)


def _check(options: argparse.Namespace) -> int:
    try:
        if options.file is None:
            data = sys.stdin.buffer.read(MOST_TO_CHECK)
        else:
            with options.file.open("rb") as file:
                data = file.read(MOST_TO_CHECK)
    except OSError as error:
        return _complain(f"{options.file} cannot be read: {error.strerror}; give a file with one message in it")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text, accepted = check.main_text(data, options.format, colour)
    _print([text])
    return 0 if accepted else 1


def _backup(options: argparse.Namespace) -> int:
    size = upkeep.backup(options.data, options.file)
    return _print([f"{options.file}: {size:,} bytes; the key is not in it: keep {options.data / 'key'} apart\n"])


def _forget(options: argparse.Namespace) -> int:
    if options.team is not None:
        forgotten = upkeep.forget_team(options.data, options.team, options.classname)
    else:
        forgotten = upkeep.forget_before(options.data, options.before)
    if not forgotten.teams and not forgotten.visits:
        return _complain("nothing was removed: nothing on record fits")
    _print(f"removed {printable(team)}\n" for team in forgotten.teams)
    return _print([f"removed {len(forgotten.teams)} teams and {forgotten.visits} visits, for good\n"])


def _rotate(options: argparse.Namespace) -> int:
    rotate(options.data, options.valid * 3600)
    return _print(
        [
            f"a new key is in {options.data / 'key'}; it counts from the ground's next start\n"
            f"secrets made before count for {options.valid:g} hours more\n"
        ]
    )


def _demo(options: argparse.Namespace) -> int:
    demo()
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tandem", description="A networking assignment as real software: clients, ground, results.")
    parser.add_argument("--version", action="version", version=f"tandem {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = _command(commands, "demo", _demo, "show the whole exchange on this machine, as it happens")

    _command(commands, "client", None, "be client 1 or client 2; `tandem client --help` has its options")

    command = _command(commands, "serve", _serve, "run a testing ground")
    command.add_argument(
        "--listen",
        type=_address,
        default=("", GROUND_PORT),
        metavar="HOST:PORT",
        help=f"where to listen (port {GROUND_PORT} on all addresses; port 0 takes a free one)",
    )
    _data_option(command)
    command.add_argument(
        "--errors",
        choices=ERRORS,
        default=EXPLAIN,
        help="what a wrong message gets: an explanation, a close without a word, or silence (explain)",
    )
    command.add_argument(
        "--on-wire", choices=WAYS, default=PLAIN, help="length: the welcome goes out behind its length (plain)"
    )

    command = _command(commands, "results", _results, "what a ground has recorded: one row a team")
    _data_option(command)
    command.add_argument("--format", choices=results.FORMATS, default="table", help="how to show it (table)")
    command.add_argument("--class", dest="classname", metavar="CLASS", help="only the teams of one class")
    command.add_argument("--state", choices=STATES, help="only the teams in one state")
    command.add_argument("--visits", metavar="TEAM", help="the visits of one team: what came, and what was wrong")

    command = _command(commands, "backup", _backup, "copy the database to a file, also while the ground runs")
    _data_option(command)
    command.add_argument("file", type=Path, metavar="FILE", help="the copy, a new file; to restore, copy it back")

    command = _command(commands, "forget", _forget, "remove personal data for good")
    _data_option(command)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--team", metavar="TEAM", help="the teams of this name, with all their visits")
    which.add_argument("--before", type=_moment, metavar="DATE", help="all that was last seen before YYYY-MM-DD, UTC")
    command.add_argument("--class", dest="classname", metavar="CLASS", help="with --team: only in this class")

    command = _command(commands, "key", None, "what secrets are made with")
    command = _command(command.add_subparsers(metavar="rotate", required=True), "rotate", _rotate, "make a new key")
    _data_option(command)
    command.add_argument(
        "--valid", type=_hours, default=168.0, metavar="HOURS", help="how long secrets made before still count (168)"
    )

    command = _command(commands, "check", _check, "what is wrong with a message; exit 0 if it would be accepted")
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the message (standard input)")
    command.add_argument("--format", choices=("text", "json"), default="text", help="how to show it (text)")
    return parser


def _command(commands: Any, name: str, run: Any, words: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=run)
    return command


def _data_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=Path, default=DATA, metavar="DIR", help=f"where the ground keeps what it knows (./{DATA})"
    )


def _address(text: str) -> tuple[str, int]:
    try:
        return parse_address(text, GROUND_PORT)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date as 2026-12-31") from None


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= 87_600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours from 0 to 87600")
    return hours


def _complain(words: str) -> int:
    """One line on standard error. Returns the exit code 1."""
    print(f"tandem: {printable(words)}", file=sys.stderr)
    return 1


def _print(pieces: Iterable[str]) -> int:
    """To standard output; a character that it cannot show becomes an escape. Returns the exit code 0."""
    encoding = sys.stdout.encoding or "utf-8"
    for piece in pieces:
        sys.stdout.write(piece.encode(encoding, "backslashreplace").decode(encoding))
    return 0
