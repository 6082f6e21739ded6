"""Measure the cost of a board, and its delay from an event to the page.

    python3 -m bench.board live|million [--help]

live     300 teams finish within a minute while 50 browsers watch their class: some are real ones, the others take the
         events as a browser does. For every finished team and every browser: the time from the server's reply to the
         tile. Then the same load again and again, in turns with the board and its watchers and with the server alone:
         the p99 of a visit in both, and the ratio.
million  A store with a million teams (made, or kept in --data): the time of the first page after a start, and of each
         page when it is asked for again and again.

By hand, on a machine that does nothing else. Times are taken with one clock, so everything runs on this machine: the
server and the teams on its first CPU, the board and the browsers on its last.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from bench.teams import fill
from tandem.protocol.message import STATUS_FINISHED
from tandem.records.sqlite.sqlite_store import FILE
from testing.processes import process, running_server
from testing.raw_sockets import encoded, message_1, message_2, visit

CLASS = "BENCH"
CLASS_PAGE = f"/class?name={CLASS}"
TIMES = 20  # that each page is asked for
SENDERS = 16  # teams at a time

# The server and its teams have one CPU, the board and all who watch another, as if these were other machines.
CPUS = sorted(os.sched_getaffinity(0))
SERVING, WATCHING = {CPUS[0]}, {CPUS[-1]}
SPAWN = multiprocessing.get_context("spawn")
Seen = list[dict[str, float]]  # for each browser: when it showed a team as finished

# In a real browser: when each tile became one of a finished team.
WATCH = """() => {
  window.seen = {};
  const look = () => {
    const now = Date.now() / 1000;
    for (const tile of document.querySelectorAll("#tiles > .finished")) {
      window.seen[tile.querySelector(".name").textContent] ??= now;
    }
  };
  new MutationObserver(look).observe(document.getElementById("tiles"), { childList: true, subtree: true });
  look();
}"""
_FINISHED = re.compile(r'class="tile finished".*?<bdi class="name" title="([^"]*)"')


@dataclass
class Load:
    """The exchanges that the teams made. Times in seconds since 1970, or seconds."""

    finished: dict[str, float] = field(default_factory=dict)  # team -> when its reply had come
    visits: list[float] = field(default_factory=list)  # how long each took

    def p99(self) -> float:
        return statistics.quantiles(self.visits, n=100)[98]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(required=True, metavar="live|million")
    live = what.add_parser("live")
    live.add_argument("--teams", type=int, default=300)
    live.add_argument("--seconds", type=float, default=55.0, help="in which they finish (55)")
    live.add_argument("--watchers", type=int, default=50)
    live.add_argument("--real", type=int, default=3, help="of them real browsers (3)")
    live.add_argument("--turns", type=int, default=5, help="of the comparison, with and without (5)")
    live.add_argument("--turn-seconds", type=float, default=20.0, help="of each turn (20)")
    live.set_defaults(run=run_live)
    million = what.add_parser("million")
    million.add_argument("--teams", type=int, default=1_000_000)
    million.add_argument("--data", type=Path, help="fill this folder and keep it, or use it as it was kept")
    million.set_defaults(run=run_million)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-board-") as place:
        given.run(given, Path(place))
    return 0


def run_live(given: argparse.Namespace, place: Path) -> None:
    os.sched_setaffinity(0, SERVING)
    with running_server(place / "live") as serving, board(place / "live") as url:
        visit(serving.host, serving.port, team(0))
        with watchers(url, given.watchers - given.real, given.real) as seen:
            load = exchanges(serving.port, given.teams, given.seconds)
            time.sleep(2.0)
            lags = [each.get(name, float("inf")) - at for each in seen() for name, at in load.finished.items()]
    within = sum(lag <= 1.0 for lag in lags)
    print(f"{len(load.finished)} of {given.teams} teams finished; {given.watchers} browsers, {given.real} of them real")
    print(f"shown within 1 s: {within:,} of {len(lags):,} ({100 * within / len(lags):.2f} %)")
    print(f"reply to tile: median {statistics.median(lags) * 1000:.0f} ms, most {max(lags) * 1000:.0f} ms")
    ratios(given, place)


def ratios(given: argparse.Namespace, place: Path) -> None:
    """The same load in turns, with everybody watching and with nobody."""
    found: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * given.turns):
        watched = turn % 2 == 1
        folder = place / f"turn{turn}"
        with ExitStack() as stack, running_server(folder) as serving:
            visit(serving.host, serving.port, team(0))
            if watched:
                url = stack.enter_context(board(folder))
                stack.enter_context(watchers(url, given.watchers - given.real, given.real))
            load = exchanges(serving.port, int(given.teams * given.turn_seconds / given.seconds), given.turn_seconds)
        found[watched].append(load.p99() * 1000)
        print(f"turn {turn + 1}: {'watched' if watched else 'alone'}: p99 {found[watched][-1]:.2f} ms", flush=True)
    alone, watched_p99 = statistics.median(found[False]), statistics.median(found[True])
    print(f"p99 of a visit, median of the turns: alone {alone:.2f} ms, watched {watched_p99:.2f} ms", end=", ")
    print(f"ratio {watched_p99 / alone:.2f}")


def team(number: int) -> bytes:
    numbers = {"studentnr1": f"{1_000_000 + number}", "studentnr2": f"{2_000_000 + number}"}
    return encoded(message_1(classname=CLASS, teamname=f"Team {number}", **numbers))


def exchanges(port: int, teams: int, seconds: float) -> Load:
    """Every team's two visits, at an even pace over the time."""
    load = Load()
    began = time.monotonic()

    def timed(data: bytes) -> dict[str, object]:
        start = time.perf_counter()
        reply = visit("127.0.0.1", port, data)
        load.visits.append(time.perf_counter() - start)
        return reply

    def exchange(number: int) -> None:
        time.sleep(max(0.0, began + seconds * number / teams - time.monotonic()))
        reply = timed(encoded(message_2(timed(team(number)))))
        if reply["status"] == STATUS_FINISHED:
            load.finished[f"Team {number}"] = time.time()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(exchange, range(1, teams + 1)))
    return load


@contextmanager
def board(folder: Path) -> Iterator[str]:
    """A board's address, once it can read the records."""
    arguments = ("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(folder))
    with process(*arguments, before=("taskset", "-c", str(*WATCHING))) as running:
        url = running.wait_for("listening on").rpartition(" ")[2]
        yield url
        running.stop()


@contextmanager
def watchers(url: str, listeners: int, real: int) -> Iterator[Callable[[], Seen]]:
    """Run browsers at the class page in a process of their own.

    The function that this gives ends them, and returns when each of them showed each team as finished.
    """
    ours, theirs = SPAWN.Pipe()
    watching = SPAWN.Process(target=watch, args=(url, listeners, real, theirs))
    watching.start()
    assert ours.recv() == "ready"

    def seen() -> Seen:
        ours.send("enough")
        found: Seen = ours.recv()
        return found

    try:
        yield seen
    finally:
        ours.close()
        watching.join(30)
        watching.kill()


def watch(url: str, listeners: int, real: int, told: Connection) -> None:
    """Run the watchers, in a process on a CPU of its own."""
    os.sched_setaffinity(0, WATCHING)
    stop = threading.Event()
    ready = threading.Semaphore(0)
    seen: Seen = [{} for _ in range(listeners + real)]
    plain = threading.Thread(target=lambda: asyncio.run(listen_all(url, seen[:listeners], stop, ready)))
    browsing = threading.Thread(target=lambda: browse_all(url, seen[listeners:], stop, ready))
    for thread in (plain, browsing):
        thread.start()
    for _ in range(listeners + real):
        ready.acquire(timeout=60)
    told.send("ready")
    with suppress(EOFError):
        told.recv()
    stop.set()
    plain.join()
    browsing.join()
    with suppress(OSError):
        told.send(seen)


async def listen_all(url: str, seen: Seen, stop: threading.Event, ready: threading.Semaphore) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(listen(url, each, ready)) for each in seen]
        while not stop.is_set():
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()


async def listen(url: str, seen: dict[str, float], ready: threading.Semaphore) -> None:
    """Takes the events as a browser does, and notes when each team's tile came as finished; comes back if it ends."""
    address = url.removeprefix("http://")
    host, _, port = address.rpartition(":")
    path = CLASS_PAGE.replace("/class", "/class/live")
    last_id = ""
    while True:
        source, sink = await asyncio.open_connection(host, int(port), limit=2**24)
        sink.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nLast-Event-ID: {last_id}\r\n\r\n".encode())
        try:
            while line := await source.readline():
                if line.startswith(b"id: "):
                    last_id = line[4:].decode().strip()
                elif line.startswith(b"data: {"):
                    note(json.loads(line[6:]), seen)
                    ready.release()
        finally:
            sink.close()
        await asyncio.sleep(1.0)


def note(data: dict[str, Any], seen: dict[str, float]) -> None:
    """The content of one event."""
    now = time.time()
    html = data["all"] if "all" in data else "\n".join(each[1] for each in data["tiles"])
    for name in _FINISHED.findall(html):
        seen.setdefault(name, now)


def browse_all(url: str, seen: Seen, stop: threading.Event, ready: threading.Semaphore) -> None:
    if not seen:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        pages: list[Page] = []
        for _ in seen:
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(url + CLASS_PAGE)
            page.wait_for_selector("#line[data-state=live]")
            page.evaluate(WATCH)
            pages.append(page)
            ready.release()
        stop.wait()
        for page, found in zip(pages, seen, strict=True):
            found |= page.evaluate("window.seen")
        browser.close()


def run_million(given: argparse.Namespace, place: Path) -> None:
    folder = given.data or place / "million"
    folder.mkdir(exist_ok=True)
    if not (folder / FILE).exists():
        fill(folder, given.teams, Random(1))
    token = subprocess.run(
        [sys.executable, "-m", "tandem", "board", "token", "rotate", "--data", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    with board(folder) as url:
        print(f"first page after the start: {1000 * timed_page(url, '/', ''):.0f} ms", flush=True)
        while not (found := re.findall(r'href="/class\?name=([^"]*)"', page_of(url, "/", ""))):
            time.sleep(1.0)  # until the classes are counted
        pages = {
            "the list of classes": "/",
            "a class": f"/class?name={quote(found[len(found) // 2], safe='%+')}",
            "gradebook, all": "/gradebook",
            "gradebook, a class": f"/gradebook?class={quote(found[3], safe='%+')}",
            "gradebook, finished": "/gradebook?state=finished",
            "gradebook, a search": "/gradebook?search=7654321",
        }
        for words, path in pages.items():
            first, *again = [1000 * timed_page(url, path, token) for _ in range(1 + TIMES)]
            print(f"{words:22} first {first:5.0f} ms, then median {statistics.median(again):5.0f} ms", flush=True)


def timed_page(url: str, path: str, token: str) -> float:
    start = time.perf_counter()
    page_of(url, path, token)
    return time.perf_counter() - start


def page_of(url: str, path: str, token: str) -> str:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=120)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, (path, answer.status, text[:500])
    return text


if __name__ == "__main__":
    sys.exit(main())
