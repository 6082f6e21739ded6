"""The machine as the doctor sees it: texts of files, outputs of commands, names, sockets. Nothing is sent but names.

Each access is a function in a field of Machine, so that a test puts the content of another system in its place. None
takes more than a few seconds or raises for what the system lacks: a text that cannot be read is "".
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from tandem.net.networks import address_towards, own_addresses
from tandem.protocol.address import plain_ip

COMMAND_TIMEOUT_S = 2.0  # for one command; a healthy one takes a tenth of it
RESOLVE_TIMEOUT_S = 3.0  # for one name; the system itself may try for half a minute
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])  # firewalls are in folders of root


def read_text(path: str) -> str:
    """Return the text of a file, "" if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def command_output(*words: str) -> str:
    """Return the standard output of a command, "" if it is not here, fails or takes too long."""
    program = which(words[0], path=_PATH)
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"LC_ALL": "C"},
            timeout=COMMAND_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def ip_of(address: tuple[Any, ...]) -> str:
    """Return the IP of an address of the socket layer, so that it can be connected to: with the zone of IPv6."""
    ip, zone = str(address[0]).partition("%")[0], address[3] if len(address) > 3 else 0
    return f"{ip}%{zone}" if zone else plain_ip(ip)


def resolve(host: str, timeout_s: float = RESOLVE_TIMEOUT_S) -> list[str]:
    """Return the IP addresses of a name, at least one.

    A thread waits for the system, which has no time limit of its own. It ends with the program at the latest.

    Raises:
        OSError: there is no such name, or no answer came in time. str() is the reason for people.
    """
    found: list[list[str] | OSError] = []

    def ask() -> None:
        try:
            answer = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
            found.append(list(dict.fromkeys(ip_of(each[4]) for each in answer)))
        except OSError as error:
            found.append(OSError(error.strerror or str(error)))
        except UnicodeError:
            found.append(OSError("it is not the name of a machine"))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout_s)
    if not found:
        raise OSError(f"no answer within {timeout_s:g} s")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


def bind_error(port: int) -> int:
    """Bind a port on all addresses as a simple program does, without SO_REUSEADDR, and close it at once.

    Returns:
        The number of the system's error, 0 if the port is free.
    """
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            trial = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # this system lacks the family
        with trial:
            try:
                if family == socket.AF_INET6:
                    trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if sys.platform == "win32":
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
                trial.bind((host, port))
            except OSError as error:
                if family == socket.AF_INET or error.errno in IN_USE:
                    return error.errno or -1
    return 0


IN_USE = (98, 48, 10048)  # EADDRINUSE on Linux, macOS and Windows


def socket_holder(inode: str) -> str:
    """Return the id of the process that has an open socket on Linux, "" if it is another user's or not known."""
    target = f"socket:[{inode}]"
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(link) == target for link in folder.iterdir()):
                return folder.parent.name
        except OSError:
            continue  # another user's, or it has ended
    return ""


def own_modules(folder: str) -> list[str]:
    """Return the files in a folder that Python can import: name.py, and name/__init__.py."""
    place = Path(folder)
    return sorted(path.relative_to(place).as_posix() for path in (*place.glob("*.py"), *place.glob("*/__init__.py")))


@dataclass(frozen=True)
class Machine:
    """Every access to this machine that the doctor needs."""

    system: str = sys.platform  # "linux", "darwin", "win32"
    read: Callable[[str], str] = read_text
    run: Callable[..., str] = command_output
    name: Callable[[], str] = socket.gethostname
    resolve: Callable[[str], list[str]] = resolve
    addresses: Callable[[], list[str]] = own_addresses
    towards: Callable[[str, int], str] = address_towards
    bind_error: Callable[[int], int] = bind_error
    socket_holder: Callable[[str], str] = socket_holder
    own_modules: Callable[[str], list[str]] = own_modules
