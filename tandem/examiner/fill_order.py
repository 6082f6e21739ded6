"""Makes the order for one run from a plan and a scenario: every placeholder is filled in."""

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FolderPath

from tandem.examiner.order import LabOrder, ProgramOrder
from tandem.examiner.placeholders import fill, fill_file, names_in
from tandem.examiner.plan import CLIENT_2_HOST, Plan, PlanAddresses, PlannedProgram
from tandem.examiner.plan_file import is_loopback
from tandem.examiner.scenario import Path, Scenario
from tandem.protocol.address import show_address

LOOPBACK = "127.0.0.1"
SPARE_HOSTS = (CLIENT_2_HOST, "203.0.113.13", "203.0.113.14")  # for client 2, if it has no address of its own


def missing_details(plan: Plan, scenario: Scenario) -> list[str]:
    """Return the details that the scenario changes and the program has built in. If there are any, it cannot run."""
    return [name for name in scenario.team if name not in plan.given_details()]


def needs_hosts(scenario: Scenario) -> bool:
    """Return whether a scenario changes the network or the name of a host, which is impossible on loopback."""
    return scenario.path != Path() or scenario.own_name_is_loopback or scenario.server_away_s > 0


def fill_order(plan: Plan, scenario: Scenario, folder: FolderPath, seed: int) -> LabOrder:
    """Return the order for a run on three hosts."""
    addresses = plan.addresses
    order = LabOrder(
        folder=str(folder),
        client1=ProgramOrder(()),
        client2=ProgramOrder(()),
        scenario=scenario,
        server_host=addresses.server[0],
        server_port=addresses.server[1],
        client1_address=addresses.client1,
        client2_address=_own_address_of_client2(addresses),
        peer_host=addresses.client2,
        listen_port=addresses.listen_port,
        peer_port=addresses.listen_port,
        seed=seed,
        limits=plan.limits,
    )
    return _filled(order, plan)


def fill_local_order(plan: Plan, scenario: Scenario, folder: FolderPath, seed: int) -> LabOrder:
    """Return the order for a run on loopback. The ports that the program is given are free ones."""
    given = names_in([*plan.client1.texts(), *plan.files.values()])
    host, port = plan.addresses.server
    order = replace(
        fill_order(plan, scenario, folder, seed),
        server_host=host if is_loopback(host) else LOOPBACK,
        server_port=_free_port() if "server_port" in given else port,
        client1_address=LOOPBACK,
        client2_address=LOOPBACK,
        peer_host=LOOPBACK,
        peer_port=_free_port() if "peer_port" in given else plan.addresses.listen_port,
        isolated=False,
    )
    return _filled(order, plan)


def obstacle_to_local(plan: Plan) -> str:
    """Return why a submission cannot run on loopback, or ""."""
    given = names_in([*plan.client1.texts(), *plan.files.values()])
    server, client2 = plan.addresses.server, plan.addresses.client2
    if "server_host" not in given and not is_loopback(server[0]):
        return f"the program has the address {show_address(*server)} built in"
    if "peer_host" not in given and not is_loopback(client2):
        return f"the program has the address {client2} built in"
    return ""


def _own_address_of_client2(addresses: PlanAddresses) -> str:
    """Return the address of client 2's host, which is not one that every host has."""
    if not is_loopback(addresses.client2):
        return addresses.client2
    return next(host for host in SPARE_HOSTS if host not in (addresses.server[0], addresses.client1))


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _filled(order: LabOrder, plan: Plan) -> LabOrder:
    """Return the order with the programs and files of the plan, for the addresses in the order."""
    values = {
        **plan.team,
        **order.scenario.team,
        "server_host": order.server_host,
        "server_port": str(order.server_port),
        "peer_host": order.peer_host,
        "peer_port": str(order.peer_port),
        "listen_port": str(order.listen_port),
    }
    of_client1 = {"clientid": "1", "own_host": order.client1_address}
    of_client2 = {"clientid": "2", "own_host": order.client2_address, "peer_port": str(order.listen_port)}
    return replace(
        order,
        client1=_program(plan.client1, {**values, **of_client1}),
        client2=_program(plan.client2, {**values, **of_client2}),
        files={path: fill_file(path, text, values) for path, text in plan.files.items()},
    )


def _program(program: PlannedProgram, values: Mapping[str, str]) -> ProgramOrder:
    return ProgramOrder(
        tuple(fill(word, values) for word in program.command),
        tuple((asks, fill(answer, values)) for asks, answer in program.prompts),
    )
