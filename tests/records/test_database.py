"""A server with its records in PostgreSQL: commands, passwords, and a database that goes away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tandem.cli import main
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from testing.postgres import Server, server
from testing.processes import LIMIT, ROOT, running_server, tandem, wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit
from testing.relay import relay

TRY_AGAIN = "error: your message is right, but the server could not store the result: send it again in a minute"
AWAY = "postgresql://tandem:topsecret@127.0.0.1:1/x"


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that the tests of this module may kill and start."""
    with server() as started:
        yield started


def test_an_exchange_is_on_record(tmp_path: Path, database: str) -> None:
    with running_server(tmp_path / "data", "--database", database) as running:
        handover = visit(running.host, running.port, encoded(message_1()))
        assert handover["status"] == STATUS_WAITING
        assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
        [row] = running.results("--database", database)
        assert (row["state"], row["visits"], row["problems"]) == ("finished", 2, [])
    assert not list((tmp_path / "data").glob("*.sqlite3*"))


def test_a_new_key_is_reported_because_other_servers_need_it(tmp_path: Path, database: str) -> None:
    for is_reported in (True, False):
        with running_server(tmp_path / "data", "--database", database) as running:
            assert ("all servers over one database need the same one" in running.process.err) is is_reported


def test_what_was_only_sent_is_on_record_when_the_server_has_stopped(tmp_path: Path, database: str) -> None:
    odd = (
        b'{"studentnr1": "1", "teamname": "a\\u0000b", "classname": "\\ud800"}',
        b"\0\0\0\0",
        encoded(message_1(teamname="\0", classname="\x1b[2J")),
        encoded(message_1(teamname="no \ud83d pair")),
    )
    with running_server(tmp_path / "data", "--database", database) as running:
        for message in odd:
            assert visit(running.host, running.port, message)["status"].startswith("error: ")
        visit(running.host, running.port, encoded(message_1(teamname="\U0001f600")))
        assert "bug" not in running.process.err
    code, out, _ = tandem("results", "--database", database, "--format", "csv")
    assert code == 0
    assert "\U0001f600" in out


def test_two_servers_with_one_key_share_their_teams(tmp_path: Path, database: str) -> None:
    data = tmp_path / "data"
    with running_server(data, "--database", database) as one, running_server(data, "--database", database) as other:
        handover = visit(one.host, one.port, encoded(message_1()))
        for running in (other, one, other):
            assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
        assert one.process.pid != other.process.pid
    _, out, _ = tandem("results", "--database", database, "--format", "csv")
    assert out.count("finished,") == 1
    assert ",4," in out


def test_workers_share_a_database(tmp_path: Path, database: str) -> None:
    with running_server(tmp_path / "data", "--database", database, "--workers", "2") as running:
        for number in range(10):
            handover = visit(running.host, running.port, encoded(message_1(teamname=f"Team{number}")))
            assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
    _, out, _ = tandem("results", "--database", database, "--format", "csv")
    assert out.count("finished,") == 10


def test_a_server_that_dies_and_comes_back(tmp_path: Path, own_server: Server) -> None:
    url = own_server.url()
    with running_server(tmp_path / "data", "--database", url) as running:

        def finish(teamname: str) -> str:
            first = visit(running.host, running.port, encoded(message_1(teamname=teamname)))
            assert first["status"] == STATUS_WAITING  # its record may come later
            return str(visit(running.host, running.port, encoded(message_2(first)))["status"])

        assert finish("before") == STATUS_FINISHED
        own_server.kill()
        assert finish("meanwhile") == TRY_AGAIN
        running.process.wait_for("will be tried again")
        own_server.start()
        wait_until(lambda: finish("after") == STATUS_FINISHED)
        assert finish("meanwhile") == STATUS_FINISHED
    _, out, _ = tandem("results", "--database", url, "--format", "csv")
    assert out.count("finished,") == 3
    _, out, _ = tandem("results", "--database", url, "--visits", "meanwhile", "--format", "csv")
    assert out.count("message 1") == 2  # the first of them waited in the server for the database to come back


def test_a_connection_that_was_ended_while_the_class_was_away_is_no_error(tmp_path: Path, database: str) -> None:
    url = f"{database}&application_name=tandem-{tmp_path.name}"
    others = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = %s"
    with running_server(tmp_path / "data", "--database", url) as running:
        for number in range(3):
            handover = visit(running.host, running.port, encoded(message_1(teamname=f"Team{number}")))
            wait_until(lambda: len(running.results("--database", database)) > number)  # noqa: B023
            with psycopg.connect(database, autocommit=True) as owner:
                assert owner.execute(others, (f"tandem-{tmp_path.name}",)).fetchone() == (1,)
            assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
        assert "could not be written" not in running.process.err


def test_a_network_that_falls_silent(tmp_path: Path, own_server: Server) -> None:
    with relay(own_server.socket / ".s.PGSQL.5432") as network:
        data = tmp_path / "data"
        with running_server(data, "--database", network.url()) as running:
            handover = visit(running.host, running.port, encoded(message_1(teamname="silent")))
            network.answers.clear()
            assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == TRY_AGAIN
            network.cut()
            network.answers.set()
            again = encoded(message_2(handover))
            wait_until(lambda: visit(running.host, running.port, again)["status"] == STATUS_FINISHED)


def test_a_server_stops_though_its_database_is_away(tmp_path: Path, own_server: Server) -> None:
    with running_server(tmp_path / "data", "--database", own_server.url()) as running:
        own_server.kill()
        try:
            visit(running.host, running.port, encoded(message_1()))
            running.process.signal(signal.SIGTERM)
            assert running.process.wait() == 0
            assert "could not be written" in running.process.err
        finally:
            own_server.start()


def test_the_environment_names_the_database(tmp_path: Path, database: str) -> None:
    env = os.environ | {"TANDEM_DATABASE": database}
    with running_server(tmp_path / "data", env=env) as running:
        visit(running.host, running.port, encoded(message_1()))
    code, out, _ = tandem("results", "--format", "csv", env=env)
    assert (code, out.count(STATUS_WAITING)) == (0, 1)


def test_forgetting(tmp_path: Path, database: str) -> None:
    with running_server(tmp_path / "data", "--database", database) as running:
        visit(running.host, running.port, encoded(message_1()))
        visit(running.host, running.port, encoded(message_1(teamname="Team2")))
    words = ("forget", "--database", database, "--data", str(tmp_path / "data"), "--team", "Team1")
    code, out, err = tandem(*words)
    assert (code, err) == (0, "")
    assert out.startswith("removed INF2A/Team1\nremoved 1 team and 1 visit, for good\n")
    assert tandem(*words)[0] == 1
    _, out, _ = tandem("results", "--database", database, "--format", "csv")
    assert "Team2" in out
    assert "Team1" not in out


def test_a_backup_is_the_business_of_another_program(tmp_path: Path) -> None:
    code, out, err = tandem("backup", "--database", AWAY, str(tmp_path / "copy"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pg_dump" in err
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "command",
    [("serve", "--listen", "127.0.0.1:0"), ("results",), ("forget", "--team", "x")],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, command: tuple[str, ...], named: str) -> None:
    option = ("--database", AWAY) if named == "option" else ()
    env = os.environ | {"TANDEM_DATABASE": AWAY}
    data = () if command == ("results",) else ("--data", str(tmp_path))
    code, out, err = tandem(*command, *data, *option, env=None if option else env)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "postgresql://tandem@127.0.0.1:1/x cannot be used" in err
    assert "topsecret" not in err


@pytest.mark.parametrize("url", ["mysql://tandem:topsecret@host/x", "topsecret", "postgresql:topsecret"])
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    code, out, err = tandem("results", "--database", url)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "postgresql://USER@HOST:PORT/NAME" in err
    assert "topsecret" not in err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:t\xf6psecret@127.0.0.1:1/x", "Connection refused"),
        ("postgresql://u:t\udcc3\udcb6psecret@127.0.0.1:1/x", "Connection refused"),  # as Python has it in a C locale
        ("postgresql://u:topsecret%FF@127.0.0.1:1/x", "the URL of the database cannot be read"),
        ("postgresql://u:topsecret\udcff@127.0.0.1:1/x", "the URL of the database cannot be read"),
        ("postgresql://u:topsecret@a..b/x", "its host is not a host name"),
    ],
)
def test_a_url_with_odd_characters(url: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results", "--database", url]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), words in err, "psecret" in err) == ("", 1, True, False), err


def test_without_the_driver_it_says_what_to_install() -> None:
    command = [sys.executable, "-S", "-m", "tandem", "results", "--database", AWAY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "pip install 'tandem[postgres]'" in done.stderr
