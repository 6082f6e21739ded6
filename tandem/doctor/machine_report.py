"""The page about this machine: what others see of it, and every finding. Sends nothing but the question for a name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tandem.doctor.findings import DoctorFinding, finding, finding_lines
from tandem.doctor.firewalls import are_rules_readable, firewall_findings
from tandem.doctor.machine import Machine
from tandem.doctor.own_network import (
    address_findings,
    all_addresses,
    is_loopback,
    own_name_findings,
    remote_findings,
    wsl_findings,
)
from tandem.doctor.port_state import port_findings
from tandem.protocol.address import show_address

# Modules that `import socket, json` loads by name, in any version of Python.
_NAMES = (
    "array collections copyreg enum functools heapq json keyword math operator re reprlib select selectors socket types"
)
MODULES = frozenset(_NAMES.split())


class MachineReport(NamedTuple):
    """The result of a look at this machine."""

    facts: list[tuple[str, str]]  # label, text
    findings: list[DoctorFinding]


def examine(machine: Machine, server: tuple[str, int] | None, port: int, folder: str) -> MachineReport:
    """Look at everything that is to be known about this machine before an exchange.

    Args:
        machine: The access to it.
        server: The host and port of the server, if it is known.
        port: The port on which client 2 will listen.
        folder: The folder with the programs of the team.
    """
    with ThreadPoolExecutor() as pool:  # a name or a command may take seconds
        at_name = pool.submit(lambda: [*own_name_findings(machine), *wsl_findings(machine)])
        at_firewall = pool.submit(firewall_findings, machine, port)
        at_port = list(port_findings(machine, port))
        addresses = all_addresses(machine)
        seen, found = remote_findings(machine, *server) if server else (next(iter(addresses), ""), [])
    where = show_address(*server) if server else "other machines"
    if seen:
        facts = [("own ip", f"{seen}, as {where} will see it")]
    else:
        seen = next(iter(addresses), "")
        facts = [("own ip", seen or "none")]
    others = [address for address in addresses if address != seen]
    if others:
        facts.append(("others", ", ".join(others)))
    is_free = all(each.id == "port-ephemeral" for each in at_port)
    facts.append((f"port {port}", "free" if is_free else "not free"))
    if not at_firewall.result():
        known = f"no rule is known that blocks port {port}"
        facts.append(("firewall", known if are_rules_readable(machine) else "not known: only root may read its rules"))
    found += address_findings(addresses, "" if seen and is_loopback(seen) else seen, where)
    found += (*at_name.result(), *at_port, *at_firewall.result())
    found += own_module_findings(machine.own_modules(folder))
    return MachineReport(facts, found)


def own_module_findings(names: list[str]) -> Iterator[DoctorFinding]:
    """Yield a finding for each file that Python may load instead of a module that every client needs."""
    for name in names:
        module = name.removesuffix(".py").removesuffix("/__init__")
        if module in MODULES:
            yield finding("own-module", file=name, module=module)


def page(seen: MachineReport) -> Iterator[str]:
    """Yield the lines of the page."""
    width = max(len(label) for label, _ in seen.facts)
    for label, text in seen.facts:
        yield f"{label:{width}}  {text}\n"
    yield from finding_lines(seen.findings)
    if not seen.findings:
        yield "\nnothing was found on this machine that stops the exchange\n"
