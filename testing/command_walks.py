"""For each command: an example of every option, and what can be seen of one run. Nothing is served or loaded.

An option has an effect in a run if the run looks different without it. What reaches the network is replaced by
something that shows what it was told.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tandem.backup.backup import make_backup
from tandem.board.gradebook.board_store import BoardStore, Note
from tandem.cli import main
from tandem.client.options import parse_options
from tandem.client.output import Output
from tandem.commands.backup import BACKUP_FILES
from tandem.doctor.findings import DoctorFinding
from tandem.doctor.machine_report import MachineReport
from tandem.examiner.submission_result import SubmissionResult
from tandem.records.database import open_rows
from tandem.records.queries import TeamKey, open_records
from tandem.records.sqlite.sqlite_eraser import open_eraser
from tandem.records.sqlite.sqlite_store import SqliteStore
from testing.bench_runs import run_of
from testing.examiner.specimens import write_submission
from testing.processes import team_options
from testing.raw_sockets import encoded
from testing.raw_sockets import message_1 as right_message
from testing.visits import TEAM, message_1, message_2, rejected

Words = tuple[str, ...]

NAMESAKE = TEAM._replace(studentnr1="3333333", studentnr2="4444444")
ELSEWHERE = TEAM._replace(classname="INF2B")
WITHOUT_NUMBERS = ELSEWHERE._replace(studentnr1="", studentnr2="")
OTHER = TEAM._replace(teamname="Team2", studentnr1="5555555")
AWAY = "postgresql://tandem@127.0.0.1:1/away"  # stands for the folder `away`
PLAN = """
submission.folder = "submission"
client1.command = "python3 client.py {clientid} {server_host} {server_port} {peer_host} {peer_port}"
client2.command = "python3 client.py {clientid} {server_host} {server_port} {peer_host} {listen_port}"
"""
YEAR = 365 * 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Seen:
    """All that can be seen of a run."""

    code: int
    out: str
    err: str
    effects: tuple[str, ...] = ()  # files, records, and what was handed to the network


@dataclass(frozen=True)
class Walk:
    """One command. The words of an option that is looked at come behind those that every run needs."""

    command: Words
    examples: dict[str, Words]  # each option, and each file, by the name in its usage
    base: dict[str, Words] = field(default_factory=dict)  # what a run needs; an example takes the place of its own
    pairs: dict[frozenset[str], Words] = field(default_factory=dict)  # better examples for two options together
    refused: dict[frozenset[str], Words] = field(default_factory=dict)  # two options whose values exclude each other

    def words(self, *names: str) -> list[str]:
        """Return the command line with some options."""
        needed = [word for name, words in self.base.items() if name not in names for word in words]
        pair = self.pairs.get(frozenset(names))
        asked = pair or [word for name in names for word in self.examples[name]]
        return [*needed, *asked]


Run = Callable[[Walk, Words], Seen]

_TEAM = {words[0]: words for words in zip(team_options()[::2], team_options()[1::2], strict=True)}

WALKS = [
    Walk(("demo",), {}),
    Walk(
        ("init",),
        {
            **{f"--{name}": (f"--{name}", "5555555") for name in ("studentnr1", "studentnr2", "classname", "teamname")},
            "FILE": ("TEAM1.json",),
            "--server": ("--server", "192.0.2.9:1"),
            "--peer": ("--peer", "192.0.2.9:2"),
        },
        base={**_TEAM, "--server": ("--server", "192.0.2.1"), "--peer": ("--peer", "192.0.2.2")},
    ),
    Walk(
        ("doctor",),
        {
            "--server": ("--server", "192.0.2.9:1"),
            "--listen-port": ("--listen-port", "7"),
            "--folder": ("--folder", "other"),
            "--listen": ("--listen", "7"),
            "--peer": ("--peer", "192.0.2.9:2"),
            "--yes": ("--yes",),
        },
        pairs={frozenset({"--peer", "--listen-port"}): ("--peer", "192.0.2.9:2", "--yes", "--listen-port", "7")},
    ),
    Walk(
        ("serve",),
        {
            "--listen": ("--listen", "127.0.0.1:0"),
            "--data": ("--data", "other"),
            "--database": ("--database", AWAY),
            "--errors": ("--errors", "close"),
            "--framing": ("--framing", "length"),
            "--workers": ("--workers", "2"),
            "--proxy-from": ("--proxy-from", "10.0.0.7"),
            "--board": ("--board", "127.0.0.1:0"),
            "--log": ("--log", "server.log"),
        },
    ),
    Walk(
        ("board",),
        {
            "--listen": ("--listen", "127.0.0.1:0"),
            "--data": ("--data", "other"),
            "--database": ("--database", AWAY),
            "--behind": ("--behind", "board.example.org"),
            "--certfile": ("--certfile", "certificate.pem"),
            "--keyfile": ("--keyfile", "key.pem"),
            "--insecure-login": ("--insecure-login",),
            "--until-input-ends": ("--until-input-ends",),
            "token": ("token", "rotate"),
        },
        pairs={frozenset({"--listen", "--insecure-login"}): ("--listen", "0.0.0.0:0", "--insecure-login")},
        refused={
            frozenset({"--listen", "--behind"}): ("--listen", "0.0.0.0:0", "--behind", "board.example.org"),
            frozenset({"--listen", "--insecure-login"}): ("--listen", "127.0.0.1:0", "--insecure-login"),
        },
    ),
    Walk(("board", "token", "rotate"), {"--data": ("--data", "other")}),
    Walk(
        ("results",),
        {
            "--data": ("--data", "other"),
            "--database": ("--database", AWAY),
            "--format": ("--format", "json"),
            "--class": ("--class", "INF2B"),
            "--state": ("--state", "finished"),
            "--visits": ("--visits", "Team1"),
            "--visits-without-team": ("--visits-without-team",),
        },
    ),
    Walk(
        ("backup",),
        {"FILE": ("copy",), "--data": ("--data", "other"), "--database": ("--database", AWAY)},
        base={"FILE": ("copy-of-today",)},
    ),
    Walk(
        ("restore",),
        {
            "FILE": ("missing.zip",),
            "--data": ("--data", "other"),
            "--database": ("--database", AWAY),
            "--replace": ("--replace",),
        },
        base={"FILE": ("backup.zip",)},
        pairs={
            frozenset({"FILE", "--data"}): ("backup-of-other.zip", "--data", "restored"),
            frozenset({"FILE", "--replace"}): ("backup-of-other.zip", "--replace"),
        },
    ),
    Walk(
        ("forget",),
        {
            "--data": ("--data", "other"),
            "--database": ("--database", AWAY),
            "--class": ("--class", "inf2b"),
            "--team": ("--team", "Team2"),
            "--studentnr": ("--studentnr", TEAM.studentnr2),
            "--before": ("--before", "1970-06-01"),
            "--dry-run": ("--dry-run",),
            "--yes": ("--yes",),
        },
        base={"--team": ("--team", "Team1")},
        pairs={frozenset({"--before", "--yes"}): ("--before", "9999-01-01", "--yes")},
    ),
    Walk(("key", "rotate"), {"--data": ("--data", "other"), "--valid": ("--valid", "0")}),
    Walk(("check",), {"FILE": ("message.json",), "--format": ("--format", "json")}),
    Walk(
        ("watch",),
        {
            "--listen": ("--listen", "127.0.0.1:7"),
            "--to": ("--to", "127.0.0.1:5560"),
            "--framing": ("--framing", "length"),
            "--format": ("--format", "json"),
            "--capture": ("--capture", "visit.pcapng"),
        },
        base={"--listen": ("--listen", "127.0.0.1:0"), "--to": ("--to", "127.0.0.1:5550")},
    ),
    Walk(
        ("explain",),
        {"TEXT": ("111",), "--format": ("--format", "json")},
        base={"TEXT": ("98",)},
    ),
    Walk(
        ("bench",),
        {
            "--server": ("--server", "127.0.0.1:5560"),
            "--concurrency": ("--concurrency", "7"),
            "--count": ("--count", "7"),
            "--seconds": ("--seconds", "7"),
            "--rate": ("--rate", "7"),
            "--ramp": ("--ramp", "7"),
            "--timeout": ("--timeout", "7"),
            "--pid": ("--pid", "7"),
            "--seed": ("--seed", "8"),
            "--format": ("--format", "json"),
            "--output": ("--output", "figures.json"),
        },
        base={"--server": ("--server", "127.0.0.1:5550")},
    ),
    Walk(
        ("examine",),
        {
            "PLAN": ("other-plan.toml",),
            "--init": ("--init", "submission"),
            "--from": ("--from", "record"),
            "--out": ("--out", "record-of-today"),
            "--scenario": ("--scenario", "silence"),
            "--seed": ("--seed", "7"),
            "--jobs": ("--jobs", "7"),
            "--local": ("--local",),
            "--format": ("--format", "json"),
        },
        base={"PLAN": ("plan.toml",)},
    ),
]

_CLIENT = {
    **{f"--{name}": (f"--{name}", "other") for name in ("studentnr1", "studentnr2", "classname", "teamname", "ip")},
    "TEAM.json": ("team.json",),
    "--server": ("--server", "192.0.2.9:1"),
    "--peer": ("--peer", "192.0.2.9:2"),
    "--listen": ("--listen", "7"),
    "--timeout": ("--timeout", "7"),
    "--wait": ("--wait", "7"),
    "--framing": ("--framing", "length"),
    "--format": ("--format", "json"),
    "--verbose": ("--verbose",),
}
CLIENTS = [
    Walk(("1",), _CLIENT, base={**_TEAM, "--server": ("--server", "192.0.2.1"), "--peer": ("--peer", "192.0.2.2")}),
    Walk(("2",), _CLIENT, base={"--server": ("--server", "192.0.2.1")}),
]


class Stage:
    """A folder with what the commands work on, as new for each run."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._patch = patch
        self._captured = captured
        self._told: list[str] = []
        self._number = 0
        patch.delenv("TANDEM_DATABASE", raising=False)
        patch.delenv("TANDEM_KEY", raising=False)
        _furnish(folder / "new")
        self._replace_the_network()

    def run(self, walk: Walk, *names: str) -> Seen:
        """Run the command with these options, and return what can be seen of it."""
        self._number += 1
        here = self._folder / str(self._number)
        shutil.copytree(self._folder / "new", here)
        self._patch.chdir(here)
        self._told.clear()
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{")))
        try:
            code = main([*walk.command, *walk.words(*names)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = self._captured.readouterr()
        return Seen(code, _without_chance(out), err, (*self._told, *_changes(self._folder / "new", here)))

    def _replace_the_network(self) -> None:
        def tell(*words: object) -> Any:
            self._told.append(repr(words))
            return nullcontext()

        def bench(asked: object) -> object:
            tell(asked)
            return run_of([1000])

        def examined(_: object, *asked: object) -> MachineReport:
            tell(*asked)
            return MachineReport([("own ip", "192.0.2.1")], [])

        def way_tested(_: object, *asked: object) -> list[DoctorFinding]:
            tell(*asked[:-1])  # the last one is the function that prints
            return []

        self._patch.setattr("tandem.commands.doctor.examine", examined)
        self._patch.setattr("tandem.commands.doctor.visit_listener", way_tested)
        self._patch.setattr("tandem.commands.doctor.listen", lambda *asked: way_tested(*asked, None))
        self._patch.setattr("tandem.commands.arguments.parse_database", str)
        self._patch.setattr(
            "tandem.records.queries.open_rows", lambda where, patience: open_rows(_place(where), patience)
        )
        self._patch.setattr("tandem.records.forget.open_eraser", lambda where: open_eraser(_place(where)))
        self._patch.setattr("tandem.commands.serve.serve", tell)
        self._patch.setattr("tandem.commands.serve.board_process", tell)
        self._patch.setattr("tandem.commands.serve.is_installed", lambda: True)
        self._patch.setattr("tandem.board.serve_board.serve_board", tell)
        self._patch.setattr("tandem.commands.bench.bench", bench)
        self._patch.setattr("tandem.commands.watch.watch", tell)
        self._replace_the_lab(tell)

    def _replace_the_lab(self, tell: Callable[..., Any]) -> None:
        class ToldExamination:
            def __init__(self, labs: object, fill: Any, scenarios: Any, out: Path, jobs: int, on_run: object) -> None:
                tell(fill.func.__name__, fill.keywords, [scenario.id for scenario in scenarios], jobs)

            def results(self, submissions: Any) -> Iterator[SubmissionResult]:
                yield from (SubmissionResult(each.name, (), (str(each.plan.team),)) for each in submissions)

        self._patch.setattr("tandem.commands.examine.Examination", ToldExamination)
        self._patch.setattr("tandem.commands.examine.missing", list)
        self._patch.setattr("tandem.commands.examine._random_seed", lambda: 1)
        self._patch.setattr("tandem.commands.examine._default_folder", lambda: Path("examined"))


def run_client(walk: Walk, *names: str) -> Seen:
    """Return the options that the client parsed, and how its screen shows an arrow with them."""
    options = vars(parse_options([*walk.command, *walk.words(*names)]))
    written: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Output, "_write", staticmethod(written.append))
        Output(options.pop("as_json"), options.pop("verbose")).arrow(2, b"{}", "words")
    return Seen(0, "\n".join(written), "", (repr(options),))


def _place(where: Any) -> Any:
    return Path("away") if where == AWAY else where


def _furnish(folder: Path) -> None:
    """Make three data folders with the same teams and other visits, a message, and a key each."""
    for number, name in enumerate(("tandem-data", "other", "away")):
        data = folder / name
        data.mkdir(parents=True)
        (data / "key").touch(mode=0o600)
        (data / "key").write_text(f"{number}" * 64)
        visits = [message_1(), message_2(), message_1(NAMESAKE, YEAR), message_1(ELSEWHERE, YEAR), message_1(OTHER)]
        visits.append(message_1(NAMESAKE._replace(classname="INF2B"), YEAR))
        visits.append(message_1(NAMESAKE._replace(teamname="Team2"), YEAR))
        own = replace(rejected(WITHOUT_NUMBERS, started_us=number + 5), address=f"192.0.2.{number}")
        of_nobody = replace(rejected(None, started_us=number + 6), address=f"192.0.2.{number}")
        finished = [message_2(ELSEWHERE, YEAR + 1)] if number else []
        with closing(SqliteStore(data)) as store:
            store.write([*visits, own, *finished, of_nobody])
        with closing(BoardStore(data)) as book:
            for team in (TEAM, NAMESAKE, ELSEWHERE, OTHER):
                book.write_note(TeamKey(team.classname, team.teamname, team.pair), Note(mark=str(number + 1)))
    for name, backup in (("tandem-data", "backup.zip"), ("other", "backup-of-other.zip")):
        make_backup(folder / name, folder / backup, BACKUP_FILES)
    write_submission(folder / "submission")
    for name, teamname in (("plan.toml", "Team1"), ("other-plan.toml", "Team2")):
        (folder / name).write_text(f"{PLAN}team.teamname = '{teamname}'\n")
    (folder / "message.json").write_bytes(encoded(right_message()))
    (folder / "team.json").write_text(json.dumps({"classname": "from the file"}))


def _changes(before: Path, after: Path) -> Iterator[str]:
    """Yield what a run left: teams, visits and notes of each folder, new files, the lines of keys."""
    for name in ("tandem-data", "other", "away"):
        with closing(open_records(after / name)) as found, closing(BoardStore(after / name)) as book:
            teams = [(team.key, len(list(found.visits(team.key)))) for team in found.teams()]
            yield f"{name}: {teams} {sorted(book.notes().items())} {bool(book.token_hash())}"
        lines = (after / name / "key").read_text().splitlines()
        yield f"{len(lines)} {[int(line.partition(' ')[0]) // 3600 for line in lines[1:]]}"
    for path in sorted(path for path in after.iterdir() if not (before / path.name).exists()):
        yield f"{path.name}: {path.read_text() if path.suffix == '.json' else ''}"


def _without_chance(out: str) -> str:
    """Cut off a new token, which is another one each time."""
    begin, shown, _ = out.partition("shown this once: ")
    return begin + shown
