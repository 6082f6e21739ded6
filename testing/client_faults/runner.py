"""Runs scenarios: starts the client as a process, plays the other sides, and returns what came of it.

Judges nothing: laws.py does. When `run` returns, the client and all connections are gone.
"""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from testing.client_faults.scenarios import STYLES, Scenario
from testing.client_faults.scripts import CALLER, PEER, RIGHT, SERVER
from testing.other_side import Script, Wait, call, scripted_server
from testing.processes import process, team_options

AMPLE = ("--timeout", "2", "--wait", "15")  # where the client must finish: a busy machine is no excuse
SMALL = ("--timeout", "0.3", "--wait", "0.5")  # where it may have to wait for a limit


class Outcome(NamedTuple):
    """The end of a client, and the bytes that passed on its connections."""

    code: int | None  # None: it did not end within LIMIT, and was killed
    out: str
    err: str
    server_sent: bytes
    handed_over: bytes  # what client 1 sent to client 2
    seconds: float


def run_all(
    scenarios: Sequence[Scenario],
    at_once: int,
    report: Callable[[Scenario, Outcome], object] = lambda scenario, outcome: None,
) -> list[Outcome]:
    """Run the scenarios, some at a time. Call `report` for each when it has ended."""

    def run_one(scenario: Scenario) -> Outcome:
        outcome = run(scenario)
        report(scenario, outcome)
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(run_one, scenarios))


def run(scenario: Scenario) -> Outcome:
    """Run one scenario to its end."""
    stopped = threading.Event()
    limits = AMPLE if scenario.is_harmless else SMALL
    with ExitStack() as stack:
        servers = {
            place: stack.enter_context(scripted_server(*scenario.script(place), Wait.END))
            for place in (SERVER, PEER)
            if place in RIGHT[scenario.client]
        }
        other = ("--peer", servers[PEER].address) if PEER in servers else ("--listen", "127.0.0.1:0")
        callers = stack.enter_context(ThreadPoolExecutor())
        stack.callback(stopped.set)
        started = time.monotonic()
        addresses = ("--server", servers[SERVER].address, *other)
        arguments = (str(scenario.client), *team_options(), *addresses, *limits, *STYLES[scenario.style])
        client = stack.enter_context(process("-m", "tandem.client", *arguments))
        calls = []
        if scenario.client == 2:
            port = int(re.findall(r":(\d+) for client 1", client.wait_for(" for client 1"))[0])
            scripts = (*scenario.strangers(), scenario.script(CALLER))
            calls = [callers.submit(_call, port, script, stopped) for script in scripts]
        try:
            code = client.wait()
        except subprocess.TimeoutExpired:
            code = None
        seconds = time.monotonic() - started
    for done in calls:
        done.result()
    sent = b"".join(line.sent for line in servers[SERVER].lines)
    handed_over = b"".join(line.came for line in servers[PEER].lines) if PEER in servers else b""
    return Outcome(code, client.out, client.err, sent, handed_over, seconds)


def _call(port: int, script: Script, stopped: threading.Event) -> None:
    try:
        with call(port, stopped=stopped) as line:
            line.play((*script, Wait.END))
    except ConnectionError:
        pass  # a stranger has brought the message before, and client 2 listens no more
