"""The comparison: its arithmetic, and one small run of each program. No figure is judged."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from bench import idle, teams
from bench.compare import CPUS, STREAMS, Results, row, verdict
from bench.contenders import LIMIT, ContenderError, our_server, peer, running
from bench.crowds import CROWDS
from bench.measure import Result, build_load
from tandem.records.queries import open_records
from testing.processes import ROOT

LONGEST = 100.0  # seconds for a program of the comparison


def result(cpu: float, failed: int = 0) -> Result:
    return Result(rate=9.0, p50=1.0, p99=2.0, user=1.0, system=cpu - 1.0, memory=2**20, finished=9, failed=failed)


def results(**costs: list[float]) -> Results:
    """By server, CPU µs an exchange in each round."""
    return {name: [result(cpu) for cpu in rounds] for name, rounds in costs.items()}


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    env = os.environ | env
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LONGEST, check=False)


def test_a_ratio_is_taken_within_each_round() -> None:
    found = results(slow=[30, 50, 80], limit=[10, 20, 40], asyncio_streams=[60, 100, 100])
    line = row("slow", found)
    assert "= 50 (30-80)" in line  # the median of the costs
    assert "| 2.50 (2.00-3.00) | 0.50 (0.50-0.80) |" in line  # of 3.00, 2.50 and 2.00
    assert line.endswith("| 1.0 | 0 of 27 |")


def test_failed_exchanges_are_shown() -> None:
    assert row("bad", {"bad": [result(30, failed=1), result(30)]}).endswith("| 1 of 19 |")


def test_without_the_limit_there_is_no_ratio_and_no_verdict() -> None:
    assert "| - | - |" in row("alone", results(alone=[30]))
    assert verdict("alone", results(alone=[30])).startswith("no verdict on alone: ")


@pytest.mark.parametrize(
    ("cost", "limit", "streams", "failed", "passes"),
    [
        (20, 10, 40, 0, True),
        (21, 10, 30, 0, True),
        (22, 10, 40, 0, False),
        (20, 10, 28, 0, False),
        (20, 10, 40, 1, False),
    ],
    ids=["both", "both just so", "not of the limit", "not of the streams", "with a failure"],
)
def test_the_verdict_needs_both_aims_and_every_exchange(
    cost: float, limit: float, streams: float, failed: int, passes: bool
) -> None:
    found: Results = {"it": [result(cost, failed)], LIMIT: [result(limit)], STREAMS: [result(streams)]}
    assert verdict("it", found).startswith("pass: it costs" if passes else "fail: it costs")


@pytest.mark.usefixtures("compiler")
def test_prints_a_row_for_every_server() -> None:
    done = run("bench.compare", "--rounds", "1", "--count", "100", "--only", "tandem,threads", "--same-cpu")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| t")]
    assert [line.split("|")[1].strip() for line in rows] == ["tandem", "threads"]
    assert all("| 0 of " in line for line in rows)  # none failed


@pytest.mark.usefixtures("compiler")
def test_compares_with_another_copy_of_the_project(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tandem").symlink_to(ROOT / "tandem")
    done = run("bench.compare", "--rounds", "1", "--count", "100", "--only", "threads", "--server-from", str(other))
    assert done.returncode == 0, done.stderr
    assert "\n| other | " in done.stdout
    assert "\nno verdict on other: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "apache"], "'apache' is none of limit,tandem,"),
        (["--rounds", "0"], "'0' is not a whole number from 1 to "),
        (["--count", "1e9"], "'1e9' is not a whole number"),
        (["--concurrency", "64", "none"], "'none' is not a whole number"),
        (["--idle", "0"], "'0' is not a whole number"),
        (["--same-cpu", "4095"], "'4095' is no CPU of this machine"),
        (["--server-from", "/nonexistent"], "'/nonexistent' is not a folder"),
        (["--server-from", ""], "'' is not a folder"),
        (["--server-from", "tandem"], "'tandem' has the name of a server that is compared"),
        (["--server-from", "docs", "--server-from", "tests/docs"], "two folders have the same name"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], words: str) -> None:
    done = run("bench.compare", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


@pytest.mark.usefixtures("compiler")
def test_a_server_that_does_not_start_is_one_message(tmp_path: Path) -> None:
    done = run("bench.compare", "--rounds", "1", "--count", "100", "--only", "threads", "--server-from", str(tmp_path))
    assert done.returncode == 1
    assert f"bench.compare: {tmp_path.name} did not start" in done.stderr


def test_a_missing_compiler_is_one_line(tmp_path: Path) -> None:
    done = run("bench.compare", "--only", "threads", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bench.compare: no C compiler is here: install gcc\n"


def test_a_server_has_its_own_folder_and_ends_with_the_block() -> None:
    with running(our_server()) as server:
        assert (server.folder / "data").is_dir()
        assert Path(f"/proc/{server.pid}").exists()
    assert not server.folder.exists()
    assert not Path(f"/proc/{server.pid}").exists()


def test_a_server_whose_folder_is_gone_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ContenderError, match=r"other did not start: .*none: No such"),
        running(our_server("other", tmp_path / "none")),
    ):
        pass


@pytest.mark.usefixtures("compiler")
def test_a_name_that_is_given_twice_is_one_server() -> None:
    done = run("bench.compare", "--rounds", "1", "--count", "100", "--only", "threads,threads")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n| threads | ") == 1


def test_a_peer_that_is_not_there_is_told() -> None:
    with pytest.raises(ContenderError, match="nobody did not start"), running(peer("nobody")):
        pass


def test_fills_a_folder_with_finished_teams(tmp_path: Path) -> None:
    teams.fill(tmp_path, 601, Random(1))
    records = open_records(tmp_path)
    try:
        rows = list(records.teams())
    finally:
        records.close()
    assert len(rows) == 601
    assert {(row.state, row.visits) for row in rows} == {("finished", 2)}
    assert [sum(row.team.classname == teams.classname(number) for row in rows) for number in (0, 300, 600)] == [
        300,
        300,
        1,
    ]


@pytest.mark.usefixtures("compiler")
def test_tells_what_teams_on_record_cost() -> None:
    done = run("bench.teams", "--teams", "400", "--rounds", "1", "--count", "100")
    assert done.returncode == 0, done.stderr
    assert "400 teams: " in done.stdout
    assert "with the teams by without " in done.stdout
    assert "results of one class of 300: " in done.stdout


def test_the_idle_connections_are_those_of_the_crowd() -> None:
    assert CROWDS[idle.IDLE].many == 10_000


def test_an_idle_connection_has_its_bytes() -> None:
    assert idle.memory_verdict("it", 256.0).startswith("pass: ")
    assert idle.memory_verdict("it", 257.0).startswith("fail: ")


def test_idle_connections_cost_an_exchange_nothing_beyond_the_spread() -> None:
    assert idle.cost_verdict("it", [(100, 104), (105, 103), (99, 107)]).startswith("pass: ")
    assert idle.cost_verdict("it", [(100, 106), (105, 106), (99, 107)]).startswith("fail: ")


@pytest.mark.usefixtures("compiler")
def test_measures_a_server_with_a_crowd_and_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(idle, "IDLE", "1,000 slow senders, a byte a second")  # the smaller crowd is enough
    load = build_load(tmp_path, None, count=20)
    assert idle.idle_bytes(our_server(), CPUS[0], load) > 0
    [(without, beside)] = idle.cost_beside_idle(our_server(), CPUS[0], load, 1)
    assert without > 0
    assert beside > 0
