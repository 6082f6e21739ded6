"""The board's small rules: tries held up, cookies signed, text and times shown, teams found by what links say."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tandem.board.feed.tiles import ClassTiles
from tandem.board.keyed_hash import Domain, keyed_hash
from tandem.board.web import display_text
from tandem.board.web.links import Links, page_number
from tandem.board.web.prometheus import BoardHistograms, metrics_text
from tandem.board.web.rate_limit import MAX_BUCKETS, RateLimiter
from tandem.board.web.security import LOOPBACK, host_names_for, is_loopback
from tandem.board.web.token_check import TokenCheck
from tandem.diagnosis.excerpt import Excerpt, split_at_mark
from tandem.net.networks import host_network
from tandem.records.class_spellings import ByClass, folded
from tandem.records.queries import TeamKey, TeamRow, open_records
from tandem.records.visits import MetricsSample, Team
from testing.boards import team, write_records
from testing.visits import message_1


@pytest.mark.parametrize(
    ("shown", "mark", "parts"),
    [
        ("{a: 1}", " ^", ("{", "a", ": 1}")),
        ("{a: 1}", "^", ("", "{", "a: 1}")),
        ("{a: 1", "     ^", ("{a: 1", " ", "")),
        ("日本x", "    ^", ("日本", "x", "")),
        ("日本x", "  ^", ("日", "本", "x")),
        ("e\u0301a", "^", ("", "e\u0301", "a")),
        ("e\u0301a", " ^", ("e\u0301", "a", "")),
        ("", "^", ("", " ", "")),
    ],
)
def test_the_character_over_the_mark_is_found(shown: str, mark: str, parts: tuple[str, str, str]) -> None:
    assert split_at_mark(Excerpt(1, 1, shown, mark, None)) == parts


def test_a_brake_lets_so_many_pass_and_then_one_by_one() -> None:
    limiter = RateLimiter(3, 10.0)
    for _ in range(3):
        assert limiter.wait_s("192.0.2.1", 100.0) == 0
        limiter.count_try("192.0.2.1", 100.0)
    assert limiter.wait_s("192.0.2.1", 100.0) == pytest.approx(10.0)
    assert limiter.wait_s("192.0.2.2", 100.0) == 0
    assert limiter.wait_s("192.0.2.1", 110.0) == 0
    limiter.count_try("192.0.2.1", 110.0)
    assert limiter.wait_s("192.0.2.1", 110.0) == pytest.approx(10.0)
    assert limiter.wait_s("192.0.2.1", 1000.0) == 0


def test_an_ipv6_host_cannot_change_its_address() -> None:
    limiter = RateLimiter(1, 10.0)
    limiter.count_try("2001:db8::1", 0.0)
    assert limiter.wait_s("2001:db8::2", 0.0) > 0
    assert limiter.wait_s("2001:db8:0:1::2", 0.0) == 0


def test_an_ipv4_host_is_one_however_it_is_written_and_shares_with_no_other() -> None:
    assert host_network("::ffff:192.0.2.1") == host_network("192.0.2.1") == "192.0.2.1"
    assert host_network("::ffff:192.0.2.2") == "192.0.2.2"
    assert host_network("fe80::1%eth0") == "fe80::/64"
    assert host_network("no address") == "no address"


def test_a_brake_remembers_a_bounded_number() -> None:
    limiter = RateLimiter(1, 10.0)
    for number in range(MAX_BUCKETS + 10):
        limiter.count_try(str(number), 0.0)
    assert limiter.wait_s("another", 0.0) > 0, "the others share one bucket"
    limiter.count_try("much later", 100_000.0)
    assert limiter.wait_s("another", 100_000.0) == 0


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
    start, end = display_text.split_name(name)
    assert start + end == name
    assert not end or (start[-1] + end).isascii()


def test_long_names_keep_their_end() -> None:
    assert display_text.split_name("Byte Brigade 12") == ("Byte Brigad", "e 12")
    assert display_text.split_name("Team 12") == ("Team 12", "")
    assert display_text.split_name("Team of the ❤️") == ("Team of the ❤️", "")


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


@pytest.fixture
def amsterdam(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine is in Amsterdam. The rule is spelled out: the machine may have no table of zones."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2027-03-28T02:30", "02:30 on 2027-03-28 does not exist"),
        ("2027-03-28T02:00", "02:00 on 2027-03-28 does not exist"),
        ("2026-10-25T02:30", "02:30 on 2026-10-25 comes twice"),
    ],
)
def test_a_deadline_in_the_hour_of_the_clocks_change_is_told(amsterdam: None, text: str, words: str) -> None:
    with pytest.raises(display_text.ClockChangeError, match=words):
        display_text.read_minute(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2027-03-28T01:59", "2027-03-28T00:59"),
        ("2027-03-28T03:00", "2027-03-28T01:00"),
        ("2026-10-25T01:59", "2026-10-24T23:59"),
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_deadline_beside_that_hour_is_taken(amsterdam: None, text: str, utc: str) -> None:
    moment = datetime.fromisoformat(f"{utc}+00:00")
    assert display_text.read_minute(text) == int(moment.timestamp() * 1e6)
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
    write_records(tmp_path, message_1(one), message_1(two), message_1(team(3)))
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
    assert host_names_for("127.0.0.1", None) == host_names_for("::1", None) == LOOPBACK
    assert host_names_for("0.0.0.0", None) == ()
    assert host_names_for("127.0.0.1", "Board.example.org") == (*LOOPBACK, "board.example.org")
    assert not is_loopback("board.example.org")


VITALS = MetricsSample(1_000_000, 'a "ground"\n', 5_000_000, 100, 7, 300, 1500, 50, 2000, 4000, 3)


def families(text: bytes) -> dict[str, Metric]:
    """Parse metrics with the parser of prometheus_client, which refuses what is not the text format."""
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    [sample] = [each for each in found[name].samples if each.labels == labels]
    return float(sample.value)


def test_each_gauge_of_a_server_has_its_name_and_its_old_name() -> None:
    found = families(metrics_text({VITALS.server: VITALS}, {}, {}, None, BoardHistograms()))
    for end, right in (
        ("visits_per_second", 20),
        ("commits_per_second", 10),
        ("connections", 7),
        ("waiting_records", 3),
        ("visit_p50_seconds", 0.0003),
        ("commit_p50_seconds", 0.002),
        ("reported_timestamp_seconds", 1),
    ):
        assert value(found, f"tandem_server_{end}", server=VITALS.server) == pytest.approx(right)
        assert value(found, f"tandem_ground_{end}", ground=VITALS.server) == pytest.approx(right)
        assert found[f"tandem_ground_{end}"].type == "gauge"
    assert not [name for name in found if "p99" in name]


def test_metrics_of_teams_disk_and_board() -> None:
    disk = {"free": 123_456_789_012_345}
    found = families(metrics_text({}, {"finished": 5}, {"tandem_board_watching": 2.0}, disk, BoardHistograms()))
    assert value(found, "tandem_teams", state="finished") == 5
    assert value(found, "tandem_board_watching") == 2
    assert value(found, "tandem_disk_bytes", what="free") == 123_456_789_012_345
    assert not [name for name in found if name.startswith(("tandem_server", "tandem_ground"))]
    assert "tandem_disk_bytes" not in families(metrics_text({}, {}, {}, None, BoardHistograms()))


def test_a_time_in_metrics_has_all_its_digits() -> None:
    late = dataclasses.replace(VITALS, ended_us=1_795_412_345_678_901)
    found = families(metrics_text({"a": late}, {}, {}, None, BoardHistograms()))
    assert value(found, "tandem_server_reported_timestamp_seconds", server="a") == 1795412345.678901


def test_histograms_count_every_observation_in_its_buckets() -> None:
    histograms = BoardHistograms()
    for duration_s in (0.0005, 0.02, 100.0):
        histograms.reads.observe(duration_s)
    found = families(metrics_text({}, {}, {}, None, histograms))["tandem_board_read_seconds"]
    buckets = {each.labels["le"]: each.value for each in found.samples if each.name.endswith("_bucket")}
    assert found.type == "histogram"
    assert (buckets["0.001"], buckets["0.025"], buckets["10.0"], buckets["+Inf"]) == (1, 2, 2, 3)


TEXTS = st.text(max_size=5)


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_hashes_of_different_texts_or_purposes_differ(some: list[str], others: list[str]) -> None:
    domains = list(Domain)
    assert len({keyed_hash(b"key", domain, *some) for domain in domains}) == len(domains)
    as_bytes = [[text.encode(errors="replace") for text in texts] for texts in (some, others)]
    is_same = keyed_hash(b"key", Domain.TILE, *some) == keyed_hash(b"key", Domain.TILE, *others)
    assert is_same == (as_bytes[0] == as_bytes[1])


def test_the_public_id_of_a_tile_is_not_the_tag_in_a_teachers_link() -> None:
    key, row_key = b"key", TeamKey("INF2A", "Team 1", "1000001\n2000001")
    row = TeamRow(team(1), "finished", "192.0.2.1", 1, 2, 1, (), row_key.pair)
    class_tiles = ClassTiles("INF2A", key)
    class_tiles.replace([row], [])
    [tag] = parse_qs(Links(key).team(row.key))["tag"]
    assert len(tag) == 12
    assert tag not in class_tiles.tiles[0].key
