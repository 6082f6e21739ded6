"""The diagram, drawn without any process: arrows in, lines out."""

import re

import pytest

from tandem.demo.canvas import ASCII, BOX, WIDTH, LineStyle, Row, line_style_for
from tandem.demo.diagram import LIFELINES, Diagram
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.protocol.message import STATUS_FINISHED
from testing.exchange_messages import ANSWERED, ASKED, DONE, PASSED_ON

WELCOME = b"Tandem: socket connection established. Send your message."
TRAVELLED = {
    1: WELCOME,
    2: ASKED.encode(),
    3: ANSWERED.encode(),
    4: ANSWERED.encode(),
    5: WELCOME,
    6: PASSED_ON.encode(),
    7: DONE.encode(),
}
ESCAPE = re.compile(r"\x1b\[\d*m")


def draw(style: LineStyle = BOX, coloured: bool = False) -> dict[int, list[str]]:
    """The lines of each arrow; those of the heads under 0."""
    diagram = Diagram(style, coloured)
    heads = diagram.heads({SERVER: "127.0.0.1:45550", CLIENT_2: "127.0.0.1:45551"})
    return {0: heads} | {number: diagram.arrow(number, number * 1.5, data) for number, data in TRAVELLED.items()}


def flat(drawn: dict[int, list[str]]) -> list[str]:
    return [line for lines in drawn.values() for line in lines]


def words(lines: list[str]) -> str:
    """The text between the lifelines, in one line."""
    return " ".join(" ".join(lines).replace(BOX.lifeline, " ").split())


def test_heads_name_the_three_and_where_they_listen() -> None:
    names, places = draw()[0]
    assert names.split() == ["client", "1", "server", "client", "2"]
    assert places.replace(BOX.lifeline, "").split() == ["ms", "127.0.0.1:45550", "127.0.0.1:45551"]


@pytest.mark.parametrize("number", ARROWS)
def test_an_arrow_goes_from_its_sender_to_its_receiver(number: int) -> None:
    sender, receiver, what = ARROWS[number]
    arrow = draw()[number][0]
    ends = sorted((LIFELINES[sender], LIFELINES[receiver]))
    inner = arrow[ends[0] + 1 : ends[1]]
    assert inner.startswith(BOX.left_head) == (LIFELINES[sender] > LIFELINES[receiver])
    assert inner.endswith(BOX.right_head) == (LIFELINES[sender] < LIFELINES[receiver])
    assert f" {number} {what} " in inner
    assert f" {len(TRAVELLED[number])} B " in inner
    assert float(arrow[: LIFELINES[CLIENT_1]]) == number * 1.5
    assert [arrow[column] for column in ends] == [BOX.lifeline] * 2


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, ""),
        (
            2,
            "studentnr1 0923456 studentnr2 0934567 classname INF2A clientid 1 teamname Team1 ip 192.168.1.2"
            ' secret "" status ""',
        ),
        (
            3,
            "the server filled in: * secret 5e5e5e5e5e…5e5e5e5e5e * status waiting for message 2"
            " and kept the other 6 fields",
        ),
        (4, f"the bytes of the reply, unchanged; the secret in full: {'5e' * 32}"),
        (5, ""),
        (
            6,
            "client 2 swapped: * studentnr1 0934567 * studentnr2 0923456 and set its own: * clientid 2"
            " * ip 192.168.1.3 and kept classname, teamname, secret and status",
        ),
        (7, f"the server changed: * status {STATUS_FINISHED} and kept the other 7 fields"),
    ],
)
def test_below_an_arrow_is_what_was_done_to_the_fields(number: int, told: str) -> None:
    assert words(draw()[number][1:]) == told


def test_a_handover_that_changes_something_is_shown_as_such() -> None:
    diagram = Diagram(BOX, coloured=False)
    diagram.arrow(2, 0.0, ANSWERED.encode())
    altered = ANSWERED.encode().replace(b"waiting for", b"waiting no more for")
    assert words(diagram.arrow(4, 0.0, altered)[1:]).startswith("client 1 changed: * status waiting")


@pytest.mark.parametrize("style", [BOX, ASCII])
def test_no_line_is_wider_than_a_terminal(style: LineStyle) -> None:
    assert max(map(len, flat(draw(style)))) <= WIDTH < 80


def test_long_values_are_shortened_in_the_middle() -> None:
    long = ASKED.encode().replace(b"Team1", "Ein sehr langer Teamname, länger als der Platz".encode())
    lines = Diagram(BOX, coloured=False).arrow(2, 99999.9, long)
    assert "teamname    Ein sehr…er Platz" in "".join(lines)
    assert {line[column] for line in lines[1:] for column in LIFELINES.values()} == {BOX.lifeline}


def test_the_lifelines_are_not_interrupted_except_by_the_handover() -> None:
    drawn = draw()
    for number in (1, 2, 3, 5, 6, 7):
        for line in drawn[number]:
            assert [line[column] for column in LIFELINES.values()] == [BOX.lifeline] * 3


def test_ascii_where_the_encoding_has_no_boxes() -> None:
    assert line_style_for("utf-8") is BOX
    for encoding in ("ascii", "latin-1", "cp1252"):
        assert line_style_for(encoding) is ASCII
    assert all(line.isascii() for line in flat(draw(ASCII)))


def test_colours_add_nothing_but_colour() -> None:
    plain, coloured = flat(draw()), flat(draw(coloured=True))
    assert not any(ESCAPE.search(line) for line in plain)
    assert [ESCAPE.sub("", line) for line in coloured] == plain


def test_what_was_changed_is_in_colour() -> None:
    starred = [line for line in flat(draw(coloured=True)) if "*" in line]
    assert len(starred) == 7
    assert all(re.search(r"\x1b\[3[256]m\* \w+ ", line) for line in starred)


def test_every_colour_ends_on_its_line() -> None:
    for line in flat(draw(coloured=True)):
        codes = ESCAPE.findall(line)
        assert codes[1::2] == ["\x1b[0m"] * (len(codes) // 2)
        assert len(codes) % 2 == 0


def test_a_row_leaves_out_what_does_not_fit() -> None:
    assert Row().put(WIDTH - 2, "abc").render(coloured=False).strip() == "ab"
