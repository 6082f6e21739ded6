"""The page about a machine: every trouble on Linux, macOS and Windows is found by the texts that these write."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.doctor import own_network, port_state
from tandem.doctor.findings import FINDINGS, DoctorFinding, finding_lines
from tandem.doctor.firewalls import input_hooks
from tandem.doctor.machine import Machine, command_output, resolve
from tandem.doctor.machine_report import MODULES, examine, page
from testing.doctor_page import PAGE, catalogue_table
from testing.machines import IN_USE, machine
from testing.processes import LIMIT, ROOT, tandem

PORT = 5551
SERVER = ("10.1.2.3", 5550)

TCP_HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def tcp_row(state: str, inode: int, port: int = PORT) -> str:
    """A row of /proc/net/tcp."""
    return (
        f"   0: 00000000:{port:04X} 0501A8C0:C001 {state} 00000000:00000000 00:00000000 00000000  1000        0"
        f" {inode} 1 0000000000000000 100 0 0 10 0\n"
    )


def nft(*rules: str, policy: str = "accept") -> dict[str, str]:
    """The rules of nftables as its command lists them, each rule as `expr`."""
    where = {"family": "inet", "table": "filter"}
    chain = {**where, "name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": policy}
    listed = [{"rule": {**where, "chain": "input", "expr": json.loads(f"[{rule}]")}} for rule in rules]
    ours = {"rule": {**where, "chain": "ours", "expr": [DPORT_5551, {"accept": None}]}}
    return {"nft -j list ruleset": json.dumps({"nftables": [{"metainfo": {}}, {"chain": chain}, *listed, ours]})}


DPORT_5551 = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 5551}}
ESTABLISHED = '{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}'
LOOPBACK = '{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}'
PORT_RULE = json.dumps(DPORT_5551)
PORTS_RULE = PORT_RULE.replace("5551", '{"set": [22, {"range": [5000, 6000]}]}')
OTHER_PORTS = PORT_RULE.replace("5551", '{"set": [22, 80]}')
NAMED_SET = PORT_RULE.replace("5551", '"@ours"')
NOT_THE_PORT = PORT_RULE.replace("==", "!=")
UDP = PORT_RULE.replace('"tcp"', '"udp"')
NEW = '{"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": "new"}}'
FROM_SOME = """{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
    "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}"""
STATE_MAP = """{"vmap": {"key": {"ct": {"key": "state"}},
    "data": {"set": [["established", {"accept": null}], ["invalid", {"drop": null}]]}}}"""
ACCEPT, DROP, REJECT = '{"accept": null}', '{"drop": null}', '{"reject": {"type": "icmpx", "expr": "port-unreachable"}}'

UFW = """Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere
{row}
"""
FIREWALLD = """FedoraWorkstation (active)
  target: default
  interfaces: wlp2s0
  services: dhcpv6-client ssh
  ports: {ports}
  forward-ports:
"""
NETSH = """
Einstellungen für Öffentliches Profil:
----------------------------------------------------------------------
Status                                EIN
Firewallrichtlinie                    {policy},AllowOutbound
"""
REG = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy /s /v EnableFirewall"
NETSTAT = """
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1180
  TCP    192.168.1.5:5551       192.168.1.9:50112      WARTEND         0
"""
SOCKETFILTER = "/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate"

# The finding, a machine that has the trouble, and words that its text must have.
TROUBLES: list[tuple[str, Machine, str]] = [
    ("no-network", machine(addresses=[], towards=""), "no address"),
    (
        "several-addresses",
        machine(addresses=["192.168.1.5", "172.17.0.1", "2001:db8::5"]),
        "2 IPv4 addresses: 192.168.1.5, 172.17.0.1. 192.168.1.5 is used on the way to 10.1.2.3:5550",
    ),
    ("own-name-loopback", machine(names={"laptop": ["127.0.1.1"]}), "laptop, stands for 127.0.1.1"),
    ("own-name-unknown", machine(name="pc-of-anna"), "pc-of-anna, cannot be resolved (Name or service not known)"),
    ("no-route", machine(towards=""), "no way to 10.1.2.3:5550"),
    (
        "other-subnet",
        machine(),
        "10.1.2.3 is a private address outside of the networks of this machine (192.168.1.0/24)",
    ),
    ("other-subnet", machine("win32"), "outside of the networks of this machine (192.168.1.0/24)"),
    ("other-subnet", machine("darwin"), "outside of the networks of this machine (192.168.1.0/24)"),
    (
        "port-held",
        machine(
            texts={"/proc/net/tcp": TCP_HEADING + tcp_row("0A", 77), "/proc/4242/comm": "python3\n"},
            bind_error=IN_USE,
            socket_holder=lambda inode: {"77": "4242"}[inode],
        ),
        "port 5551 is in use by python3 (process 4242)",
    ),
    (
        "port-held",
        machine(texts={"/proc/net/tcp6": TCP_HEADING + tcp_row("01", 78) + tcp_row("0A", 79)}, bind_error=IN_USE),
        "by a program of another user",
    ),
    ("port-held", machine(bind_error=IN_USE), "by a program of another user, or one that is not shown"),
    (
        "port-held",
        machine(
            "win32",
            outputs={
                "netstat -ano": NETSTAT
                + "  TCP    [::]:5551              [::]:0                 ABHÖREN         4242\n",
                "tasklist /FI PID eq 4242 /FO CSV /NH": '"python.exe","4242","Console","1","12.345 K"\n',
            },
            bind_error=10048,
        ),
        "port 5551 is in use by python.exe (process 4242)",
    ),
    (
        "port-held",
        machine(
            "darwin",
            outputs={
                "netstat -an -p tcp": "tcp46      0      0  *.5551                 *.*                    LISTEN\n",
                "lsof -nP -iTCP:5551": "COMMAND  PID USER\nPython  4242 anna    3u  IPv4 0x1 0t0  TCP *:5551\n",
            },
            bind_error=48,
        ),
        "port 5551 is in use by Python (process 4242)",
    ),
    (
        "port-in-time-wait",
        machine(texts={"/proc/net/tcp": TCP_HEADING + tcp_row("06", 0)}, bind_error=IN_USE),
        "is in TIME_WAIT: bind() fails without SO_REUSEADDR",
    ),
    ("port-in-time-wait", machine("win32", outputs={"netstat -ano": NETSTAT}, bind_error=10048), "is in TIME_WAIT"),
    (
        "port-in-time-wait",
        machine(
            "darwin",
            outputs={"netstat -an -p tcp": "tcp4   0   0  192.168.1.5.5551   192.168.1.9.50112   TIME_WAIT\n"},
            bind_error=48,
        ),
        "is in TIME_WAIT",
    ),
    ("port-forbidden", machine(bind_error=errno.EACCES), "does not let you listen on port 5551"),
    ("port-forbidden", machine("win32", bind_error=10013), "does not let you listen on port 5551"),
    (
        "port-ephemeral",
        machine(texts={"/proc/sys/net/ipv4/ip_local_port_range": "1024\t65535\n"}),
        "(1024 to 65535)",
    ),
    (
        "port-ephemeral",
        machine("win32", outputs={"netsh int ipv4 show dynamicport tcp": "Start: 1025\nNumber: 64511\n"}),
        "(1025 to 65535)",
    ),
    (
        "port-ephemeral",
        machine(
            "darwin",
            outputs={"sysctl -n net.inet.ip.portrange.first net.inet.ip.portrange.last": "5000\n65535\n"},
        ),
        "(5000 to 65535)",
    ),
    ("firewall-drops", machine(outputs=nft(policy="drop")), "likely to drop connections to port 5551"),
    ("firewall-drops", machine(outputs=nft(f"{PORT_RULE}, {REJECT}")), "likely to reject connections to port 5551"),
    ("firewall-drops", machine(outputs=nft(f"{PORTS_RULE}, {DROP}")), "chain inet filter input"),
    (
        "firewall-drops",
        machine(outputs={"ufw status verbose": UFW.format(row="5560:5570/tcp ALLOW IN Anywhere")}),
        "(ufw) is likely to drop",
    ),
    (
        "firewall-drops",
        machine(
            outputs={"firewall-cmd --state": "running\n", "firewall-cmd --list-all": FIREWALLD.format(ports="22/tcp")}
        ),
        "(firewalld) is likely to reject",
    ),
    ("firewall-drops", machine("darwin", outputs={SOCKETFILTER: "Firewall is blocking (State = 2)\n"}), "(macOS)"),
    (
        "firewall-drops",
        machine("win32", outputs={"netsh advfirewall show currentprofile": NETSH.format(policy="BlockInboundAlways")}),
        "it blocks all incoming connections",
    ),
    (
        "firewall-on",
        machine("win32", outputs={"netsh advfirewall show currentprofile": NETSH.format(policy="BlockInbound")}),
        "(Windows, Einstellungen für Öffentliches Profil) is on",
    ),
    ("firewall-on", machine("darwin", outputs={SOCKETFILTER: "Firewall is enabled. (State = 1)\n"}), "(macOS) is on"),
    (
        "firewall-on",
        machine(texts={"/etc/ufw/ufw.conf": "# x\nENABLED=yes\nLOGLEVEL=low\n"}),
        "only root may read them",
    ),
    ("firewall-on", machine(outputs={"firewall-cmd --state": "running\n"}), "(firewalld) is on"),
    ("firewall-on", machine(outputs={"systemctl is-active nftables": "active\n"}), "(nftables) is on"),
    (
        "firewall-on",
        machine(outputs=nft(f"{FROM_SOME}, {PORT_RULE}, {ACCEPT}", policy="drop")),
        "chain inet filter input has conditions of its own",
    ),
    ("wsl-network", machine(texts={"/proc/version": "Linux version 5.15.0-microsoft-standard-WSL2"}), "this is WSL"),
    ("own-module", machine(own_modules=["client1.py", "socket.py"]), "socket.py has the name of a module"),
    ("own-module", machine(own_modules=["json/__init__.py"]), "json/__init__.py has the name of a module"),
]


def ids(found: list[DoctorFinding]) -> set[str]:
    return {each.id for each in found}


def found_on(looked_at: Machine, server: tuple[str, int] | None = SERVER) -> list[DoctorFinding]:
    return examine(looked_at, server, PORT, ".").findings


@pytest.mark.parametrize(("id", "troubled", "words"), TROUBLES, ids=[trouble[0] for trouble in TROUBLES])
def test_a_trouble_is_found(id: str, troubled: Machine, words: str) -> None:
    texts = {each.id: each.what for each in found_on(troubled)}
    assert words in texts[id]
    assert texts.keys() - {id, "other-subnet", "no-network", "no-route"} == set()


@pytest.mark.parametrize(
    ("server", "id", "words"),
    [
        (("no.such.name.invalid", 1), "name-unknown", "no.such.name.invalid cannot be resolved: Name or service"),
        (("127.0.0.1", 5550), "loopback-address", "127.0.0.1:5550 is a loopback address"),
        (("teacher", 5550), "loopback-address", "teacher:5550 is a loopback address (127.0.1.1)"),
    ],
)
def test_a_trouble_with_the_servers_address_is_found(server: tuple[str, int], id: str, words: str) -> None:
    [found] = found_on(machine(names={"teacher": ["127.0.1.1"]}), server)
    assert (found.id, words in found.what) == (id, True), found.what


HEALTHY = [
    *(machine(system) for system in ("linux", "darwin", "win32")),
    machine(texts={"/proc/version": "microsoft"}, outputs={"wslinfo --networking-mode": "mirrored\n"}),
    machine(
        texts={
            "/proc/sys/net/ipv4/ip_local_port_range": "1024 65535\n",
            "/proc/sys/net/ipv4/ip_local_reserved_ports": "5550-5551,8080\n",
        }
    ),
    machine(own_modules=["client1.py", "random.py", "my_socket.py", "tests/__init__.py"]),
    machine(outputs={"ufw status verbose": UFW.format(row="5551/tcp ALLOW IN Anywhere")}),
    machine(outputs={"ufw status verbose": "Status: inactive\n"}),
    machine(outputs={"ufw status verbose": UFW.format(row="").replace("deny (in", "allow (in")}),
    machine(
        outputs={"firewall-cmd --state": "running", "firewall-cmd --list-all": FIREWALLD.format(ports="1025-65535/tcp")}
    ),
    machine("darwin", outputs={SOCKETFILTER: "Firewall is disabled. (State = 0)\n"}),
    machine(
        "win32",
        outputs={
            "netsh advfirewall show currentprofile": NETSH.format(policy="BlockInbound"),
            REG: "EnableFirewall  REG_DWORD  0x0\n",
        },
    ),
    machine(outputs=nft()),
    machine(outputs=nft(f"{PORT_RULE}, {ACCEPT}", policy="drop")),
    machine(outputs=nft(f"{NEW}, {PORTS_RULE}, {ACCEPT}", DROP)),
    machine(outputs=nft(f'{PORTS_RULE}, {{"jump": {{"target": "ours"}}}}', policy="drop")),
    machine(outputs=nft(f"{OTHER_PORTS}, {DROP}", f"{UDP}, {DROP}", f"{LOOPBACK}, {DROP}", f"{NOT_THE_PORT}, {DROP}")),
    machine(outputs=nft(f"{FROM_SOME}, {DROP}", f"{NAMED_SET}, {DROP}", STATE_MAP)),
    machine(outputs={"nft -j list ruleset": "{"}),
]


@pytest.mark.parametrize("healthy", HEALTHY)
def test_nothing_is_found_on_a_healthy_machine(healthy: Machine) -> None:
    seen = examine(healthy, ("192.168.1.9", 5550), PORT, ".")
    assert seen.findings == []
    assert "nothing was found" in "".join(page(seen))


@pytest.mark.parametrize(
    ("looked_at", "text"),
    [
        (machine(), "not known: only root may read its rules"),
        (machine(outputs=nft()), "no rule is known that blocks port 5551"),
    ],
)
def test_rules_that_cannot_be_read_are_not_taken_for_none(looked_at: Machine, text: str) -> None:
    assert ("firewall", text) in examine(looked_at, None, PORT, ".").facts


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([f"{ESTABLISHED}, {ACCEPT}", f"{LOOPBACK}, {ACCEPT}", STATE_MAP], "drop"),
        ([f'{PORT_RULE}, {{"counter": {{"packets": 1}}}}, {REJECT}'], "reject"),
        ([f"{PORT_RULE}, {ACCEPT}", DROP], "accept"),
        (['{"jump": {"target": "ours"}}', REJECT], "accept"),
        (['{"return": null}', ACCEPT], "drop"),
        ([f'{NEW}, {{"goto": {{"target": "input"}}}}', REJECT], "reject"),
    ],
)
def test_the_rules_of_nftables_are_followed_in_their_order(rules: list[str], verdict: str) -> None:
    [text] = nft(*rules, policy="drop").values()
    assert [(hook.verdict, hook.is_sure) for hook in input_hooks(text, PORT)] == [(verdict, True)]


READERS: list[Callable[[str], object]] = [
    lambda text: list(own_network.linux_interfaces(text, text)),
    lambda text: list(own_network.ifconfig_interfaces(text)),
    lambda text: list(own_network.windows_interfaces(text)),
    lambda text: list(port_state.linux_rows(text)),
    lambda text: list(port_state.macos_rows(text)),
    lambda text: list(port_state.windows_rows(text)),
    lambda text: port_state.reserved_ports(text),
    lambda text: input_hooks(text, PORT),
    lambda text: input_hooks(json.dumps({"nftables": [{"chain": text}, {"rule": {"expr": text}}]}), PORT),
]
PIECES = st.sampled_from(
    [*" \t\n.:/0159afAF", "999.1.1.1", "inet ", "netmask 0x", "wlan0\t", "TCP ", "rule", '{"', "٣"]
)


@given(st.lists(PIECES).map("".join) | st.text())
def test_any_text_of_the_system_can_be_read(text: str) -> None:
    for reader in READERS:
        reader(text)


def test_a_finding_has_one_form() -> None:
    for kind in FINDINGS.values():
        facts = re.findall(r"{(\w+)}", kind.what + kind.help)
        each = DoctorFinding(kind.id, dict.fromkeys(facts, "\x1b[31mX"))
        assert "\x1b" not in each.what + each.help
        assert not kind.what.endswith(".")
        assert not kind.help.endswith(".")
    lines = "".join(finding_lines([DoctorFinding("wsl-network"), DoctorFinding("no-network")]))
    assert lines.startswith("\n1. No network (no-network)\n   what  this machine has no address")
    assert "\n\n2. remark: WSL has a network of its own (wsl-network)\n" in lines


def test_the_modules_are_those_that_a_client_imports() -> None:
    script = "import sys; before = set(sys.modules); import socket, json; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=LIMIT)
    by_name = {name for name in done.stdout.split() if "." not in name and not name.startswith("_")}
    assert by_name - set(sys.builtin_module_names) <= MODULES


def test_an_own_socket_py_is_found_and_not_loaded(tmp_path: Path) -> None:
    for name in ("socket.py", "json.py", "client1.py"):
        (tmp_path / name).write_text("raise SystemExit(9)\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "doctor"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "socket.py has the name" in done.stdout
    assert "json.py has the name" in done.stdout
    assert "client1.py" not in done.stdout


# The real system


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = {each.id: each for each in port_state.port_findings(Machine(), port)}
    assert found["port-held"].what.endswith(f"(process {os.getpid()})")


def test_time_wait_is_told_from_a_held_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(listener.getsockname()) as client:
            listener.accept()[0].close()  # the first to close waits
            assert client.recv(1) == b""
    found = ids(list(port_state.port_findings(Machine(), port)))
    assert "port-in-time-wait" in found
    assert "port-held" not in found


def test_a_port_in_use_is_not_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code, out, err = tandem("doctor", "--listen-port", str(listener.getsockname()[1]), "--server", "127.0.0.1:1")
        assert (code, err) == (1, "")
        assert "(port-held)" in out
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_nothing_that_the_system_lacks_or_that_hangs_holds_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.doctor.machine.COMMAND_TIMEOUT_S", 0.2)
    begun = time.monotonic()
    assert command_output("no-such-command-here") == ""
    assert command_output("sh", "-c", "echo partly; exit 1") == ""
    assert command_output("sh", "-c", "echo all") == "all\n"
    assert command_output("sleep", "30") == ""
    is_over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [] * is_over.wait(LIMIT))
    with pytest.raises(OSError, match=r"no answer within 0\.1 s"):
        resolve("slow.example", 0.1)
    is_over.set()
    assert time.monotonic() - begun < 15
    assert Machine().read("/no/such/file") == ""


def test_names_that_cannot_be_are_unknown() -> None:
    for name in ("a" * 300, "x..y"):
        with pytest.raises(OSError, match=r"."):
            resolve(name)
    assert resolve("127.0.0.1") == ["127.0.0.1"]


# docs/doctor.md


def test_the_page_has_all_findings() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(catalogue_table()), "run python3 -m testing.doctor_page"


def test_the_page_has_the_troubles_of_this_machine() -> None:
    text = PAGE.read_text(encoding="utf-8")
    troubles = dict(re.findall(r"^\| [^|]+ \| [^|]+ \| `([\w-]+)` \|()$", text, re.MULTILINE))
    assert len(troubles) > 10
    assert troubles.keys() <= FINDINGS.keys()
    for row in (
        "| the port in TIME_WAIT | `--listen-port` | `port-in-time-wait` |",
        "| the port in use | `--listen-port` | `port-held` |",
        "| an own file socket.py | `--folder` | `own-module` |",
    ):
        assert f"\n{row}\n" in text


def test_every_finding_is_found_by_a_test() -> None:
    """Those of the way between two machines are found in test_way.py and in tests/hosts."""
    way = {id for id in FINDINGS if id.startswith("way-")} | {"one-direction", "address-translated"}
    others = {"not-a-doctor", "other-version", "name-unknown", "loopback-address"}
    assert {id for id, _, _ in TROUBLES} | way | others == FINDINGS.keys()


def test_the_command_of_the_page_runs() -> None:
    [command] = re.findall(r"^python3 -m tandem (doctor --server .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    code, out, err = tandem(*command.replace("192.0.2.1", "127.0.0.1").split())
    assert (code in (0, 1), err) == (True, "")
    assert out.startswith("own ip     127.0.0.1, as 127.0.0.1:5550 will see it\n")
