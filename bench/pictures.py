"""Takes the pictures of docs/pictures, from a board beside a real server.

    python3 -m bench.pictures

Twenty teams meet the server, in all the ways that a lesson has: most finish, some are stuck, some have not come.
"""

import re
import shutil
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from testing.processes import ROOT, RunningServer, running_server, wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit

PICTURES = ROOT / "docs/pictures"
SIZE: ViewportSize = {"width": 1280, "height": 720}
CLASS = "INF2A"
NAMES = (
    "Null Pointers",
    "Segfault",
    "Byte Me",
    "Les Octets",
    "The Sockets",
    "Team 7",
    "404 Found",
    "Off By One",
    "Stack Smashers",
    "Port 5550",
    "Little Endians",
    "Handshakers",
    "Kernel Panic",
    "Ping Pong",
    "Race Condition",
    "TCP Dump",
    "Loopback",
    "Zero Copy",
    "Broken Pipe",
    "EOF",
)
MISSING = ("Deadlock", "Fork Bomb", "Late Binding")


def main() -> int:
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="tandem-pictures-") as place,
        running_server(Path(place) / "data", "--board", "127.0.0.1:0") as serving,
        sync_playwright() as playwright,
    ):
        token = serving.process.wait_for("shown this once").rpartition(" ")[2]
        url = serving.process.wait_for("listening on http").rpartition(" ")[2]
        secrets = [meet(serving, number) for number in range(len(NAMES))]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        take(browser, url, token, secrets[STUCK])
        browser.close()
    return 0


STUCK = 2  # the team whose page is shown


def meet(serving: RunningServer, number: int) -> str:
    """One team's lesson so far; returns its secret, "" if it has none."""
    time.sleep(0.7)  # so that the curve is one
    numbers = {"studentnr1": f"09{12345 + 37 * number}", "studentnr2": f"09{54321 - 41 * number}"}
    first = message_1(classname=CLASS, teamname=NAMES[number], ip="127.0.0.1", **numbers)
    if number in (4, 11):
        visit(serving.host, serving.port, encoded(first).replace(b'"classname"', b"classname"))
        return ""
    reply = visit(serving.host, serving.port, encoded(first))
    second = message_2(reply)
    if number in (6, 9, 15):
        return str(reply["secret"])
    if number in (STUCK, 13):
        second |= {"studentnr1": reply["studentnr1"], "studentnr2": reply["studentnr2"]}
    if number == 18:
        second["secret"] = str(reply["secret"])[:-1]
    visit(serving.host, serving.port, encoded(second))
    return str(reply["secret"])


def take(browser: Browser, url: str, token: str, secret: str) -> None:
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("#token", token)
    page.click("main button")
    prepare(page, url)
    page.goto(f"{url}/team")
    page.fill("#secret", secret)
    page.click("main button")
    page.wait_for_selector("#team")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for name, path in (
            ("class", f"/class?name={CLASS}"),
            ("team", "/team"),
            ("gradebook", "/gradebook"),
            ("health", "/health"),
        ):
            page.goto(url + path)
            if page.locator("#line").count():
                page.wait_for_selector("#line[data-state=live]")
            shoot(page, f"{name}-{scheme}")
        page.goto(f"{url}/check")
        page.fill(
            "#message", '{"studentnr1": "0912345", studentnr2: "0954321",\n "classname": "INF2A", "clientid": "1"}'
        )
        page.click("main button")
        shoot(page, f"check-{scheme}")
    context.close()


def prepare(page: Page, url: str) -> None:
    """A roster, a deadline, and figures to show."""
    page.goto(f"{url}/gradebook/classes")
    page.fill("#pasted", "classname,teamname\n" + "".join(f"{CLASS},{name}\n" for name in (*NAMES, *MISSING)))
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector(".saved")
    deadline = datetime.now() + timedelta(minutes=2)
    page.get_by_label(re.compile("deadline of")).fill(deadline.isoformat(timespec="minutes"))
    page.get_by_role("button", name="Set").click()
    page.goto(f"{url}/health")
    wait_until(lambda: page.locator("#visits-now").inner_text() not in ("-", "no data yet"))


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # until nothing moves any more
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
