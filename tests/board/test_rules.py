"""The board's small rules: tries held up, cookies signed, text and times shown, teams found by what links say."""

import dataclasses
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.board.gradebook.class_names import ByClass, folded
from tandem.board.web import display_text
from tandem.board.web.links import Links, page_number
from tandem.board.web.prometheus import metrics
from tandem.board.web.rate_limit import MAX_ADDRESSES, RateLimiter
from tandem.board.web.security import LOOPBACK, is_loopback, names_for
from tandem.board.web.token import TokenCheck
from tandem.records.queries import TeamKey, open_records
from tandem.records.visits import MetricsSample, Team
from testing.boards import keep, team
from testing.visits import message_1


def test_a_brake_lets_so_many_pass_and_then_one_by_one() -> None:
    brake = RateLimiter(3, 10.0)
    for _ in range(3):
        assert brake.wait("192.0.2.1", 100.0) == 0
        brake.count("192.0.2.1", 100.0)
    assert brake.wait("192.0.2.1", 100.0) == pytest.approx(10.0)
    assert brake.wait("192.0.2.2", 100.0) == 0
    assert brake.wait("192.0.2.1", 110.0) == 0
    brake.count("192.0.2.1", 110.0)
    assert brake.wait("192.0.2.1", 110.0) == pytest.approx(10.0)
    assert brake.wait("192.0.2.1", 1000.0) == 0


def test_an_ipv6_host_cannot_change_its_address() -> None:
    brake = RateLimiter(1, 10.0)
    brake.count("2001:db8::1", 0.0)
    assert brake.wait("2001:db8::2", 0.0) > 0
    assert brake.wait("2001:db8:0:1::2", 0.0) == 0


def test_a_brake_remembers_a_bounded_number() -> None:
    brake = RateLimiter(1, 10.0)
    for number in range(MAX_ADDRESSES + 10):
        brake.count(str(number), 0.0)
    assert brake.wait("another", 0.0) > 0, "the others share one bucket"
    brake.count("much later", 100_000.0)
    assert brake.wait("another", 100_000.0) == 0


ADMISSION = TokenCheck(b"key" * 11)


@given(st.text(max_size=100))
def test_whatever_a_form_says_it_is_not_believed(token: str) -> None:
    assert not ADMISSION.is_own_form(token, "cookie")
    assert not ADMISSION.is_token(token, "0" * 64)
    assert not ADMISSION.is_token(token, ""), "no token yet: nobody is the teacher"


def test_a_forms_token_belongs_to_one_cookie() -> None:
    assert ADMISSION.is_own_form(ADMISSION.form_token("one"), "one")
    assert not ADMISSION.is_own_form(ADMISSION.form_token("one"), "two")


@given(st.text())
def test_a_halved_name_loses_nothing_and_is_cut_only_between_plain_letters(name: str) -> None:
    start, end = display_text.halves(name)
    assert start + end == name
    assert not end or (start[-1] + end).isascii()


def test_long_names_keep_their_end() -> None:
    assert display_text.halves("Byte Brigade 12") == ("Byte Brigad", "e 12")
    assert display_text.halves("Team 12") == ("Team 12", "")
    assert display_text.halves("Team of the ❤️") == ("Team of the ❤️", "")


@given(st.text())
def test_what_is_visible_holds_nothing_that_is_not(text: str) -> None:
    shown = display_text.visible(text)
    assert shown.replace("\u200d", "").isprintable()
    assert bool(shown.strip()) == bool(text)


@pytest.mark.parametrize(
    "text", ["Team 1", "\u20ac uro", "\u7b2c1", "\U0001f469\u200d\U0001f680", "\u2764\ufe0f", "\u00e9"]
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert display_text.visible(text) == text


HIDDEN = {
    "": "",
    " ": r"\x20",
    "\u3164": r"\u3164",
    "Segfault\u3164": r"Segfault\u3164",
    "Segfault\u200d": r"Segfault\u200d",
    "Segfault\ufe0f": r"Segfault\ufe0f",
    "\U0001f469\u200d": "\U0001f469" + r"\u200d",
    "a\u200db": r"a\u200db",
    "a\U000e0101": r"a\U000e0101",
    "\u2800": r"\u2800",
}


@pytest.mark.parametrize(("text", "shown"), HIDDEN.items(), ids=ascii)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert display_text.visible(text) == shown


PUBLIC = {
    "We are 0923456 and 0934567!": "We are ••• and •••!",
    "Team 12345": "Team 12345",
    "INF 2 A 3": "INF 2 A 3",
    "Team 1, 2, 3, 4, 5, 6": "Team 1, 2, 3, 4, 5, 6",
    "INF2A 2026-2027": "INF2A 2026-2027",
    "092 34 56": "•••",
    "We: 0923-456.": "We: •••.",
    "09.23.456 and 0 9 3 4 5 6 7": "••• and •••",
    "09_23_456": "•••",
    "092\u200b3456": "•••",
    "0923\u2013456": "•••",
    "2026-20271": "•••",
    "at 192.0.2.17.": "at •••.",
    "v1.2.3": "v1.2.3",
    "fe80::1": "•••",
    "2001:db8:0:0:0:0:0:7 x": "••• x",
    "::ffff:192.0.2.1": "••••••",
    "std::cout": "std::cout",
    "::": "::",
    "\u0660\u0661\u0662\u0663\u0664\u0665": "•••",
}


@pytest.mark.parametrize(("text", "shown"), PUBLIC.items(), ids=ascii)
def test_what_could_be_a_number_or_an_address_is_masked(text: str, shown: str) -> None:
    assert display_text.public(text) == shown
    assert display_text.is_public(text) == (text == shown)
    assert display_text.public_name(Team(text, text, "", "")) == shown


@given(st.text(), st.from_regex(r"[0-9]{6,12}", fullmatch=True), st.text(), st.sampled_from(["", " ", ".", "-"]))
def test_no_long_number_is_public(before: str, number: str, behind: str, between: str) -> None:
    split = between.join(number)
    assert split not in display_text.public(before + split + behind)


def test_names_for_everybody_hold_no_number_of_the_team() -> None:
    assert display_text.public_name(Team("A", "We are 0923456!", "0923456", "")) == "We are •••!"
    assert display_text.public_name(Team("A", "Team 12", "12", "0000000")) == "Team 12"
    assert display_text.public_name(Team("A", "We are 12-345 and s 9!", "12345", "s9")) == "We are ••• and s 9!"
    assert display_text.public_name(Team("A", "\u202eevil", "1234567", "")) == r"\u202eevil"


def test_times_go_into_a_form_and_back() -> None:
    moment = 1_795_000_000_000_000 // 60_000_000 * 60_000_000
    assert display_text.read_minute(display_text.minute(moment)) == moment
    assert display_text.fine_clock(1_234_567).endswith("01.234")
    assert display_text.duration(1500) == "1.5 ms"
    assert display_text.duration(2_300_000) == "2.3 s"
    assert [display_text.size(n) for n in (1, 9_999, 20_000, 2_500_000, 3_000_000_000)] == [
        "1 byte",
        "9,999 bytes",
        "20 kB",
        "2.5 MB",
        "3.0 GB",
    ]


def test_a_hex_dump() -> None:
    assert display_text.hex_dump(b"").splitlines() == []
    assert display_text.hex_dump(b"{\x00\xff}" + b"a" * 13).splitlines() == [
        "0000  7b 00 ff 7d 61 61 61 61 61 61 61 61 61 61 61 61  {..}aaaaaaaaaaaa",
        f"0010  61{' ' * 45}  a",
    ]


def test_a_problem_of_another_version_shows_its_id() -> None:
    assert display_text.problem_title("not-swapped") == "The numbers are not swapped"
    assert display_text.problem_title("new\x1b") == r"new\x1b"


@given(st.lists(st.tuples(st.text(), st.integers())))
def test_a_class_is_found_under_every_spelling(items: list[tuple[str, int]]) -> None:
    found = ByClass(items)
    assert all(name in found and folded(name) in found for name, _ in items)
    assert {folded(name): value for name, value in items} == {folded(name): found[name] for name in found}
    assert set(found) <= {name for name, _ in items}


def test_what_one_class_is() -> None:
    assert list(ByClass([("INF2A", 1), ("inf2b", 2), ("Inf2a", 3)]).items()) == [("INF2A", 3), ("inf2b", 2)]
    assert folded("INF-2A") != folded("INF2A")


def test_links_tell_no_number_and_find_the_team(tmp_path: Path) -> None:
    one, two = team(1, "same"), team(2, "same")
    keep(tmp_path, message_1(one), message_1(two), message_1(team(3)))
    links = Links(b"key")
    with closing(open_records(tmp_path)) as records:
        for each in (one, two, team(3)):
            query = links.team(TeamKey(each.classname, each.teamname, each.pair))
            assert each.studentnr1 not in query
            row = links.find(records, dict(pair.split("=") for pair in query.replace("+", " ").split("&")))
            assert row is not None
            assert row.team == each
        assert links.find(records, {"class": "INF2A", "team": "same", "tag": "wrong"}) is None
        found = links.find(records, {"class": "INF2A", "team": "Team 3", "tag": "from before its numbers were known"})
        assert found is not None


def test_page_numbers() -> None:
    assert [page_number({"page": text}) for text in ("3", "0", "-1", "x", "", "9" * 50, "²")] == [3, 1, 1, 1, 1, 1, 1]


def test_names_that_a_board_answers_to() -> None:
    assert names_for("127.0.0.1", None) == names_for("::1", None) == LOOPBACK
    assert names_for("0.0.0.0", None) == ()
    assert names_for("127.0.0.1", "Board.example.org") == (*LOOPBACK, "board.example.org")
    assert not is_loopback("board.example.org")


VITALS = MetricsSample(1_000_000, 'a "ground"\n', 5_000_000, 100, 7, 300, 1500, 50, 2000, 4000, 3)


def test_metrics_are_in_prometheus_text_format() -> None:
    text = metrics({VITALS.server: VITALS}, {"finished": 5}, {"tandem_board_watching": 2.0}, {"free": 10})
    lines = text.splitlines()
    assert 'tandem_ground_visits_per_second{ground="a \\"ground\\"\\n"} 20' in lines
    assert 'tandem_ground_visit_p99_seconds{ground="a \\"ground\\"\\n"} 0.0015' in lines
    assert 'tandem_teams{state="finished"} 5' in lines
    assert "tandem_board_watching 2" in lines
    late = metrics(
        {"a": dataclasses.replace(VITALS, ended_us=1_795_412_345_678_901)}, {}, {}, {"free": 123_456_789_012_345}
    )
    assert 'tandem_ground_reported_timestamp_seconds{ground="a"} 1795412345.678901' in late
    assert 'tandem_disk_bytes{what="free"} 123456789012345\n' in late
    assert 'tandem_disk_bytes{what="free"} 10' in lines
    assert "tandem_disk_bytes" not in metrics({}, {}, {}, None)
    named = [line for line in lines if not line.startswith("#")]
    assert all(f"# TYPE {line.partition('{')[0].partition(' ')[0]} gauge" in lines for line in named)
