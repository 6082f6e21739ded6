"""Real browsers for tests of the board: windows of three sizes, the way to every page, checks for each page."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, ViewportSize, expect

from testing.boards import secret
from testing.processes import LIMIT, ROOT

SIZES: dict[str, ViewportSize] = {
    "projector": {"width": 1920, "height": 1080},
    "laptop": {"width": 1366, "height": 768},
    "phone": {"width": 390, "height": 844},
}
Scheme = Literal["light", "dark"]
AXE = (ROOT / "tests/board/axe/axe.min.js").read_text(encoding="utf-8")
WRONG = '{"studentnr1": "0923456", studentnr2: "0934567",\n "classname": "INF2A" "clientid": 1}'

expect.set_options(timeout=LIMIT * 1000)


# If the page can be scrolled sideways: the elements beyond its right edge that no parent cuts off or scrolls.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const cuts = (element) => getComputedStyle(element).overflowX !== "visible";
  const cut = (element) => element !== document.body && (cuts(element) || cut(element.parentElement));
  const out = (element) => element.getBoundingClientRect().right > width + 1 && !cut(element.parentElement);
  return [...document.body.querySelectorAll("*")].filter(out).map((element) => element.outerHTML.slice(0, 150));
}"""


# Wait for two frames: then the layout has followed a new size of the window.
DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


class Screen:
    """One browser window, and the errors in it."""

    def __init__(self, page: Page, url: str, token: str) -> None:
        self.page = page
        self.url = url
        self.token = token
        self.wrong: list[str] = []  # errors of scripts, and dialogs, which the board never opens
        page.set_default_timeout(LIMIT * 1000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", self._refuse)

    def go(self, path: str) -> None:
        """Open a page of the board."""
        self.page.goto(self.url + path)

    def log_in(self) -> None:
        """Log in as the teacher."""
        self.go("/login")
        self.page.fill("#token", self.token)
        self.page.click("main button")
        self.page.wait_for_url("**/gradebook")

    def _refuse(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(message.text)

    def wait_until_live(self) -> None:
        """Wait until the page's event stream is open."""
        expect(self.page.locator("#line")).to_have_text("live")


@contextmanager
def screen(
    browser: Browser, url: str, token: str = "", size: str = "laptop", scheme: Scheme = "light"
) -> Iterator[Screen]:
    """Open a window. At the end of the block there must have been no errors in it."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    try:
        opened = Screen(context.new_page(), url, token)
        yield opened
        assert opened.wrong == []
    finally:
        context.close()


def _secret(screen: Screen) -> None:
    screen.page.context.clear_cookies(name="tandem_team")
    screen.go("/team")


def _team(screen: Screen) -> None:
    screen.go("/team")
    if screen.page.locator("#secret").count():
        screen.page.fill("#secret", secret(3))
        screen.page.click("main button")
    screen.page.wait_for_selector("#team")
    screen.wait_until_live()


def _any_team(screen: Screen) -> None:
    screen.go("/gradebook?class=INF2A")
    screen.page.locator(".grades th a[href*='/gradebook/team']").first.click()
    screen.page.wait_for_selector("#team")
    screen.page.evaluate("document.querySelectorAll('details').forEach((visit) => (visit.open = true))")


def _check(screen: Screen) -> None:
    screen.go("/check")
    screen.page.fill("#message", WRONG)
    screen.page.click("main button")
    screen.page.wait_for_selector("#verdict")


def _note(screen: Screen) -> None:
    screen.go("/gradebook?class=INF2A")
    screen.page.locator("a[href*='/gradebook/note']").first.click()
    screen.page.wait_for_selector("#mark")


def _remove_roster(screen: Screen) -> None:
    screen.go("/gradebook/classes")
    screen.page.fill("#pasted", "classname,teamname\nA roster,A team\n")
    screen.page.get_by_role("button", name="Upload").click()
    screen.page.get_by_role("link", name="Delete the roster of A roster").click()
    screen.page.wait_for_url("**/gradebook/roster/remove?**")


def _prove(screen: Screen) -> None:
    screen.go("/gradebook/secret")
    screen.page.fill("#secret", secret(1))
    screen.page.click("main button")
    screen.page.wait_for_selector(".verdict")


def _missing(screen: Screen) -> None:
    screen.go("/nowhere")
    screen.wrong.clear()  # the browser says that it is not there


def _live(path: str) -> Callable[[Screen], None]:
    def go(screen: Screen) -> None:
        screen.go(path)
        screen.wait_until_live()

    return go


def _plain(path: str) -> Callable[[Screen], None]:
    return lambda screen: screen.go(path)


# Every page, and how the teacher gets there.
PAGES: dict[str, Callable[[Screen], None]] = {
    "classes": _plain("/"),
    "class": _live("/class?name=INF2A"),
    "empty class": _live("/class?name=NOBODY"),
    "secret": _secret,
    "team": _team,
    "check": _check,
    "login": _plain("/login"),
    "gradebook": _plain("/gradebook"),
    "any team": _any_team,
    "note": _note,
    "rosters": _plain("/gradebook/classes"),
    "remove a roster": _remove_roster,
    "delete a class": _plain("/gradebook/forget?class=INF2A"),
    "not found": _missing,
    "prove": _prove,
    "health": _live("/health"),
}


def too_wide(page: Page, sizes: Iterable[str] = SIZES) -> list[str]:
    """Return the elements that make the page wider than windows of these sizes."""
    found: list[str] = []
    for size in sizes:
        page.set_viewport_size(SIZES[size])
        page.evaluate(DRAWN)
        found += [f"{size}: {each}" for each in page.evaluate(TOO_WIDE)]
    return found


# In dark mode only the colours differ. axe-core tries the size of targets (WCAG 2.2, 2.5.8) only where it is asked to.
AXE_OPTIONS: dict[Scheme, dict[str, object]] = {
    "light": {"rules": {"target-size": {"enabled": True}}},
    "dark": {"runOnly": ["color-contrast"]},
}
AXE_RUN = (
    "(options) => axe.run(document, { ...options, resultTypes: ['violations'] }).then((found) => found.violations)"
)


def violations(page: Page) -> list[str]:
    """Return the violations that axe-core finds, in light and in dark mode."""
    page.evaluate(AXE)
    return [
        f"{scheme}: {each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
        for scheme, options in AXE_OPTIONS.items()
        for each in _found_by_axe(page, scheme, options)
    ]


# The element with the focus: its name, whether the focus can be seen on it, its size, and whether it is in a sentence.
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const order = [...document.querySelectorAll("*")].indexOf(element);
  const { width, height, top, bottom } = element.getBoundingClientRect();
  return {
    order,
    name: element.getAttribute("aria-label") || element.textContent.trim() || element.name,
    isSeen: getComputedStyle(element).outlineStyle !== "none" && bottom > 0 && top < innerHeight,
    isInText: element.matches("p > a"),
    side: Math.min(width, height),
  };
}"""


def tab_stops(page: Page, most: int) -> list[dict[str, Any]]:
    """Press Tab until the focus leaves the page, at most so many times, and return what had the focus."""
    stops: list[dict[str, Any]] = []
    while len(stops) < most:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    return stops


def _found_by_axe(page: Page, scheme: Scheme, options: dict[str, object]) -> list[dict[str, Any]]:
    page.emulate_media(color_scheme=scheme)
    found: list[dict[str, Any]] = page.evaluate(AXE_RUN, options)
    return found
