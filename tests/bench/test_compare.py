"""The comparison: its arithmetic, and one small run of each program. No figure is judged."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from bench import compare, teams
from bench.compare import Result, row
from bench.contenders import ContenderTrouble, ground, peer, running
from bench.crowds import CROWDS
from tandem.ground.records import open_records
from tests.processes import ROOT

LONGEST = 100.0  # seconds for a program of the comparison


def result(cpu: float, rate: float = 100.0) -> Result:
    return Result(rate=rate, p50=1.0, p99=2.0, user=1.0, system=cpu - 1.0, busy=0.5, memory=2**20, finished=9, failed=1)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)


def test_the_ratio_is_taken_within_each_round() -> None:
    limits = [result(10), result(20), result(40)]
    line = row("slow", [result(30), result(50), result(80)], limits)
    assert "= 50 (30-80)" in line  # the median of the costs
    assert "| 2.50 (2.00-3.00) |" in line  # of 3.00, 2.50 and 2.00
    assert line.endswith("| 1.0 | 3 of 30 |")


def test_without_the_limit_there_is_no_ratio() -> None:
    assert "| - |" in row("alone", [result(30)], None)


def test_prints_a_row_for_every_server() -> None:
    done = run("bench.compare", "--rounds", "1", "--seconds", "0.2", "--only", "tandem,threads", "--same-cpu")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| t")]
    assert [line.split("|")[1].strip() for line in rows] == ["tandem", "threads"]
    assert all("| 0 of " in line for line in rows)  # none failed


def test_compares_with_another_copy_of_the_ground() -> None:
    done = run("bench.compare", "--rounds", "1", "--seconds", "0.2", "--only", "threads", "--ground", f"other={ROOT}")
    assert done.returncode == 0, done.stderr
    assert "\n| other | " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "apache"], "'apache' is none of limit,tandem,"),
        (["--rounds", "0"], "'0' is not a whole number from 1 to "),
        (["--seconds", "nan"], "'nan' is not a number above 0"),
        (["--concurrency", "64", "none"], "'none' is not a whole number"),
        (["--same-cpu", "4095"], "'4095' is no CPU of this machine"),
        (["--ground", "other=/nonexistent"], "'/nonexistent' is no folder"),
        (["--ground", "other"], "'' is no folder"),
        (["--ground", "tandem=/"], "'tandem' cannot be a ground's name"),
        (["--ground", "a=/", "--ground", "a=/tmp"], "two of them have the same name"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], words: str) -> None:
    done = run("bench.compare", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_a_ground_that_does_not_start_is_one_message(tmp_path: Path) -> None:
    done = run("bench.compare", "--rounds", "1", "--only", "threads", "--ground", f"other={tmp_path}")
    assert done.returncode == 1
    assert "bench.compare: other did not start" in done.stderr


def test_a_server_has_its_own_folder_and_ends_with_the_block() -> None:
    with running(ground()) as server:
        assert (server.folder / "data").is_dir()
        assert Path(f"/proc/{server.pid}").exists()
    assert not server.folder.exists()
    assert not Path(f"/proc/{server.pid}").exists()


def test_a_server_whose_folder_is_gone_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ContenderTrouble, match=r"other did not start: .*none: No such"),
        running(ground("other", tmp_path / "none")),
    ):
        pass


def test_a_name_that_is_given_twice_is_one_server() -> None:
    done = run("bench.compare", "--rounds", "1", "--seconds", "0.1", "--only", "threads,threads")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n| threads | ") == 1


def test_a_peer_that_is_not_there_is_told() -> None:
    with pytest.raises(ContenderTrouble, match="nobody did not start"), running(peer("nobody")):
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


def test_tells_what_teams_on_record_cost() -> None:
    done = run("bench.teams", "--teams", "400", "--rounds", "1", "--seconds", "0.2")
    assert done.returncode == 0, done.stderr
    assert "400 teams: " in done.stdout
    assert "with by without, each round: " in done.stdout
    assert "results of one class of 300: " in done.stdout


def test_the_idle_connections_are_those_of_the_crowd() -> None:
    assert CROWDS[compare.IDLE].many == 10_000
