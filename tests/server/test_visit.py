"""A visit to a real server, rule by rule (PROTOCOL 3 to 7)."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tandem.protocol.message import FIELDS, STATUS_FINISHED, STATUS_WAITING
from tandem.records.queries import open_records
from tandem.server.states_and_limits import LIMITS, MESSAGE
from testing.other_side import framed
from testing.processes import RunningServer, running_server, wait_until
from testing.raw_sockets import encoded, message_1, message_2, raw, visit


def ask(shared: RunningServer, message: dict[str, Any]) -> dict[str, Any]:
    return visit(shared.host, shared.port, encoded(message))


# 1: the welcome


def test_the_welcome_is_one_line_that_comes_first_and_alone(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        welcome = connection.take_welcome()
        assert b"connection" in welcome
        assert len(welcome) <= 200
        assert b"{" not in welcome
        assert b"\n" not in welcome.rstrip(b"\n")


# 2: the reply


def test_a_reply_is_one_object_in_one_segment(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(teamname="one segment")))
        reply = connection.receive()
        assert reply[:1] == b"{"
        assert reply[-1:] == b"}"
        assert len(reply) <= 1000
        assert tuple(json.loads(reply)) == FIELDS
        assert connection.rest() == b""


LONGEST = {
    "studentnr1": "1" * 32,
    "studentnr2": "2" * 32,
    "classname": '"' * 64,
    "teamname": "\\" * 128,
    "ip": '"' * 64,
}
WRONG = {
    "the longest fields, refused": message_1(**LONGEST) | {"clientid": 3},
    "far too long": message_1(teamname="x" * 5000),
    "emoji": message_1(teamname="🚲" * 32, clientid=7),
    "control characters": message_1(teamname="\x01" * 128, classname="\x02" * 64),
    "nulls": dict.fromkeys(FIELDS),
    "lists": {name: [] for name in FIELDS},
    "many extra keys": message_1() | {f"key{number}": number for number in range(300)},
    "nothing in it": {},
}


@pytest.mark.parametrize("message", WRONG.values(), ids=WRONG)
def test_every_wrong_message_gets_its_object(shared: RunningServer, message: dict[str, Any]) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message))
        answer = connection.rest()
    assert len(answer) <= 1000
    reply = json.loads(answer)
    assert tuple(reply) == FIELDS
    assert reply["status"].startswith("error: ")
    assert reply["secret"] == ""
    assert all(isinstance(reply[name], str) for name in FIELDS if name != "clientid")
    assert isinstance(reply["clientid"], int)


def test_the_longest_right_messages_get_replies_of_at_most_1000_bytes(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(**LONGEST)))
        first = connection.rest()
    second = ask(shared, message_2(json.loads(first)))
    assert len(first) <= 1000
    assert second["status"] == STATUS_FINISHED


# 3, 4, 6, 7: the exchange


def test_message_1_comes_back_with_a_secret(shared: RunningServer) -> None:
    sent = message_1(teamname="gets a secret")
    reply = ask(shared, sent)
    assert reply == sent | {"secret": reply["secret"], "status": STATUS_WAITING}
    assert len(reply["secret"]) == 64
    assert set(reply["secret"]) <= set("0123456789abcdef")


def test_the_same_team_gets_the_same_secret_another_team_another(shared: RunningServer) -> None:
    secrets = [ask(shared, message_1(teamname=name))["secret"] for name in ("same", "same", "other")]
    assert secrets[0] == secrets[1] != secrets[2]


def test_message_2_finishes_and_is_in_the_results(shared: RunningServer) -> None:
    handover = ask(shared, message_1(teamname="finishes"))
    sent = message_2(handover)
    assert ask(shared, sent) == sent | {"status": STATUS_FINISHED}
    [row] = [row for row in shared.results() if row["teamname"] == "finishes"]
    assert row["state"] == "finished"
    assert (row["studentnr1"], row["studentnr2"]) == ("0923456", "0934567")
    assert row["finished_at"] >= row["first_seen"]
    assert (row["visits"], row["problems"]) == (2, [])


@pytest.mark.parametrize("alone", ["", "0000000", "0923456"])
@pytest.mark.parametrize("swaps", [True, False])
def test_a_team_of_one_may_swap_or_not(shared: RunningServer, alone: str, swaps: bool) -> None:
    handover = ask(shared, message_1(teamname=f"one, {alone}, {swaps}", studentnr2=alone))
    sent = message_2(handover) if swaps else handover | {"clientid": 2}
    assert ask(shared, sent)["status"] == STATUS_FINISHED


def test_the_same_message_again_gets_the_same_answer_and_finished_stays(shared: RunningServer) -> None:
    first = message_1(teamname="again")
    handover = ask(shared, first)
    second = message_2(handover)
    finished = ask(shared, second)
    [before] = [row for row in shared.results() if row["teamname"] == "again"]
    assert ask(shared, second) == finished
    assert ask(shared, first) == handover
    assert ask(shared, second | {"secret": "0" * 64})["status"].startswith("error: ")
    wait_until(lambda: before | {"visits": 5} in shared.results())


def test_null_is_taken_for_empty(shared: RunningServer) -> None:
    assert ask(shared, message_1(teamname="nulls", secret=None, status=None))["status"] == STATUS_WAITING


# what message 2 may get wrong: a row is what is changed, the id in the results, a word in the status

MESSAGE_2_MISTAKES = [
    ({"studentnr1": "0923456", "studentnr2": "0934567"}, "not-swapped", "swap"),
    ({"clientid": 1}, "clientid-still-1", "clientid"),
    ({"secret": ""}, "secret-missing", "secret"),
    ({"secret": "0" * 64}, "secret-wrong", "secret"),
    ({"secret": "nonsense"}, "secret-damaged", "secret"),
    ({"classname": "INF2B"}, "field-changed", "classname"),
    ({"teamname": "renamed"}, "field-changed", "teamname"),
    ({"studentnr1": "0999999"}, "number-changed", "studentnr1"),
    ({"studentnr2": "0999999"}, "number-changed", "studentnr2"),
]


@pytest.mark.parametrize(("changed", "problem", "word"), MESSAGE_2_MISTAKES)
def test_a_mistake_in_message_2_is_named(
    shared: RunningServer, changed: dict[str, Any], problem: str, word: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.name.partition("[")[2]
    handover = ask(shared, message_1(teamname=name))
    reply = ask(shared, message_2(handover) | changed)
    assert reply["status"].startswith("error: ")
    assert word in reply["status"]

    def is_told() -> bool:
        return any(row["teamname"] == name and problem in row["problems"] for row in shared.results())

    wait_until(is_told)  # nobody waits for the record of a refused visit: it is written a moment later
    rows = [row for row in shared.results() if row["teamname"] in (name, changed.get("teamname"))]
    assert [row["state"] for row in rows] == ["waiting for message 2"]


def test_another_teams_secret_does_not_serve(shared: RunningServer) -> None:
    stolen = ask(shared, message_1(teamname="owner", studentnr1="1111111", studentnr2="2222222"))["secret"]
    mine = ask(shared, message_1(teamname="thief"))
    reply = ask(shared, message_2(mine, secret=stolen))
    assert reply["status"].startswith("error: ")
    assert "another team" in reply["status"]
    assert stolen not in json.dumps(reply)


# 8: time, cuts and ends


def test_a_message_cut_into_single_bytes_is_read(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.take_welcome()
        for byte in encoded(message_1(teamname="byte by byte")):
            connection.send(bytes([byte]))
        assert json.loads(connection.rest())["status"] == STATUS_WAITING


@pytest.mark.parametrize("around", [b" \r\n\t", b"\n"])
def test_white_space_around_a_message_is_allowed(shared: RunningServer, around: bytes) -> None:
    reply = visit(shared.host, shared.port, around + encoded(message_1(teamname="white space")) + around)
    assert reply["status"] == STATUS_WAITING


@pytest.mark.parametrize("nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"x", b"[", b"\x80\x04\x95", b"'", b"\x00", bytes(4)])
def test_what_can_never_begin_a_message_is_answered_while_the_sender_waits(
    shared: RunningServer, nonsense: bytes
) -> None:
    assert visit(shared.host, shared.port, nonsense)["status"].startswith("error: ")


def test_an_object_that_never_closes_is_answered(shared: RunningServer) -> None:
    reply = visit(shared.host, shared.port, encoded(message_1(teamname="open"))[:-1])
    assert reply["status"].startswith("error: ")


def test_bytes_that_came_while_the_server_was_held_count(tmp_path: Path) -> None:
    """As on a laptop that was closed: the limit for silence passes while nobody could look."""
    with running_server(tmp_path / "data") as running, raw(running.host, running.port) as connection:
        message = encoded(message_1())
        connection.take_welcome()
        connection.send(message[:40])
        wait_until(lambda: is_waiting(running.process.pid))
        running.process.signal(signal.SIGSTOP)
        connection.send(message[40:])
        threading.Event().wait(LIMITS[MESSAGE] + 0.2)  # what the server must not count
        running.process.signal(signal.SIGCONT)
        assert json.loads(connection.rest())["status"] == STATUS_WAITING


def is_waiting(pid: int) -> bool:
    """Whether the main thread of a process sleeps until something happens."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_the_end_of_the_stream_in_the_middle_is_answered(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1())[:50])
        connection.end()
        assert json.loads(connection.rest())["status"].startswith("error: ")


def test_an_end_of_stream_right_behind_the_message_changes_nothing(shared: RunningServer) -> None:
    for message in (message_1(teamname="ends"), message_2(ask(shared, message_1(teamname="ends")))):
        with raw(shared.host, shared.port) as connection:
            connection.take_welcome()
            connection.send(encoded(message))
            connection.end()
            assert json.loads(connection.rest())["status"] in (STATUS_WAITING, STATUS_FINISHED)


def test_an_end_of_stream_without_a_byte_is_answered(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.end()
        assert json.loads(connection.rest())["status"].startswith("error: ")


def test_bytes_behind_the_message_do_not_reset_the_reply_away(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(teamname="talks on")))
        first = connection.receive()
        for _ in range(20):
            connection.send(b" more " * 1000)
        assert json.loads(first + connection.rest())["status"] == STATUS_WAITING


@pytest.mark.parametrize("what", ["another message", "the reply"])
def test_bytes_after_the_reply_leave_a_remark_on_the_visit(shared: RunningServer, what: str) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(teamname=f"then {what}")))
        reply = connection.receive()
        connection.send(reply if what == "the reply" else encoded(message_1()))
        assert connection.rest() == b""

    def is_remarked() -> bool:
        with closing(open_records(shared.data)) as records:
            rows = list(records.teams(search=f"then {what}"))
            found = [finding.id for row in rows for visit in records.visits(row.key) for finding in visit.findings]
            return "bytes-after-reply" in found

    wait_until(is_remarked)
    shared.process.wait_for("sent more after the reply, which nothing answers")


def test_a_message_of_8192_bytes_is_read_and_one_more_is_too_large(shared: RunningServer) -> None:
    message = encoded(message_1(teamname="large"))
    padded = message[:-1] + b" " * (8192 - len(message)) + b"}"
    assert visit(shared.host, shared.port, padded)["status"] == STATUS_WAITING
    assert visit(shared.host, shared.port, b" " + padded)["status"].startswith("error: ")


def test_silence_holds_up_nobody(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as idle, raw(shared.host, shared.port) as half:
        idle.take_welcome()
        half.send(b'{"stud')
        assert ask(shared, message_1(teamname="in between"))["status"] == STATUS_WAITING
        idle.send(encoded(message_1(teamname="typed late")))
        assert json.loads(idle.rest())["status"] == STATUS_WAITING


def test_resets_and_probes_are_survived(shared: RunningServer) -> None:
    for data in (b"", b"{", encoded(message_1(teamname="reset"))):
        for _ in range(10):
            with raw(shared.host, shared.port) as connection:
                connection.send(data)
                connection.reset()
    assert ask(shared, message_1(teamname="after resets"))["status"] == STATUS_WAITING


# 9: other servers' manners


def test_errors_close_closes_without_a_word(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--errors", "close") as running:
        with raw(running.host, running.port) as connection:
            connection.take_welcome()
            connection.send(b"{}")
            assert connection.rest() == b""
        assert visit(running.host, running.port, encoded(message_1()))["status"] == STATUS_WAITING


def test_errors_silent_says_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--errors", "silent") as running:
        with raw(running.host, running.port) as connection:
            connection.take_welcome()
            connection.send(b"{}")
            running.process.wait_for("rejected")
            connection.end()
            assert connection.rest() == b""
        assert visit(running.host, running.port, encoded(message_1()))["status"] == STATUS_WAITING


# the optional length


@pytest.fixture(scope="module")
def with_lengths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("lengths") / "data", "--framing", "length") as running:
        yield running


def test_with_lengths_everything_comes_behind_its_length(with_lengths: RunningServer) -> None:
    handover = b""
    for name in ("message 1", "message 2"):
        message = message_2(json.loads(handover)) if handover else message_1(teamname="framed")
        with raw(with_lengths.host, with_lengths.port) as connection:
            welcome = connection.take_welcome()
            assert int.from_bytes(welcome[:4], "little") == len(welcome) - 4
            assert b"connection" in welcome[4:]
            connection.send(framed(encoded(message)))
            reply = connection.rest()
        assert int.from_bytes(reply[:4], "little") == len(reply) - 4, name
        handover = reply[4:]
    assert json.loads(handover)["status"] == STATUS_FINISHED


def test_a_length_in_pieces_is_read(with_lengths: RunningServer) -> None:
    message = framed(encoded(message_1(teamname="framed in pieces")))
    with raw(with_lengths.host, with_lengths.port) as connection:
        connection.take_welcome()
        for start in range(0, len(message), 2):
            connection.send(message[start : start + 2])
        assert json.loads(connection.rest()[4:])["status"] == STATUS_WAITING


def test_no_length_is_a_mistake_where_one_is_wanted(with_lengths: RunningServer) -> None:
    with raw(with_lengths.host, with_lengths.port) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1()))
        reply = connection.rest()
    assert int.from_bytes(reply[:4], "little") == len(reply) - 4
    assert json.loads(reply[4:])["status"].startswith("error: no length of 4 bytes comes before the object - ")


def test_a_length_is_a_mistake_where_none_is_wanted(shared: RunningServer) -> None:
    with raw(shared.host, shared.port) as connection:
        connection.take_welcome()
        connection.send(framed(encoded(message_1())))
        reply = connection.rest()
    assert json.loads(reply)["status"].startswith("error: a length of 4 bytes (")
