"""Rosters: what teachers upload, and what is told of a file that is none."""

import csv
import io
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.gradebook.board_store import BoardStore
from tandem.board.gradebook.roster import (
    MAX_REPORTED_MISTAKES,
    MAX_ROSTER_BYTES,
    MAX_ROSTER_TEAMS,
    ROSTER_EXAMPLE,
    RosterError,
    parse_roster,
)
from tandem.records.visits import Team

ONE = Team("INF2A", "Team1", "0923456", "0934567")

RIGHT = {
    "the example": ROSTER_EXAMPLE,
    "another order": "teamname,classname,studentnr2,studentnr1\nTeam1,INF2A,0934567,0923456",
    "semicolons": "classname;teamname;studentnr1;studentnr2\nINF2A;Team1;0923456;0934567\n",
    "tabs": "classname\tteamname\tstudentnr1\tstudentnr2\r\nINF2A\tTeam1\t0923456\t0934567\r\n",
    "as a spreadsheet writes it": (
        "\ufeffClass;Team;Student1;Student2;mail\r\nINF2A;Team1;0923456;0934567;a@b\r\n;;;;\r\n"
    ),
    "blanks around": "classname , teamname,studentnr1,studentnr2\n INF2A,Team1 , 0923456 ,0934567\n\n",
    "Excel's first line": "sep=;\r\nclassname;teamname;studentnr1;studentnr2\r\nINF2A;Team1;0923456;0934567\r\n",
    "Excel's first line, another separator": (
        '"sep=|"\nclassname|teamname|studentnr1|studentnr2\nINF2A|Team1|0923456|0934567'
    ),
    "a line for each student": "classname,teamname,studentnr1\nINF2A,Team1,0923456\nINF2A,Team1,0934567\n",
    "a line for each student, in one class": (
        "class,team,student,mail\nINF2A,Team1,0923456,a@b\ninf2a,Team1,0934567,c@d\n"
    ),
    "a line for each student, with the other one": (
        "classname,teamname,studentnr1,studentnr2\nINF2A,Team1,0923456,0934567\nINF2A,Team1,0934567,0923456\n"
    ),
    "quotes": 'classname,teamname,studentnr1,studentnr2\n"INF2A","Team1","0923456","0934567"\n',
}
WRONG = {
    "nothing": (b"", "the file is empty"),
    "a header alone": (b"classname,teamname\n", "there is no team below"),
    "no header": (b"INF2A,Team1\n", "line 1: there is no column classname: the header has INF2A, Team1"),
    "a column twice": (b"class,klas,team\n", "line 1: there are 2 columns classname"),
    "no class": (b"classname,teamname\n,Team1\n", "line 2: classname is empty"),
    "no team": (b"classname,teamname\nINF2A\n", "line 2: teamname is empty"),
    "not UTF-8": (b"classname,teamname\nINF2A,caf\xe9\n", "line 2: not UTF-8: save the table as CSV UTF-8"),
    "a long name": (b"classname,teamname\nINF2A," + b"x" * 129, "line 2: teamname has 129 bytes, more than 128"),
    "a control character": (
        b"classname,teamname\nINF2A,a\x1bb\n",
        r"line 2: teamname contains a control character: a\x1bb",
    ),
    "a control character of Latin-1": ("classname,teamname\nINF2A,a\x9bb\n".encode(), "line 2: teamname contains"),
    "a long number": (
        b"classname,teamname,studentnr1\nINF2A,a," + b"1" * 33,
        "line 2: studentnr1 has 33 bytes, more than 32",
    ),
    "a header that is too short": (
        b"classname;teamname\nINF1B;Beta;;\nINF1B;Alpha;0911111;0922222\n",
        "line 3: 4 cells, and the header line has 2: name every column there, as studentnr1, studentnr2",
    ),
    "behind Excel's first line": (b"sep=;\nclassname;teamname\nINF1B;\n", "line 3: teamname is empty"),
    "an open quote": (b'classname,teamname\nINF2A,"a\n', "line 2: not CSV: "),
    "too large": (b"x" * (MAX_ROSTER_BYTES + 1), "more than"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_right_rosters(text: str) -> None:
    roster = parse_roster(text.encode())
    assert (roster.teams, roster.remarks) == ([ONE], [])


def test_the_numbers_may_be_missing() -> None:
    assert parse_roster(b"classname,teamname\nINF2A,Team1").teams == [Team("INF2A", "Team1", "", "")]
    alone = b"classname,teamname,studentnr1,studentnr2\nINF2A,Team1,0923456,0000000\n"
    assert parse_roster(alone).remarks == []


HEADER = "classname,teamname,studentnr1,studentnr2\n"
REMARKS = {  # lines below the header -> teams, and what is remarked
    "an s-number": (
        "INF1A,Alpha,s0911111,s0922222",
        [Team("INF1A", "Alpha", "s0911111", "s0922222")],
        [f"line 2: studentnr{n} is s09{n * 11111}: 7 digits are usual" for n in (1, 2)],
    ),
    "digits that are not ASCII": (
        "INF1A,Alpha,\u0661\u0661\u0661\u0661\u0661\u0661\u0661,",
        [Team("INF1A", "Alpha", "\u0661" * 7, "")],
        ["line 2: studentnr1 is \u0661\u0661\u0661\u0661\u0661\u0661\u0661: 7 digits are usual"],
    ),
    "a joined emoji": ("INF1A,👩\u200d💻 crew,,", [Team("INF1A", "👩\u200d💻 crew", "", "")], []),
    "the same line twice": (
        "INF1A,Alpha,0911111,0922222\nINF1A,Beta,,\nINF1A,Alpha,0911111,0922222",
        [Team("INF1A", "Alpha", "0911111", "0922222"), Team("INF1A", "Beta", "", "")],
        ["line 4: the same team as in line 2, once more"],
    ),
    "three students": (
        "INF1A,Alpha,0911111,\nINF1A,Alpha,0922222,\nINF1A,Alpha,0933333,",
        [Team("INF1A", "Alpha", "0911111", "0922222"), Team("INF1A", "Alpha", "0933333", "")],
        ["line 4: the same team as in line 2, with other students"],
    ),
    "other letters, and a blank behind": (
        "INF1A,Alpha,0911111,0922222\ninf1a,ALPHA,0933333,0944444\nINF1A,Alpha ,0955555,0966666",
        [
            Team("INF1A", "Alpha", "0911111", "0922222"),
            Team("inf1a", "ALPHA", "0933333", "0944444"),
            Team("INF1A", "Alpha", "0955555", "0966666"),
        ],
        [
            "line 3: the same team as in line 2, in other letters",
            "line 4: the same team as in line 2, with other students",
        ],
    ),
    "another Unicode form": (
        "INF1A,Zoë,0911111,0922222\nINF1A,Zoe\u0308,0933333,0944444",
        [Team("INF1A", "Zoë", "0911111", "0922222"), Team("INF1A", "Zoe\u0308", "0933333", "0944444")],
        ["line 3: the same team as in line 2, in another Unicode form"],
    ),
}


@pytest.mark.parametrize(("lines", "teams", "remarks"), REMARKS.values(), ids=REMARKS)
def test_what_is_unusual_is_taken_with_a_remark(lines: str, teams: list[Team], remarks: list[str]) -> None:
    roster = parse_roster((HEADER + lines).encode())
    assert (roster.teams, roster.remarks) == (teams, remarks)


def test_the_groups_of_one_name_are_all_kept(tmp_path: Path) -> None:
    teams = parse_roster((HEADER + REMARKS["three students"][0]).encode()).teams
    with closing(BoardStore(tmp_path)) as board_store:
        board_store.replace_rosters([*teams, teams[0]])
        assert board_store.roster("inf1a") == teams


def test_a_missing_column_is_empty() -> None:
    assert parse_roster(b"classname;teamname;studentnr2\nINF1B;Alpha;0911111\nINF1B;Beta").teams == [
        Team("INF1B", "Alpha", "", "0911111"),
        Team("INF1B", "Beta", "", ""),
    ]


def test_a_number_of_an_unusual_length_is_kept_and_remarked_on() -> None:
    roster = parse_roster(b"classname,teamname,studentnr1,studentnr2\nINF2A,Team1,923456,0934567\n")
    assert roster.teams == [ONE._replace(studentnr1="923456")]
    words = "line 2: studentnr1 is 923456: 6 digits, 7 are usual: a spreadsheet program removes zeros at the front"
    assert roster.remarks == [words]
    many = b"".join(b"INF2A,%d,1\n" % number for number in range(100))
    assert len(parse_roster(b"classname,teamname,studentnr1\n" + many).remarks) == MAX_REPORTED_MISTAKES


@pytest.mark.parametrize(("data", "words"), WRONG.values(), ids=WRONG)
def test_wrong_rosters_are_told_with_their_line(data: bytes, words: str) -> None:
    with pytest.raises(RosterError) as caught:
        parse_roster(data)
    assert words in caught.value.mistakes[0]


def test_every_mistake_is_told_but_not_without_end() -> None:
    with pytest.raises(RosterError) as caught:
        parse_roster(b"classname,teamname\n" + b"INF2A,\n" * 100)
    assert len(caught.value.mistakes) == MAX_REPORTED_MISTAKES


def test_too_many_teams() -> None:
    lines = "".join(f"INF2A,{number}\n" for number in range(MAX_ROSTER_TEAMS + 1))
    with pytest.raises(RosterError, match="more than the"):
        parse_roster(b"classname,teamname\n" + lines.encode())


@given(st.binary(max_size=300) | st.text("classname,teamname;\n\r\"'=\0\ufeff", max_size=200).map(str.encode))
def test_any_bytes_are_a_roster_or_told(data: bytes) -> None:
    try:
        told: tuple[object, ...] = tuple(parse_roster(data).teams)
    except RosterError as trouble:
        told = trouble.mistakes
    assert told
    assert not [c for each in told if isinstance(each, str) for c in each if c < " " or "\x7f" <= c <= "\x9f"]


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=15).filter(
    lambda text: text == text.strip() and text.isprintable()
)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=10, unique=True), st.sampled_from(",;\t"))
def test_what_a_spreadsheet_writes_is_read(teams: list[tuple[str, str]], separator: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator)
    writer.writerows([("classname", "teamname"), *teams])
    assert [(team.classname, team.teamname) for team in parse_roster(file.getvalue().encode()).teams] == teams
