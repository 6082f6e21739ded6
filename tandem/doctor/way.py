"""The test of the way between two machines: `doctor --listen` on one and `doctor --peer` on the other.

The peer connects to the listener, and the listener connects back to a port that the peer has opened. So both learn
which direction works. greeting.py has the lines; nothing else is ever sent, and nothing that others send is shown but
its first bytes, to the one who connected.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

from tandem.doctor.callers import Caller, Callers
from tandem.doctor.connecting import CONNECT_TIMEOUT_S, Attempt, Reach, connect
from tandem.doctor.findings import DoctorFinding, finding
from tandem.doctor.greeting import (
    LINE_TIMEOUT_S,
    VERSION,
    Hello,
    greeting,
    new_token,
    parse_hello,
    parse_report,
    read_line,
    report,
    version_of,
)
from tandem.doctor.machine import Machine
from tandem.doctor.own_network import is_loopback, subnet_findings
from tandem.net.listeners import ListenError, open_listener
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.printable import printable_bytes

REPORT_TIMEOUT_S = CONNECT_TIMEOUT_S + LINE_TIMEOUT_S + 1  # for the listener's attempts, which run side by side
MAX_TOLD = 100  # hosts that are named on the screen because they did not greet
SHOWN_BYTES = 60  # of what came from a program that is no doctor

Show = Callable[[str], object]  # prints a line, without its newline


class Way(NamedTuple):
    """The way between two machines: `there` was connected to from `here`."""

    here: str
    there: str
    back_port: int  # of `here`, to which the way back leads
    forward: Attempt
    back: list[tuple[str, Attempt]]  # one or two, each with the address that was connected to


# The side of --peer


def visit_listener(machine: Machine, host: str, port: int, back_port: int, show: Show) -> list[DoctorFinding]:
    """Test the way to `doctor --listen` and back. Return the findings, [] if both directions work.

    Connect only after the user has confirmed that no client 2 listens there.
    """
    where = show_address(host, port)
    try:
        address = machine.resolve(host)[0]
    except OSError as error:
        return [finding("name-unknown", host=host, reason=str(error))]
    connection, attempt = connect(machine, address, port)
    here = plain_ip(machine.towards(address, port))
    show(_direction(here, address, port, attempt))
    if connection is None:
        return list(_failed(machine, where, address, port, attempt))
    with connection, closing(_open_back_port(back_port)) as listener:
        line = read_line(connection)
        version = version_of(line)
        if version != VERSION:
            return [_not_a_doctor(where, line, version)]
        back_port = listener.getsockname()[1]
        token = new_token()
        answer = _exchange(connection, listener, greeting(str(back_port), token, here), greeting(token))
    back = parse_report(answer)
    if back is None:
        return [_not_a_doctor(where, answer, None)]
    way = Way(here, plain_ip(address), back_port, attempt, back)
    return _conclude(way, show)


def _open_back_port(port: int) -> socket.socket:
    try:
        return open_listener("", port)
    except ListenError:
        return open_listener("", 0)  # a program holds it, perhaps client 2


def _exchange(connection: socket.socket, listener: socket.socket, hello: bytes, back_greeting: bytes) -> bytes:
    """Send our line, greet each connection that comes back, and return the listener's report."""
    until = time.monotonic() + REPORT_TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        try:
            connection.sendall(hello)
        except OSError:
            return b""
        while (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if key.fileobj is connection:
                    return read_line(connection)
                _greet(listener, back_greeting)
    return b""


def _greet(listener: socket.socket, line: bytes) -> None:
    """Send a line to the next connection and close it."""
    try:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(line)
    except OSError:
        pass  # it has gone again: the report will say so


def _not_a_doctor(where: str, line: bytes, version: str | None) -> DoctorFinding:
    if version not in (None, VERSION):
        return finding("other-version", where=where, version=str(version), own=VERSION)
    came = f"it sent `{printable_bytes(line[:SHOWN_BYTES].rstrip())}`" if line else "it sent nothing"
    return finding("not-a-doctor", where=where, came=came)


def _failed(machine: Machine, where: str, address: str, port: int, attempt: Attempt) -> Iterator[DoctorFinding]:
    """Yield the findings about a connection that could not be made."""
    facts = {"address": plain_ip(address), "port": str(port)}
    if attempt.reach is Reach.NO_ROUTE:
        yield finding("no-route", where=where)
    elif attempt.reach is Reach.DROPPED:
        yield finding("way-dropped", **facts, seconds=f"{CONNECT_TIMEOUT_S:g}")
    elif attempt.reach is Reach.FORBIDDEN:
        yield finding("way-forbidden", **facts, reason=attempt.reason)
    else:
        yield finding(f"way-{attempt.reach}", **facts)
    if is_loopback(address):
        yield finding("loopback-address", where=where, found=address)
    elif attempt.reach is not Reach.REFUSED:
        yield from subnet_findings(machine, address)


# The side of --listen


def serve_peer(machine: Machine, listener: socket.socket, show: Show) -> list[DoctorFinding]:
    """Wait until a doctor has tested the way to this machine. Return the findings, [] if both directions work.

    Connections of other programs are named, once for each host, and do not end the wait.
    """
    told: set[str] = set()
    with closing(Callers(listener)) as callers:
        while True:
            for caller in callers.complete():
                with caller.connection:
                    found = _answer(machine, caller, show)
                if isinstance(found, list):
                    return found
                if caller.host not in told and len(told) < MAX_TOLD:
                    told.add(caller.host)
                    show(f"{plain_ip(caller.host)} connected, but {found}; still listening")


def _answer(machine: Machine, caller: Caller, show: Show) -> list[DoctorFinding] | str:
    """Answer the line of one connection. Return the findings, or in words why this is not a doctor.

    The line itself is not shown: it may be the message of a team.
    """
    version, hello = version_of(caller.line), parse_hello(caller.line)
    if version is None:
        return "what it sent is no greeting of a doctor" if caller.line else "it sent nothing"
    if version != VERSION:
        return f"it is a doctor of version {version}, and this one has {VERSION}"
    if hello is None:
        return "its port or its address cannot be used"
    show(f"a doctor at {plain_ip(caller.host)} has connected")
    back = _connect_back(machine, hello, caller.host)
    own = ""
    try:
        own = plain_ip(caller.connection.getsockname()[0])
        caller.connection.sendall(report(back))
    except OSError:
        pass  # it has gone; what was found counts here all the same
    return _conclude(Way(plain_ip(caller.host), own, hello.port, Attempt(Reach.WORKS, 0), back), show)


def _connect_back(machine: Machine, hello: Hello, host: str) -> list[tuple[str, Attempt]]:
    """Connect to the address that was seen and, at the same time, to the one that was told, if it is another.

    A told address of this machine is not used, so that nobody makes us connect to a program here.
    """
    addresses = [host]
    own = is_loopback(hello.address) or hello.address in machine.addresses()
    if hello.address != plain_ip(host) and not own:
        addresses.append(hello.address)
    with ThreadPoolExecutor(len(addresses)) as pool:
        attempts = pool.map(lambda address: _try_back(machine, address, hello), addresses)
        return list(zip(addresses, attempts, strict=True))


def _try_back(machine: Machine, address: str, hello: Hello) -> Attempt:
    connection, attempt = connect(machine, address, hello.port)
    if connection is None:
        return attempt
    with connection:
        is_right = read_line(connection) == greeting(hello.token)
    return attempt if is_right else attempt._replace(reach=Reach.OTHER_PROGRAM)


# Both sides

_REASONS = {
    Reach.REFUSED: "the connection is refused",
    Reach.DROPPED: "no answer comes, so likely a firewall drops the connection",
    Reach.NO_ROUTE: "there is no route",
    Reach.UNREACHABLE: "the address cannot be reached",
    Reach.FORBIDDEN: "a firewall there does not let it out",
    Reach.OTHER_PROGRAM: "another program or machine answers",
}


def _conclude(way: Way, show: Show) -> list[DoctorFinding]:
    """Show the way back. Return the findings about a way whose first direction works; both sides come to the same."""
    for address, attempt in way.back:
        show(_direction(way.there, address, way.back_port, attempt))
    found = []
    seen = plain_ip(way.back[0][0])
    working = [attempt for _, attempt in way.back if attempt.reach is Reach.WORKS]
    if not working:
        facts = {"here": way.here, "there": way.there, "port": str(way.back_port)}
        found.append(finding("one-direction", **facts, reason=_REASONS[way.back[0][1].reach]))
    if len(way.back) > 1:
        found.append(finding("address-translated", here=plain_ip(way.back[1][0]), seen=seen, there=way.there))
    for start, end, attempt in ((way.here, way.there, way.forward), *((way.there, way.here, each) for each in working)):
        if attempt.is_slow:
            found.append(finding("way-slow", start=start, end=end, ms=str(attempt.ms)))
    return found


def _direction(start: str, end: str, port: int, attempt: Attempt) -> str:
    return f"{start or 'this machine'} -> {show_address(plain_ip(end), port)}  {attempt}"
