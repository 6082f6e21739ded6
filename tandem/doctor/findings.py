"""Findings: one trouble each, of this machine or of the way to another one. The catalogue, and its words.

A finding holds facts only, as a Problem of a message does; its words are made from the templates of FINDINGS. A problem
stops the exchange; a remark may, or explains what is seen. Nothing here looks at the machine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tandem.diagnosis.catalogue.kind import Severity
from tandem.protocol.printable import printable

P, R = Severity.PROBLEM, Severity.REMARK


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One entry of the catalogue. `what` and `help` are templates for the facts of a finding."""

    id: str
    severity: Severity
    title: str
    what: str
    help: str


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One trouble that was found: facts, no words."""

    id: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> FindingKind:
        """The entry of the catalogue."""
        return FINDINGS[self.id]

    @property
    def is_problem(self) -> bool:
        """Whether the exchange fails with it."""
        return self.kind.severity is Severity.PROBLEM

    @property
    def what(self) -> str:
        """The text of what was found."""
        return self.kind.what.format_map(self._shown())

    @property
    def help(self) -> str:
        """The text of what to try."""
        return self.kind.help.format_map(self._shown())

    def _shown(self) -> dict[str, str]:
        return {name: printable(fact) for name, fact in self.facts.items()}


def finding(id: str, **facts: str) -> DoctorFinding:
    """Return a finding with these facts."""
    return DoctorFinding(id, facts)


def finding_lines(found: Iterable[DoctorFinding]) -> Iterator[str]:
    """Yield the lines of a page about findings: the problems first."""
    for number, each in enumerate(sorted(found, key=lambda each: not each.is_problem), 1):
        remark = "" if each.is_problem else "remark: "
        yield f"\n{number}. {remark}{each.kind.title} ({each.id})\n"
        yield f"   what  {each.what}\n"
        yield f"   try   {each.help}\n"


_KINDS = (
    FindingKind(
        "no-network",
        P,
        "No network",
        "this machine has no address that other machines can use",
        "connect it to the network of the class",
    ),
    FindingKind(
        "several-addresses",
        R,
        "Several networks",
        "this machine has {count} IPv4 addresses: {addresses}. {seen} is used on the way to {where}",
        "give the other machine {seen}, and turn off a VPN that is not needed",
    ),
    FindingKind(
        "own-name-loopback",
        R,
        "The name of this machine is a loopback address",
        "the name of this machine, {name}, stands for {found}: gethostbyname(gethostname()) returns an address that"
        " means this machine itself, on every machine",
        "take your own ip from the socket that is connected to the server: connection.getsockname()[0]",
    ),
    FindingKind(
        "own-name-unknown",
        R,
        "The name of this machine is not known",
        "the name of this machine, {name}, cannot be resolved ({reason}): gethostbyname(gethostname()) fails",
        "take your own ip from the socket that is connected to the server: connection.getsockname()[0]",
    ),
    FindingKind(
        "name-unknown",
        P,
        "A name that does not resolve",
        "the name {host} cannot be resolved: {reason}",
        "check its spelling and the connection to the network, or use the IP address",
    ),
    FindingKind(
        "loopback-address",
        R,
        "The address is this machine",
        "{where} is a loopback address ({found}): it means this machine itself",
        "it is right if the other program runs here, too. To reach another machine use the IP address of that machine",
    ),
    FindingKind(
        "no-route",
        P,
        "No route",
        "this machine knows no way to {where}",
        "check the address, connect to the same network, and turn off a VPN",
    ),
    FindingKind(
        "other-subnet",
        R,
        "Another subnet",
        "{address} is a private address outside of the networks of this machine ({networks}): without a router that"
        " knows both it cannot be reached",
        "connect both machines to the same Wi-Fi or cable, then read the addresses again. A server of the school may be"
        " behind such a router",
    ),
    FindingKind(
        "port-held",
        P,
        "The port is in use",
        "port {port} is in use by {holder}",
        "end that program (it may be an earlier run of yours), or use another port",
    ),
    FindingKind(
        "port-in-time-wait",
        R,
        "The port is in TIME_WAIT",
        "a connection of port {port} has ended a moment ago and is in {state}: bind() fails without SO_REUSEADDR",
        "wait a minute, or set SO_REUSEADDR before bind(): "
        "listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)",
    ),
    FindingKind(
        "port-forbidden",
        P,
        "The port is not allowed",
        "this system does not let you listen on port {port}",
        "use a port from 1024 to 32767. On Windows `netsh int ipv4 show excludedportrange tcp` lists those that the"
        " system keeps for itself",
    ),
    FindingKind(
        "port-ephemeral",
        R,
        "The port is in the ephemeral range",
        "port {port} is one of those that this system gives to outgoing connections ({first} to {last}): at times it"
        " is taken",
        "use a port from 1024 to {below}",
    ),
    FindingKind(
        "firewall-drops",
        P,
        "The firewall blocks the port",
        "the firewall of this machine ({name}) is likely to {verdict} connections to port {port}: {reason}",
        "open the port while you work: {command}",
    ),
    FindingKind(
        "firewall-on",
        R,
        "A firewall is on",
        "the firewall of this machine ({name}) is on, and not all of its rules can be read: {reason}",
        "if the other machine gets no answer, open the port while you work: {command}",
    ),
    FindingKind(
        "wsl-network",
        R,
        "WSL has a network of its own",
        "this is WSL: it is behind Windows, with addresses that other machines cannot reach",
        "run client 2 with the Python of Windows, or set networkingMode=mirrored in .wslconfig and open the port there",
    ),
    FindingKind(
        "own-module",
        P,
        "An own file hides a module",
        "{file} has the name of a module of Python that clients need: `import {module}` may load this file",
        "give it another name, and remove the folder __pycache__ beside it",
    ),
    FindingKind(
        "way-refused",
        P,
        "Refused",
        "connection refused: {address} is there, but nothing listens on port {port}, or a firewall rejects it",
        "start `tandem doctor --listen {port}` there, compare the port, then open it in the firewall of that machine",
    ),
    FindingKind(
        "way-dropped",
        P,
        "Dropped",
        "no answer came from {address} port {port} within {seconds} s: likely a firewall drops the connection, or the"
        " Wi-Fi isolates its laptops from each other",
        "open the port in the firewall of that machine, and look at that of this machine. If that does not help, use a"
        " cable or the hotspot of a phone",
    ),
    FindingKind(
        "way-unreachable",
        P,
        "Unreachable",
        "{address} cannot be reached: no machine of the network has this address, or a router or firewall rejects it",
        "read the address on the other machine again, and check that it is on and in the same network",
    ),
    FindingKind(
        "way-forbidden",
        P,
        "Forbidden on this machine",
        "this machine does not allow the connection to {address} port {port} ({reason})",
        "check its own firewall; on macOS allow the terminal in Settings, Privacy & Security, Local Network",
    ),
    FindingKind(
        "way-slow",
        R,
        "Slow",
        "the connection from {start} to {end} took {ms} ms: the network is slow, or loses packets",
        "move nearer to the access point, use a cable, and give the clients a larger --timeout",
    ),
    FindingKind(
        "one-direction",
        P,
        "Only one direction works",
        "{there} can be reached from {here}, but from {there} to {here} port {port}: {reason}",
        "run client 2 on {there}, or open port {port} in the firewall of {here}",
    ),
    FindingKind(
        "address-translated",
        R,
        "The address is translated",
        "{here} is seen as {seen} by {there}: a router, WSL or a virtual machine between them translates addresses",
        "run client 2 on {there}, or connect both machines to the same network",
    ),
    FindingKind(
        "not-a-doctor",
        P,
        "Not a doctor",
        "{where} is open, but this is no `tandem doctor --listen`: {came}",
        "if a client 2 runs there, start it again: the connection may have ended it. Then start the doctor there",
    ),
    FindingKind(
        "other-version",
        P,
        "A doctor of another version",
        "the doctor at {where} has version {version} of the test, this one has {own}",
        "use the same version of Tandem on both machines",
    ),
)
FINDINGS = {kind.id: kind for kind in _KINDS}
