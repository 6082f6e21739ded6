"""The client's command line and TEAM.json: what is taken from where, and one line and exit code 2 for what is wrong."""

import json
from pathlib import Path

import pytest

from tandem.client.__main__ import main
from tandem.client.options import USAGE, parse_options
from tandem.protocol.errors import UsageError
from testing.clients import RIGHT_1, RIGHT_2, client_2
from testing.other_side import Wait, scripted_server
from testing.processes import TEAM, team_options

SERVER = ("--server", "192.0.2.1:5550")
PEER = ("--peer", "192.0.2.2:5551")
GOOD_1 = ("1", *team_options(), *SERVER, *PEER)
GOOD_2 = ("2", *SERVER)

MESSAGE = TEAM | {"clientid": 7, "ip": "192.0.2.9", "secret": "5ec4e7", "status": "done"}


def usage_error(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """The line on standard error for a wrong usage."""
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tandem client: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable(), err
    return err


def test_an_option_that_python_read_in_a_c_locale() -> None:
    options = parse_options([*GOOD_1, "--ip", "gr\udcc3\udcb6\udcc3\udc9fe"])
    assert options.ip == "gr\xf6\xdfe"


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing at all": ((), "say which client this is"),
    "no role": ((*team_options(), *SERVER, *PEER), "say which client this is"),
    "no such role": (("3", *SERVER), "say which client this is"),
    "role as text": (("one", *SERVER), "say which client this is"),
    "both roles": (("1", "2", *SERVER, *PEER), "2 cannot be read"),
    "two files": (("2", "a.json", "b.json", *SERVER), "one TEAM.json at most, not a.json and b.json"),
    "no server": (("1", *team_options(), *PEER), "--server HOST:PORT is missing"),
    "client 2 without a server": (("2",), "--server HOST:PORT is missing"),
    "no peer": (("1", *team_options(), *SERVER), "--peer HOST:PORT is missing"),
    "server without a host": (("2", "--server", ":5550"), "--server: ':5550' is not HOST:PORT: the host is missing"),
    "server that is empty": (("2", "--server", ""), "--server: '' is not HOST:PORT"),
    "bare number for the server": (("2", "--server", "5550"), "write it as 192.168.1.2:5550"),
    "bare number for the peer": (("1", *team_options(), *SERVER, "--peer", "5551"), "--peer: '5551' is not HOST:PORT"),
    "address of a page": (("2", "--server", "http://192.0.2.1:5550/"), "did you mean 192.0.2.1:5550?"),
    "peer without brackets": (("1", *team_options(), *SERVER, "--peer", "::1"), "did you mean [::1]?"),
    "empty listen": ((*GOOD_2, "--listen", ""), "--listen: '' is not [HOST:]PORT"),
    "bad listen": ((*GOOD_2, "--listen", "99999"), "--listen: '99999' is not [HOST:]PORT: the port"),
    "listen for client 1": ((*GOOD_1, "--listen", "5551"), "that is client 2's option; --peer HOST:PORT says where"),
    "peer for client 2": ((*GOOD_2, *PEER), "that is client 1's option; --listen PORT says where"),
    "team not given": (("1", *SERVER, *PEER), "client 1 needs studentnr1, studentnr2, classname, teamname"),
    "class not given": (
        ("1", "--studentnr1", "1", "--studentnr2", "2", "--teamname", "T", *SERVER, *PEER),
        "client 1 needs classname",
    ),
    "unknown option": ((*GOOD_1, "--colour", "red"), "there is no option --colour"),
    "unknown option with a value": ((*GOOD_1, "--colour=red"), "there is no option --colour=red"),
    "two dashes alone": ((*GOOD_1, "--"), "there is no option --"),
    "steering option": ((*GOOD_1, "--\x1b[2J"), r"there is no option --\x1b[2J"),
    "verbose takes no value": ((*GOOD_1, "--verbose=yes"), "there is no option --verbose=yes"),
    "option for a value": ((*GOOD_1, "--ip", "--verbose"), "--ip needs a value"),
    "timeout 0": ((*GOOD_1, "--timeout", "0"), "--timeout 0: it must be seconds"),
    "timeout below 0": ((*GOOD_1, "--timeout", "-1"), "--timeout -1: it must be seconds"),
    "timeout as text": ((*GOOD_1, "--timeout", "soon"), "--timeout soon: it must be seconds"),
    "timeout that is no number": ((*GOOD_1, "--timeout", "nan"), "--timeout nan: it must be seconds"),
    "timeout with an underscore": ((*GOOD_1, "--timeout", "1_0"), "--timeout 1_0: it must be seconds"),
    "timeout in Arabic digits": ((*GOOD_1, "--timeout", "\u0663"), "--timeout \u0663: it must be seconds"),
    "timeout with an exponent": ((*GOOD_1, "--timeout", "1e3"), "--timeout 1e3: it must be seconds"),
    "timeout with two points": ((*GOOD_1, "--timeout", "1.0.0"), "--timeout 1.0.0: it must be seconds"),
    "empty name of the file": (("1", "", *SERVER, *PEER), "the name of TEAM.json is empty"),
    "endless wait": ((*GOOD_1, "--wait", "inf"), "--wait inf: it must be seconds"),
    "wait of two days": ((*GOOD_1, "--wait", "172800"), "at most 86400"),
    "other framing": ((*GOOD_1, "--framing", "netstring"), "it must be plain or length"),
    "other format": ((*GOOD_1, "--format", "xml"), "it must be text or json"),
    "text that is not UTF-8": (
        ("1", *team_options(teamname="Zo\udceb"), *SERVER, *PEER),
        "--teamname contains something that is not UTF-8",
    ),
    "ip that is not UTF-8": ((*GOOD_1, "--ip", "\udcff"), "--ip contains something that is not UTF-8"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage(arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in usage_error(arguments, capsys)


WITH_VALUE = (*TEAM, "ip", "server", "peer", "listen", "timeout", "wait", "framing", "format")


@pytest.mark.parametrize("name", WITH_VALUE)
def test_an_option_at_the_end_without_its_value(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"--{name}" in usage_error((*GOOD_1, f"--{name}"), capsys)


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty: write"),
    "not JSON": (b"{'studentnr1': 1}", "is not JSON"),
    "the assignment's own typing errors": (b'{"studentnr1": "0923456". "studentnr2": "0934567"', "is not JSON"),
    "two lines, one mistake": (b'{"studentnr1": "0923456"\n"studentnr2": "0934567"}', "is not JSON"),
    "not UTF-8": (b'{"teamname": "Zo\xeb"}', "is not UTF-8 from byte 17 on: save"),
    "UTF-16": ('{"teamname": "T"}'.encode("utf-16"), "is not UTF-8 from byte 1 on: save"),
    "brackets without end": (b"[" * 60_000, "is not JSON"),
    "huge": (b" " * 65_537, "has more than 65,536 bytes"),
    "endless number": (b'{"studentnr1": ' + b"1" * 5000 + b"}", "is not JSON"),
    "list": (b"[]", "is not a JSON object"),
    "text in JSON": (json.dumps(json.dumps(MESSAGE)).encode(), "is not a JSON object"),
    "null": (b"null", "is not a JSON object"),
    "number for a student number": (b'{"studentnr1": 923456}', "studentnr1 in "),
    "null for a student number": (b'{"studentnr2": null}', "studentnr2 in "),
    "half of a surrogate pair": (rb'{"teamname": "\ud800"}', "teamname contains something that is not UTF-8"),
}


@pytest.mark.parametrize("role", [("1", *PEER), ("2",)], ids=("client 1", "client 2"))
@pytest.mark.parametrize(("content", "says"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_wrong_file(
    content: bytes, says: str, role: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "TEAM.json"
    file.write_bytes(content)
    if "surrogate" in says or "not UTF-8" in says:
        role = (*role, "--studentnr1", "1", "--studentnr2", "2", "--classname", "C")
    assert says in usage_error((*role, str(file), *SERVER), capsys)


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nobody.json cannot be read: " in usage_error(("1", str(tmp_path / "nobody.json"), *SERVER, *PEER), capsys)


def test_a_folder_for_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be read: " in usage_error(("1", str(tmp_path), *SERVER, *PEER), capsys)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"], ids=("plain", "byte order mark"))
def test_the_team_comes_from_the_file_and_nothing_else_does(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "TEAM.json"
    file.write_text(json.dumps(MESSAGE | {"teamname": "Zoë", "more": 1}, ensure_ascii=False), encoding=encoding)
    options = parse_options(["1", str(file), *SERVER, *PEER])
    assert options.clientid == 1
    assert options.team == TEAM | {"teamname": "Zoë"}
    assert options.ip == ""


@pytest.mark.parametrize("name", TEAM)
def test_an_option_overrides_the_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "TEAM.json"
    file.write_text(json.dumps(MESSAGE))
    for arguments in ([f"--{name}", "other"], [f"--{name}=other"]):
        options = parse_options(["1", *arguments, str(file), *SERVER, *PEER])
        assert options.team == TEAM | {name: "other"}


def test_client_2_needs_no_team() -> None:
    """All that it needs is in the handover."""
    assert parse_options([*GOOD_2]).team == {}


def test_defaults() -> None:
    first, second = parse_options([*GOOD_1]), parse_options([*GOOD_2])
    assert (first.server, first.peer) == (("192.0.2.1", 5550), ("192.0.2.2", 5551))
    assert (first.timeout_s, second.timeout_s) == (5.0, 5.0)
    assert (first.framing, first.as_json, first.verbose) == ("plain", False, False)
    assert second.listen == ("", 5551)


PORTS: dict[str, tuple[str, tuple[str, int]]] = {
    "port alone": ("6000", ("", 6000)),
    "port 0": ("0", ("", 0)),
    "colon and port": (":6000", ("", 6000)),
    "host and port": ("127.0.0.1:6000", ("127.0.0.1", 6000)),
    "host alone": ("127.0.0.1", ("127.0.0.1", 5551)),
    "IPv6": ("[::1]:6000", ("::1", 6000)),
}


@pytest.mark.parametrize(("text", "address"), PORTS.values(), ids=PORTS.keys())
def test_listen(text: str, address: tuple[str, int]) -> None:
    assert parse_options([*GOOD_2, "--listen", text]).listen == address


def test_ports_left_out() -> None:
    options = parse_options(["1", *team_options(), "--server", "server.example", "--peer", "[::1]"])
    assert (options.server, options.peer) == (("server.example", 5550), ("::1", 5551))


def test_usage_errors_are_values_for_other_callers() -> None:
    with pytest.raises(UsageError, match="there is no option --nonsense"):
        parse_options([*GOOD_1, "--nonsense"])


def test_the_own_ip_is_the_one_that_was_given() -> None:
    with scripted_server(*RIGHT_1) as server, scripted_server(Wait.END) as peer:
        arguments = ["1", *team_options(), "--server", server.address, "--peer", peer.address, "--ip", "192.0.2.7"]
        assert main(arguments) == 0
    assert json.loads(server.came)["ip"] == "192.0.2.7"


def test_client_2_gives_the_ip_that_was_given_too() -> None:
    with scripted_server(*RIGHT_2) as server, client_2(server.address, "--ip", "192.0.2.8") as client:
        client.hand_over()
        assert client.process.wait() == 0
    assert json.loads(server.came)["ip"] == "192.0.2.8"


@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_help(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1", argument]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in WITH_VALUE:
        assert f"--{name} " in out


@pytest.mark.parametrize("written", [("--on-wire", "length"), ("--on-wire=length",)], ids=" ".join)
def test_an_old_name_of_an_option_works_with_a_warning(
    written: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse_options([*GOOD_1, *written]).framing == "length"
    assert (
        capsys.readouterr().err
        == "--on-wire is now called --framing; the old name will be removed in the next version\n"
    )
    with pytest.raises(UsageError, match="--framing is given more than once"):
        parse_options([*GOOD_1, *written, "--framing", "plain"])
    assert "--on-wire" not in USAGE
