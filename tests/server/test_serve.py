"""The server as a process: starting, stopping, many at once, what it writes and who may read it."""

import json
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tandem.keys.keyring import KeyFileError, load_keyring, rotate
from tandem.keys.secret import derive
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message
from tandem.records.data_folder import make_private_folder
from tandem.records.queries import IssuedSecret
from tandem.records.sqlite.sqlite_store import SqliteStore
from tandem.server import serve as serve_module
from tandem.server.serve_options import ServeOptions
from testing.processes import RunningServer, process, running_server, tandem
from testing.raw_sockets import encoded, message_1, message_2, raw, visit
from testing.visits import TEAM
from testing.visits import message_1 as visit_of_message_1


def exchange(running: RunningServer, teamname: str) -> dict[str, Any]:
    handover = visit(running.host, running.port, encoded(message_1(teamname=teamname)))
    return visit(running.host, running.port, encoded(message_2(handover)))


def test_200_exchanges_50_at_a_time_all_finish(tmp_path: Path) -> None:
    names = [f"team {number}" for number in range(200)]
    with running_server(tmp_path / "data") as running:
        with ThreadPoolExecutor(50) as pool:
            replies = list(pool.map(lambda name: exchange(running, name), names))
        assert [reply["status"] for reply in replies] == [STATUS_FINISHED] * 200
        rows = running.results("--state", "finished")
        assert sorted(row["teamname"] for row in rows) == sorted(names)
        assert {row["visits"] for row in rows} == {2}


def test_a_restart_between_the_two_messages_does_not_matter(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        handover = visit(running.host, running.port, encoded(message_1()))
        running.process.signal(signal.SIGTERM)
        assert running.process.wait() == 0
        address = running.address
    with running_server(tmp_path / "data", listen=address) as running:
        reply = visit(running.host, running.port, encoded(message_2(handover)))
        assert reply["status"] == STATUS_FINISHED
        [row] = running.results()
        assert (row["state"], row["visits"]) == ("finished", 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0_and_what_is_in_hand_is_finished(tmp_path: Path, number: int) -> None:
    with running_server(tmp_path / "data") as running, raw(running.host, running.port) as half:
        with raw(running.host, running.port) as idle:
            idle.take_welcome()
            half.take_welcome()
            message = encoded(message_1())
            half.send(message[:40])
            # A visit that came later is through, so the loop has the first half for certain.
            visit(running.host, running.port, encoded(message_1(teamname="later")))
            running.process.signal(number)
            assert idle.rest() == b""  # said nothing: closed at once
            half.send(message[40:])
            assert json.loads(half.rest())["status"] == STATUS_WAITING
        half.socket.close()
        assert running.process.wait() == 0
        assert "Traceback" not in running.process.err
    _, out, _ = tandem("results", "--data", str(tmp_path / "data"), "--format", "json")
    assert {row["teamname"] for row in json.loads(out)} == {"Team1", "later"}


def test_a_signal_costs_nobody_who_has_connected_a_reply(tmp_path: Path) -> None:
    """The server is held up while they connect and send, so it finds the signal and their messages together."""
    with running_server(tmp_path / "data") as running, ExitStack() as opened:
        running.process.signal(signal.SIGSTOP)
        waiting = [opened.enter_context(raw(running.host, running.port)) for _ in range(20)]
        for number, connection in enumerate(waiting):
            connection.send(encoded(message_1(teamname=f"team {number}")))
        running.process.signal(signal.SIGTERM)
        running.process.signal(signal.SIGCONT)
        for connection in waiting:
            said = connection.rest()
            assert json.loads(said[said.index(b"{") :])["status"] == STATUS_WAITING
            connection.socket.close()
        assert running.process.wait() == 0


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running, raw(running.host, running.port) as half:
        half.send(b"{")
        visit(running.host, running.port, encoded(message_1()))
        running.process.signal(signal.SIGTERM)
        running.process.signal(signal.SIGINT)
        assert running.process.wait() == 0


def test_key_database_and_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data) as running:
        exchange(running, "Team1")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
    assert modes.pop("data") == 0o700
    assert set(modes.values()) == {0o600}
    assert {"key", "tandem.sqlite3"} <= set(modes)


class EmptyDatabase:
    """The writing or the reading side of a database without a secret."""

    def recent_secrets(self, limit: int) -> list[IssuedSecret]:
        return []

    def close(self) -> None:
        pass


def test_a_new_key_over_one_database_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other servers over this database need the same key."""
    lines: list[str] = []
    monkeypatch.setattr(serve_module, "report", lines.append)
    for opening in ("open_store", "open_records"):
        monkeypatch.setattr(serve_module, opening, lambda *_, **__: EmptyDatabase())
    options = ServeOptions(listen=("127.0.0.1", 0), data=tmp_path, database="postgresql://192.0.2.1/tandem")
    keyring = serve_module._open_storage(options).keyring
    assert lines == [f"a new key was made in {tmp_path}: all servers over one database need the same one"]
    serve_module._open_storage(options)
    shared = serve_module._Shared(keyring, None)
    serve_module._open_worker_storage(replace(options, data=tmp_path / "worker"), shared)
    assert len(lines) == 1


def record_a_team(data: Path) -> None:
    make_private_folder(data)
    reply = Message(**TEAM._asdict(), clientid=1, ip="192.0.2.1")
    reply = reply.answered(derive(load_keyring(data).key, TEAM), STATUS_WAITING)
    with closing(SqliteStore(data)) as store:
        store.write([visit_of_message_1(reply=reply.encode())])


def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    """A backup has no key. A new one would make the secrets invalid that teams have."""
    record_a_team(tmp_path)
    lost = (tmp_path / "key").read_bytes()
    (tmp_path / "key").unlink()
    options = ServeOptions(listen=("127.0.0.1", 0), data=tmp_path)
    with pytest.raises(KeyFileError, match=r"the key of .* is missing"):
        serve_module._open_storage(options)
    assert not (tmp_path / "key").exists()
    (tmp_path / "key").write_bytes(lost)
    (tmp_path / "key").chmod(0o600)
    serve_module._open_storage(options).close()


def test_another_key_than_that_of_the_records_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(serve_module, "report", lines.append)
    record_a_team(tmp_path)
    options = ServeOptions(listen=("127.0.0.1", 0), data=tmp_path)
    serve_module._open_storage(options).close()
    assert lines == []
    rotate(tmp_path, 0)  # the old key has expired, and is still known
    serve_module._open_storage(options).close()
    assert lines == []
    (tmp_path / "key").unlink()
    assert rotate(tmp_path, 3600).old == ()  # the way to go on without the key
    serve_module._open_storage(options).close()
    assert [line.partition(": ")[0] for line in lines] == [
        f"none of the latest secrets on record was made with the key in {tmp_path}"
    ]


def test_a_folder_without_secrets_gets_its_key_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_module, "report", lambda line: pytest.fail(line))
    make_private_folder(tmp_path)
    with closing(SqliteStore(tmp_path)):
        pass
    serve_module._open_storage(ServeOptions(listen=("127.0.0.1", 0), data=tmp_path)).close()
    assert (tmp_path / "key").exists()


def test_a_log_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(serve_module.ServeError, match="cannot be written"):
        serve_module._check_log(tmp_path / "no such folder" / "server.log", tmp_path)


def test_a_given_key_serves_on_any_server(tmp_path: Path) -> None:
    env = os.environ | {"TANDEM_KEY": "ab" * 32}
    with running_server(tmp_path / "one", env=env) as one, running_server(tmp_path / "two", env=env) as two:
        handover = visit(one.host, one.port, encoded(message_1()))
        assert visit(two.host, two.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
    assert not (tmp_path / "one" / "key").exists()


CANNOT_START = {
    "a key that is none": ({"TANDEM_KEY": "rubbish"}, "127.0.0.1:0", "TANDEM_KEY"),
    "a short key": ({"TANDEM_KEY": "ab"}, "127.0.0.1:0", "64 hex digits"),
    "not an address of this machine": ({}, "192.0.2.1:0", "cannot listen on 192.0.2.1:0"),
    "no such host": ({}, "nowhere.invalid:0", "cannot listen on nowhere.invalid:0"),
}


@pytest.mark.parametrize(("env", "listen", "words"), CANNOT_START.values(), ids=CANNOT_START)
def test_what_keeps_it_from_starting_is_one_line(tmp_path: Path, env: dict[str, str], listen: str, words: str) -> None:
    arguments = ("serve", "--listen", listen, "--data", str(tmp_path / "data"))
    code, out, err = tandem(*arguments, env=os.environ | env)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert words in err


def test_a_data_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    code, _, err = tandem("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
    assert (code, err.count("\n")) == (1, 1)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with running_server(tmp_path / "one") as running:
        code, _, err = tandem("serve", "--listen", running.address, "--data", str(tmp_path / "two"))
    assert (code, err.count("\n")) == (1, 1)
    assert "in use" in err


def test_the_log_has_a_line_a_visit_that_no_terminal_obeys(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        visit(running.host, running.port, encoded(message_1(teamname="\x1b[2Jcleared\u202e", clientid=9)))
        visit(running.host, running.port, b"\x1b[2J")
        exchange(running, "plain")
        lines = [running.process.wait_for(words) for words in ("rejected", "message 1", "message 2")]
        assert "INF2A/plain" in lines[1]
        visit(running.host, running.port, encoded(message_1(studentnr1="12345678", teamname="odd")))
        assert "remark: " in running.process.wait_for("INF2A/odd")
        assert "12345678" not in running.process.err
        assert "0923456" not in running.process.err
        assert "\x1b" not in running.process.err
        assert "\u202e" not in running.process.err


def test_serve_help_names_the_options() -> None:
    code, out, _ = tandem("serve", "--help")
    assert code == 0
    assert all(option in out for option in ("--listen", "--data", "--errors", "--framing"))


def test_an_open_connection_does_not_prevent_a_restart(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running, raw(running.host, running.port) as client:
        client.take_welcome()
        running.process.signal(signal.SIGTERM)
        running.process.wait()
        with running_server(tmp_path / "data", listen=running.address) as again:
            assert exchange(again, "Team1")["status"] == STATUS_FINISHED


def test_two_commands_can_read_while_it_runs(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running:
        exchange(running, "Team1")
        with process("-m", "tandem", "results", "--data", str(running.data)) as reading:
            assert reading.wait() == 0
        assert len(running.results()) == 1
