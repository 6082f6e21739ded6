"""The board in a real browser: live from a real exchange, every page on every screen, by keyboard, for everybody."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tandem.records.sqlite.sqlite_store import FILE
from tandem.records.visits import MetricsSample, Team, Visit
from testing.boards import (
    TLS_OPTIONS,
    RunningBoard,
    numbered,
    refused,
    running_board,
    team,
    token_of,
    with_secret,
    write_records,
)
from testing.browsing import DRAWN, PAGES, SIZES, WRONG, Screen, screen, tab_stops, too_wide, violations
from testing.clients import assert_done, client_1, client_2
from testing.processes import TEAM, running_server, wait_until
from testing.tile_layouts import FONTS, lesson, measure, rename, team_names, use_font
from testing.visits import message_1, message_2, rejected

CLASS = f"/class?name={TEAM['classname']}"
NOW = int(time.time() * 1e6)
ROSTER = "classname,teamname\nINF2A,Team 1\nINF2A,Never Came\n"


def tile(screen: Screen, name: str, state: str) -> None:
    """Waits for a team's tile in a state."""
    expect(screen.page.locator(f"#tiles > .{state}", has_text=name)).to_have_count(1)


def test_an_exchange_of_real_clients_shows_live(browser: Browser, tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--board", "127.0.0.1:0") as serving:
        url = serving.process.wait_for("listening on http").rpartition(" ")[2]
        token = token_of(serving.process)
        with screen(browser, url, token) as teacher, screen(browser, url) as projector:
            teacher.log_in()
            teacher.go("/gradebook/classes")
            teacher.page.fill("#pasted", f"classname,teamname\n{TEAM['classname']},{TEAM['teamname']}\n")
            teacher.page.get_by_role("button", name="Upload").click()
            expect(teacher.page.get_by_role("status")).to_contain_text("1 team expected")
            projector.go(CLASS)
            projector.wait_until_live()
            projector.page.evaluate("window.sameDocument = true")
            tile(projector, TEAM["teamname"], "expected")
            with client_2(serving.address) as second:
                peer = f"127.0.0.1:{second.port}"
                with client_1(serving.address, peer) as first:
                    assert_done(first)
                assert_done(second.process)
            tile(projector, TEAM["teamname"], "finished")
            expect(projector.page.locator("#summary")).to_contain_text("1 finished")
            expect(projector.page.locator("#curve")).to_have_attribute(
                "aria-label", "chart: 1 team has finished so far"
            )
            assert projector.page.evaluate("window.sameDocument")


def test_a_browser_catches_up_after_the_board_was_away(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, numbered(1), numbered(2))
    with running_board(tmp_path) as first, screen(browser, first.url) as projector:
        projector.go("/class?name=INF2A")
        projector.wait_until_live()
        projector.page.evaluate("window.sameDocument = true")
        first.process.stop()
        expect(projector.page.locator("#line")).to_have_text("reconnecting")
        write_records(tmp_path, with_secret(message_2(team(1)), 1), rejected(team(3), "not-json"))
        with running_board(tmp_path, listen=first.address):
            tile(projector, "Team 1", "finished")
            tile(projector, "Team 2", "waiting")
            tile(projector, "Team 3", "stuck")
            projector.wait_until_live()
            assert projector.page.evaluate("window.sameDocument")
        projector.wrong.clear()  # the browser says that nobody answered


def test_a_banner_says_that_the_server_or_the_board_is_gone(browser: Browser, tmp_path: Path) -> None:
    """Within 5 s each. The board is alone here: one that the server has started ends with it."""
    data = tmp_path / "data"
    with running_server(data) as serving, running_board(data) as running, screen(browser, running.url) as projector:
        projector.go("/class?name=EMPTY")
        projector.wait_until_live()
        page = projector.page
        expect(page.locator("#nobody li")).to_have_text(serving.address)
        expect(page.locator("#nobody .note")).to_contain_text("Only programs on its own machine")
        os.kill(serving.process.pid, signal.SIGSTOP)
        expect(page.locator("#trouble .silent")).to_contain_text("has stopped, or it hangs")
        expect(page.locator("#line")).to_be_hidden()
        os.kill(serving.process.pid, signal.SIGCONT)
        expect(page.locator("#trouble .silent")).to_have_count(0)
        expect(page.locator("#line")).to_have_text("live")

        running.process.stop()
        expect(page.locator("#offline")).to_contain_text("The board does not answer")
        known = page.evaluate("import('/static/line.js').then((line) => line.knownUntil())")
        assert page.evaluate("Date.now()") - known >= 4000
        projector.wrong.clear()  # the browser says that nobody answered


def test_a_teams_page_follows_what_the_team_does(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, numbered(3))
    with running_board(tmp_path) as running, screen(browser, running.url) as mine:
        PAGES["team"](mine)
        expect(mine.page.locator(".state")).to_contain_text("waiting for message 2")
        write_records(tmp_path, refused(3, "not-swapped", NOW))
        expect(mine.page.locator(".state")).to_contain_text("stuck: The numbers are not swapped")
        expect(mine.page.locator(".wide .arrow.refused")).to_have_count(1)

        mine.page.locator("#visit-1 summary").focus()
        mine.page.route("**/team", lambda route: route.abort(), times=1)
        write_records(tmp_path, refused(3, "secret-wrong", NOW + 1))
        expect(mine.page.locator("#visit-3")).to_be_visible()
        assert mine.page.evaluate("document.activeElement.closest('[id]').id") == "visit-1", "the focus stays"
        mine.wrong.clear()  # the browser says that one fetch failed: it was made again


# Keeps back the first answer that the page fetches, until it is released; counts the changes that are told.
SLOW = """() => {
  const { fetch } = window;
  const told = document.documentElement.dataset;
  window.fetch = async (...asked) => {
    window.fetch = fetch;
    const answer = await fetch(...asked);
    await new Promise((release) => {
      window.release = release;
      told.held = "yes";
    });
    return answer;
  };
  let heard = 0;
  new EventSource("/team/live").addEventListener("change", () => (told.heard = ++heard));
}"""


def test_a_slow_answer_never_takes_the_place_of_a_newer_one(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, numbered(3))
    with running_board(tmp_path) as running, screen(browser, running.url) as mine:
        PAGES["team"](mine)
        html = mine.page.locator("html")
        mine.page.evaluate(SLOW)
        write_records(tmp_path, refused(3, "not-swapped", NOW))
        expect(html).to_have_attribute("data-held", "yes")
        expect(html).to_have_attribute("data-heard", "1")
        write_records(tmp_path, with_secret(message_2(team(3), NOW + 1), 3))
        expect(html).to_have_attribute("data-heard", "2")
        mine.page.evaluate(
            "fetch('/team').then((newer) => newer.text())"
        )  # one that had been asked for before is there
        mine.page.evaluate("release()")
        expect(mine.page.locator("#visit-3")).to_be_visible()
        expect(mine.page.locator(".state")).to_contain_text("finished")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningBoard, str]]:
    """A board with something on every page: teams in all states, what was refused, figures of a server."""
    folder = tmp_path_factory.mktemp("filled")
    write_records(
        folder,
        *(numbered(number, NOW - 400_000_000 + number) for number in range(1, 20)),
        *(with_secret(message_2(team(number), NOW - 300_000_000 + number), number) for number in range(4, 12)),
        refused(3, "not-swapped", NOW - 10_000_000),
        rejected(team(20), "bare-key", NOW - 8_000_000),
        *(
            MetricsSample(NOW - age * 5_000_000, "g:1 1", 5_000_000, age, age, 300, 900, 9, 2000, 5000, 0)
            for age in range(60)
        ),
    )
    with running_board(folder) as running:
        token = token_of(running.process)
        wait_until(lambda: running.get("/healthz")[0] == 200)
        yield running, token


def test_all_teams_stand_on_one_screen(browser: Browser, tmp_path: Path) -> None:
    """A sample of what bench/board_layout.py measures: one page of 300 teams shows the first ones of them."""
    write_records(tmp_path, *lesson(team_names(300, seed=NOW), NOW))
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        PAGES["class"](projector)
        for size in ("projector", "laptop"):
            projector.page.set_viewport_size(SIZES[size])
            projector.page.evaluate(DRAWN)
            for font in FONTS:
                use_font(projector.page, font)
                layouts = [measure(projector.page, teams) for teams in (1, 12, 30, 31, 47, 60, 120, 300)]
                assert [layout.faults() for layout in layouts] == [[]] * len(layouts), (size, font, NOW)


def test_names_that_are_cut_are_told_apart(browser: Browser, tmp_path: Path) -> None:
    names = [f"The Binary Buccaneers {number:03} of the University" for number in range(150)]
    names += ["W" * 128, "W" * 127, "👩\u200d👩\u200d👧\u200d👦" * 5, "👩\u200d👩\u200d👧\u200d👦" * 4 + "🚲"]
    write_records(tmp_path, *(message_1(team(number, name)) for number, name in enumerate(names)))
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        PAGES["class"](projector)
        use_font(projector.page, "DejaVu Sans")
        layout = measure(projector.page, len(names))
        assert layout.cut > 100
        assert layout.alike == layout.clipped == 0


def test_more_tiles_than_one_screen_holds_scroll(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, *(message_1(team(number)) for number in range(1000)))
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        PAGES["class"](projector)
        use_font(projector.page, "DejaVu Sans")
        layout = measure(projector.page, 1000)
        assert 5 < layout.columns < 30
        last = projector.page.locator("#tiles > li").last
        last.scroll_into_view_if_needed()
        expect(last).to_be_in_viewport(ratio=0.9)
        projector.page.set_viewport_size(SIZES["projector"])
        rename(projector.page, "Group {} Team")
        assert (measure(projector.page, 300).cut, measure(projector.page, 300).clipped) == (0, 0)
        expect(projector.page.locator("aside")).to_be_hidden()


def test_without_scripts_every_tile_can_be_read(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, *lesson(team_names(60, seed=1), NOW))
    with running_board(tmp_path) as running:
        context = browser.new_context(viewport=SIZES["laptop"], java_script_enabled=False)
        try:
            page = context.new_page()
            page.goto(f"{running.url}/class?name=INF2A")
            expect(page.locator("#tiles > li")).to_have_count(60)
            last = page.locator("#tiles > li").last
            last.scroll_into_view_if_needed()
            expect(last).to_be_in_viewport(ratio=0.9)
            expect(last.locator(".words")).to_be_visible()
        finally:
            context.close()


# Tiles whose text is taller than they are, entries of the lists that are cut, and how many teams the panel tells of.
CUT = """() => {
  const inside = (element, frame) => {
    const [a, b] = [element.getBoundingClientRect(), frame.getBoundingClientRect()];
    return a.top >= b.top - 0.5 && a.bottom <= b.bottom + 0.5 && a.right <= b.right + 0.5;
  };
  const drawn = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.offsetHeight > 1);
  const listed = drawn("#stuck li");
  return {
    tiles: drawn("#tiles :is(.name, .words)").filter((text) => !inside(text, text.closest("li"))).length,
    lines: drawn("#stuck :is(li, li *), #stuck p").filter((each) => !inside(each, each.closest("section"))).length,
    mistakes: drawn("#mistakes li").filter((each) => !inside(each, each.closest("section"))).length,
    kinds: drawn("#mistakes li").length,
    listed: listed.length,
    stateless: document.querySelector(".class").classList.contains("stateless"),
    whole: document.querySelector(".class").classList.contains("whole"),
    told: listed.length + Number(document.querySelector("#stuck p").textContent.match(/[0-9]+/)?.[0] ?? 0),
  };
}"""
KINDS = (
    "not-swapped",
    "single-quotes",
    "never-closed",
    "clientid-still-1",
    "bytes-as-text",
    "secret-missing",
    "not-json",
)


@pytest.mark.parametrize("teams", [60, 110, 180, 240, 310])
def test_nothing_that_is_listed_is_cut_however_many_teams(browser: Browser, tmp_path: Path, teams: int) -> None:
    names = ("Team {}", "De Onwaarschijnlijk Lange Teamnaam {}", "gypsy {}", "W" * 30 + "{}")
    everybody = [team(number, names[number % 4].format(number)) for number in range(teams)]
    write_records(tmp_path, *(rejected(each, KINDS[place % 7], NOW) for place, each in enumerate(everybody[:50])))
    write_records(tmp_path, *(message_1(each, NOW) for each in everybody[50:]))
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        PAGES["class"](projector)
        expect(projector.page.locator("#tiles > li")).to_have_count(teams)
        for size in ("projector", "laptop"):
            projector.page.set_viewport_size(SIZES[size])
            projector.page.evaluate(DRAWN)
            found = projector.page.evaluate(CUT)
            is_listed, told = found.pop("listed") >= 2, found.pop("told")
            if found.pop("whole"):  # the tiles need the place of the lists
                assert (teams, size, found.pop("kinds"), found.pop("stateless")) == (310, "laptop", 0, True)
            else:
                assert (found.pop("kinds"), found.pop("stateless")) == (7, is_listed), size
            assert found == {"tiles": 0, "lines": 0, "mistakes": 0}, size
            assert told == 50 or not is_listed, size


def test_on_a_phone_names_are_whole_and_the_tiles_come_last(browser: Browser, tmp_path: Path) -> None:
    write_records(
        tmp_path, *(rejected(team(number, f"De Snelle Slakken {number}"), "not-json", NOW) for number in range(70))
    )
    with running_board(tmp_path) as running, screen(browser, running.url, size="phone") as projector:
        PAGES["class"](projector)
        expect(projector.page.locator("#tiles > li")).to_have_count(70)
        found = projector.page.evaluate(CUT)
        assert (found["tiles"], found["told"]) == (0, 70)
        order = ["#summary", "#mistakes", "#stuck", "#tiles"]
        tops = [
            projector.page.evaluate(f"document.querySelector('{each}').getBoundingClientRect().top") for each in order
        ]
        assert tops == sorted(tops)
        assert projector.page.locator("#stuck li:visible").count() == 10


def test_a_login_in_the_clear_is_refused_on_a_page_that_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    """As a proxy would pass it on that has no HTTPS: the board is on this machine, and the browser is elsewhere."""
    with running_board(tmp_path) as running, screen(browser, running.url) as far:
        far.page.context.set_extra_http_headers({"X-Forwarded-For": "192.0.2.9"})
        far.go("/")
        far.page.get_by_role("link", name="For the teacher").click()
        expect(far.page.get_by_role("alert")).to_contain_text("Nobody can log in over this connection")
        expect(far.page.locator("main input")).to_have_count(0)
        for way in ("ssh -L", "--certfile", "--behind", "--insecure-login"):
            expect(far.page.locator("main")).to_contain_text(way)
        assert far.wrong == ["Failed to load resource: the server responded with a status of 403 (Forbidden)"]
        far.wrong.clear()
        assert too_wide(far.page) == []
        assert violations(far.page) == []


def test_a_teacher_logs_in_over_https_and_logs_out_for_good(browser: Browser, tmp_path: Path) -> None:
    with running_board(tmp_path, *TLS_OPTIONS) as running:
        context = browser.new_context(ignore_https_errors=True)
        try:
            mine = Screen(context.new_page(), running.url, token_of(running.process))
            mine.log_in()
            [cookie] = context.cookies()
            assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
            mine.page.get_by_role("button", name="Log out").click()
            mine.page.wait_for_url("**/")
            assert context.cookies() == []
            context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": running.url}])
            mine.go("/gradebook")
            mine.page.wait_for_url("**/login?then=**")
        finally:
            context.close()


def test_the_columns_of_both_lists_of_classes_stand_below_each_other(browser: Browser, tmp_path: Path) -> None:
    write_records(
        tmp_path, numbered(1), message_1(team(2, classname="A class with a name that is rather long, and longer"))
    )
    with running_board(tmp_path) as running, screen(browser, running.url, token_of(running.process)) as teacher:
        teacher.log_in()
        teacher.go("/gradebook/classes")
        teacher.page.fill("#pasted", ROSTER)
        teacher.page.get_by_role("button", name="Upload").click()
        expect(teacher.page.get_by_role("status")).to_contain_text("2 teams expected")
        teacher.go("/")
        for size in SIZES:
            teacher.page.set_viewport_size(SIZES[size])
            places = teacher.page.evaluate(
                "[...document.querySelectorAll('.classes')].map((table) => [...table.querySelectorAll('thead th')]"
                ".map((head) => Math.round(head.getBoundingClientRect().right)))"
            )
            assert len(places) == 2
            assert places[0][:3] == places[1], size


def test_on_a_phone_the_caret_stays_on_the_screen(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, _ = filled
    right = json.dumps(TEAM | {"clientid": 1, "ip": "192.168.1.2", "secret": "", "status": ""})
    with screen(browser, running.url) as mine:
        mine.page.set_viewport_size({"width": 360, "height": 640})
        for wrong, character in (
            (right.replace('"status"', "status"), "s"),
            (right.removesuffix(', "status": ""}') + "}", "}"),
        ):
            mine.go("/check")
            mine.page.fill("#message", wrong)
            mine.page.click("main button")
            caret = mine.page.locator(".excerpt mark").first
            expect(caret).to_have_text(character)
            box, line = caret.bounding_box(), caret.locator("..").bounding_box()
            assert box
            assert line
            assert line["x"] <= box["x"] < box["x"] + box["width"] <= line["x"] + line["width"] <= 360


def test_marks_are_typed_one_after_the_other(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, *(numbered(number) for number in range(1, 5)))
    with running_board(tmp_path) as running, screen(browser, running.url, token_of(running.process)) as teacher:
        teacher.log_in()
        press, saved = teacher.page.keyboard.press, teacher.page.locator("#saved")
        marks = teacher.page.get_by_role("textbox", name="mark of")
        marks.first.focus()
        for key, mark in (("Enter", "8.5"), ("Tab", "7"), ("Enter", "9")):
            teacher.page.keyboard.insert_text(mark)
            press(key)
        expect(saved).to_have_text("mark of Team 3: 9, saved")
        expect(marks.last).to_be_focused()
        press("Tab")
        expect(marks.last).not_to_be_focused()
        teacher.page.reload()
        assert [mark.input_value() for mark in marks.all()] == ["8.5", "7", "9", ""]
        teacher.page.context.clear_cookies()
        marks.last.fill("6")
        press("Enter")
        expect(saved).to_have_text("mark of Team 4: 6, not saved, because the board answered 403")
        teacher.wrong.clear()  # the browser says the same


def test_tab_goes_through_every_page_in_order(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    """WCAG 2.2: no trap (2.1.2), order (2.4.3), a focus that is seen (2.4.7), targets of 24 px (2.5.8)."""
    running, token = filled
    with screen(browser, running.url, token) as teacher:
        teacher.log_in()
        for name in ("class", "any team", "check", "rosters", "gradebook"):
            PAGES[name](teacher)
            teacher.page.evaluate("document.activeElement.blur()")
            stops = tab_stops(teacher.page, most=120)
            assert 10 <= len(stops) < 120, name
            orders = [stop["order"] for stop in stops]
            assert orders == sorted(orders), name
            assert [stop["name"] for stop in stops if not stop["isSeen"]] == [], name
            assert [stop["name"] for stop in stops if stop["side"] < 24 and not stop["isInText"]] == [], name


def test_axe_finds_nothing(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, token = filled
    with screen(browser, running.url, token) as teacher:
        teacher.log_in()
        for name, go in PAGES.items():
            go(teacher)
            assert violations(teacher.page) == [], name


def test_no_page_is_wider_than_a_phone(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, token = filled
    with screen(browser, running.url, token, "phone") as teacher:
        teacher.log_in()
        for name, go in PAGES.items():
            go(teacher)
            assert too_wide(teacher.page, ["phone"]) == [], name
        for number in ("923456", "s" * 32):
            teacher.go("/gradebook/classes")
            teacher.page.fill("#pasted", f"classname,teamname,studentnr1\n{'W' * 64},{'W' * 128},{number}")
            teacher.page.get_by_role("button", name="Upload").click()
            expect(teacher.page.locator(".saved, .trouble")).to_contain_text("line 2: studentnr1 is")
            assert too_wide(teacher.page, ["phone"]) == [], number
        teacher.wrong.clear()  # the browser says that the board refused one


def test_by_keyboard_alone(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, token = filled
    with screen(browser, running.url, token) as mine:
        press, focused = mine.page.keyboard.press, mine.page.locator(":focus")
        mine.go("/check")
        press("Tab")
        expect(focused).to_have_text("Skip to the content")
        press("Enter")
        press("Tab")
        expect(focused).to_have_attribute("id", "message")
        mine.page.keyboard.insert_text(WRONG)
        press("Tab")
        press("Enter")
        expect(mine.page.locator("#verdict")).to_contain_text("Not accepted")

        mine.go("/")
        press("Tab")
        while focused.get_attribute("id") != "theme":
            press("Tab")
        before = mine.page.evaluate("getComputedStyle(document.body).backgroundColor")
        press("Space")
        assert mine.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        mine.go("/login")
        assert mine.page.evaluate("document.documentElement.dataset.theme") == "dark", "the choice is kept"

        mine.page.locator("#token").focus()
        mine.page.keyboard.insert_text(token)
        press("Enter")
        mine.page.wait_for_url("**/gradebook")
        mine.page.locator("#search").focus()
        mine.page.keyboard.insert_text("Team 1")
        press("Enter")
        mine.page.wait_for_url("**search=Team*")
        expect(mine.page.locator(".grades tbody tr")).to_have_count(11)
        mine.page.locator(".grades a[href*='/gradebook/team']").first.focus()
        press("Enter")
        mine.page.wait_for_selector("#team")
        mine.page.locator("details summary").first.focus()
        press("Enter")
        expect(mine.page.locator("details[open] .hex").first).to_be_visible()
        assert mine.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "focus is seen"


def test_what_was_corrected_can_be_copied(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, _ = filled
    with screen(browser, running.url) as mine:
        mine.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        mine.go("/check")
        wrong = json.dumps(TEAM | {"clientid": 1, "ip": "192.168.1.2", "secret": "", "status": ""}).replace(
            '"classname"', "classname"
        )
        mine.page.fill("#message", wrong)
        mine.page.click("main button")
        mine.page.get_by_role("button", name="Copy").click()
        expect(mine.page.locator("#copied")).to_have_text("copied")
        copied = json.loads(mine.page.evaluate("navigator.clipboard.readText()"))
        assert copied["classname"] == TEAM["classname"]


COLOURS = """(id) => {
  const canvas = document.querySelector(`#${id} canvas`);
  return new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size;
}"""


def of_a_server(age: float, connections: int = 7, replies: int = 1) -> MetricsSample:
    """A sample that a server wrote so many seconds ago."""
    took = (300, 900) if replies else (0, 0)
    return MetricsSample(
        int((time.time() - age) * 1e6), "g:1 1", 5_000_000, replies, connections, *took, 9 * replies, *took, 0
    )


def test_charts_are_drawn(browser: Browser, filled: tuple[RunningBoard, str]) -> None:
    running, token = filled
    with screen(browser, running.url, token) as teacher:
        teacher.log_in()
        PAGES["health"](teacher)
        for chart in ("visits", "connections", "took", "commit", "waiting", "commits", "disk"):
            assert teacher.page.evaluate(COLOURS, chart) > 10, chart
        expect(teacher.page.locator("#disk-now")).to_have_text(re.compile(r"^0\.\d+$"))
        expect(teacher.page.locator("#free")).to_contain_text("are free")
        PAGES["class"](teacher)
        assert teacher.page.evaluate(COLOURS, "curve") > 10


def test_the_health_page_tells_what_is_now_and_that_a_server_is_silent(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, *(of_a_server(5 * age) for age in range(60)))
    with running_board(tmp_path) as running, screen(browser, running.url, token_of(running.process)) as teacher:
        now, silent = teacher.page.locator("#connections-now"), teacher.page.locator("#silent")
        teacher.log_in()
        PAGES["health"](teacher)
        expect(teacher.page.locator("#took-now")).to_have_text("0.30 (median), 0.90 (p99)")
        expect(now).to_have_text("7")
        expect(silent).to_be_hidden()
        write_records(tmp_path, of_a_server(0, 8, replies=0))
        expect(now).to_have_text("8")
        for nothing in ("took", "commit"):
            expect(teacher.page.locator(f"#{nothing}-now")).to_have_text("-")
        silence = r"^No server writes its figures\. The last ones are from \d\d:\d\d:\d\d\.$"
        expect(silent).to_have_text(re.compile(silence))
        expect(now).to_have_text("-")
        expect(teacher.page.locator("#visits-now")).to_have_text("-")


def test_a_page_whose_records_cannot_be_read_is_not_live(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, numbered(1))
    files = list(tmp_path.glob("tandem.sqlite3*"))
    with (
        running_board(tmp_path) as running,
        screen(browser, running.url, token_of(running.process)) as teacher,
        screen(browser, running.url) as projector,
    ):
        teacher.log_in()
        PAGES["health"](teacher)
        PAGES["class"](projector)
        for file in files:
            file.rename(tmp_path / f"away-{file.name}")
        (tmp_path / FILE).write_bytes(b"garbage" * 1000)
        for each in (teacher, projector):
            words = each.page.locator("#trouble .trouble")
            error = r"^The records cannot be read at the moment\. This page shows them as of \d\d:"
            expect(words).to_have_text(re.compile(error))
            expect(each.page.locator("#line")).to_be_hidden()
        assert too_wide(projector.page) == []
        projector.page.reload()
        expect(projector.page.locator("#trouble .trouble")).to_be_visible()
        assert str(tmp_path) not in projector.page.content()
        for file in files:
            (tmp_path / f"away-{file.name}").rename(file)
        for each in (teacher, projector):
            expect(each.page.locator("#trouble .trouble")).to_have_count(0)
            expect(each.page.locator("#line")).to_be_visible()


# Where the line of the curve is, in parts of the canvas, and whether anything is cut off at its right edge.
LINE = """() => {
  const canvas = document.querySelector("#curve canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--finished").trim();
  pen.fillRect(0, 0, 1, 1);
  const ink = pen.getImageData(0, 0, 1, 1).data.join();
  const places = [...Array(width * height).keys()].filter((at) => data.slice(4 * at, 4 * at + 4).join() === ink);
  const rows = places.map((at) => Math.floor(at / width) / height);
  const columns = places.map((at) => (at % width) / width);
  const cut = [...Array(height).keys()].some((row) => data[4 * (row * width + width - 1) + 3]);
  const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b), 1);
  const most = (numbers) => numbers.reduce((a, b) => Math.max(a, b), 0);
  return { top: least(rows), bottom: most(rows), left: least(columns), right: most(columns), cut };
}"""


@pytest.mark.parametrize(("teams", "words"), [(0, "0 teams have"), (1, "1 team has"), (20, "20 teams have")])
def test_the_curve_of_nobody_of_one_and_of_all_at_once(
    browser: Browser, tmp_path: Path, teams: int, words: str
) -> None:
    at = NOW // 60_000_000 * 60 + 26  # so that half a minute later the axis ends just behind a whole minute
    write_records(
        tmp_path, *(with_secret(message_2(team(n), at * 1_000_000), n) for n in range(teams)), message_1(team(99))
    )
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        projector.page.clock.set_fixed_time(datetime.fromtimestamp(at + 31, UTC))
        PAGES["class"](projector)
        expect(projector.page.locator("#curve")).to_have_attribute("aria-label", f"chart: {words} finished so far")
        line = projector.page.evaluate(LINE)
        assert not line.pop("cut")
        height = line["bottom"] - line["top"]
        assert height > 0.5 if teams else height < 0.05
        assert line["right"] - line["left"] > 0.5
        assert line["bottom"] > 0.6, "it begins at 0"


def test_the_teacher_sees_a_roster_file_through(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path / "data", numbered(1))
    (tmp_path / "roster.csv").write_text(ROSTER)
    with (
        running_board(tmp_path / "data") as running,
        screen(browser, running.url, token_of(running.process)) as teacher,
    ):
        teacher.log_in()
        teacher.go("/gradebook/classes")
        teacher.page.set_input_files("#file", tmp_path / "roster.csv")
        teacher.page.get_by_role("button", name="Upload").click()
        expect(teacher.page.get_by_role("status")).to_contain_text("2 teams expected")
        teacher.page.get_by_label("deadline of INF2A").fill("2020-01-01T12:00")
        teacher.page.get_by_role("button", name="Set").click()
        teacher.go("/gradebook?class=INF2A")
        expect(teacher.page.locator(".grades tbody tr")).to_have_count(2)
        with teacher.page.expect_download() as download:
            teacher.page.get_by_role("link", name="XLSX").click()
        assert download.value.suggested_filename == "gradebook.xlsx"


# What people may call themselves, and what must not happen.
MARKUP = [
    "<script>window.executed = 1</script>",
    "<img src=x onerror='window.executed = 1'>",
    '"><svg onload=window.executed=1>',
    "' onmouseover='window.executed=1",
    "</title></textarea></pre></svg><script>window.executed=1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:window.executed=1",
    "]]><!--",
]
STEERING = [
    "\u202egnp.exe",
    "\u2066\u2067isolated",
    "\u200fright",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "nul\0byte",
    "two\nlines\r",
]
SHAPES = [
    "🚲" * 32,
    "👩\u200d👩\u200d👧\u200d👦" * 5,
    "W" * 128,
    "ﷺ" * 40,
    "a\u0300\u0301\u0302\u0303" * 12,
    "عربي " * 9,
    "   ",
    ".",
]
HOSTILE = [*MARKUP, *STEERING, *SHAPES]


def a_hostile_visit(number: int, text: str) -> Visit:
    """The text in every field that takes one, and in what came."""
    visit = rejected(Team("INF2A", text, text[:8], text[:8]), "field-changed", NOW + number)
    visit.received = json.dumps({"classname": text, "teamname": text, "clientid": 2}).encode()
    visit.reply = text.encode()
    visit.address = text[:45]
    visit.problems[0].facts.update(field=text, found=text, wanted=text)
    return visit


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningBoard, str]]:
    """A board on which every field is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    write_records(folder, numbered(1), *(a_hostile_visit(number, text) for number, text in enumerate(HOSTILE)))
    write_records(folder, *(rejected(Team(text[:16], text, "1", "2"), "not-json") for text in HOSTILE))
    write_records(folder, numbered(3))
    with running_board(folder) as running:
        token = token_of(running.process)
        wait_until(lambda: running.get("/healthz")[0] == 200)
        yield running, token


def test_nothing_hostile_runs_and_the_layout_stays(browser: Browser, hostile: tuple[RunningBoard, str]) -> None:
    running, token = hostile
    with screen(browser, running.url, token) as teacher:
        teacher.log_in()
        teacher.go("/gradebook?class=INF2A")
        links = [each.get_attribute("href") or "" for each in teacher.page.locator(".grades a[href^='/']").all()]
        assert len(links) >= 2 * len(HOSTILE)
        for name, go in PAGES.items():
            go(teacher)
            harmless(teacher, name)
        for link in links[::2]:
            teacher.go(link)
            harmless(teacher, link)


def test_hostile_words_stay_words_in_forms(browser: Browser, hostile: tuple[RunningBoard, str]) -> None:
    running, token = hostile
    with screen(browser, running.url, token, "phone") as teacher:
        teacher.log_in()
        teacher.go("/check")
        for text in (*MARKUP, *SHAPES[:3], STEERING[0]):
            teacher.page.fill("#message", text.replace("\0", ""))
            with teacher.page.expect_navigation():
                teacher.page.locator("main form").evaluate("form => form.submit()")
            harmless(teacher, text)
        roster = "classname,teamname\n" + "\n".join(f'"{text[:9]}","{text}"' for text in HOSTILE if '"' not in text)
        teacher.go("/gradebook/classes")
        teacher.page.fill("#pasted", roster.replace("\0", ""))
        teacher.page.get_by_role("button", name="Upload").click()
        expect(teacher.page.get_by_role("alert")).to_contain_text("control character")
        teacher.wrong.clear()  # the browser says that the board refused it
        harmless(teacher, "roster")


FOUND = """() => ({
  executed: "executed" in window,
  foreign: document.querySelectorAll(
    "main :is(img, iframe, script, [onload], [onmouseover], [style*=url])").length,
  left: document.querySelector("header.frame").getBoundingClientRect().x,
  title: document.querySelector("h1").checkVisibility({ visibilityProperty: true, opacityProperty: true }),
  text: document.body.innerText,
})"""


def harmless(screen: Screen, location: str) -> None:
    """Nothing ran, nothing is wider than a window of any size, nothing steers the text around it."""
    assert screen.wrong == [], location
    assert too_wide(screen.page) == [], location
    found = screen.page.evaluate(FOUND)
    assert not set(found.pop("text")) & set("\u202e\u2066\u2067\u200f\x1b\x9b\x07\0"), location
    assert found == {"executed": False, "foreign": 0, "left": 0, "title": True}, location


def test_a_hostile_team_does_no_harm_live(browser: Browser, tmp_path: Path) -> None:
    write_records(tmp_path, numbered(1))
    with running_board(tmp_path) as running, screen(browser, running.url) as projector:
        projector.go("/class?name=INF2A")
        projector.wait_until_live()
        write_records(tmp_path, *(a_hostile_visit(number, text) for number, text in enumerate(HOSTILE)))
        expect(projector.page.locator("#tiles > li")).to_have_count(1 + len(HOSTILE))
        harmless(projector, "live")
