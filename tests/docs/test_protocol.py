"""PROTOCOL.md is true of the program: its exchange is replayed, its limits are the code's, its tests exist."""

import itertools
import json
import os
import re
from pathlib import Path

from tandem.protocol.message import decode, message_1, message_2
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.server.states_and_limits import COMMITTING, DRAINING, FIRST_BYTE, LIMITS, MESSAGE, NO_MESSAGE
from testing.processes import ROOT, running_server
from testing.raw_sockets import raw

PAGE = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8")
KEY = bytes(range(32)).hex()


def captured() -> list[bytes]:
    """The hex dumps of part 9, in their order."""
    dumps = re.findall(r"```hex\n(.*?)```", PAGE, re.DOTALL)
    return [bytes.fromhex("".join(line[6:53] for line in dump.splitlines())) for dump in dumps]


def test_the_captured_exchange_is_what_a_server_sends(tmp_path: Path) -> None:
    welcome, first, handover, second, last = captured()
    with running_server(tmp_path / "data", env=os.environ | {"TANDEM_KEY": KEY}) as running:
        for sent, answered in ((first, handover), (second, last)):
            with raw(running.host, running.port) as connection:
                assert connection.take_welcome() == welcome
                connection.send(sent)
                assert connection.rest() == answered


def test_the_captured_exchange_is_what_our_clients_send() -> None:
    _, first, handover, second, last = captured()
    assert message_1("0923456", "0934567", "INF2A", "Team1", "192.168.1.2").encode() == first
    assert message_2(decode(handover), "192.168.1.3").encode() == second
    assert json.loads(last)["status"] == "Finished successfully"


def test_the_text_beside_the_bytes_is_theirs() -> None:
    lines = re.findall(r"^[0-9a-f]{4}  .*$", PAGE, re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        data = bytes.fromhex(line[6:53])
        assert line[55:] == data.decode("ascii")


def test_the_clauses_are_numbered_in_order() -> None:
    clauses = [(int(part), int(number)) for part, number in re.findall(r"^(\d)\.(\d+) ", PAGE, re.MULTILINE)]
    assert len(clauses) > 20
    for (part, number), (next_part, next_number) in itertools.pairwise(clauses):
        assert (next_part, next_number) in ((part, number + 1), (part + 1, 1))


def test_every_clause_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (\d\.\d+) \| (.+) \|$", PAGE.partition("\n## Tests\n")[2], re.MULTILINE)
    assert [clause for clause, _ in rows] == re.findall(r"^(\d\.\d+) ", PAGE, re.MULTILINE)
    for clause, cell in rows:
        for file in cell.split("; "):
            path, *names = re.findall(r"`([^`]+)`", file)
            source = (ROOT / path).read_text(encoding="utf-8")
            missing = [name for name in names if f"\ndef {name}(" not in source]
            assert "\ndef test_" in source, f"clause {clause}: {path} has no tests"
            assert not missing, f"clause {clause}: {path}"


def test_the_limits_are_the_codes() -> None:
    assert f"at most {MAX_MESSAGE_BYTES:,} bytes" in PAGE
    rows = re.findall(r"^\| .+ \| ([\d.]+) (minutes|seconds) \| .+ \|$", PAGE, re.MULTILINE)
    in_seconds = [float(number) * {"minutes": 60, "seconds": 1}[unit] for number, unit in rows]
    assert in_seconds == [LIMITS[state] for state in (FIRST_BYTE, MESSAGE, NO_MESSAGE, COMMITTING)]
    assert f"after {LIMITS[DRAINING]:g} seconds" in PAGE
