"""The cluster campaign, run by hand as root.

    python3 bench/cluster.py --exchanges 2000 --rounds 5

First: exchanges through HAProxy and three servers over one PostgreSQL, each on a host of its own, while a server and
the database are killed and started again (testing/deploy/campaign.py).
Exits with 1 if a team that read that it finished
is not in the results, or if an exchange failed that tried twice.

Then: what one, two and three servers carry, in interleaved rounds, beside what the database alone takes of the same
statements (pgbench). Prints a table; its last column says how busy the machine was, which all of this shares: by what
is measured, and by everything.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tandem.bench.processes import cpu_of
from tandem.protocol.message import STATUS_FINISHED, Message
from tandem.records.postgres.postgres_store import steps
from tandem.records.visits import Outcome, RightVisit, Team
from testing.deploy.campaign import campaign
from testing.deploy.cluster import BALANCER, DATABASE, PORT, STUDENTS, Cluster
from testing.postgres import WHEEL
from testing.processes import ROOT

CONCURRENCY = 64
BATCHES = (1, 8, 32)  # exchanges in one transaction of pgbench
CLIENTS = 3  # of pgbench: each server has one connection that writes
PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
FIRST_PORT = {Outcome.MESSAGE_1: 10_000, Outcome.MESSAGE_2: 30_000}  # a visit is known by time, address and port
MARK = 777_000_777_000_777  # stands for a number that pgbench draws anew for each transaction


@dataclass(frozen=True)
class Row:
    """One measurement. CPU times in microseconds an exchange, by who used them."""

    name: str
    rate: float  # exchanges a second
    cpu: dict[str, float]
    ours: float  # the share of all cores that this used
    busy: float  # the share that everything on the machine used
    p50: float = 0.0  # milliseconds
    p99: float = 0.0


class Meter:
    """CPU time of processes and of the whole machine, between its making and `read`."""

    def __init__(self, who: dict[str, list[int]]) -> None:
        self._who = who
        self._before = {name: cpu_of(pids).total for name, pids in who.items()}
        self._machine = _machine()

    def read(self) -> tuple[dict[str, float], float, float]:
        """CPU seconds by who used them; seconds of all cores, and those of them that were busy."""
        used = {name: cpu_of(pids).total - self._before[name] for name, pids in self._who.items()}
        (all_now, idle_now), (all_before, idle_before) = _machine(), self._machine
        return used, all_now - all_before, (all_now - idle_now) - (all_before - idle_before)


def _machine() -> tuple[float, float]:
    """Seconds of all cores since the machine started, and those of them without work."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in words[1:9]]
    return sum(ticks), ticks[3] + ticks[4]  # idle, and waiting for the disk


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--exchanges", type=int, default=2000, help="of the campaign; 0: none")
    options.add_argument("--at-once", type=int, default=32, help="students of the campaign")
    options.add_argument("--rounds", type=int, default=5, help="of the measurement; 0: none")
    options.add_argument("--seconds", type=float, default=5.0, help="for each figure of a round")
    given = options.parse_args()
    if given.exchanges and not survive(given.exchanges, given.at_once):
        return 1
    if given.rounds:
        print(table(measure(given.rounds, given.seconds)))
    return 0


def survive(exchanges: int, at_once: int) -> bool:
    with ExitStack() as undo:
        outcome = campaign(Cluster(undo, 3), exchanges, at_once, "campaign")
    print(outcome, flush=True)
    for failed in (*outcome.failed, *(f"{team}: confirmed and lost" for team in outcome.lost)):
        print(failed, file=sys.stderr)
    return not outcome.failed and not outcome.lost


def measure(rounds: int, seconds: float) -> list[Row]:
    """Every figure once a round, so that all of them see the same moods of the machine."""
    rows = []
    with ExitStack() as undo:
        clusters = [Cluster(undo, servers) for servers in (1, 2, 3)]
        scripts = [(batch, pgbench_script(batch)) for batch in BATCHES]
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            rows += [through_servers(cluster, seconds) for cluster in clusters]
            rows += [database_alone(clusters[0], batch, script, seconds) for batch, script in scripts]
    return rows


def through_servers(cluster: Cluster, seconds: float) -> Row:
    """The result of `tandem bench` through the balancer."""
    meter = Meter(
        {
            "servers": [server.process.pid for server in cluster.servers],
            "HAProxy": [cluster.balancer.pid],
            "PostgreSQL": [cluster.database.pid],
        }
    )
    options = ("--server", f"{BALANCER}:{PORT}", "--concurrency", str(CONCURRENCY), "--seconds", str(seconds))
    command = [*cluster.students.inside, sys.executable, "-m", "tandem", "bench", *options, "--format", "json"]
    told = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False).stdout)
    if told["failed"]:
        sys.exit(f"bench/cluster.py: {told['failed']} exchanges of the load failed: {told['failures']}")
    used, seconds_there, seconds_busy = meter.read()
    used["load"] = told["load_cpu_us"]["total"] * told["finished"] / 1e6
    count = len(cluster.servers)
    times: dict[str, Any] = told["times_us"]["exchange"]
    return Row(
        name=f"{count} server{'s' if count > 1 else ''}",
        rate=told["exchanges_per_second"],
        cpu={name: total / told["finished"] * 1e6 for name, total in used.items()},
        ours=sum(used.values()) / seconds_there,
        busy=seconds_busy / seconds_there,
        p50=times["p50"] / 1000,
        p99=times["p99"] / 1000,
    )


def database_alone(cluster: Cluster, batch: int, script: str, seconds: float) -> Row:
    """The same statements from pgbench, from a server's host."""
    program = Path(str(WHEEL and WHEEL.origin)).parent / "pginstall" / "bin" / "pgbench"
    meter = Meter({"PostgreSQL": [cluster.database.pid]})
    options = f"-n -M prepared -f - -c {CLIENTS} -j 1 -T {seconds:.0f} -h {DATABASE} -U tandem postgres".split()
    told = subprocess.run(
        [*cluster.places[0].inside, str(program), *options],
        env=os.environ | {"PGOPTIONS": PLANS},
        input=script,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    [tps] = re.findall(r"^tps = ([\d.]+)", told, re.MULTILINE)
    [ended] = re.findall(r"actually processed: (\d+)", told)
    used, seconds_there, seconds_busy = meter.read()
    return Row(
        name=f"pgbench, {batch} exchange{'s' if batch > 1 else ''} a transaction",
        rate=float(tps) * batch,
        cpu={name: total / (int(ended) * batch) * 1e6 for name, total in used.items()},
        ours=sum(used.values()) / seconds_there,
        busy=seconds_busy / seconds_there,
    )


def pgbench_script(batch: int) -> str:
    """One transaction as a server's mostly are: both messages of so many teams. The server makes the names new."""
    lines = ["\\set n random(1, 9000000000000000)", "\\startpipeline", "BEGIN;"]
    visits = [_visit(outcome, number) for number in range(batch) for outcome in FIRST_PORT]
    for statement, rows in steps(visits):
        quoted = rows.replace("'", "''")
        lines.append(statement.replace("%s", f"replace('{quoted}', '{MARK}', :n::text)") + ";")
    return "\n".join([*lines, "COMMIT;", "\\endpipeline"]) + "\n"


def _visit(outcome: Outcome, number: int) -> RightVisit:
    team = Team("BENCH", f"{MARK}-{number}", "0923456", "0934567")
    one, other = team.studentnr1, team.studentnr2
    message = Message(other, one, team.classname, 2, team.teamname, STUDENTS[0], "5" * 64, STATUS_FINISHED).encode()
    return RightVisit(
        classname=team.classname,
        teamname=team.teamname,
        pair=team.pair,
        started_us=MARK,
        duration_us=0,
        address=STUDENTS[0],
        port=FIRST_PORT[outcome] + number,
        outcome=outcome,
        received=message,
        size_bytes=len(message),
        reply=message,
        findings="[]",
        studentnr1=one,
        studentnr2=other,
        secret=f"{MARK}-{number}".ljust(64, "0"),
        ip=STUDENTS[0],
    )


def table(rows: list[Row]) -> str:
    """The medians, with the least and the greatest rate."""
    lines = [
        "| what | exchanges/s (min-max) | p50 ms | p99 ms | CPU µs an exchange | busy: ours, all |",
        "|---|--:|--:|--:|---|--:|",
    ]
    for name in dict.fromkeys(row.name for row in rows):
        same = [row for row in rows if row.name == name]
        rates = sorted(row.rate for row in same)
        cpu = ", ".join(f"{who} {statistics.median(row.cpu[who] for row in same):,.0f}" for who in same[0].cpu)
        p50, p99 = (statistics.median(times) for times in zip(*((row.p50, row.p99) for row in same), strict=True))
        times = f"{p50:,.1f} | {p99:,.1f}" if p50 else "|"
        lines.append(
            f"| {name} | {statistics.median(rates):,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f}) | {times} | {cpu} |"
            f" {statistics.median(row.ours for row in same):.0%}, {statistics.median(row.busy for row in same):.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
