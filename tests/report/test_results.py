"""`tandem results`: table, JSON and CSV of the same rows, harmless whatever the teams call themselves."""

import argparse
import codecs
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.board.gradebook.board_store import BoardStore
from tandem.board.gradebook.grades import Gradebook, GradeQuery
from tandem.commands.arguments import text
from tandem.commands.names import find_class, find_teams
from tandem.diagnosis.excerpt import width
from tandem.diagnosis.problem import Problem
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import encodable
from tandem.records.queries import TeamRow, open_records
from tandem.records.sqlite.sqlite_store import SqliteStore
from tandem.records.visits import Outcome, Team
from tandem.report import results, results_table
from tandem.report.check import as_text, check
from tandem.report.names import NameShortener, name_shown_as, visible_name
from testing.processes import ROOT, tandem
from testing.visits import TEAM, message_1, message_2, refused, rejected

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
    with closing(SqliteStore(folder)) as store:
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
            "stuck": False,
            "first_seen": "1970-01-01T00:00:01.000Z",
            "finished_at": "1970-01-01T00:00:02.001Z",
            "visits": 2,
            "problems": [],
        }
    ]


def test_all_three_formats_have_the_same_rows(data: Path) -> None:
    from_json = json.loads(run(data, "--format", "json", "--class", "INF2B"))
    from_csv = csv_rows(data, "--class", "INF2B")
    table = run(data, "--class", "INF2B").splitlines()
    assert [row["teamname"] for row in from_json] == [row["teamname"] for row in from_csv] == ["slow", "wrong"]
    assert [row["state"] for row in from_json] == ["waiting for message 2", "rejected"]
    assert [row["stuck"] for row in from_json] == [False, True]
    assert [row["stuck"] for row in from_csv] == ["false", "true"]
    assert from_json[1]["problems"] == ["secret-wrong"]
    assert from_csv[1]["problems"] == "secret-wrong"
    assert table[0].split() == list(results_table.COLUMNS)
    assert table[2:] == [
        "INF2B  slow   1111111          waiting for message 2  1",
        "INF2B  wrong  2222222 3333333  rejected               1",
        "    stuck: secret-wrong",
    ]


def test_state_filter(data: Path) -> None:
    assert [row["teamname"] for row in json.loads(run(data, "--format", "json", "--state", "rejected"))] == ["wrong"]


def test_an_empty_answer_is_empty_in_every_format(data: Path) -> None:
    nothing = ("--class", "INF2B", "--state", "finished")
    assert json.loads(run(data, "--format", "json", *nothing)) == []
    assert run(data, "--format", "csv", *nothing).splitlines() == ["\ufeff" + ",".join(results.COLUMNS)]
    assert len(run(data, *nothing).splitlines()) == 2


def csv_rows(data: Path, *arguments: str) -> list[dict[str, str]]:
    out = run(data, "--format", "csv", *arguments)
    assert out.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(out[1:])))


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_csv_is_utf8_with_a_byte_order_mark_whatever_the_locale(tmp_path: Path, locale: str) -> None:
    name = "Zoë 👩\u200d💻"
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(TEAM._replace(teamname=name))])
    command = [sys.executable, "-m", "tandem", "results", "--data", str(tmp_path), "--format", "csv"]
    env = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, env=env)
    assert done.stdout.startswith(codecs.BOM_UTF8 + b"classname,")
    assert f"INF2A,{name},".encode() in done.stdout
    assert b"\r\r" not in done.stdout


@pytest.mark.parametrize("classname", ["INF2B", "inf2b", "Inf2B"])
def test_a_class_is_found_in_any_letter_case(tmp_path: Path, classname: str) -> None:
    teams = [Team(spelling, "one", f"{number}", "") for number, spelling in enumerate(["INF2B", "inf2b", "INF2A"])]
    with closing(SqliteStore(tmp_path)) as store:
        store.write(list(map(message_1, teams)))
    assert [row["classname"] for row in csv_rows(tmp_path, "--class", classname)] == ["INF2B", "inf2b"]
    assert len(csv_rows(tmp_path, "--class", classname, "--visits", "one")) == 2


MANY = [Team(f"INF{number}A", f"Team{number}", "1111111", "") for number in range(30)]


def test_a_csv_cell_is_under_the_name_of_its_column() -> None:
    rows: list[results.Row] = [{"b": 2, "a": 1}, {"a": 3, "b": 4}]
    assert "".join(results.as_csv(rows, ("a", "b"))) == "\ufeffa,b\r\n1,2\r\n3,4\r\n"


UNKNOWN = {
    "no class": (("--class", "INF"), "no class 'INF' on record; there are 'INF0A', 'INF1A', 'INF2A', "),
    "a class like another": (("--class", "1nf29a"), "Try: 'INF29A'"),
    "a short class like another": (("--class", "lnf7a"), "Try: 'INF7A'"),
    "another number": (("--class", "inf77a"), " and 20 others. Try: tandem results, which shows all of them"),
    "a bounded list": (("--class", "INF"), " and 20 others. Try: tandem results, which shows all of them"),
    "a team like another": (("--visits", "taem29"), "Try: 'Team29'"),
    "a team like several": (("--visits", "Teamx"), " and 20 others. Try: tandem results, which shows all of them"),
    "no team in the class": (
        ("--class", "INF3A", "--visits", "Team4"),
        "no team 'Team4' on record; there is 'Team3'\n",
    ),
    "a blank too many": (("--visits", "Team3 "), "no team 'Team3\\x20' on record"),
}


@pytest.mark.parametrize(("words", "says"), UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("format", results.FORMATS)
def test_an_unknown_name_is_told_with_those_that_there_are(
    tmp_path: Path, words: tuple[str, ...], says: str, format: str
) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write(list(map(message_1, MANY)))
    code, out, err = tandem("results", "--data", str(tmp_path), "--format", format, *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err
    assert len(err) < 400


# What a team is called on the command line, and the teams that are found, by their student numbers.
CALLED = {
    "as written": ("Red", ["1"]),
    "in other letters": ("BLUE", ["3", "4"]),
    "in letters of several": ("RED", []),
    "with a small letter": ("éclair", ["5"]),
}


@pytest.mark.parametrize(("name", "numbers"), CALLED.values(), ids=CALLED)
def test_a_team_is_found_in_any_letter_case_that_fits_one_name(tmp_path: Path, name: str, numbers: list[str]) -> None:
    named = [("Net1", "Red"), ("net1", "red"), ("Net1", "Blue"), ("net1", "Blue"), ("Net1", "Éclair")]
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(Team(*names, f"{number}", "")) for number, names in enumerate(named, 1)])
    with closing(open_records(tmp_path)) as records:
        if numbers:
            assert [row.team.studentnr1 for row in find_teams(records, name, "NET1")] == numbers
        else:
            with pytest.raises(TandemError, match=r"no team 'RED' on record; there are 'Red', 'red'$"):
                find_teams(records, name, "NET1")
        with pytest.raises(TandemError, match=r"there is 'Net1'$"):
            find_class(records, "INF2A")
    code, out, _ = tandem("forget", "--data", str(tmp_path), "--class", "NET1", "--team", name)
    assert (code, out.lower().count("removed net1/")) == (0 if numbers else 1, len(numbers))


def test_names_come_back_unchanged_in_json(data: Path) -> None:
    rows = json.loads(run(data, "--format", "json", "--class", "hostile"))
    assert sorted(row["teamname"] for row in rows) == sorted(HOSTILE)


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_nothing_in_the_output_steers_a_terminal(data: Path, format: str) -> None:
    out = run(data, "--format", format)
    assert not [c for c in out if (c < " " or "\x7f" <= c <= "\x9f") and c not in "\r\n"]
    assert format == "csv" or "\u202e" not in out


def test_no_cell_of_the_csv_is_a_formula(data: Path) -> None:
    rows = list(csv.reader(io.StringIO(run(data, "--format", "csv")[1:])))
    assert len(rows) == 1 + 3 + len(HOSTILE)
    signs = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    parts = [part.lstrip() for row in rows for cell in row for part in cell.split(";")]
    assert not [part for part in parts if part.startswith(signs)]
    assert "'+1" in [row[1] for row in rows]


def test_visits_tell_what_came_and_what_was_wrong(data: Path) -> None:
    story = run(data, "--visits", "wrong")
    assert "INF2B / wrong (2222222, 3333333): rejected, stuck, 1 visit\n" in story
    assert "{what came}" in story
    assert "{what was answered}" in story
    assert "secret-wrong" in story
    [row] = json.loads(run(data, "--visits", "wrong", "--format", "json"))
    assert (row["address"], row["outcome"], row["received"]) == ("192.0.2.1", "rejected", "{what came}")
    assert "secret-wrong" in row["findings"][0]
    [header, *rows] = run(data, "--visits", "Team1", "--format", "csv").splitlines()
    assert header == "\ufeff" + ",".join(results.VISIT_COLUMNS)
    assert [row.split(",")[:4] for row in rows] == [["INF2A", "Team1", "0923456", "0934567"]] * 2


def test_visits_of_groups_of_one_name_are_shown_under_the_numbers_that_they_have(tmp_path: Path) -> None:
    groups = [TEAM._replace(studentnr1=f"{n}111111", studentnr2=f"{n}222222") for n in (1, 2, 3)]
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(group, started_us=n) for n, group in enumerate(groups)])
        store.write([rejected(groups[1], started_us=9)])
    expected = [("1111111", "message 1"), ("2111111", "message 1"), ("2111111", "rejected"), ("3111111", "message 1")]
    for rows in (
        json.loads(run(tmp_path, "--visits", "Team1", "--format", "json")),
        csv_rows(tmp_path, "--visits", "Team1"),
    ):
        assert [(row["studentnr1"], row["outcome"]) for row in rows] == expected
    story = run(tmp_path, "--visits", "Team1")
    assert [line for line in story.splitlines() if line.startswith("INF2A")] == [
        "INF2A / Team1 (1111111, 1222222): waiting for message 2, 1 visit",
        "INF2A / Team1 (2111111, 2222222): waiting for message 2, stuck, 2 visits",
        "INF2A / Team1 (3111111, 3222222): waiting for message 2, 1 visit",
    ]
    assert story.count("rejected  from") == 1


def test_visits_of_no_team_are_shown(data: Path) -> None:
    [row] = json.loads(run(data, "--visits-without-team", "--format", "json"))
    assert (row["classname"], row["teamname"], row["outcome"], row["received"]) == ("", "", "rejected", "{what came}")
    assert [row["address"] for row in csv_rows(data, "--visits-without-team")] == ["192.0.2.1"]
    assert "visits without a team" in run(data, "--visits-without-team")
    assert "{what came}" in run(data, "--visits-without-team")


def test_visits_show_where_a_mistake_stands(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
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


# Names that look alike, and names that are too long for 80 columns: no two of them are shown as the same text.
ALIKE = ["Team 1", "Team 1 ", " Team 1", "Team  1", "Zoë", "Zoe\u0308", "Team\u00a01", "Te\u200bam 1", "\u212b", "Å"]
LONG = [f"Binary Search Heroes of {place} {n}" for n in range(120) for place in ("Rotterdam", "Dordrecht")]


def test_the_table_fits_80_columns_and_shows_no_two_names_alike(tmp_path: Path) -> None:
    names = [*ALIKE, *LONG, "漢字" * 21, "Binary Search Her..tterdam 1"]
    teams = [Team("a class with a name that is long", name, "s0911111", "0922222") for name in names]
    with closing(SqliteStore(tmp_path)) as store:
        store.write([*map(message_1, teams), refused(Outcome.REJECTED, teams[0], problems=("secret-wrong",) * 9)])
    lines = run(tmp_path).splitlines()
    assert max(map(width, lines)) <= results_table.TABLE_COLUMNS
    assert max(map(width, lines)) > results_table.TABLE_COLUMNS - 4
    rows = [line for line in lines[2:] if not line.startswith("    ")]
    assert len(set(rows)) == len(rows) == len(names)
    assert any("Team\\x201" not in row and "Team 1\\x20" in row for row in rows)
    assert any("Zoe\\u0308" in row for row in rows)


@given(st.text(st.sampled_from("\\\\\\xuUntr025cfCA \n\t\x1b\u200b\u0308\u212be👩\u200d"), max_size=12) | st.text())
@example("Team\\x20")
@example("Team\\x5cx20")
def test_what_is_shown_stands_for_one_name(name: str) -> None:
    """So no two names are shown alike, and what is shown can be given to a command."""
    assert name_shown_as(visible_name(name)) == name


@pytest.mark.parametrize("shown", [r"\U00110000", r"\ud800", "\udcff"], ids=ascii)
def test_an_escape_of_no_character_is_wrong_usage(shown: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="it is not UTF-8 text"):
        text(shown)


@pytest.mark.parametrize("name", ["Team ", r"Team\x20", "Zoe\u0308", r"C:\new"])
def test_a_team_is_found_by_its_name_as_shown(name: str, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(TEAM._replace(teamname=each)) for each in (name, "Team", "Zo\xeb")])
    [row] = json.loads(run(tmp_path, f"--visits={visible_name(name)}", "--format=json"))
    assert row["teamname"] == name


@given(st.lists(st.text(st.sampled_from("ab.2 é👩"), min_size=1, max_size=12), unique=True), st.integers(8, 12))
def test_no_two_names_are_cut_to_the_same_text(names: list[str], columns: int) -> None:
    shortener = NameShortener()
    shown = [shortener.cut(visible_name(name), columns) for name in names]
    assert len(set(shown)) == len(names)
    assert all(width(each) <= columns for each in shown)
    assert [shortener.cut(visible_name(name), columns) for name in names] == shown


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_a_finding_of_a_newer_server_is_shown_by_its_id(tmp_path: Path, format: str) -> None:
    with closing(SqliteStore(tmp_path)) as store:
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
    with closing(SqliteStore(tmp_path)) as store:
        store.write([rejected() for _ in range(2000)])  # more than a pipe holds
    command = f"{sys.executable} -m tandem results --data {tmp_path} --visits Team1 | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_wide_characters_keep_the_columns_straight(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(TEAM._replace(teamname=name)) for name in ("漢字", "q\u0307", "team")])
    starts = {width(line[: line.index("0923456")]) for line in run(tmp_path).splitlines()[2:]}
    assert len(starts) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", None])
def test_what_is_printed_is_measured(encoding: str | None) -> None:
    """Escapes for characters that the encoding lacks are longer than the characters."""
    names = ["plain", "Zoë", "漢字", "É" * 40, "É" * 41]
    teams = [TeamRow(TEAM._replace(teamname=name), "finished", "", 1, 2, 7, (), TEAM.pair) for name in names]
    lines = [encodable(line, encoding) for line in results_table.as_table(teams, encoding)]
    assert {width(line[: line.index("0923456")]) for line in lines[2:]} == {width(lines[0].partition("students")[0])}
    assert max(width(line.rstrip()) for line in lines) <= results_table.TABLE_COLUMNS
    assert len(set(lines)) == len(lines)
    data = '{"teamname": "ééé", classname: "INF2A"}'.encode()
    printed = as_text(check(data), data, False, encoding).splitlines()
    [shown, mark] = [line for line in printed if line[:7].isspace()][:2]
    assert encodable(shown, encoding)[mark.index("^") :].startswith("classname")


def test_every_format_has_the_teams_in_an_order_for_readers(tmp_path: Path) -> None:
    named = [("net1", "team10"), ("Net1", "team2"), ("Net10", "a"), ("Net2", "Zed"), ("Net2", "Éclair"), ("NET1", "a")]
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(Team(*names, "1", "")) for names in named])
    expected = [
        *[("NET1", "a"), ("Net1", "team2"), ("net1", "team10")],  # one class
        *[("Net2", "Éclair"), ("Net2", "Zed"), ("Net10", "a")],
    ]
    for rows in (json.loads(run(tmp_path, "--format", "json")), csv_rows(tmp_path)):
        assert [(row["classname"], row["teamname"]) for row in rows] == expected
    with closing(open_records(tmp_path)) as records, closing(BoardStore(tmp_path)) as board_store:
        grades = Gradebook(records, board_store).grades(GradeQuery())
        assert [grade.team[:2] for grade in grades] == expected


def test_more_teams_than_are_sorted_come_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_SORTED", 2)
    rows = [TeamRow(TEAM._replace(teamname=name), "finished", "", 1, 2, 7, (), TEAM.pair) for name in "cba"]
    assert list(results.in_order(iter(rows))) == rows
    assert list(results.in_order(iter(rows[:2]))) == rows[1::-1]


def test_a_long_table_is_shown_while_it_is_read() -> None:
    taken = 0

    def rows() -> Iterator[TeamRow]:
        nonlocal taken
        for taken in range(1, 5001):
            yield TeamRow(TEAM, "finished", "", 1, 2, taken, (), TEAM.pair)

    lines = results_table.as_table(rows())
    assert next(lines).startswith("class")
    assert taken == results_table.WIDTH_SAMPLE_ROWS
    assert len(list(lines)) == 5001
    assert taken == 5000
