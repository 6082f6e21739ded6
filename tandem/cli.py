"""The commands: arguments, exit codes, wiring, nothing else. `client` has its own: tandem/client/__main__.py."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from tandem import __version__
from tandem.bench import pace
from tandem.exchange.address import GROUND_PORT, parse_address
from tandem.exchange.framing import PLAIN, WAYS
from tandem.exchange.printable import printable
from tandem.ground.database import parse_database
from tandem.ground.options import ERRORS, EXPLAIN, MOST_WORKERS, ServeOptions
from tandem.ground.proxy import Networks, parse_networks
from tandem.ground.records import Records, open_records
from tandem.ground.store import STATES, StoreTrouble
from tandem.report import results

DATA = Path("tandem-data")
BOARD_PORT = 8080
MOST_TO_CHECK = 65_536  # bytes of a file that check reads; a message has at most 8,192


def main(arguments: list[str]) -> int:
    """Runs one command. Returns the exit code: 0 done, 1 it did not work, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        done: int = options.run(options)
        sys.stdout.flush()
    except StoreTrouble as trouble:
        return _complain(str(trouble))
    except BrokenPipeError:  # nobody reads on, as in `tandem results | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _complain("stopped by Ctrl-C")
    return done


# A command imports its own parts when it runs: `results` need not wait for what makes a ground.


def _serve(options: argparse.Namespace) -> int:
    from tandem.board.beside import MISSING, board_beside, is_installed
    from tandem.ground.serve import ServeTrouble, serve

    told = ServeOptions(
        listen=options.listen,
        data=options.data,
        database=options.database,
        errors=options.errors,
        on_wire=options.on_wire,
        balancers=options.proxy_from,
        workers=options.workers,
    )
    if options.board and not is_installed():
        return _complain(MISSING, code=2)
    try:
        with board_beside(options.board, options.data, options.database) if options.board else nullcontext():
            serve(told)
    except ServeTrouble as trouble:
        return _complain(str(trouble))
    return 0


def _board(options: argparse.Namespace) -> int:
    from tandem.board.beside import MISSING, is_installed

    if not is_installed():
        return _complain(MISSING, code=2)
    from tandem.board.serve import BoardOptions, BoardTrouble, serve_board

    where = options.database or options.data
    try:
        serve_board(BoardOptions(options.listen, where, options.data, options.behind, options.until_input_ends))
    except BoardTrouble as trouble:
        return _complain(str(trouble))
    return 0


def _board_token(options: argparse.Namespace) -> int:
    from tandem.board.book import BookTrouble, renew_token

    try:
        token = renew_token(options.data)
    except BookTrouble as trouble:
        return _complain(str(trouble))
    return _print([f"the teacher's token, shown this once: {token}\n"])


def _results(options: argparse.Namespace) -> int:
    records = open_records(options.database or options.data)
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
            _print(results.visits_story(team, records.visits(team.key)))
        return 0
    visits = (visit for team in teams for visit in records.visits(team.key))
    return _print(_shown(results.visit_rows(visits), results.VISIT_COLUMNS, options.format))


def _shown(rows: Iterator[results.Row], columns: tuple[str, ...], format: str) -> Iterator[str]:
    if format == "json":
        return results.as_json(rows)
    return results.as_csv(rows, columns) if format == "csv" else results.as_table(rows, columns)


def _check(options: argparse.Namespace) -> int:
    from tandem.report import check

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
    if options.database:
        return _complain("the backup of a database server is made with its own program: pg_dump", code=2)
    from tandem.ground import upkeep

    size = upkeep.backup(options.data, options.file)
    return _print([f"{options.file}: {size:,} bytes; the key is not in it: keep {options.data / 'key'} apart\n"])


def _forget(options: argparse.Namespace) -> int:
    from tandem.ground import upkeep

    where = options.database or options.data
    if options.team is not None:
        forgotten = upkeep.forget_team(where, options.team, options.classname)
    else:
        forgotten = upkeep.forget_before(where, options.before)
    if not forgotten.teams and not forgotten.visits:
        return _complain("nothing was removed: nothing on record fits")
    _print(f"removed {printable(team)}\n" for team in forgotten.teams)
    return _print([f"removed {len(forgotten.teams)} teams and {forgotten.visits} visits, for good\n"])


def _rotate(options: argparse.Namespace) -> int:
    from tandem.ground.keyring import KeyTrouble, rotate

    try:
        rotate(options.data, options.valid * 3600)
    except KeyTrouble as trouble:
        return _complain(str(trouble))
    return _print(
        [
            f"a new key is in {options.data / 'key'}; it counts from the ground's next start\n"
            f"secrets made before count for {options.valid:g} hours more\n"
        ]
    )


def _demo(options: argparse.Namespace) -> int:
    from tandem.demo.demo import DemoTrouble, demo

    try:
        demo()
    except DemoTrouble as trouble:
        return _complain(str(trouble))
    return 0


def _bench(options: argparse.Namespace) -> int:
    from tandem.bench import bench, summary

    seconds = pace.SECONDS if options.seconds is None and options.count is None else options.seconds
    asked = bench.BenchOptions(
        server=options.server,
        pace=pace.Pace(options.concurrency, options.count, seconds, options.rate, options.ramp),
        timeout=options.timeout,
        pids=tuple(options.pid),
        seed=options.seed,
        output=options.output,
        picture=options.picture,
    )
    try:
        run = bench.bench(asked)
    except bench.BenchTrouble as trouble:
        return _complain(str(trouble))
    _print(summary.shown(run, options.format))
    return 0 if run.went_well else 1


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
    _database_option(command)
    command.add_argument(
        "--errors",
        choices=ERRORS,
        default=EXPLAIN,
        help="what a wrong message gets: an explanation, a close without a word, or silence (explain)",
    )
    command.add_argument(
        "--on-wire", choices=WAYS, default=PLAIN, help="length: the welcome goes out behind its length (plain)"
    )
    command.add_argument(
        "--workers", type=_whole(MOST_WORKERS), default=1, metavar="N", help="processes that share the port (1)"
    )
    command.add_argument(
        "--proxy-from",
        type=_networks,
        default=(),
        metavar="ADDRESSES",
        help="balancers, as 10.0.0.7,10.1.0.0/24: their connections begin with a PROXY v2 header, all others never",
    )

    command.add_argument(
        "--board", type=_board_address, metavar="HOST:PORT", help="run a board beside it, as a process of its own"
    )

    _board_options(_command(commands, "board", _board, "show what is on record as live web pages"))

    command = _command(commands, "results", _results, "what a ground has recorded: one row a team")
    _data_option(command)
    _database_option(command)
    command.add_argument("--format", choices=results.FORMATS, default="table", help="how to show it (table)")
    command.add_argument("--class", dest="classname", metavar="CLASS", help="only the teams of one class")
    command.add_argument("--state", choices=STATES, help="only the teams in one state")
    command.add_argument("--visits", metavar="TEAM", help="the visits of one team: what came, and what was wrong")

    command = _command(commands, "backup", _backup, "copy the database to a file, also while the ground runs")
    _data_option(command)
    _database_option(command)
    command.add_argument("file", type=Path, metavar="FILE", help="the copy, a new file; to restore, copy it back")

    command = _command(commands, "forget", _forget, "remove personal data for good")
    _data_option(command)
    _database_option(command)
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

    _bench_options(_command(commands, "bench", _bench, "make many exchanges with a server, and measure them"))
    return parser


def _board_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--listen",
        type=_board_address,
        default=("127.0.0.1", BOARD_PORT),
        metavar="HOST:PORT",
        help=f"where to listen (127.0.0.1:{BOARD_PORT}: this machine alone; port 0 takes a free one)",
    )
    _data_option(command)
    _database_option(command)
    command.add_argument(
        "--behind", metavar="NAME", help="a proxy on this machine stands before it, and is reached under this name"
    )
    command.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    token = _command(command.add_subparsers(metavar="token"), "token", None, "what the teacher logs in with")
    rotate_token = _command(
        token.add_subparsers(metavar="rotate", required=True), "rotate", _board_token, "make a new token, and show it"
    )
    rotate_token.add_argument("--data", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="the board's --data")


def _bench_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--server", type=_address, required=True, metavar="HOST:PORT", help="whom to load")
    command.add_argument(
        "--concurrency",
        type=_whole(pace.MOST_CONCURRENCY),
        default=pace.CONCURRENCY,
        metavar="N",
        help=f"exchanges at a time ({pace.CONCURRENCY})",
    )
    command.add_argument("--count", type=_whole(pace.MOST_COUNT), metavar="N", help="exchanges in all")
    command.add_argument(
        "--seconds",
        type=_number(pace.MOST_SECONDS),
        metavar="S",
        help=f"how long ({pace.SECONDS:g}, or until --count)",
    )
    command.add_argument(
        "--rate",
        type=_number(pace.MOST_RATE),
        metavar="R",
        help="exchanges a second, whether or not the server keeps up (as fast as it can)",
    )
    command.add_argument(
        "--ramp", type=_number(pace.MOST_SECONDS), default=0.0, metavar="S", help="time in which the load grows (0)"
    )
    command.add_argument(
        "--timeout",
        type=_number(pace.LONGEST_TIMEOUT),
        default=pace.TIMEOUT,
        metavar="S",
        help=f"for one visit ({pace.TIMEOUT:g})",
    )
    command.add_argument(
        "--pid",
        type=_whole(2**31),
        action="append",
        default=[],
        metavar="PID",
        help="a process of the server: its CPU time is measured, its children's included",
    )
    command.add_argument("--seed", type=_whole(2**63), metavar="N", help="for the teams that are made up")
    command.add_argument("--format", choices=("table", "json"), default="table", help="how to show it (table)")
    command.add_argument("--output", type=Path, metavar="FILE.json", help="all figures, as JSON, to a file")
    command.add_argument("--picture", type=Path, metavar="FILE.svg", help="how the latency is distributed, drawn")


def _command(commands: Any, name: str, run: Any, words: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=run)
    return command


def _data_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=Path, default=DATA, metavar="DIR", help=f"where the ground keeps what it knows (./{DATA})"
    )


def _database_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--database",
        type=_database,
        default=os.environ.get("TANDEM_DATABASE") or "",
        metavar="URL",
        help="what a ground knows is in PostgreSQL: postgresql://USER@HOST/NAME (or TANDEM_DATABASE; a file in --data)",
    )


def _networks(text: str) -> Networks:
    try:
        return parse_networks(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _database(text: str) -> str:
    try:
        return parse_database(text) if text else ""
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _address(text: str) -> tuple[str, int]:
    try:
        return parse_address(text, GROUND_PORT)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _board_address(text: str) -> tuple[str, int]:
    try:
        return parse_address(text, BOARD_PORT)
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


def _whole(most: int) -> Callable[[str], int]:
    """Reads a whole number from 1 on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 20 or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most:,}")
        return int(text)

    return read


def _number(most: float) -> Callable[[str], float]:
    """Reads a number above 0."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 < number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, up to {most:,.0f}")
        return number

    return read


def _complain(words: str, code: int = 1) -> int:
    """One line on standard error. Returns the exit code."""
    print(f"tandem: {printable(words)}", file=sys.stderr)
    return code


def _print(pieces: Iterable[str]) -> int:
    """To standard output; a character that it cannot show becomes an escape. Returns the exit code 0."""
    encoding = sys.stdout.encoding or "utf-8"
    for piece in pieces:
        sys.stdout.write(piece.encode(encoding, "backslashreplace").decode(encoding))
    return 0
