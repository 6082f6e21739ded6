"""TEAM.json: the clients and `tandem check` agree about it, and both say which name or value is wrong."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.client.__main__ import main
from tandem.client.options import parse_options
from tandem.protocol.errors import UsageError
from tandem.protocol.message import message_1
from tandem.report.check import check_report
from testing.messages.sending import diagnosed
from testing.processes import LIMIT, ROOT, TEAM, tandem

ADDRESSES = ("--server", "192.0.2.1", "--peer", "192.0.2.2")
MESSAGE = TEAM | {"clientid": 1, "ip": "", "secret": "", "status": ""}


def written(**fields: object) -> bytes:
    return json.dumps(MESSAGE | fields, indent=2).encode()


RIGHT: dict[str, tuple[bytes, list[str]]] = {  # content, the remarks of check
    "the README's own": (written(), ["field-empty"]),
    "with an ip": (written(ip="192.0.2.7"), []),
    "byte order mark": (b"\xef\xbb\xbf" + written(), ["byte-order-mark", "field-empty"]),
    "team of one": (written(studentnr2="0000000"), ["field-empty"]),
}


@pytest.mark.parametrize(("content", "remarks"), RIGHT.values(), ids=RIGHT.keys())
def test_right_for_both(content: bytes, remarks: list[str], tmp_path: Path) -> None:
    file = tmp_path / "TEAM.json"
    file.write_bytes(content)
    assert parse_options(["1", str(file), *ADDRESSES]).team.keys() == TEAM.keys()
    code, out, err = tandem("check", "--format", "json", str(file))
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [remark["id"] for remark in told["remarks"]] == remarks
    assert all("as message 1 the server would refuse it" in remark["help"] for remark in told["remarks"])


def renamed(**names: str) -> bytes:
    return json.dumps({names.get(name, name): value for name, value in MESSAGE.items()}).encode()


WRONG: dict[str, tuple[bytes, str]] = {  # content, what the client says
    "two wrong names": (
        renamed(studentnr1="studentnumber1", classname="className"),
        "has studentnumber1 and className in place of studentnr1 and classname: correct the names",
    ),
    "last year's name": (renamed(studentnr1="studentnr"), "has studentnr in place of studentnr1: correct"),
    "last year's name alone": (
        json.dumps({"studentnr": "0912345", "classname": "INF2A", "teamname": "Team1"}).encode(),
        "has studentnr in place of studentnr1 and no studentnr2: correct the names",
    ),
    "an envelope": (json.dumps({"message": MESSAGE}).encode(), "has the message in message: the object in braces must"),
    "an envelope with text": (json.dumps({"data": json.dumps(MESSAGE)}).encode(), "has the message in data: "),
    "an envelope with a list": (json.dumps({"n": 1, "teams": [MESSAGE]}).encode(), "has the message in teams: "),
    "two envelopes": (json.dumps({"a": {"b": MESSAGE}}).encode(), "has the message in a: "),
    "lines and capitals": (renamed(studentnr2="Student_Nr_2"), "has Student_Nr_2 in place of studentnr2"),
    "null for the teammate": (written(studentnr2=None), 'write "studentnr2": "0000000" for a team of one'),
    "null for the team": (written(teamname=None), 'write it in quotes, "teamname": "…"'),
    "number": (written(studentnr1=923456), '"studentnr1": "923456", with the zeros at its beginning if it has some'),
    "true": (written(classname=True), 'write it in quotes, "classname": "…"'),
    "UTF-16": (written().decode().encode("utf-16"), "is not UTF-8 from byte 1 on: save it as UTF-8"),
    "Latin-1": (written(teamname="?").replace(b"?", b"\xeb"), "is not UTF-8 from byte 96 on: save it as UTF-8"),
    "empty": (b" \r\n", "is empty: write a message into it, and save it"),
    "no comma": (written().replace(b",", b"", 1), "is not JSON"),
    "another object": (b"[]", "is not a JSON object"),
}


@pytest.mark.parametrize("role", [("1", *ADDRESSES), ("2", "--server", "192.0.2.1")], ids=("client 1", "client 2"))
@pytest.mark.parametrize(("content", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_for_both(
    content: bytes, says: str, role: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "our team.json"
    file.write_bytes(content)
    assert main([*role, str(file)]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert str(file) in err
    assert '"None"' not in err
    assert not check_report(content, "text", colour=False)[1]


def test_a_missing_field_is_named_with_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ours.json"
    file.write_text('{"studentnr1": "1", "naam": "x"}')
    assert main(["1", str(file), *ADDRESSES]) == 2
    assert f"client 1 needs studentnr2, classname, teamname: in {file} or as --studentnr2" in capsys.readouterr().err


@pytest.mark.parametrize("value", [TEAM, [TEAM], "studentnr1", "{}"], ids=("object", "list", "text", "braces"))
def test_a_value_beside_the_team_is_no_envelope(value: object, tmp_path: Path) -> None:
    file = tmp_path / "ours.json"
    file.write_bytes(written(note=value))
    assert parse_options(["1", str(file), *ADDRESSES]).team == TEAM


def test_a_note_alone_is_no_envelope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ours.json"
    file.write_text('{"note": "studentnr1 follows", "more": {}}')
    assert main(["1", str(file), *ADDRESSES]) == 2
    assert "client 1 needs studentnr1, studentnr2, classname, teamname" in capsys.readouterr().err


VARIANTS: dict[
    str, tuple[bytes, bool, bool]
] = {  # content, whether the server accepts it, and client 1's message of it
    "empty ip": (written(), True, True),
    "with an ip": (written(ip="192.0.2.7"), True, True),
    "byte order mark": (b"\xef\xbb\xbf" + written(), True, True),
    "the four fields alone": (json.dumps(TEAM).encode(), False, True),
    "no clientid": (json.dumps(TEAM | {"ip": "", "secret": "", "status": ""}).encode(), False, True),
    "no secret": (json.dumps(TEAM | {"clientid": 1, "ip": "", "status": ""}).encode(), False, True),
    "null for an ip": (written(ip=None), False, True),
    "placeholder for an ip": (written(ip="YOUROWNIPADDRESS"), False, True),
    "clientid as text": (written(clientid="1"), False, True),
    "clientid of the second machine": (written(clientid=2), False, True),
    "clientid 3": (written(clientid=3), False, True),
    "secret and status of a reply": (written(secret="ab" * 32, status="waiting for message 2"), False, True),
    "message 2": (written(clientid=2, ip="192.0.2.7", secret="ab" * 32, status="waiting for message 2"), True, True),
    "another name beside them": (written(room="1.23"), False, True),
    "a name twice": (written()[:-1] + b', "teamname": "Team1"}', False, True),
    "no teamname": (json.dumps({**MESSAGE, "teamname": None}).encode(), False, False),
    "a placeholder": (written(teamname="YOUR TEAM NAME SHOULD BE HERE"), False, False),
    "a line end in a name": (written(teamname="Team1\n"), False, False),
    "an empty number": (written(studentnr1=""), False, False),
    "half a character": (written().replace(b"Team1", rb"\ud800"), False, False),
    "not UTF-8": (written().replace(b"Team1", b"T\xe9am"), False, False),
    "no comma": (written().replace(b",", b"", 1), False, False),
    "a list": (b"[%b]" % written(), False, False),
    "empty": (b"", False, False),
}


@pytest.mark.parametrize(("content", "is_message", "is_team"), VARIANTS.values(), ids=VARIANTS.keys())
def test_check_and_the_clients_agree(content: bytes, is_message: bool, is_team: bool, tmp_path: Path) -> None:
    file = tmp_path / "TEAM.json"
    file.write_bytes(content)
    try:
        made = message_1(**parse_options(["1", str(file), *ADDRESSES]).team, ip="192.0.2.7").encode()
    except UsageError:
        made = b""
    assert (not diagnosed(made).problems) == is_team
    report, is_accepted = check_report(content, "json", colour=False)
    assert (json.loads(report)["accepted"], json.loads(report)["team_file"]) == (is_message, is_team)
    assert is_accepted == is_message
    text, _ = check_report(content, "text", colour=False)
    assert ("but right as a TEAM.json" in text) == (is_team and not is_message)


def test_names_of_other_things_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ours.json"
    file.write_bytes(written(room="1.23", studentname1="Zoë", team="x"))
    assert parse_options(["1", str(file), *ADDRESSES]).team == TEAM


def test_hints_name_a_command_that_exists_in_a_clone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "TEAM.json"
    file.write_text("{")
    assert main(["1", str(file), *ADDRESSES]) == 2
    assert f"`python3 -m tandem check {file}` says what to fix" in capsys.readouterr().err


def test_check_on_a_terminal_says_how_to_end_the_message() -> None:
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-m", "tandem", "check"]
        with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as check:
            os.write(ours, b"{}\n\x04")
            out, err = check.communicate(timeout=LIMIT)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (check.returncode, err.count(b"\n")) == (1, 1)
    assert err.startswith(b"paste the message, then Ctrl-D")
    assert out.startswith(b"not accepted: ")
