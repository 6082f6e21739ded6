"""`tandem init`: asks for the team's details, writes TEAM.json, and prints the commands for both machines."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tandem.commands.arguments import PYTHON, file_name, set_example
from tandem.doctor.team_file import QUESTIONS, Answer, check_answer, keep_out_of_git, write_team_file
from tandem.net.networks import address_towards
from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT, family_of, parse_address, show_address
from tandem.protocol.errors import TandemError
from tandem.protocol.message import argument_text
from tandem.protocol.printable import printable
from tandem.report.screen import echo, echo_done, flush

TRIES = 10  # wrong answers to one question, before it is given up
SERVER = "address of the server: HOST, or HOST:PORT"
PEER = "address of the machine that runs client 2 (empty for this machine"

Check = Callable[[str], Answer]


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem init", "tandem init TEAM.json --server 192.0.2.1:5550")
    command.add_argument(
        "file", nargs="?", type=file_name, default=Path("TEAM.json"), metavar="FILE", help="(default: TEAM.json)"
    )
    for name, words in QUESTIONS.items():
        command.add_argument(f"--{name}", metavar="TEXT", help=f"{words} (default: asked for)")
    command.add_argument("--server", metavar="HOST:PORT", help=f"{SERVER} (default: asked for)")
    command.add_argument("--peer", metavar="HOST:PORT", help=f"{PEER}; default: asked for)")


def run(options: argparse.Namespace) -> int:
    """Ask, write, and print the commands."""
    if options.file.exists():
        raise TandemError(f"{options.file} is there already", "another name, or remove it first")
    team = {name: _asked(words, getattr(options, name), _check_of(name)) for name, words in QUESTIONS.items()}
    server = parse_address(_asked(SERVER, options.server, _check_server), SERVER_PORT)
    own = address_towards(*server)
    question = f"{PEER}, {own})" if own else "address of the machine that runs client 2"
    peer = parse_address(_asked(question, options.peer, _check_peer(own)), CLIENT_2_PORT)
    write_team_file(options.file, team)
    return echo_done(f"{options.file} is written", _what_to_do(options.file, server, peer, own))


def _check_of(name: str) -> Check:
    return lambda value: check_answer(name, value)


def _check_server(value: str) -> Answer:
    """Check the address of the server."""
    try:
        parse_address(value.strip(), SERVER_PORT)
    except ValueError as error:
        return Answer(value, str(error))
    return Answer(value.strip())


def _check_peer(own: str) -> Check:
    """Make the check of the address of client 2. An empty answer means the address of this machine."""

    def check(value: str) -> Answer:
        text = value.strip() or (show_address(own, CLIENT_2_PORT) if own else "")
        try:
            parse_address(text, CLIENT_2_PORT)
        except ValueError as error:
            return Answer(value, str(error))
        return Answer(text)

    return check


def _asked(question: str, given: str | None, check: Check) -> str:
    """Return the answer to a question: the given one, or one that is asked for until it can be used.

    Raises:
        TandemError: the given one cannot be used, no usable one came, or the input has ended.
    """
    if given is not None:
        answer = check(argument_text(given))
        if answer.problem:
            raise TandemError(answer.problem)
        return _noted(answer)
    for _ in range(TRIES):
        echo([f"{question}: "])
        flush()
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if not sys.stdin or not sys.stdin.isatty():
            echo([line])  # a terminal shows what is typed, and its Enter ends the line
        if not line:
            raise TandemError(f"the input ended at the question: {question}", "answer it, or give it as an option")
        answer = check(line)
        if not answer.problem:
            return _noted(answer)
        echo([f"  {printable(answer.problem)}\n"])
    raise TandemError(f"no usable answer came to the question: {question}", "tandem init again")


def _noted(answer: Answer) -> str:
    """Print what is unusual about an answer. Return its value."""
    if answer.remark:
        echo([f"  note: {printable(answer.remark)}\n"])
    return answer.value


def _what_to_do(file: Path, server: tuple[str, int], peer: tuple[str, int], own: str) -> Iterator[str]:
    """Yield the text after the questions: the file, and the two commands."""
    name, server_text = printable(str(file)), show_address(*server)
    second, first = (
        ("this machine", "the other machine") if peer[0] == own else (peer[0], f"this machine{own and f' ({own})'}")
    )
    yield f"\n{name} is written. Both machines need it.\n"
    ignored = keep_out_of_git(file)
    yield f"{ignored}\n" if ignored else ""
    if peer[0].startswith("127.") or peer[0] == "::1":
        yield f"{peer[0]} is an address that only this machine can reach: both clients must run here\n"
    yield f"\nfirst, on {second}, client 2:\n"
    yield f"  {PYTHON} -m tandem client 2 {name} --server {server_text} --listen {_listen(peer)}\n"
    yield f"then, on {first}, client 1:\n"
    yield f"  {PYTHON} -m tandem client 1 {name} --server {server_text} --peer {show_address(*peer)}\n"


def _listen(peer: tuple[str, int]) -> str:
    """Return the value of --listen: the port alone means all IPv4 addresses; of IPv6 the address is given, too."""
    return show_address(*peer) if family_of(peer[0]) == "IPv6" else str(peer[1])
