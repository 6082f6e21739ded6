"""Orders: what is put in the place of each placeholder."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.examiner.fill_order import fill_local_order, fill_order, missing_details, obstacle_to_local
from tandem.examiner.placeholders import PLACEHOLDERS
from tandem.examiner.plan import Plan, PlanAddresses, PlannedProgram
from tandem.examiner.scenarios import SCENARIOS

EVERY = tuple(f"{{{name}}}" for name in PLACEHOLDERS)
PLAN = Plan(PlannedProgram(("python3", *EVERY), (("nr", "it is {studentnr1}"),)), PlannedProgram(("python3", *EVERY)))
PLAIN = SCENARIOS[0]
NAMES = next(scenario for scenario in SCENARIOS if scenario.id == "long-names")


def test_every_placeholder_is_filled_in_for_each_client() -> None:
    order = fill_order(PLAN, PLAIN, Path("there"), 7)
    assert (order.folder, order.seed, order.isolated, order.scenario) == ("there", 7, True, PLAIN)
    of_team = ("0123456", "0654321", "INF2A", "Examined Team")
    shared = ("192.0.2.10", "5550", "203.0.113.12", "5551", "5551")
    assert order.client1.words == ("python3", *shared, "198.51.100.11", "1", *of_team)
    assert order.client2.words == ("python3", *shared, "203.0.113.12", "2", *of_team)
    assert order.client1.prompts == (("nr", "it is 0123456"),)


def test_a_loopback_address_that_is_built_in_is_where_client_1_looks() -> None:
    plan = replace(PLAN, addresses=PlanAddresses(server=("127.0.0.1", 1), client2="127.0.0.1"))
    order = fill_order(plan, PLAIN, Path(), 1)
    assert (order.server_host, order.peer_host, order.client2_address) == ("127.0.0.1", "127.0.0.1", "203.0.113.12")
    taken = replace(plan, addresses=PlanAddresses(client1="203.0.113.12", client2="127.0.0.1"))
    assert fill_order(taken, PLAIN, Path(), 1).client2_address == "203.0.113.13"


def test_a_json_file_is_json_whatever_the_names_are() -> None:
    plan = replace(
        PLAN, team=PLAN.team | {"teamname": 'a "b"\\'}, files={"T.json": '{"t": "{teamname}"}', "T": "{teamname} {x}"}
    )
    files = fill_order(plan, PLAIN, Path(), 1).files
    assert json.loads(files["T.json"]) == {"t": 'a "b"\\'}
    assert files["T"] == 'a "b"\\ {x}'


def test_a_scenario_needs_the_details_that_it_changes() -> None:
    bare = PlannedProgram(("python3", "client.py"))
    assert missing_details(PLAN, NAMES) == []
    assert missing_details(Plan(bare, PLAN.client2), NAMES) == ["classname", "teamname"]
    assert missing_details(Plan(bare, bare, files={"TEAM.json": "{classname} {teamname}"}), NAMES) == []
    assert fill_order(PLAN, NAMES, Path(), 1).client1.words[-1] == "Team" * 32


def test_on_loopback_client_1_is_given_a_port_of_its_own() -> None:
    order = fill_local_order(PLAN, PLAIN, Path(), 1)
    assert not order.isolated
    assert {order.server_host, order.peer_host, order.client1_address, order.client2_address} == {"127.0.0.1"}
    assert len({order.server_port, order.peer_port, order.listen_port}) == 3
    assert order.client1.words[1:6] == ("127.0.0.1", str(order.server_port), "127.0.0.1", str(order.peer_port), "5551")
    assert order.client2.words[1:6] == ("127.0.0.1", str(order.server_port), "127.0.0.1", "5551", "5551")


@pytest.mark.parametrize(
    ("command", "addresses", "obstacle"),
    [
        (EVERY, PlanAddresses(), ""),
        (("a",), PlanAddresses(("127.0.0.1", 1), client2="127.0.0.1"), ""),
        (("a",), PlanAddresses(("10.0.0.1", 1)), "the program has the address 10.0.0.1:1 built in"),
        (("{server_host}",), PlanAddresses(client2="10.0.0.2"), "the program has the address 10.0.0.2 built in"),
    ],
)
def test_an_address_that_is_built_in_is_an_obstacle(
    command: tuple[str, ...], addresses: PlanAddresses, obstacle: str
) -> None:
    assert obstacle_to_local(Plan(PlannedProgram(command), PlannedProgram(command), addresses)) == obstacle
