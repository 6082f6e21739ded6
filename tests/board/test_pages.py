"""The pages over HTTP, without a browser: who sees what, what a form may do, what every answer carries."""

import base64
import csv
import html
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from openpyxl import load_workbook

from tandem.board.feed import follower as follower_module
from tandem.board.feed.class_feed import MAX_STUCK
from tandem.board.gradebook import grades
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError
from tandem.board.web import display_text
from tandem.board.web.auth import RIGHT_SECRETS, TEACHER_COOKIE, TEAM_COOKIE, WRONG_SECRETS, WRONG_TOKENS
from tandem.board.web.pages import gradebook
from tandem.board.web.pages.teams import VISITS_PER_PAGE
from tandem.board.web.security import MAX_BODY_BYTES
from tandem.diagnosis.problem import REFUSAL_HANDED_ON
from tandem.keys.keyring import load_keyring
from tandem.keys.secret import derive
from tandem.records.visits import MetricsSample, Outcome
from testing.boards import (
    Visitor,
    board,
    numbered,
    page_text,
    refused,
    secret,
    table_rows,
    team,
    with_secret,
    write_records,
)
from testing.forgetting import forget
from testing.processes import wait_until
from testing.raw_sockets import encoded
from testing.raw_sockets import message_1 as as_sent
from testing.visits import message_1, message_2, rejected
from testing.visits import refused as not_right

NOW = int(time.time() * 1e6)
ROSTER = "classname,teamname,studentnr1,studentnr2\nINF2A,Team 1,,\nINF2A,Never Came,0911111,0922222\nINF2Z,Nobody,,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished team, one that waits, one that is stuck, one that never got anything right."""
    write_records(
        tmp_path / "data",
        numbered(1, NOW - 60_000_000),
        with_secret(message_2(team(1), NOW - 30_000_000), 1),
        numbered(2, NOW - 20_000_000),
        numbered(3, NOW - 20_000_000),
        refused(3, "not-swapped", NOW - 10_000_000),
        rejected(team(4), "bare-key", NOW - 5_000_000),
        rejected(None, "not-json", NOW - 4_000_000),
    )
    return tmp_path / "data"


@pytest.fixture
def visitor(folder: Path) -> Iterator[Visitor]:
    with board(folder) as opened:
        yield opened


@pytest.fixture
def teacher(visitor: Visitor) -> Visitor:
    visitor.log_in()
    return visitor


PUBLIC = ("/", "/class?name=INF2A", "/team", "/check", "/login", "/healthz")
TEACHERS = (
    "/gradebook",
    "/gradebook/classes",
    "/gradebook/secret",
    "/gradebook/export",
    "/health",
    "/gradebook/team",
    "/gradebook/visits",
)


def test_the_class_shows_each_team_with_its_state(visitor: Visitor) -> None:
    page = page_text(visitor.get("/class", name="INF2A"))
    assert re.search(r"Team 1 finished \d\d:\d\d Team 2 waiting for message 2 Team 3 stuck: The numbers are not", page)
    assert "Team 4 stuck: A name without quotes" in page
    assert "1 finished 2 stuck 1 waiting for message 2 0 expected 4 teams" in page
    assert "1 The numbers are not swapped" in page


def test_public_pages_tell_no_number_no_address_and_nothing_that_was_sent(visitor: Visitor) -> None:
    for path in ("/", "/class?name=INF2A", "/team", "/check"):
        page = visitor.get(path)
        for hidden in ("1000001", "2000003", "192.0.2.1", "what came", "what was answered", secret(1)):
            assert hidden not in page, (path, hidden)


def test_the_stuck_teams_are_listed_with_their_problems(folder: Path) -> None:
    write_records(folder, *(numbered(number, NOW) for number in range(5, 130)))
    write_records(folder, *(refused(number, "not-swapped", NOW + number) for number in range(5, 5 + MAX_STUCK)))
    with board(folder) as many:
        page = many.get("/class", name="INF2A")
    text = page_text(page.partition('aria-label="Stuck teams"')[2].partition("</section>")[0])
    assert "Team 3 The numbers are not swapped Team 4 A name without quotes Team 5" in text
    assert text.count("The numbers are not swapped") == MAX_STUCK - 1
    assert text.endswith("and 2 more")


def test_the_list_of_classes_counts(visitor: Visitor) -> None:
    wait_until(lambda: "INF2A" in visitor.get("/"))
    assert "INF2A 1 4" in page_text(visitor.get("/"))


def test_a_class_that_nobody_has_come_from_is_empty_until_the_first_team(folder: Path, visitor: Visitor) -> None:
    for path in ("/", "/class?name=INF2A"):
        assert "NEW" not in page_text(visitor.get(path))
    page = page_text(visitor.get("/class", name="NEW"))
    assert "0 teams" in page
    assert "No team has connected yet. The first team appears here by itself." in page
    write_records(folder, message_1(team(1, "Early Bird", "NEW")))
    wait_until(lambda: "Early Bird waiting for message 2" in page_text(visitor.get("/class", name="NEW")))
    assert "No team has connected" not in visitor.get("/class", name="NEW")


@pytest.mark.parametrize("name", ["", "x" * 65, "\N{SNOWMAN}" * 22, "a\x1bb", "two\nlines"])
def test_a_class_that_can_never_be(visitor: Visitor, name: str) -> None:
    for path in ("/class", "/class/live"):
        assert "The name of a class has 1 to 64 bytes" in visitor.get(path, 404, name=name)
    visitor.get("/class", 404)


def test_a_class_is_found_in_other_letters_and_goes_by_one_name(folder: Path, teacher: Visitor) -> None:
    def found(name: str) -> str:
        answer = teacher.client.get("/class", params={"name": name}, follow_redirects=False)
        return str(answer.headers.get("location", "here"))

    wait_until(lambda: "INF2A" in teacher.get("/"))
    assert found("INF2A") == "here"
    assert found("inf2a") == "/class?name=INF2A"
    write_records(folder, message_1(team(5, classname="inf2a")))
    wait_until(lambda: "5 teams" in page_text(teacher.get("/class", name="INF2A")))
    wait_until(lambda: "INF2A 1 5" in page_text(teacher.get("/")))
    assert len(table_rows(teacher.get("/gradebook", **{"class": "Inf2a"}))) == 5

    teacher.send("/gradebook/roster", 200, pasted="classname,teamname\nInf2a,Team 5\nInf2a,Never Came\n")
    assert found("INF2A") == "/class?name=Inf2a"
    assert "1 expected 6 teams" in page_text(teacher.get("/class", name="Inf2a"))
    assert "Inf2a 1 5 2" in page_text(teacher.get("/"))
    names = [line.split(" ", 1)[1] for line in table_rows(teacher.get("/gradebook", **{"class": "INF2A"}))]
    assert names[0].startswith("Never Came expected")
    assert len(names) == 6


def test_many_teams_of_a_class_in_other_letters_come_page_by_page(
    folder: Path, teacher: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.board.gradebook.grades.MAX_SORTED", 2)
    monkeypatch.setattr("tandem.board.gradebook.grades.PAGE_ROWS", 2)
    write_records(folder, message_1(team(5, classname="inf2a")))
    wait_until(lambda: "INF2A 1 5" in page_text(teacher.get("/")))
    path, found = "/gradebook?class=INF2A", list[str]()
    for _ in range(3):
        page = teacher.get(path)
        found += [line.partition(" 1")[0] for line in table_rows(page)]
        path = next(iter(re.findall(r'href="(/gradebook\?[^"]*)">next</a>', page)), "").replace("&amp;", "&")
    assert found == ["INF2A Team", "INF2A Team 2", "INF2A Team 3", "INF2A Team 4", "inf2a Team 5"]
    assert path == "", "that was the last"


def test_a_page_that_is_none(visitor: Visitor) -> None:
    assert "There is no such page" in visitor.get("/nothing", 404)
    assert visitor.client.put("/check").status_code == 405


@pytest.mark.parametrize("path", TEACHERS)
def test_the_teachers_pages_ask_for_the_token(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?then={path}")


@pytest.mark.parametrize("path", ["note", "mark", "roster", "roster/remove", "deadline", "forget", "secret"])
def test_the_teachers_forms_ask_for_the_token_and_for_their_own(visitor: Visitor, path: str) -> None:
    visitor.post(f"/gradebook/{path}", 403)
    visitor.log_in()
    assert "out of date" in visitor.post(f"/gradebook/{path}", 403)
    assert "out of date" in visitor.post(f"/gradebook/{path}", 403, form_token="wrong")


def test_after_logging_in_the_teacher_is_where_they_wanted(visitor: Visitor) -> None:
    for then, location in (
        ("/health?a=b", "/health?a=b"),
        ("//evil.example", "/gradebook"),
        ("http://evil", "/gradebook"),
    ):
        answer = visitor.client.post("/login", data={"token": visitor.token, "then": then}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, location)
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert "secure" not in cookie


def test_a_wrong_token_does_not_and_many_are_held_up(visitor: Visitor) -> None:
    for _ in range(WRONG_TOKENS[0]):
        assert "This is not the token" in visitor.post("/login", 403, token="wrong", then="/gradebook")
    answer = visitor.client.post("/login", data={"token": "wrong"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    visitor.log_in()  # the right one is not held up by what others behind the same address tried


def test_wrong_tokens_of_a_program_are_held_up_where_they_count_and_nowhere_else(visitor: Visitor) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    for path in ("/", "/class?name=INF2A", "/nothing"):
        codes = {visitor.client.get(path, headers=wrong).status_code for _ in range(WRONG_TOKENS[0] + 1)}
        assert codes == {404 if path == "/nothing" else 200}
    for path in ("/metrics", "/gradebook"):
        answers = [visitor.client.get(path, headers=wrong, follow_redirects=False) for _ in range(WRONG_TOKENS[0] + 1)]
        assert answers[-1].status_code == 429
        assert "default-src 'none'" in answers[-1].headers["content-security-policy"]
    right = {"Authorization": f"Bearer {visitor.token}"}
    assert visitor.client.get("/metrics", headers=right).status_code == 200


def test_a_refusal_does_not_need_the_boards_own_file(teacher: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(board_store: BoardStore) -> str:
        raise BoardStoreError("the file is locked")

    monkeypatch.setattr(BoardStore, "token_hash", fail)
    assert "The records cannot be read at the moment" in teacher.get("/check", 503)
    assert "There is no such page" in teacher.get("/nothing", 404)


def test_a_new_token_ends_what_the_old_one_opened(teacher: Visitor) -> None:
    teacher.get("/gradebook")
    teacher.board_store.renew_token()
    teacher.get("/gradebook", 303)


def test_logging_out_ends_the_session_also_for_who_has_its_cookie(teacher: Visitor) -> None:
    stolen = teacher.client.cookies[TEACHER_COOKIE]
    form_token = teacher.form_token()
    teacher.send("/logout")
    teacher.get("/gradebook", 303)
    teacher.client.cookies.set(TEACHER_COOKIE, stolen)
    for path in TEACHERS:
        teacher.get(path, 303)
    teacher.post("/gradebook/roster", 403, form_token=form_token, pasted=ROSTER)


def test_a_team_that_leaves_ends_its_session_too(visitor: Visitor) -> None:
    visitor.post("/team", 303, secret=secret(3))
    stolen = visitor.client.cookies[TEAM_COOKIE]
    assert "Team 3" in visitor.get("/team")
    visitor.post("/team/leave", 303)
    visitor.client.cookies.set(TEAM_COOKIE, stolen, path="/team")
    assert "Team 3" not in visitor.get("/team")
    visitor.get("/team/live", 403)


def test_a_cookie_that_was_changed_opens_no_team(visitor: Visitor) -> None:
    visitor.post("/team", 303, secret=secret(3))
    random = visitor.client.cookies[TEAM_COOKIE].strip('"').partition(".")[0]
    facts = base64.urlsafe_b64encode(json.dumps(["INF2A", "Team 1", "1000001\n2000001"]).encode()).decode()
    visitor.client.cookies.clear()
    for cookie in (f"{random}.{facts}", f".{facts}", random, "x"):
        visitor.client.cookies.set(TEAM_COOKIE, cookie, path="/team")
        assert "Paste your team" in visitor.get("/team")


def test_right_secrets_are_held_up_only_where_they_are_very_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RIGHT_SECRETS[0] >= 300, "a whole class behind one address"
    monkeypatch.setattr("tandem.board.web.auth.RIGHT_SECRETS", (3, 1000.0))
    with board(folder) as visitor:
        for _ in range(3):
            visitor.post("/team", 303, secret=secret(3))
        visitor.post("/team", 429, secret=secret(3))


ELSEWHERE = "192.0.2.9"


def test_over_the_network_no_token_is_taken_in_the_clear(folder: Path) -> None:
    with board(folder, client=ELSEWHERE) as far:
        asked, sent = far.get("/login", 403), far.post("/login", 403, token=far.token)
        for way in ("127.0.0.1", "ssh -L", "--certfile", "--behind", "--insecure-login"):
            assert way in html.unescape(asked)
        assert 'type="password"' not in asked + sent
        assert "token rotate" not in asked
        assert "token rotate" in sent, "it was on the network"
        assert not far.client.cookies
        for path in ("/metrics", "/gradebook", "/health"):
            answer = far.client.get(path, headers={"Authorization": f"Bearer {far.token}"})
            assert answer.status_code == 403
            assert "The page /login says what to do" in answer.text
        for _ in range(WRONG_TOKENS[0] + 1):
            far.post("/login", 403, token="wrong")  # not looked at, so not counted either
        far.get("/class", name="INF2A")


def test_a_session_that_was_begun_here_does_not_count_over_the_network(folder: Path) -> None:
    with board(folder) as near:
        near.log_in()
        assert "Log out" in near.get("/")
        forwarded = near.client.get("/gradebook", headers={"X-Forwarded-For": ELSEWHERE}, follow_redirects=False)
        assert forwarded.status_code == 303, "a proxy that the board was not told of"


def test_it_is_taken_where_the_teacher_wants_it(folder: Path) -> None:
    with board(folder, client=ELSEWHERE, insecure_login=True) as far:
        assert 'type="password"' in far.get("/login")
        far.log_in()
        far.get("/gradebook")


def test_programs_show_the_token_in_a_header(visitor: Visitor) -> None:
    right = {"Authorization": f"Bearer {visitor.token}"}
    answer = visitor.client.get("/metrics", headers=right)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "tandem_board_records_readable 1" in answer.text
    assert visitor.client.get("/metrics").status_code == 401
    assert visitor.client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_every_answer_says_what_a_browser_may_do(teacher: Visitor) -> None:
    for path in (*PUBLIC, *TEACHERS, "/static/board.css", "/nothing"):
        answer = teacher.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")


def test_no_page_has_a_script_or_a_style_of_its_own(teacher: Visitor) -> None:
    for path in (*PUBLIC, *TEACHERS):
        page = teacher.client.get(path).text
        assert not re.search(r"<style|<script(?! type=\"module\"| src=)|\sstyle=|\son\w+=|javascript:", page), path
        assert not re.search(r"https?://(?!www\.w3\.org)", page), path


FOREIGN = {
    "another name": ("GET", {"host": "evil.example"}),
    "another name with our port": ("GET", {"host": "evil.example:8080"}),
    "a form of another site": ("POST", {"origin": "http://evil.example"}),
    "a form of nobody": ("POST", {"origin": "null"}),
    "what the browser says of it": ("POST", {"sec-fetch-site": "cross-site"}),
    "a neighbour": ("POST", {"sec-fetch-site": "same-site"}),
}


@pytest.mark.parametrize(("method", "headers"), FOREIGN.values(), ids=FOREIGN)
def test_what_comes_from_elsewhere_is_refused(visitor: Visitor, method: str, headers: dict[str, str]) -> None:
    assert visitor.client.request(method, "/check", headers=headers).status_code == 403


def test_our_own_forms_are_not(visitor: Visitor) -> None:
    for headers in ({"origin": "http://127.0.0.1"}, {"sec-fetch-site": "same-origin"}, {}):
        assert visitor.client.post("/check", data={"message": "{}"}, headers=headers).status_code == 200
    assert visitor.client.get("/", headers={"host": "localhost:8080"}).status_code == 200
    assert visitor.client.get("/", headers={"host": "[::1]:8080"}).status_code == 200


def test_too_much_is_refused(visitor: Visitor) -> None:
    assert "too large" in visitor.post("/check", 413, message="x" * (MAX_BODY_BYTES + 1))
    assert "a message has at most" in visitor.post("/check", 413, message="x" * 8193)


def test_a_message_is_checked_as_tandem_check_does(visitor: Visitor) -> None:
    wrong = encoded(as_sent(ip="192.168.1.2")).decode().replace('"classname"', "classname")
    page = visitor.post("/check", message=wrong)
    assert "Not accepted: 1 problem" in page_text(page)
    assert "A name without quotes" in page
    assert "<mark>c</mark>lassname" in page
    assert 'id="corrected"' in page
    right = visitor.post("/check", message=encoded(as_sent(ip="192.168.1.2")).decode())
    assert "Accepted" in page_text(right)
    assert 'id="corrected"' not in right


def test_lines_of_a_pasted_message_count_as_they_were(visitor: Visitor) -> None:
    page = visitor.post("/check", message='{"studentnr1": "0923456",\r\n\r\n  bad: 1}')
    assert "line 3, column 3" in page


def test_many_checks_are_held_up(visitor: Visitor) -> None:
    codes = {visitor.client.post("/check", data={"message": "{}"}).status_code for _ in range(70)}
    assert codes == {200, 429}


def test_a_secret_opens_its_teams_page_and_no_other(visitor: Visitor) -> None:
    visitor.post("/team", 303, secret=f" {secret(3)}\n")
    page = page_text(visitor.get("/team"))
    assert "Team 3" in page
    assert "1000003 and 2000003" in page
    assert "stuck: The numbers are not swapped" in page
    assert "Team 1" not in page
    assert "1000001" not in page
    visitor.get("/gradebook/team", 303, **{"class": "INF2A", "team": "Team 1"})
    cookie = visitor.client.cookies[TEAM_COOKIE]
    visitor.client.cookies.set(TEACHER_COOKIE, cookie)
    visitor.get("/gradebook", 303)


def test_a_teams_page_draws_the_exchange(visitor: Visitor) -> None:
    visitor.post("/team", 303, secret=secret(1))
    page = page_text(visitor.get("/team"))
    for arrow in ("1 welcome", "2 message 1: 11 bytes", "3 reply: 19 bytes, after 1.5 ms", "4 handover", "6 message 2"):
        assert arrow in page
    assert "from 192.0.2.1 port 40000" in page
    assert "7b 77 68 61 74" in page
    assert "{what came}" in page
    visitor.post("/team/leave", 303)
    assert "Paste your team" in visitor.get("/team")


def test_a_stuck_client_2_is_shown_the_message_that_it_should_have_sent(folder: Path, visitor: Visitor) -> None:
    reply = as_sent(studentnr1="1000006", studentnr2="2000006", secret=secret(6), status="waiting for message 2")
    answered = numbered(6, NOW)._replace(reply=encoded(reply))
    write_records(folder, answered, refused(6, "not-swapped", NOW))
    visitor.post("/team", 303, secret=secret(6))
    page = visitor.get("/team")
    [corrected] = re.findall(r'<pre[^>]*id="corrected"[^>]*>(.*?)</pre>', page, re.DOTALL)
    meant = json.loads(html.unescape(corrected))
    assert meant == reply | {"studentnr1": "2000006", "studentnr2": "1000006", "clientid": 2, "ip": meant["ip"]}


def test_the_exchange_is_drawn_for_narrow_screens_too(visitor: Visitor) -> None:
    visitor.post("/team", 303, secret=secret(3))
    page = visitor.get("/team")
    for layout in ("wide", "narrow"):
        drawing = page.partition(f'<svg class="{layout}"')[2].partition("</svg>")[0]
        assert drawing.count('class="arrow refused"') == 1
        edge = int(re.findall(r'viewBox="0 0 (\d+) ', drawing)[0])
        assert max(int(x) for x in re.findall(r' x2="(\d+)"', drawing)) < edge


def test_a_secret_never_stands_in_an_address(visitor: Visitor) -> None:
    assert "Paste your team" in visitor.get("/team", secret=secret(1))


@pytest.mark.parametrize("wrong", ["", "0", "x" * 64, secret(99), "0" * 65, "\N{SNOWMAN}" * 64])
def test_a_wrong_secret_opens_nothing(visitor: Visitor, wrong: str) -> None:
    assert "No team on record has this secret" in visitor.post("/team", 403, secret=wrong)
    assert "Paste your team" in visitor.get("/team")


def test_a_secret_in_capitals_is_the_same(folder: Path, visitor: Visitor) -> None:
    shown = secret(0xABC)
    write_records(folder, with_secret(message_1(team(7)), 0xABC))
    visitor.post("/team", 303, secret=shown.upper())
    assert "Team 7" in visitor.get("/team")
    visitor.log_in()
    assert "Team 7" in visitor.send("/gradebook/secret", 200, secret=shown.upper())


def test_many_wrong_secrets_are_held_up(visitor: Visitor) -> None:
    for _ in range(WRONG_SECRETS[0]):
        visitor.post("/team", 403, secret=secret(99))
    visitor.post("/team", 429, secret=secret(99))
    visitor.post("/team", 303, secret=secret(1))


def test_no_number_and_no_address_stands_in_a_name_on_a_public_page(folder: Path, visitor: Visitor) -> None:
    number, ip = "0999999", "198.51.100.7"
    write_records(folder, message_1(team(7, f"not ours {number} {ip}")), message_1(team(8, "T8", f"klas {number}")))
    wait_until(lambda: "not ours" in visitor.get("/class", name="INF2A"))
    wait_until(lambda: "klas" in visitor.get("/"))
    for page in (visitor.get("/class", name="INF2A"), visitor.get("/")):
        assert number not in page
        assert ip not in page
    assert f'<h1><bdi class="name">klas {display_text.public(number)}' in visitor.get("/class", name=f"klas {number}")


def test_a_problem_of_another_version_is_shown_by_its_id(folder: Path, visitor: Visitor) -> None:
    write_records(folder, refused(4, "a-problem-of-tomorrow", NOW))
    wait_until(lambda: "stuck: a-problem-of-tomorrow" in page_text(visitor.get("/class", name="INF2A")))
    wait_until(lambda: "1 a-problem-of-tomorrow" in page_text(visitor.get("/class", name="INF2A")))
    visitor.log_in()
    for path in ("/gradebook", "/gradebook/team?class=INF2A&team=Team+4"):
        assert "a-problem-of-tomorrow" in visitor.get(path)


def test_a_blank_name_can_be_seen(folder: Path, visitor: Visitor) -> None:
    write_records(folder, message_1(team(7, " ")), message_1(team(8, "T8", "\u3164")))
    wait_until(lambda: r'title="\x20">\x20<' in visitor.get("/class", name="INF2A"))
    wait_until(lambda: r">\u3164</bdi></a>" in visitor.get("/"))


def test_a_team_does_not_read_what_others_sent_under_its_name(folder: Path, visitor: Visitor) -> None:
    strange = rejected(team(1), "secret-wrong", NOW)
    strange.received = b'{"studentnr1": "7654321", "studentnr2": "1000001", "secret": "of somebody else"}'
    write_records(folder, strange)
    visitor.post("/team", 303, secret=secret(1))
    page = visitor.get("/team")
    assert "7654321" not in page
    assert "1 refused visit used this team name without all of your student numbers" in page_text(page)
    visitor.log_in()
    assert "7654321" in visitor.get("/gradebook/team", **{"class": "INF2A", "team": "Team 1"})


def test_a_team_reads_its_own_message_in_whatever_letters_it_came(folder: Path, visitor: Visitor) -> None:
    fields = {"studentnr1": "2000001", "studentnr2": "1000001", "clientid": 2, "secret": secret(1)}
    for number, encoding in enumerate(("utf-16", "utf-16-be", "utf-32-le")):
        own = rejected(team(1), "utf-16", NOW + number)
        own.received = json.dumps(as_sent(**fields)).encode(encoding)
        write_records(folder, own)
    strange = rejected(team(1), "utf-16", NOW + 9)
    strange.received = json.dumps(as_sent(**fields | {"studentnr1": "7654321"})).encode("utf-16")
    write_records(folder, strange)
    visitor.post("/team", 303, secret=secret(1))
    page = visitor.get("/team")
    assert page.count("client 2: rejected") == 3
    assert "1 refused visit used this team name without all of your student numbers" in page_text(page)


def test_many_visits_come_page_by_page(folder: Path, visitor: Visitor) -> None:
    write_records(folder, *(refused(2, "secret-wrong", NOW + number) for number in range(25)))
    visitor.post("/team", 303, secret=secret(2))
    assert visitor.get("/team").count("<details") == 10
    assert visitor.get("/team", page="3").count("<details") == 6
    assert visitor.get("/team", page="99").count("<details") == 6
    assert "without 21 other visits" in page_text(visitor.get("/team"))


def test_the_teacher_opens_any_team(teacher: Visitor) -> None:
    [link, *_] = re.findall(r'href="(/gradebook/team[^"]*Team\+4[^"]*)"', teacher.get("/gradebook"))
    assert "1000004" not in link
    page = page_text(teacher.get(link.replace("&amp;", "&")))
    assert "A name without quotes" in page
    teacher.get("/gradebook/team", 404, **{"class": "INF2A", "team": "none"})


@pytest.mark.parametrize("nul", ["\0", "Team 1\0"])
def test_a_nul_is_nothing_that_can_be_found(teacher: Visitor, nul: str) -> None:
    assert (
        table_rows(teacher.get("/gradebook", search=nul))
        == table_rows(teacher.get("/gradebook", **{"class": nul}))
        == []
    )
    teacher.get("/gradebook", after_class=nul, after_team=nul)
    for path in ("/gradebook/team", "/gradebook/note"):
        teacher.get(path, 404, **{"class": "INF2A", "team": nul})
        teacher.get(path, 404, **{"class": nul, "team": "Team 1"})
    assert teacher.get("/gradebook/export", search=nul).count("\n") == 1
    assert "No team" in teacher.send("/gradebook/secret", 200, secret=nul)


def test_the_gradebook_searches_filters_and_sorts(teacher: Visitor) -> None:
    assert [line.split()[2] for line in table_rows(teacher.get("/gradebook"))] == ["1", "2", "3", "4"]
    assert len(table_rows(teacher.get("/gradebook", search="team 2"))) == 1
    assert len(table_rows(teacher.get("/gradebook", search="2000003"))) == 1
    assert table_rows(teacher.get("/gradebook", search="%")) == []
    assert len(table_rows(teacher.get("/gradebook", state="finished"))) == 1
    assert table_rows(teacher.get("/gradebook", **{"class": "none"})) == []
    down = table_rows(teacher.get("/gradebook", sort="team", order="down"))
    assert [line.split()[2] for line in down] == ["4", "3", "2", "1"]
    by_visits = table_rows(teacher.get("/gradebook", sort="visits", order="down"))
    assert by_visits[-1].split()[2] in ("2", "4")
    assert len(table_rows(teacher.get("/gradebook", sort="nonsense", state="nonsense", page="x"))) == 4


def test_of_many_the_gradebook_says_where_the_others_are_and_goes_back(
    teacher: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grades, "MAX_SORTED", 3)
    monkeypatch.setattr(grades, "PAGE_ROWS", 2)
    assert "see fewer. Download" in page_text(teacher.get("/gradebook"))
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    first = teacher.get("/gradebook", **{"class": "INF2A"})
    assert "Search to see fewer. Teams that are not on record" in page_text(first)
    assert "More than 3 teams" in page_text(first)
    assert "Choose a class" not in first
    assert "Choose a class" in teacher.get("/gradebook")
    [apart] = re.findall(r'href="([^"]*state=expected[^"]*)"', first)
    assert [line.split(" expected")[0] for line in table_rows(teacher.get(html.unescape(apart)))] == [
        "INF2A Never Came 0911111 0922222"
    ]
    assert ">previous</a>" not in first
    [on] = re.findall(r'href="([^"]*)">next</a>', first)
    second = teacher.get(html.unescape(on))
    [back] = re.findall(r'href="([^"]*)">previous</a>', second)
    assert table_rows(teacher.get(html.unescape(back))) == table_rows(first) != table_rows(second)


def test_a_roster_makes_who_is_missing_show(teacher: Visitor) -> None:
    page = teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    assert "3 teams expected in INF2A , INF2Z" in page_text(page)
    lines = table_rows(teacher.get("/gradebook", state="expected"))
    assert [line.split(" expected")[0] for line in lines] == ["INF2A Never Came 0911111 0922222", "INF2Z Nobody"]
    live = page_text(teacher.get("/class", name="INF2A"))
    assert "Never Came expected" in live
    assert "0911111" not in live
    assert "1 expected" in page_text(teacher.get("/class", name="INF2Z"))
    assert len(table_rows(teacher.get("/gradebook", search="never"))) == 1
    assert len(table_rows(teacher.get("/gradebook", search="0922222"))) == 1


def test_a_roster_can_be_a_file_and_a_wrong_one_changes_nothing(teacher: Visitor) -> None:
    token = {"form_token": teacher.form_token()}
    file = {"file": ("roster.csv", ROSTER.encode(), "text/csv")}
    assert teacher.client.post("/gradebook/roster", data=token, files=file).status_code == 200
    wrong = {"file": ("roster.csv", b"classname,teamname\nINF2A,\n", "text/csv")}
    answer = teacher.client.post("/gradebook/roster", data=token, files=wrong)
    assert answer.status_code == 422
    assert "line 2: teamname is empty" in answer.text
    assert len(teacher.board_store.roster("INF2A")) == 2
    large = {"file": ("roster.csv", b"x" * 1_100_000, "text/csv")}
    assert teacher.client.post("/gradebook/roster", data=token, files=large).status_code == 413


def test_numbers_that_differ_from_the_rosters_are_hinted_at_for_the_teacher_alone(teacher: Visitor) -> None:
    columns = "classname,teamname,studentnr1,studentnr2\n"
    roster = f"{columns}INF2A,Team 1,1000001,0977777\nINF2A,Team 2,1000002,2000002\nINF2A,Never Came,966666,\n"
    page = page_text(teacher.send("/gradebook/roster", 200, pasted=roster))
    assert "Saved, but please check: line 4: studentnr1 is 966666: 6 digits, 7 are usual" in page
    first, second, *_ = table_rows(teacher.get("/gradebook", search="Team"))
    assert "1000001 2000001 roster: 0977777 1000001" in first
    assert "roster" not in second
    for path in ("/", "/class?name=INF2A"):
        assert "0977777" not in teacher.get(path)


def test_more_classes_than_are_offered_are_told_and_found_by_name(
    folder: Path, teacher: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(page: str) -> list[str]:
        return re.findall(r'aria-label="deadline of ([^"]*)"', page)

    write_records(folder, *(message_1(team(number, classname=f"K{number}")) for number in range(10, 15)))
    wait_until(lambda: "K14" in rows(teacher.get("/gradebook/classes")))
    assert "more are not: enter the name" not in teacher.get("/gradebook/classes")
    monkeypatch.setattr(gradebook, "MAX_SHOWN_CLASSES", 2)
    page = teacher.get("/gradebook/classes")
    assert len(rows(page)) == 2
    assert "2 classes are shown, and 4 more are not: enter the name of a class." in page
    assert "4 more under Rosters" in teacher.get("/gradebook")
    assert rows(teacher.get("/gradebook/classes", **{"class": "K13"}))[0] == "K13"
    teacher.send("/gradebook/deadline", **{"class": "K13", "at": "2099-01-01T12:00"})
    assert rows(teacher.get("/gradebook/classes"))[0] == "K13", "what the book keeps comes before what was sent"


def test_a_refusal_that_was_handed_on_leaves_the_mistake_of_message_1_on_the_pages(
    folder: Path, teacher: Visitor
) -> None:
    write_records(folder, refused(2, "not-swapped", NOW + 1), refused(2, REFUSAL_HANDED_ON, NOW + 2))
    wrong = team_section(teacher, "Team 2")
    assert "numbers are not swapped" in wrong
    assert "Team 2 stuck: The numbers are not swapped" in page_text(teacher.get("/class", name="INF2A"))
    [row] = [row for row in table_rows(teacher.get("/gradebook")) if "Team 2" in row]
    assert "waiting for message 2, stuck" in row
    assert "The numbers are not swapped" in row


def team_section(teacher: Visitor, name: str) -> str:
    """The section on the last message, on the page of a team for the teacher."""
    link = re.search(rf'href="(/gradebook/team\?[^"]*)"[^>]*><bdi class="name">{name}<', teacher.get("/gradebook"))
    assert link
    page = teacher.get(html.unescape(link[1]))
    return page_text(page.partition('id="wrong"')[2].partition("</section>")[0])


def test_a_deadline_that_the_clock_skips_is_told(teacher: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        page = teacher.send("/gradebook/deadline", 422, **{"class": "INF2A", "at": "2027-03-28T02:30"})
    time.tzset()
    assert "02:30 on 2027-03-28 does not exist in the time zone of the board" in page_text(page)
    assert teacher.board_store.deadlines() == {}


def test_visits_without_a_team_are_listed_for_the_teacher(folder: Path, teacher: Visitor) -> None:
    page = page_text(teacher.get("/gradebook/visits"))
    assert "Visits without a team" in page
    assert teacher.get("/gradebook/visits").count("<details") == 1
    assert "{what came}" in page
    assert "Visits without a team" in teacher.get("/gradebook")
    write_records(folder, *(rejected(None, "not-json", NOW + number) for number in range(VISITS_PER_PAGE)))
    assert teacher.get("/gradebook/visits").count("<details") == VISITS_PER_PAGE
    assert teacher.get("/gradebook/visits", page="2").count("<details") == 1


def test_deadlines_mark_late_and_refuse_nobody(teacher: Visitor) -> None:
    teacher.send("/gradebook/deadline", **{"class": "INF2A", "at": "2020-01-01T12:00"})
    [late] = table_rows(teacher.get("/gradebook", state="finished"))
    assert re.search(r"\d\d:\d\d:\d\d late", late), "with its seconds: the deadline may be of the same minute"
    assert "deadline 01 Jan 12:00" in page_text(teacher.get("/class", name="INF2A"))
    teacher.send("/gradebook/deadline", **{"class": "INF2A", "at": "2099-01-01T12:00"})
    assert "late" not in table_rows(teacher.get("/gradebook", state="finished"))[0]
    teacher.send("/gradebook/deadline", 422, **{"class": "INF2A", "at": "tomorrow"})
    teacher.send("/gradebook/deadline", **{"class": "INF2A", "at": ""})
    assert teacher.board_store.deadlines() == {}


def test_notes(teacher: Visitor) -> None:
    [link, *_] = re.findall(r'href="(/gradebook/note[^"]*Team\+1&[^"]*)"', teacher.get("/gradebook"))
    link = link.replace("&amp;", "&")
    assert "Note on" in teacher.get(link)
    teacher.send(link, oral="done", mark="8.5", text="explained\r\nwell")
    [line] = table_rows(teacher.get("/gradebook", search="Team 1"))
    assert "done 8.5 explained well" in line
    assert "explained<br>well" in teacher.get("/gradebook")
    assert 'value="8.5"' in teacher.get(link)
    teacher.send(link, 413, mark="x" * 21)
    teacher.send("/gradebook/note?class=INF2A&team=none", 404, mark="1")
    teacher.get("/gradebook/note?class=INF2A&team=none", 404)


def test_from_a_note_one_comes_back_to_where_one_was(teacher: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grades, "PAGE_ROWS", 2)
    asked = {"class": "INF2A", "search": "Team", "sort": "visits", "order": "down", "page": "2"}
    for query in (asked, {"search": "Team", "sort": "team", "after_class": "A", "after_team": "B"}):
        page = teacher.get("/gradebook", **query)
        link = html.unescape(re.findall(r'href="(/gradebook/note[^"]*)"', page)[0])
        [without] = re.findall(r'href="([^"]*)">Cancel', teacher.get(link))
        [action] = re.findall(r'action="(/gradebook/note[^"]*)"', teacher.get(link))
        sent = teacher.client.post(
            html.unescape(action), data={"form_token": teacher.form_token(), "mark": "1"}, follow_redirects=False
        )
        assert sent.headers["location"] == html.unescape(without)
        there = dict(parse_qsl(sent.headers["location"].partition("?")[2]))
        assert there == query
    for then in ("//evil.example/", "x\r\nSet-Cookie: a=b", "http://evil.example/?page=3"):
        note = f"/gradebook/note?class=INF2A&team=Team+1&{urlencode({'then': then})}"
        assert 'href="/gradebook?sort=team">Cancel' in teacher.get(note)


def test_marks_are_typed_in_the_table_without_scripts(teacher: Visitor) -> None:
    """Each is a form. Its answer is the same page, with the field of the next row ready to be typed in."""
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    teacher.send("/gradebook/note?class=INF2A&team=Never+Came", mark="1", text="came late", oral="done")
    page = teacher.get("/gradebook", **{"class": "INF2A", "sort": "team"})
    actions = re.findall(r'action="(/gradebook/mark[^"]*)"', page)
    assert len(actions) == len(table_rows(page)) > 2
    [action] = [html.unescape(each) for each in actions if "Never+Came" in each]
    where = {"form_token": teacher.form_token(), "next": "2"}
    answer = teacher.client.post(action, data=where | {"mark": " 8.5 "}, follow_redirects=False)
    assert answer.headers["location"] == "/gradebook?class=INF2A&sort=team&row=2"
    assert re.findall(
        r'aria-label="([^"]*)" autocomplete="off" autofocus', teacher.get(answer.headers["location"])
    ) == [re.findall(r'aria-label="(mark of [^"]*)"', page)[1]]
    [note] = teacher.board_store.notes().values()
    assert (note.mark, note.text, note.oral) == ("8.5", "came late", True)
    assert teacher.client.post(action, data=where | {"mark": "9", "stay": "yes"}).status_code == 204
    assert [note.mark for note in teacher.board_store.notes().values()] == ["9"]
    teacher.send(action, 413, mark="9" * 21)
    teacher.send("/gradebook/mark?class=INF2A&team=Nobody", 404, mark="9")


def test_a_roster_is_removed_only_after_a_question(teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    [link] = re.findall(r'href="(/gradebook/roster/remove[^"]*INF2A)"', teacher.get("/gradebook/classes"))
    assert "/gradebook/roster/remove" not in "".join(re.findall(r'action="[^"]*"', teacher.get("/gradebook/classes")))
    assert "It has 2 teams, and cannot be restored" in teacher.get(html.unescape(link))
    assert teacher.board_store.roster_sizes()["INF2A"] == 2
    teacher.get("/gradebook/roster/remove", 404, **{"class": "nobody"})


def test_the_page_of_a_team_leads_the_teacher_back(teacher: Visitor) -> None:
    [link] = re.findall(r'href="(/gradebook/team[^"]*Team\+3[^"]*)"', teacher.get("/gradebook"))
    page = teacher.get(html.unescape(link))
    assert 'href="/gradebook?class=INF2A"' in page
    assert 'href="/class?name=INF2A"' in page


def test_what_the_board_keeps_of_a_class_can_be_removed(teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    teacher.send("/gradebook/note?class=INF2A&team=Never+Came", mark="1")
    teacher.send("/gradebook/roster/remove", **{"class": "INF2A"})
    assert (dict(teacher.board_store.roster_sizes()), len(teacher.board_store.notes())) == ({"INF2Z": 1}, 1)
    assert table_rows(teacher.get("/gradebook"))[-1].startswith("INF2A Never Came 0911111 0922222 note only 1")
    assert 'href="/gradebook/forget?class=INF2A' in teacher.get("/gradebook/classes")


def test_a_class_is_forgotten_only_once_the_teacher_knows_how_many_notes_go(teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    teacher.send("/gradebook/note?class=INF2A&team=Never+Came", mark="1")
    asked = teacher.get("/gradebook/forget", **{"class": "INF2A"})
    assert "1 note, with marks and oral checks the roster, with 2 teams" in page_text(asked)
    assert 'name="notes" value="1"' in asked
    for told in ({}, {"notes": "0"}):
        assert "1 note, with marks" in page_text(teacher.send("/gradebook/forget", 409, **{"class": "INF2A"}, **told))
    assert (dict(teacher.board_store.roster_sizes()), len(teacher.board_store.notes())) == ({"INF2A": 2, "INF2Z": 1}, 1)
    teacher.send("/gradebook/forget", **{"class": "INF2A", "notes": "1"})
    assert (dict(teacher.board_store.roster_sizes()), teacher.board_store.notes()) == ({"INF2Z": 1}, {})


def test_a_note_is_seen_and_changed_where_its_team_came_otherwise(folder: Path, teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    teacher.send("/gradebook/note?class=INF2A&team=Never+Came", mark="7")
    write_records(folder, message_1(team(9, "NEVER CAME")))
    [link] = re.findall(r'href="(/gradebook/note[^"]*)"', teacher.get("/gradebook", search="never"))
    link = link.replace("&amp;", "&")
    assert 'value="7"' in teacher.get(link)
    teacher.send(link, mark="8")
    assert [note.mark for note in teacher.board_store.notes().values()] == ["8"], "it is moved, not doubled"


def test_a_note_on_nobody_can_be_opened_and_removed(teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted="classname,teamname\nINF2A,Gone\n")
    teacher.send("/gradebook/note?class=INF2A&team=Gone", mark="7")
    teacher.send("/gradebook/roster/remove", **{"class": "INF2A"})
    [link] = re.findall(r'href="(/gradebook/note[^"]*)"', teacher.get("/gradebook", state="note only"))
    link = link.replace("&amp;", "&")
    assert 'value="7"' in teacher.get(link)
    teacher.send(link, mark="")
    assert teacher.board_store.notes() == {}


def test_files_to_take_away(teacher: Visitor) -> None:
    teacher.send("/gradebook/roster", 200, pasted=ROSTER)
    teacher.send("/gradebook/note?class=INF2A&team=Team+1", mark="=1+1", text='=HYPERLINK("x")', oral="done")
    rows = list(csv.DictReader(io.StringIO(teacher.get("/gradebook/export", format="csv").removeprefix("\ufeff"))))
    assert len(rows) == 6
    first = rows[0]
    assert (first["teamname"], first["state"], first["oral"], first["mark"]) == ("Team 1", "finished", "done", "'=1+1")
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    from_json = json.loads(teacher.get("/gradebook/export", format="json", state="expected"))
    assert [row["teamname"] for row in from_json] == ["Never Came", "Nobody"]
    answer = teacher.client.get("/gradebook/export?format=xlsx")
    assert "attachment" in answer.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]][:2] == ["classname", "teamname"]
    assert {cell.data_type for line in cells for cell in line} <= {"s", "n"}, "no formula"
    assert '=HYPERLINK("x")' in [cell.value for cell in cells[1]]
    teacher.get("/gradebook/export", 404, format="exe")


def test_the_lines_of_a_note_are_lines_in_every_file_and_none_is_run(teacher: Visitor) -> None:
    teacher.send("/gradebook/note?class=INF2A&team=Team+1", text="well\r\n=1+1\r\n\x1b[31m<i>")
    [row] = csv.DictReader(io.StringIO(teacher.get("/gradebook/export", state="finished"), newline=""))
    assert row["note"] == "well\n'=1+1\n\\x1b[31m<i>"
    [kept] = json.loads(teacher.get("/gradebook/export", format="json", state="finished"))
    assert kept["note"] == "well\n=1+1\n\x1b[31m<i>"
    sheet = load_workbook(io.BytesIO(teacher.client.get("/gradebook/export?format=xlsx&state=finished").content)).active
    assert sheet is not None
    cell = list(sheet.iter_rows())[1][-1]
    assert (cell.value, cell.data_type, cell.alignment.wrap_text) == ("well\n=1+1\n\\x1b[31m<i>", "s", True)
    assert "well<br>=1+1<br>\\x1b[31m&lt;i&gt;" in teacher.get("/gradebook")


def test_what_a_secret_proves(folder: Path, teacher: Visitor) -> None:
    def verdict(text: str) -> str:
        return page_text(teacher.send("/gradebook/secret", 200, secret=text)).partition("Verify ")[2]

    assert verdict(secret(1)).startswith("Team 1 class INF2A , numbers 1000001 and 2000001 : finished It is on record")
    assert "the server's key is not on this machine" in verdict(secret(1)).replace("&#39;", "'")
    assert verdict(secret(99)).startswith("No team It is not on record for any team")
    key = load_keyring(folder).key
    real = derive(key, team(2)._replace(studentnr1="2000002", studentnr2="1000002"))
    assert "Team 2" in verdict(real)
    assert "computing it again with the server" in verdict(real)
    assert "made with an older key" in verdict(secret(1))
    assert "does not give it for any of the teams" in verdict(secret(99))
    (folder / "key").chmod(0o644)
    assert "can be read by others" in verdict(secret(1))


def test_health(folder: Path, teacher: Visitor) -> None:
    write_records(folder, MetricsSample(NOW, "127.0.0.1:5550 1", 5_000_000, 50, 3, 300, 900, 10, 2000, 5000, 0))
    assert "Visits per second" in teacher.get("/health")
    right = {"Authorization": f"Bearer {teacher.token}"}
    wait_until(lambda: "tandem_ground_connections" in teacher.client.get("/metrics", headers=right).text)
    text = teacher.client.get("/metrics", headers=right).text
    assert 'tandem_ground_visits_per_second{ground="127.0.0.1:5550 1"} 10' in text
    assert 'tandem_teams{state="finished"} 1' in text
    assert 'tandem_disk_bytes{what="records"}' in text
    assert json.loads(teacher.get("/healthz")) == {"board": "ok", "records": "ok"}


def test_without_records_the_board_waits_for_them(tmp_path: Path) -> None:
    with board(tmp_path) as visitor:
        assert json.loads(visitor.get("/healthz", 503))["records"] == "unreadable"
        assert "The records have not been read yet" in visitor.get("/")
        visitor.log_in()
        assert "cannot be read" in visitor.get("/gradebook", 503)
        visitor.send("/gradebook/roster", 200, pasted=ROSTER)
        assert "1 expected" in page_text(visitor.get("/class", name="INF2Z"))
        write_records(tmp_path, message_1(team(1, classname="INF2Z")))
        wait_until(lambda: "1 waiting for message 2" in page_text(visitor.get("/class", name="INF2Z")))
        assert visitor.get("/healthz")


@pytest.fixture
def _often_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.5)


@pytest.mark.usefixtures("_often_anew")
def test_records_that_go_away_are_told_and_come_back(folder: Path, visitor: Visitor) -> None:
    visitor.get("/class", name="INF2A")
    hidden = folder / "hidden"
    hidden.mkdir()
    for file in folder.glob("tandem.sqlite3*"):
        file.rename(hidden / file.name)
    wait_until(lambda: visitor.client.get("/healthz").status_code == 503)
    assert "4 teams" in page_text(visitor.get("/class", name="INF2A")), "what was known is still shown"
    for file in hidden.iterdir():
        file.rename(folder / file.name)
    wait_until(lambda: visitor.client.get("/healthz").status_code == 200)


@pytest.mark.usefixtures("_often_anew")
def test_what_is_forgotten_leaves_the_board(folder: Path, visitor: Visitor) -> None:
    assert "Team 4" in visitor.get("/class", name="INF2A")
    forget(folder, teamname="Team 4")
    wait_until(lambda: "Team 4" not in visitor.get("/class", name="INF2A"))


def test_a_team_that_is_on_record_only_by_what_was_refused(folder: Path, visitor: Visitor) -> None:
    write_records(folder, not_right(Outcome.NOTHING, None, NOW))
    wait_until(lambda: "4 teams" in page_text(visitor.get("/class", name="INF2A")))
