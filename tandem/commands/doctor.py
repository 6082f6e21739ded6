"""`tandem doctor`: its options, its question before --peer connects, and its output."""

import argparse
import os
import sys
from contextlib import closing

from tandem.commands.arguments import PYTHON, argument_type, folder, server_address, set_example, set_rules
from tandem.commands.combinations import Excludes, Requires
from tandem.doctor.findings import DoctorFinding, finding_lines
from tandem.doctor.machine import Machine
from tandem.doctor.machine_report import examine, page
from tandem.doctor.way import serve_peer, visit_listener
from tandem.net.listeners import open_listener
from tandem.net.networks import own_addresses
from tandem.protocol.address import CLIENT_2_PORT, parse_address, parse_listen_address, show_address
from tandem.protocol.errors import TandemError, UsageError
from tandem.protocol.message import argument_text
from tandem.report.screen import echo, flush

PAGE_OPTIONS = ("--server", "--folder")
RULES = (
    Excludes(
        ("--listen",),
        ("--peer", "--yes", "--listen-port", *PAGE_OPTIONS),
        "it waits for the doctor of the other machine, and asks nothing else",
    ),
    Excludes(("--peer",), PAGE_OPTIONS, "it tests the way to another machine, and does not look at this one"),
    Requires("--yes", "--peer", "it is the answer to the question that --peer asks"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(
        command,
        "tandem doctor --server 192.0.2.1:5550",
        "tandem doctor --listen 5551",
        "tandem doctor --peer 192.0.2.3:5551",
    )
    set_rules(command, *RULES)
    command.add_argument(
        "--server", type=server_address, metavar="HOST:PORT", help="show the address of this machine that it will see"
    )
    command.add_argument(
        "--listen-port",
        type=_port,
        default=CLIENT_2_PORT,
        metavar="PORT",
        help="port of client 2 to look at; with --peer the port for the way back, or a free one if it is in use"
        f" (default: {CLIENT_2_PORT})",
    )
    command.add_argument(
        "--folder",
        type=folder,
        default=folder("."),
        metavar="DIR",
        help="folder of your programs, for files that hide a module of Python (default: the current one)",
    )
    command.add_argument(
        "--listen",
        type=_listen_address,
        metavar="[HOST:]PORT",
        help="wait here for --peer of the other machine; it ends after one test",
    )
    command.add_argument(
        "--peer",
        type=_peer_address,
        metavar="HOST:PORT",
        help="test the way to the machine where --listen waits, in both directions",
    )
    command.add_argument("--yes", action="store_true", help="do not ask before --peer connects")


@argument_type
def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


@argument_type
def _listen_address(text: str) -> tuple[str, int]:
    return parse_listen_address(argument_text(text), CLIENT_2_PORT)


@argument_type
def _peer_address(text: str) -> tuple[str, int]:
    return parse_address(argument_text(text), CLIENT_2_PORT)


def run(options: argparse.Namespace) -> int:
    """Look at this machine, or test a way. Return 1 if a problem was found."""
    machine = Machine()
    if options.listen:
        host, port = options.listen
        return _conclude(listen(machine, host, port))
    if options.peer:
        host, port = options.peer
        if not options.yes:
            _confirm(show_address(host, port))
        return _conclude(visit_listener(machine, host, port, options.listen_port, _show))
    seen = examine(machine, options.server, options.listen_port, os.fspath(options.folder))
    echo(page(seen))
    return _exit_code(seen.findings)


def listen(machine: Machine, host: str, port: int) -> list[DoctorFinding]:
    """Listen until a doctor has tested the way. Return the findings.

    Raises:
        ListenError: the port cannot be used.
    """
    with closing(open_listener(host, port)) as listener:
        port = listener.getsockname()[1]
        _show(f"listening on {show_address(host, port)} for one test. Run on the other machine:")
        _show(f"  {PYTHON} -m tandem doctor --peer {show_address(_address_to_type(host), port)}")
        _show("if nothing comes and the other doctor says dropped, look at the firewall of this machine")
        return serve_peer(machine, listener, _show)


def _address_to_type(host: str) -> str:
    """Return the address of this machine that others can connect to when it listens on `host`."""
    if host not in ("", "0.0.0.0", "::"):
        return host
    usable = [own for own in own_addresses() if host != "::" or ":" in own]
    return usable[0] if usable else "ADDRESS"


def _confirm(where: str) -> None:
    """Ask if a doctor listens there.

    Raises:
        UsageError: nobody can be asked.
        TandemError: the answer is not yes.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            f"--peer asks before it connects to {where}, and standard input is no terminal",
            "--yes, if `tandem doctor --listen` runs there and no client 2",
        )
    echo([f"Does `tandem doctor --listen` run at {where}, and no client 2? A test ends most client 2 programs. [y/N] "])
    flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TandemError("nothing was connected to", "`tandem doctor --listen` on the other machine first")


def _show(line: str) -> None:
    echo([f"{line}\n"])
    flush()


def _conclude(found: list[DoctorFinding]) -> int:
    echo(finding_lines(found))
    if not found:
        echo(["\nboth directions work\n"])
    return _exit_code(found)


def _exit_code(found: list[DoctorFinding]) -> int:
    return 1 if any(each.is_problem for each in found) else 0
