"""Any ground takes any visit: three of them behind HAProxy, over one PostgreSQL, while some are killed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from pwd import getpwnam
from subprocess import CalledProcessError

import pytest

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from testing.deploy.campaign import campaign
from testing.deploy.cluster import BALANCER, PORT, STUDENTS, Cluster
from testing.processes import wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three grounds. Where hosts of their own cannot be, the test is skipped; with CI=true it fails."""
    with ExitStack() as undo:
        try:
            built = Cluster(undo, 3)
        except (OSError, CalledProcessError) as error:
            words = error.stderr.strip() if isinstance(error, CalledProcessError) else error
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(f"hosts of their own need Linux, root and `ip`: {words}")
        yield built


def test_every_ground_takes_the_visits_that_another_began(cluster: Cluster) -> None:
    """Past the balancer, so that it is known who took which."""
    for number, server in enumerate(cluster.grounds):
        other = cluster.grounds[number - 1]
        with cluster.students.entered():
            reply = visit(server.host, server.port, encoded(message_1(teamname=f"of ground {number}")))
            assert reply["status"] == STATUS_WAITING
            assert visit(other.host, other.port, encoded(message_2(reply)))["status"] == STATUS_FINISHED
    assert {row["state"] for row in cluster.results()} == {"finished"}


def test_a_visit_through_the_balancer_is_the_students(cluster: Cluster) -> None:
    with cluster.students.entered():
        reply = visit(BALANCER, PORT, encoded(message_1(teamname="through", ip=STUDENTS[0])))
    assert reply["status"] == STATUS_WAITING
    wait_until(lambda: any(row["teamname"] == "through" for row in cluster.results()))
    [on_record] = cluster.results("--visits", "through")
    assert (on_record["address"], on_record["findings"]) == (STUDENTS[0], [])


def test_no_team_that_finished_is_lost_whatever_is_killed(cluster: Cluster) -> None:
    outcome = campaign(cluster, exchanges=200, at_once=8, tag="hurried")
    assert not outcome.failed
    assert not outcome.lost
    assert outcome.tried_again, "the blows hit nobody: this showed nothing"
    assert outcome.addresses == set(STUDENTS)


def test_health_checks_leave_no_visit_and_no_line(cluster: Cluster) -> None:
    for server in cluster.grounds:
        assert f" {BALANCER}:" not in server.process.err


def test_the_balancer_that_root_starts_is_not_root(cluster: Cluster) -> None:
    assert Path(f"/proc/{cluster.balancer.pid}").stat().st_uid == getpwnam("haproxy").pw_uid


def test_the_balancer_starts_without_any_right_as_in_a_container(cluster: Cluster) -> None:
    who = ("--reuid=haproxy", "--regid=haproxy", "--clear-groups")
    cluster.restart_balancer("setpriv", *who, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    with cluster.students.entered():
        assert visit(BALANCER, PORT, encoded(message_1(teamname="contained")))["status"] == STATUS_WAITING
