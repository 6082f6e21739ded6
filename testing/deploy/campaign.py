"""Exchanges without a pause, while a server and the database are killed and started again.

What the students read is held against what is on record: whoever read `Finished successfully` is in the results.
Whom a blow has hit tries again when all is well again, and before the next blow: one each is what they have to stand.
"""

import json
import re
import signal
from collections import Counter
from dataclasses import dataclass
from typing import Any

from testing.deploy.cluster import Cluster
from testing.deploy.students import TRY_AGAIN
from testing.processes import Process, wait_until

PARTS = 4  # a part of the exchanges before the first blow, and after each of the three


@dataclass(frozen=True)
class Outcome:
    """The outcome of the exchanges."""

    exchanges: int
    tried_again: Counter[str]  # visits that were made twice, by the reason
    failed: list[str]  # exchanges in which a second try failed too, with the reason
    lost: set[str]  # teams that read that they finished, and are not finished on record
    addresses: set[str]  # where the visits on record came from

    def __str__(self) -> str:
        again = ", ".join(f"{reason}: {times}" for reason, times in sorted(self.tried_again.items()))
        return (
            f"{self.exchanges} exchanges, {len(self.failed)} failed, {len(self.lost)} confirmed and lost,"
            f" {self.tried_again.total()} visits made twice ({again or 'none'})"
        )


def campaign(cluster: Cluster, exchanges: int, at_once: int, tag: str) -> Outcome:
    """Run at least so many exchanges, and kill the last server and the database meanwhile."""
    last = len(cluster.servers) - 1
    students = cluster.start_students(tag, at_once)
    blows = (lambda: cluster.kill_server(last), lambda: cluster.restart_server(last), cluster.database.restart)
    for number, blow in enumerate(blows, 1):
        _wait_for_ended(students, number * exchanges // PARTS)
        blow()
        begun = len(_ended(students)) + at_once
        wait_until(cluster.keeps)
        _let_try_again(students, {f"{tag} {hit}" for hit in range(begun)})
    _wait_for_ended(students, exchanges)
    students.signal(signal.SIGTERM)
    assert students.wait() == 0, students.err
    return _outcome(cluster, [json.loads(line) for line in students.out.splitlines()])


def _wait_for_ended(students: Process, exchanges: int) -> None:
    """Wait until so many exchanges have ended. Fail if none ends for LIMIT."""
    while (ended := len(_ended(students))) < exchanges:
        wait_until(lambda: len(_ended(students)) > ended)


def _let_try_again(students: Process, teams: set[str]) -> None:
    """Wait until the exchanges of these teams have ended. They are all that a blow can have hit."""

    def ended() -> bool:
        told = students.err.count(TRY_AGAIN)
        students.signal(signal.SIGUSR1)
        wait_until(lambda: students.err.count(TRY_AGAIN) > told)  # heard late, it would be about the next blow
        return teams <= _ended(students)

    wait_until(ended)


def _ended(students: Process) -> set[str]:
    return set(re.findall(r'^{"team": "(.+?)"', students.out, re.MULTILINE))


def _outcome(cluster: Cluster, told: list[dict[str, Any]]) -> Outcome:
    finished = {row["teamname"] for row in cluster.results("--state", "finished")}
    return Outcome(
        exchanges=len(told),
        tried_again=Counter(reason for each in told for reason in each["tried_again"]),
        failed=[f"{each['team']}: {each['failed']}" for each in told if not each["finished"]],
        lost={each["team"] for each in told if each["finished"]} - finished,
        addresses=cluster.database.addresses(),
    )
