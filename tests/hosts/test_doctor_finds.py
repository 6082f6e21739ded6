"""tandem doctor between hosts: troubles are made on purpose, and the finding names each within 10 s.

One process on each host looks for all of them at a time. docs/doctor.md has them in its table.
"""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from testing.hosts import wire
from testing.hosts.network import DEVICE, Host, Network, ip
from testing.processes import ROOT, process

LIMIT_S = 10.0
CLIENT_1, CLIENT_2, ROUTER = "10.0.0.2", "10.0.0.3", "10.0.0.1"

# The firewall of client 2. The last rule is of client 1, and lets nothing out to this port.
RULES = {6001: "drop", 6002: "reject", 6003: "reject with tcp reset", 6004: "reject with icmp type host-prohibited"}
NOT_LET_OUT = 6005


class Case(NamedTuple):
    """A trouble, where to look for it, and the finding with some of its words."""

    trouble: str  # as the table of docs/doctor.md has it
    kind: str  # peer: test the way to HOST and PORT. page: look at this machine, whose server is HOST, at its port PORT
    host: str
    port: int
    id: str
    words: str


AT_CLIENT_1 = [
    Case("nothing listens", "peer", CLIENT_2, 6000, "way-refused", "nothing listens on port 6000"),
    Case("nftables: `drop`", "peer", CLIENT_2, 6001, "way-dropped", "likely a firewall drops the connection"),
    Case("nftables: `reject`", "peer", CLIENT_2, 6002, "way-refused", "or a firewall rejects it"),
    Case("nftables: `reject with tcp reset`", "peer", CLIENT_2, 6003, "way-refused", "or a firewall rejects it"),
    Case(
        "nftables: `reject with icmp type host-prohibited`",
        "peer",
        CLIENT_2,
        6004,
        "way-unreachable",
        "firewall rejects",
    ),
    Case(
        "nftables: `drop` on the way out", "peer", CLIENT_2, NOT_LET_OUT, "way-dropped", "look at that of this machine"
    ),
    Case("an isolated Wi-Fi", "peer", "10.0.0.99", 5551, "way-dropped", "the Wi-Fi isolates its laptops"),
    Case("a blackhole route", "peer", "198.51.100.1", 5551, "no-route", "no way to 198.51.100.1:5551"),
    Case("a prohibited route", "peer", "198.18.0.1", 5551, "no-route", "no way to 198.18.0.1:5551"),
    Case("no route at all", "peer", "203.0.113.1", 5551, "no-route", "no way to 203.0.113.1:5551"),
    Case("another subnet", "peer", "192.168.77.7", 5551, "other-subnet", "outside of the networks"),
    Case("another subnet", "peer", "192.168.77.7", 5551, "way-dropped", "192.168.77.7 port 5551"),
    Case("an address that no machine has", "peer", "10.1.0.9", 5551, "way-unreachable", "no machine of the network"),
    Case("a name that does not resolve", "peer", "no.such.name.invalid", 5551, "name-unknown", "no.such.name.invalid"),
    Case("a name that does not resolve", "page", "no.such.name.invalid", 5551, "name-unknown", "no.such.name.invalid"),
    Case("a blackhole route", "page", "198.51.100.1", 5551, "no-route", "no way to 198.51.100.1:5550"),
    Case("two interfaces", "page", ROUTER, 5551, "several-addresses", "10.0.0.2, 10.1.0.1. 10.0.0.2 is used"),
    Case("127.0.1.1 in /etc/hosts", "page", ROUTER, 5551, "own-name-loopback", "stands for 127.0.1.1"),
]
AT_CLIENT_2 = [
    Case("nftables: `drop`", "page", ROUTER, 6001, "firewall-drops", "likely to drop connections to port 6001"),
    Case("nftables: `reject`", "page", ROUTER, 6002, "firewall-drops", "likely to reject connections to port 6002"),
]

# Looks at each case in a thread of its own.
SCRIPT = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from tandem.doctor.machine_report import examine
from tandem.doctor.machine import Machine
from tandem.doctor.way import visit_listener

def look(case):
    _, kind, host, port, _, _ = case
    begun = time.monotonic()
    if kind == "peer":
        found = visit_listener(Machine(), host, port, 0, lambda line: None)
    else:
        found = examine(Machine(), (host, 5550), port, ".").findings
    return time.monotonic() - begun, {each.id: f"{each.what} {each.help}" for each in found}

cases = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(cases)) as pool:
    print(json.dumps(list(pool.map(look, cases))))
"""


@pytest.fixture
def _nftables() -> None:
    """Where `nft` is missing, the test is skipped; with CI=true it fails."""
    if shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("`nft` is missing: CI=true make tools installs it")


@contextmanager
def firewall(host: Host, hook: str, *rules: str) -> Iterator[None]:
    """Within the block, the host has these rules of nftables."""
    inside = ("netns", "exec", host.namespace, "nft")
    chain = f"type filter hook {hook} priority 0; {'; '.join(rules)};"
    ip(*inside, f"table inet made {{ chain c {{ {chain} }}; }}")
    try:
        yield
    finally:
        ip(*inside, "delete table inet made")


@contextmanager
def route(host: Host, *words: str) -> Iterator[None]:
    """Within the block, the host has a route."""
    ip("-n", host.namespace, "route", "add", *words)
    try:
        yield
    finally:
        ip("-n", host.namespace, "route", "delete", *words)


@contextmanager
def second_network(host: Host, address: str) -> Iterator[None]:
    """Within the block, the host has a second interface, in a network in which no other machine is."""
    inside = ("-n", host.namespace)
    ip(*inside, "link", "add", "second", "type", "veth", "peer", "name", "nobody")
    try:
        for device in ("second", "nobody"):
            ip(*inside, "link", "set", device, "up")
        ip(*inside, "address", "add", address, "dev", "second")
        yield
    finally:
        ip(*inside, "link", "delete", "second")


def looked_for(cases: list[Case], before: tuple[str, ...]) -> Any:
    """What the doctor finds for each case: the seconds that it took, and the texts of the findings by their ids."""
    with process("-c", SCRIPT, json.dumps(cases), before=before) as looking:
        assert looking.wait() == 0, looking.err
        return json.loads(looking.out)


@pytest.mark.usefixtures("_nftables")
def test_every_trouble_is_named(network: Network, tmp_path: Path) -> None:
    client_1, client_2 = network.client_1, network.client_2
    assert (client_1.ipv4, client_2.ipv4, network.server.ipv4) == (CLIENT_1, CLIENT_2, ROUTER)
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n127.0.1.1 {socket.gethostname()}\n", encoding="utf-8")
    own_hosts = ("unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$0" "$@"')
    with ExitStack() as made:
        made.enter_context(firewall(client_2, "input", *(f"tcp dport {port} {rule}" for port, rule in RULES.items())))
        made.enter_context(firewall(client_1, "output", f"tcp dport {NOT_LET_OUT} drop"))
        made.enter_context(route(client_1, "blackhole", "198.51.100.0/24"))
        made.enter_context(route(client_1, "prohibit", "198.18.0.0/24"))
        made.enter_context(route(client_1, "192.168.77.0/24", "via", ROUTER))
        made.enter_context(second_network(client_1, "10.1.0.1/24"))
        found = looked_for(AT_CLIENT_1, (*client_1.inside, *own_hosts))
        found += looked_for(AT_CLIENT_2, client_2.inside)
    for case, (seconds, texts) in zip(AT_CLIENT_1 + AT_CLIENT_2, found, strict=True):
        assert case.id in texts, (case, texts)
        assert case.words in texts[case.id]
        assert seconds < LIMIT_S, case


@pytest.mark.parametrize(
    ("is_blocked", "delay_s", "id"),
    [(False, 0.01, ""), (True, 0.01, "one-direction"), (False, 0.3, "way-slow")],
    ids=["works", "works in one direction", "slow"],
)
def test_both_machines_come_to_the_same(
    network: Network, is_blocked: bool, delay_s: float, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client 2 may be connected to, and connects back to a port of client 1, before which there may be a firewall."""
    monkeypatch.setattr(wire, "DELAY", delay_s)
    with ExitStack() as made:
        listening = process("-m", "tandem", "doctor", "--listen", "5551", before=network.client_2.inside)
        listener = made.enter_context(listening)
        command = listener.wait_for("-m tandem doctor --peer ").split()[1:]
        assert command[-1] == f"{CLIENT_2}:5551"
        if is_blocked:
            made.enter_context(network.wire.firewall(CLIENT_1, 5551))
        peer = made.enter_context(process(*command, "--yes", before=network.client_1.inside))
        for side in (peer, listener):
            assert side.wait() == (1 if is_blocked else 0), side.out
            assert side.err == ""
            assert (f"({id})" in side.out) if id else side.out.endswith("\nboth directions work\n")
    shown = "dropped" if is_blocked else "slow (" if id else "works ("
    assert f"{CLIENT_2} -> {CLIENT_1}:5551  {shown}" in peer.out


def test_an_ipv6_address_with_a_zone_works_in_both_directions(network: Network) -> None:
    where = f"[{network.client_2.link_local}%{DEVICE}]:5551"
    with ExitStack() as made:
        listening = process("-m", "tandem", "doctor", "--listen", "5551", before=network.client_2.inside)
        listener = made.enter_context(listening)
        listener.wait_for("listening on *:5551")
        command = ("-m", "tandem", "doctor", "--peer", where, "--yes")
        peer = made.enter_context(process(*command, before=network.client_1.inside))
        for side in (peer, listener):
            assert side.wait() == 0, (side.out, side.err)
            assert f"{network.client_2.link_local}]" in peer.out
            assert side.out.endswith("\nboth directions work\n")


def test_the_page_has_every_trouble() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    options = {"peer": "--peer", "page": "--server"}
    rows = [f"| {case.trouble} | `{options[case.kind]}` | `{case.id}` |" for case in AT_CLIENT_1]
    rows += [f"| {case.trouble} | `--listen-port` | `{case.id}` |" for case in AT_CLIENT_2]
    rows.append("| a firewall before the way back | `--peer`, `--listen` | `one-direction` |")
    rows.append("| a slow network, 0.3 s each way | `--peer`, `--listen` | `way-slow` |")
    assert [row for row in rows if f"\n{row}\n" not in text] == []
