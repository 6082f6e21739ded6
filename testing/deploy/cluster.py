"""The setup of deploy/ on one machine: servers, PostgreSQL and HAProxy, each on a host of its own.

HAProxy runs deploy/haproxy.cfg as it stands: the hosts have the addresses that are in it. Anything here can be killed
and started again.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from tandem.protocol.message import STATUS_FINISHED
from testing.deploy.lan import Lan, Place
from testing.postgres import Server
from testing.processes import LIMIT, ROOT, Process, RunningServer, process, running_server, tandem, wait_until
from testing.raw_sockets import encoded, message_1, message_2, raw, visit

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
BALANCER = "10.55.0.10"
SERVERS = ("10.55.0.11", "10.55.0.12", "10.55.0.13")
DATABASE = "10.55.0.20"
STUDENTS = ("10.55.0.101", "10.55.0.102", "10.55.0.103")
NETWORK = "10.55.0.0/24"
PORT = 5550
URL = f"postgresql://tandem@{DATABASE}/postgres"
KEY = "c0ffee" * 10 + "beef"


class Cluster:
    """A running cluster with this many servers. `undo` ends it."""

    def __init__(self, undo: ExitStack, servers: int) -> None:
        self._undo = undo
        self._folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="tandem-cluster-")))
        lan = Lan(undo)
        self.database = Database(lan.host(DATABASE), undo)
        self.students = lan.host(*STUDENTS)
        self.places = [lan.host(address) for address in SERVERS]  # the servers' hosts; one without a server refuses
        self.servers = [self._start_server(place) for place in self.places[:servers]]
        self._balancers_place = lan.host(BALANCER)
        self.balancer = self._start_balancer()
        self._killed: set[int] = set()

    def kill_server(self, number: int) -> None:
        """Kill a server."""
        self.servers[number].process.signal(signal.SIGKILL)
        self.servers[number].process.wait()
        self._killed.add(number)

    def restart_server(self, number: int) -> None:
        """Start a killed server again."""
        self.servers[number] = self._start_server(self.places[number])
        self._killed.remove(number)

    def restart_balancer(self, *before: str) -> None:
        """Kill HAProxy and start it again. `before` is put before its command."""
        self.balancer.kill()
        self.balancer.wait(LIMIT)
        self.balancer = self._start_balancer(*before)

    def keeps(self) -> bool:
        """Return whether every running server finishes an exchange."""
        running = [server for number, server in enumerate(self.servers) if number not in self._killed]
        return all(self._finishes(server) for server in running)

    def start_students(self, tag: str, at_once: int) -> Process:
        """Start testing/deploy/students.py, which runs until SIGTERM."""
        options = ("--tag", tag, "--at-once", str(at_once), "--from", *STUDENTS)
        arguments = ("-m", "testing.deploy.students", f"{BALANCER}:{PORT}", *options)
        return self._undo.enter_context(process(*arguments, before=self.students.inside))

    def results(self, *options: str) -> Any:
        """Return what `tandem results --format json` prints on the first server's host."""
        arguments = ("results", "--database", URL, "--format", "json", *options)
        code, out, err = tandem(*arguments, before=self.places[0].inside)
        assert code == 0, err
        return json.loads(out)

    def _start_server(self, place: Place) -> RunningServer:
        listen = f"{place.address}:{PORT}"
        options = ("--database", URL, "--proxy-from", BALANCER)
        environment = os.environ | {"TANDEM_KEY": KEY}
        data = self._folder / place.namespace
        starting = running_server(data, *options, listen=listen, before=place.inside, env=environment)
        return self._undo.enter_context(starting)

    def _start_balancer(self, *before: str) -> "subprocess.Popen[bytes]":
        """Start HAProxy. It reads its configuration from standard input: its user may not get into every home."""
        log = self._undo.enter_context((self._folder / "haproxy.log").open("wb"))
        program = shutil.which("haproxy")
        assert program, "haproxy is not installed: `make tools` does that with CI=true"
        command = [*self._balancers_place.inside, *before, program, "-db", "-f", "/dev/stdin"]
        with CONFIGURATION.open("rb") as configuration:
            running = subprocess.Popen(command, stdin=configuration, stdout=log, stderr=log)
        self._undo.callback(running.wait, LIMIT)
        self._undo.callback(running.kill)
        wait_until(self._lets_in)
        return running

    def _finishes(self, server: RunningServer) -> bool:
        with self.students.entered():
            reply = visit(server.host, server.port, encoded(message_1(teamname="probe")))
            finished: bool = visit(server.host, server.port, encoded(message_2(reply)))["status"] == STATUS_FINISHED
            return finished

    def _lets_in(self) -> bool:
        try:
            with self.students.entered(), raw(BALANCER, PORT) as connection:
                return bool(connection.take_welcome())
        except OSError:
            return False


class Database:
    """PostgreSQL on a host of its own."""

    def __init__(self, place: Place, undo: ExitStack, *settings: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tandem-postgres-"))
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        who = folder / "hba"
        who.write_text(f"local all all trust\nhost all all {NETWORK} trust\n")
        self._place = place
        self._settings = (f"listen_addresses={DATABASE}", f"hba_file={who}", "fsync=on", *settings)
        self.server = Server(folder)
        undo.callback(self.server.kill)
        self.start()

    def start(self) -> None:
        """Start the database, and wait until it answers."""
        with self._place.entered():
            self.server.start(*self._settings)

    def restart(self) -> None:
        """Do what happens when its machine loses power, and gets it back."""
        self.server.kill()
        self.start()

    @property
    def pid(self) -> int:
        """Return the process id of the database."""
        return int((self.server.socket / "data" / "postmaster.pid").read_text().split()[0])

    def addresses(self) -> set[str]:
        """Return the addresses from which the visits on record came."""
        with psycopg.connect(self.server.url()) as connection:
            return {address for (address,) in connection.execute("SELECT DISTINCT address FROM visit")}
