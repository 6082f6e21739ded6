"""The command line and TEAM.json, read into Options. A mistake there is a UsageError: nothing was sent yet."""

import json

from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT, parse_address
from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.protocol.message import is_unicode

USAGE = """\
usage: tandem client 1 [TEAM.json] --server HOST:PORT --peer HOST:PORT
       tandem client 2 [TEAM.json] --server HOST:PORT --listen [HOST:]PORT

client 1 sends message 1 to the ground and hands the reply over to client 2;
client 2 listens for it, makes message 2 of it and sends that to the ground.

  TEAM.json             a message: studentnr1, studentnr2, classname, teamname are taken from it
  --studentnr1 TEXT     the number of client 1's student; these four override TEAM.json
  --studentnr2 TEXT     the number of the teammate ("0000000" for a team of one)
  --classname TEXT
  --teamname TEXT
  --ip TEXT             the own address, if not the one of the connection to the ground
  --server HOST:PORT    the ground (port 5550 if left out)
  --peer HOST:PORT      client 1: where client 2 listens (port 5551 if left out)
  --listen [HOST:]PORT  client 2: where to listen (5551 on all addresses; 0 takes a free port)
  --timeout SECONDS     how long to wait for an answer (5)
  --wait SECONDS        how long to wait for the other client (client 1: 120, client 2: 3600)
  --on-wire plain|length   length: each message behind its length, 4 bytes, little-endian (plain)
  --format text|json    the story for people, or one JSON object a line (text)
  --verbose             show the bytes that were sent and received

--peer does not go with client 2, --listen not with client 1, --verbose not with --format json.

exit codes: 0 done, 1 it did not work (one line on standard error says why), 2 wrong usage, 130 Ctrl-C
"""

TEAM_FIELDS = ("studentnr1", "studentnr2", "classname", "teamname")
MAX_FILE = 65_536  # bytes of TEAM.json; a message has at most 8,192
MAX_WAIT = {1: 120.0, 2: 3600.0}  # seconds for the other client, by client id

_WITH_VALUE = (*TEAM_FIELDS, "ip", "server", "peer", "listen", "timeout", "wait", "on-wire", "format")


# Options that would be ignored beside something else: (option, beside what, because, what to try).
_APART = (
    ("--listen", "client 1", "client 2 listens", "--peer HOST:PORT says where that is"),
    ("--peer", "client 2", "client 1 connects to client 2", "--listen PORT says where client 2 listens"),
    ("--verbose", "--format json", "each line of it has the bytes", "leave --verbose out"),
)


class UsageError(Exception):
    """What is wrong with the command line or TEAM.json, in one line."""


class Options:
    """Everything that a client has to be told."""

    def __init__(self, clientid: int, given: dict[str, str], team: dict[str, str], verbose: bool) -> None:
        self.clientid = clientid
        self.team = team  # studentnr1, studentnr2, classname, teamname: those that were given
        self.ip = given.get("ip", "")  # "" means: the one of the connection to the ground
        self.server = _address(given, "server", SERVER_PORT)
        self.peer = _address(given, "peer", CLIENT_2_PORT) if clientid == 1 else ("", 0)
        self.listen = _listen_address(given.get("listen", ""))
        self.timeout = _seconds(given, "timeout", 5.0)
        self.wait = _seconds(given, "wait", MAX_WAIT[clientid])
        self.on_wire = _choice(given, "on-wire", FRAMINGS, PLAIN)
        self.as_json = _choice(given, "format", ("text", "json"), "text") == "json"
        self.verbose = verbose


def parse_options(arguments: list[str]) -> Options:
    """Reads the arguments behind `client`: 1 or 2, TEAM.json, options. Raises UsageError."""
    given: dict[str, str] = {}
    plain: list[str] = []
    verbose = False
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument == "--verbose":
            _check_once(verbose, "verbose")
            verbose = True
        elif not argument.startswith("-"):
            plain.append(argument)
        elif name not in _WITH_VALUE:
            raise UsageError(f"there is no option {argument}: see --help")
        else:
            _check_once(name in given, name)
            given[name] = value if equals else next(rest, "--")
            if not equals and given[name].startswith("--"):
                raise UsageError(f"--{name} needs a value")
    if not plain or plain[0] not in ("1", "2"):
        raise UsageError("say which client this is: `client 1` or `client 2`; see --help")
    if len(plain) > 2:
        raise UsageError(f"one TEAM.json at most, not {' and '.join(plain[1:])}")
    clientid = int(plain[0])
    _check_apart(clientid, given, verbose)
    team = read_team(plain[1]) if len(plain) == 2 else {}
    team |= {name: given[name] for name in TEAM_FIELDS if name in given}
    options = Options(clientid, given, team, verbose)
    missing = [name for name in TEAM_FIELDS if name not in team]
    if clientid == 1 and missing:
        raise UsageError(f"client 1 needs {', '.join(missing)}: in TEAM.json or as --{missing[0]}")
    for name, value in {**team, "ip": options.ip}.items():
        if not is_unicode(value):
            raise UsageError(f"{name} holds something that is not UTF-8 text")
    return options


def _check_once(is_given: bool, name: str) -> None:
    if is_given:
        raise UsageError(f"--{name} is given more than once: give it once")


def _check_apart(clientid: int, given: dict[str, str], verbose: bool) -> None:
    """Raise UsageError if an option would be ignored."""
    named = {f"client {clientid}", *(f"--{name}" for name in given), *(f"--{name} {given[name]}" for name in given)}
    named |= {"--verbose"} if verbose else set()
    for option, other, because, help in _APART:
        if option in named and other in named:
            raise UsageError(f"{option} does not go with {other}: {because}; {help}")


def read_team(path: str) -> dict[str, str]:
    """The team's four fields from a message in a file. Raises UsageError."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; give a file with one message in it") from None
    if len(data) > MAX_FILE:
        raise UsageError(f"{path} has more than {MAX_FILE:,} bytes: it must be one message, in braces")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}; `tandem check {path}` says what to mend") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no JSON object: it must be a message, in braces")
    team = {name: found[name] for name in TEAM_FIELDS if name in found}
    for name, value in team.items():
        if not isinstance(value, str):
            raise UsageError(f'{name} in {path} is not text: write it in quotes, "{name}": "{value}"')
    return team


def _address(given: dict[str, str], name: str, default_port: int) -> tuple[str, int]:
    if not given.get(name):
        raise UsageError(f"--{name} HOST:PORT is missing")
    try:
        host, port = parse_address(given[name], default_port)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None
    if not host or not port:
        raise UsageError(f"--{name} {given[name]}: it must be HOST:PORT, such as 192.168.1.2:{default_port}")
    return host, port


def _listen_address(text: str) -> tuple[str, int]:
    try:
        return parse_address(f":{text}" if text.isdigit() else text, CLIENT_2_PORT)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from None


def _seconds(given: dict[str, str], name: str, default: float) -> float:
    try:
        seconds = float(given.get(name, default))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise UsageError(f"--{name} {given[name]}: it must be seconds, above 0 and at most 86400")
    return seconds


def _choice(given: dict[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    chosen = given.get(name, default)
    if chosen not in choices:
        raise UsageError(f"--{name} {chosen}: it must be {' or '.join(choices)}")
    return chosen
