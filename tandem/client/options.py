"""The clients' command line and TEAM.json, read into Options.

Every mistake in them is a UsageError, raised before anything is sent. Does not open connections.
"""

import json
import sys

from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT, parse_address, parse_listen_address
from tandem.protocol.errors import UsageError
from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.protocol.message import argument_number, argument_text, is_unicode
from tandem.protocol.team_fields import TEAM_FIELDS, team_in

USAGE = """\
usage: tandem client 1 [TEAM.json] --server HOST:PORT --peer HOST:PORT
       tandem client 2 [TEAM.json] --server HOST:PORT --listen [HOST:]PORT

client 1 sends message 1 to the server and hands the reply over to client 2.
client 2 listens for it, makes message 2 from it and sends that to the server.

  TEAM.json             a message: studentnr1, studentnr2, classname and teamname are read from it
  --studentnr1 TEXT     the number of client 1's student; these four override TEAM.json
  --studentnr2 TEXT     the number of the teammate ("0000000" for a team of one)
  --classname TEXT
  --teamname TEXT
  --ip TEXT             IP address to report (default: the local address of the connection to the server)
  --server HOST:PORT    the server (default port: 5550)
  --peer HOST:PORT      client 1: where client 2 listens (default port: 5551)
  --listen [HOST:]PORT  client 2: where to listen (default: port 5551 on all addresses);
                        port 0: the system chooses a free port
                        IPv6 in brackets: [2001:db8::2]:5550, or [2001:db8::2] with the default port
  --timeout SECONDS     how long to wait for an answer (default: 5)
  --wait SECONDS        how long to wait for the other client (default: 120 for client 1, 3600 for client 2)
  --framing plain|length   length: a length of 4 bytes comes before each message, as with `serve --framing length`
                        (default: plain)
  --format text|json    text for people, or one JSON object a line for programs (default: text)
  --verbose             show the bytes that were sent and received

--peer cannot be used with client 2, --listen not with client 1, --verbose not with --format json.

--format json: an arrow is {"arrow", "bytes", "text"}, other lines are {"note"}; the last line is {"finished"}, or
{"failed", "try", "arrow", "exit_code"} with null for an arrow that is not known.

examples, on two machines:
  tandem client 2 TEAM.json --server 192.0.2.1:5550 --listen 5551
  tandem client 1 TEAM.json --server 192.0.2.1:5550 --peer 192.0.2.12:5551

exit codes: 0 done, 1 it did not work (one line on standard error says why), 2 wrong usage, 130 stopped by Ctrl-C
"""

CHECK_COMMAND = "python3 -m tandem check"  # works in a clone with nothing installed
MAX_FILE_BYTES = 65_536  # of TEAM.json; a message has at most 8,192
DEFAULT_TIMEOUT_S = 5.0  # for an answer
DEFAULT_WAIT_S = {1: 120.0, 2: 3600.0}  # for the other client, by client id
MAX_SECONDS = 86_400.0  # of any wait

_WITH_VALUE = (*TEAM_FIELDS, "ip", "server", "peer", "listen", "timeout", "wait", "framing", "format")
_RENAMED = {"on-wire": "framing"}  # old names that still work, with a warning

# Options that are refused because they would have no effect: option, beside what, why, what to try.
_CONFLICTS = (
    ("--listen", "client 1", "that is client 2's option", "--peer HOST:PORT says where client 2 listens"),
    ("--peer", "client 2", "that is client 1's option", "--listen PORT says where client 2 listens"),
    ("--verbose", "--format json", "--format json already shows what was sent and received", "leave --verbose out"),
)


class Options:
    """The settings of a client.

    Attributes:
        clientid: 1 or 2.
        team: studentnr1, studentnr2, classname, teamname: those that were given.
        ip: The IP address to report; "" means the local address of the connection to the server.
        server: Host and port of the server.
        peer: Host and port of client 2; only client 1 uses it.
        listen: Host and port to listen on; only client 2 uses it. Host "" means all addresses.
        timeout_s: Seconds to wait for an answer.
        wait_s: Seconds to wait for the other client.
        framing: Whether a length comes before each message, "plain" or "length" (PROTOCOL 6.2).
        as_json: Whether the output is JSON.
        verbose: Whether the output shows the bytes.

    Raises:
        UsageError: A value is missing or wrong.
    """

    def __init__(self, clientid: int, given: dict[str, str], team: dict[str, str], verbose: bool) -> None:
        self.clientid = clientid
        self.team = team
        self.ip = given.get("ip", "")
        self.server = _address(given, "server", SERVER_PORT)
        self.peer = _address(given, "peer", CLIENT_2_PORT) if clientid == 1 else ("", 0)
        self.listen = _listen_address(given.get("listen", str(CLIENT_2_PORT)))
        self.timeout_s = _seconds(given, "timeout", DEFAULT_TIMEOUT_S)
        self.wait_s = _seconds(given, "wait", DEFAULT_WAIT_S[clientid])
        self.framing = _choice(given, "framing", FRAMINGS, PLAIN)
        self.as_json = _choice(given, "format", ("text", "json"), "text") == "json"
        self.verbose = verbose


def parse_options(arguments: list[str]) -> Options:
    """Read the arguments after `client`: 1 or 2, TEAM.json, options.

    Raises:
        UsageError: An argument is missing, unknown or wrong.
    """
    given: dict[str, str] = {}
    positional: list[str] = []
    verbose = False
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        name = _current_name(name) if argument.startswith("--") else name
        if argument == "--verbose":
            _check_once(verbose, "verbose")
            verbose = True
        elif not argument.startswith("-"):
            positional.append(argument)
        elif name not in _WITH_VALUE:
            raise UsageError(f"there is no option {argument}: see --help")
        else:
            _check_once(name in given, name)
            given[name] = value if equals else next(rest, "--")
            if not equals and given[name].startswith("--"):
                raise UsageError(f"--{name} needs a value")
            given[name] = _text(name, given[name])
    if not positional or positional[0] not in ("1", "2"):
        raise UsageError("say which client this is: `client 1` or `client 2`; see --help")
    if len(positional) > 2:
        raise UsageError(f"one TEAM.json at most, not {' and '.join(positional[1:])}")
    clientid = int(positional[0])
    _check_conflicts(clientid, given, verbose)
    team = read_team(positional[1]) if len(positional) == 2 else {}
    team |= {name: given[name] for name in TEAM_FIELDS if name in given}
    options = Options(clientid, given, team, verbose)
    missing = [name for name in TEAM_FIELDS if name not in team]
    if clientid == 1 and missing:
        file = positional[1] if len(positional) == 2 else "TEAM.json"
        raise UsageError(f"client 1 needs {', '.join(missing)}: in {file} or as --{missing[0]}")
    for name, value in {**team, "ip": options.ip}.items():
        if not is_unicode(value):
            raise UsageError(f"{name} contains something that is not UTF-8 text")
    return options


def _text(name: str, value: str) -> str:
    try:
        return argument_text(value)
    except ValueError:
        raise UsageError(f"--{name} contains something that is not UTF-8 text") from None


def asks_for_json(arguments: list[str]) -> bool:
    """Return whether the output has to be JSON, even if the arguments are wrong otherwise."""
    return "--format=json" in arguments or "--format json" in " ".join(arguments)


def _current_name(name: str) -> str:
    """Return the name of an option; if it is an old one, the new one, after a warning."""
    if name not in _RENAMED:
        return name
    warning = f"--{name} is now called --{_RENAMED[name]}; the old name will be removed in the next version"
    try:
        if sys.stderr is not None:  # otherwise print would use standard output
            print(warning, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = None  # or Python would write it again at exit, and change the exit code
    return _RENAMED[name]


def _check_once(is_given: bool, name: str) -> None:
    if is_given:
        raise UsageError(f"--{name} is given more than once: give it once")


def _check_conflicts(clientid: int, given: dict[str, str], verbose: bool) -> None:
    """Raise UsageError if an option would have no effect."""
    used = {f"client {clientid}", *(f"--{name}" for name in given), *(f"--{name} {given[name]}" for name in given)}
    used |= {"--verbose"} if verbose else set()
    for option, other, reason, help in _CONFLICTS:
        if option in used and other in used:
            raise UsageError(f"{option} cannot be used with {other}: {reason}; {help}")


def read_team(path: str) -> dict[str, str]:
    """Read the team's four fields from a message in a file. Fields that are missing there are left out.

    Raises:
        UsageError: The file cannot be read, or is not a message.
    """
    if not path:
        raise UsageError("the name of TEAM.json is empty: name a file with one message in it")
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; name a file with one message in it") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path} has more than {MAX_FILE_BYTES:,} bytes: it must be one message, in braces")
    if not data.strip():
        raise UsageError(f"{path} is empty: write a message into it, and save it")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 from byte {error.start + 1} on: save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}; `{CHECK_COMMAND} {path}` says what to fix") from None
    try:
        return team_in(found, path)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _address(given: dict[str, str], name: str, default_port: int) -> tuple[str, int]:
    if name not in given:
        raise UsageError(f"--{name} HOST:PORT is missing")
    try:
        return parse_address(given[name], default_port)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None


def _listen_address(text: str) -> tuple[str, int]:
    try:
        return parse_listen_address(text, CLIENT_2_PORT)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from None


def _seconds(given: dict[str, str], name: str, default: float) -> float:
    try:
        seconds = argument_number(given[name]) if name in given else default
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_SECONDS:
        raise UsageError(f"--{name} {given[name]}: it must be seconds, above 0 and at most {MAX_SECONDS:.0f}")
    return seconds


def _choice(given: dict[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    chosen = given.get(name, default)
    if chosen not in choices:
        raise UsageError(f"--{name} {chosen}: it must be {' or '.join(choices)}")
    return chosen
