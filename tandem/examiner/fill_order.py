"""Makes the order for one run from a plan and a scenario: every placeholder is filled in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tandem.examiner.order import LabOrder, ProgramOrder
from tandem.examiner.placeholders import fill, fill_file
from tandem.examiner.plan import CLIENT_2_HOST, Addresses, Plan, Program
from tandem.examiner.plan_file import is_loopback
from tandem.examiner.scenario import Scenario


def missing_details(plan: Plan, scenario: Scenario) -> list[str]:
    """Return the details that the scenario changes and the program has built in. If there are any, it cannot run."""
    return [name for name in scenario.team if name not in plan.given_details()]


def fill_order(plan: Plan, scenario: Scenario, folder: Path, seed: int) -> LabOrder:
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
        seed=seed,
        limits=plan.limits,
    )
    return _filled(order, plan)


def _own_address_of_client2(addresses: Addresses) -> str:
    """Return the address of client 2's host, which is not that of every host."""
    if not is_loopback(addresses.client2):
        return addresses.client2
    return next(host for host in _SPARE if host not in (addresses.server[0], addresses.client1))


_SPARE = (CLIENT_2_HOST, "203.0.113.13", "203.0.113.14")


def _filled(order: LabOrder, plan: Plan) -> LabOrder:
    values = {
        **plan.team,
        **order.scenario.team,
        "server_host": order.server_host,
        "server_port": str(order.server_port),
        "peer_host": order.peer_host,
        "peer_port": str(order.listen_port),
        "listen_port": str(order.listen_port),
    }
    return replace(
        order,
        client1=_program(plan.client1, {**values, "clientid": "1", "own_host": order.client1_address}),
        client2=_program(plan.client2, {**values, "clientid": "2", "own_host": order.client2_address}),
        files={path: fill_file(path, text, values) for path, text in plan.files.items()},
    )


def _program(program: Program, values: Mapping[str, str]) -> ProgramOrder:
    return ProgramOrder(
        tuple(fill(word, values) for word in program.command),
        tuple((asks, fill(answer, values)) for asks, answer in program.prompts),
    )
