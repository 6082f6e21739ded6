"""`tandem results`: table, JSON and CSV of the same rows, harmless whatever the teams call themselves."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tandem.diagnosis.problems import Problem
from tandem.records.sqlite.sqlite_store import Store
from tandem.records.visits import Team
from tandem.report import results
from testing.processes import ROOT, tandem
from testing.visits import message_1, message_2, rejected

HOSTILE = [
    '=HYPERLINK("http://example.org")',
    "+1",
    "-1",
    "x;=1+1",
    "\uff1d1+1",
    "@SUM(A1)",
    " =1",
    "\t=1",
    "\x1b[2J\x1b]0;title\x07",
    "\u202eright to left",
    "two\nlines",
    'quote"and,comma',
    "<script>alert(1)</script>",
    "\x9b31m",
    "🚲" * 32,
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a finished team, a waiting one, a refused one and all the hostile names."""
    folder = tmp_path_factory.mktemp("data")
    with closing(Store(folder)) as store:
        store.write([message_1(), message_2(), message_1(Team("INF2B", "slow", "1111111", "")), rejected(None)])
        store.write([rejected(Team("INF2B", "wrong", "2222222", "3333333"))])
        store.write([message_1(Team("hostile", name, f"{number:07}", "")) for number, name in enumerate(HOSTILE)])
    return folder


def run(data: Path, *arguments: str) -> str:
    code, out, err = tandem("results", "--data", str(data), *arguments)
    assert (code, err) == (0, "")
    return out


def test_json_has_the_contracts_fields(data: Path) -> None:
    rows = json.loads(run(data, "--format", "json", "--class", "INF2A"))
    assert rows == [
        {
            "classname": "INF2A",
            "teamname": "Team1",
            "studentnr1": "0923456",
            "studentnr2": "0934567",
            "state": "finished",
            "first_seen": "1970-01-01T00:00:01.000Z",
            "finished_at": "1970-01-01T00:00:02.001Z",
            "visits": 2,
            "problems": [],
        }
    ]


def test_all_three_formats_have_the_same_rows(data: Path) -> None:
    from_json = json.loads(run(data, "--format", "json", "--class", "INF2B"))
    from_csv = list(csv.DictReader(io.StringIO(run(data, "--format", "csv", "--class", "INF2B"))))
    table = run(data, "--class", "INF2B")
    assert [row["teamname"] for row in from_json] == [row["teamname"] for row in from_csv] == ["slow", "wrong"]
    assert [row["state"] for row in from_json] == ["waiting for message 2", "rejected"]
    assert from_json[1]["problems"] == ["secret-wrong"]
    assert from_csv[1]["problems"] == "secret-wrong"
    assert table.splitlines()[0].split() == list(results.COLUMNS)
    assert len(table.splitlines()) == 4


def test_state_filter(data: Path) -> None:
    assert [row["teamname"] for row in json.loads(run(data, "--format", "json", "--state", "rejected"))] == ["wrong"]


def test_an_empty_answer_is_empty_in_every_format(data: Path) -> None:
    assert json.loads(run(data, "--format", "json", "--class", "none")) == []
    assert run(data, "--format", "csv", "--class", "none").splitlines() == [",".join(results.COLUMNS)]
    assert len(run(data, "--class", "none").splitlines()) == 2


def test_names_come_back_unchanged_in_json(data: Path) -> None:
    rows = json.loads(run(data, "--format", "json", "--class", "hostile"))
    assert sorted(row["teamname"] for row in rows) == sorted(HOSTILE)


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_nothing_in_the_output_steers_a_terminal(data: Path, format: str) -> None:
    out = run(data, "--format", format)
    assert all(c.isprintable() or c in "\r\n" for c in out)


def test_no_cell_of_the_csv_is_a_formula(data: Path) -> None:
    rows = list(csv.reader(io.StringIO(run(data, "--format", "csv"))))
    assert len(rows) == 1 + 3 + len(HOSTILE)
    signs = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    parts = [part.lstrip() for row in rows for cell in row for part in cell.split(";")]
    assert not [part for part in parts if part.startswith(signs)]
    assert "'+1" in [row[1] for row in rows]


def test_visits_tell_what_came_and_what_was_wrong(data: Path) -> None:
    story = run(data, "--visits", "wrong")
    assert "INF2B / wrong: rejected, 1 visit\n" in story
    assert "{what came}" in story
    assert "{what was answered}" in story
    assert "secret-wrong" in story
    [row] = json.loads(run(data, "--visits", "wrong", "--format", "json"))
    assert (row["address"], row["outcome"], row["received"]) == ("192.0.2.1", "rejected", "{what came}")
    assert "secret-wrong" in row["findings"][0]
    [header, *rows] = run(data, "--visits", "Team1", "--format", "csv").splitlines()
    assert header == ",".join(results.VISIT_COLUMNS)
    assert len(rows) == 2


def test_visits_show_where_a_mistake_stands(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        visit = rejected(problem="field-changed")
        visit.received = b'{"classname": "INF2B"}'
        visit.problems = (Problem("field-changed", 15, {"field": "classname", "found": "INF2B", "wanted": "INF2A"}),)
        store.write([visit])
    story = run(tmp_path, "--visits", "Team1")
    assert "line 1, column 16\n" in story
    [shown, mark] = story.splitlines()[-2:]
    assert shown[mark.index("^") :].startswith("INF2B")


def test_visits_of_hostile_names_are_harmless(data: Path) -> None:
    for name in HOSTILE:
        assert all(c.isprintable() or c == "\n" for c in run(data, f"--visits={name}"))


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_a_finding_of_a_newer_server_is_shown_by_its_id(tmp_path: Path, format: str) -> None:
    with closing(Store(tmp_path)) as store:
        store.write([rejected(problem="of-tomorrow")])
    assert "of-tomorrow" in run(tmp_path, "--visits=Team1", f"--format={format}")


def test_a_team_that_never_came_is_one_line(data: Path) -> None:
    code, out, err = tandem("results", "--data", str(data), "--visits", "nobody")
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_no_data_is_one_line(tmp_path: Path) -> None:
    code, out, err = tandem("results", "--data", str(tmp_path))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no results" in err


def test_a_reader_that_goes_away_in_the_middle_is_no_traceback(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.write([rejected() for _ in range(2000)])  # more than a pipe holds
    command = f"{sys.executable} -m tandem results --data {tmp_path} --visits Team1 | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_wide_characters_keep_the_columns_straight() -> None:
    rows: list[results.Row] = [{"a": "漢字", "b": "x"}, {"a": "e\u0301", "b": "y"}]
    assert list(results.as_table(rows, ("a", "b"))) == ["a     b\n", "----  -\n", "漢字  x\n", "e\u0301     y\n"]


def test_a_long_table_is_shown_while_it_is_read() -> None:
    taken = 0

    def rows() -> Iterator[results.Row]:
        nonlocal taken
        for taken in range(1, 5001):
            yield {"a": "x" * (taken > results.WIDTH_SAMPLE_ROWS) + "x"}

    lines = results.as_table(rows(), ("a",))
    assert next(lines) == "a\n"
    assert taken == results.WIDTH_SAMPLE_ROWS
    assert list(lines)[-1] == "xx\n"
    assert taken == 5000
