"""Firewalls of this machine: would one of them stop a connection from another machine to a port?

Reads what may be read without asking anybody. Rules that are not understood are told as such: a finding says "likely".
"""

import json
import re
from typing import Any, NamedTuple

from tandem.doctor.findings import DoctorFinding, finding
from tandem.doctor.machine import Machine

ONLY_ROOT = "only root may read them"
NFT = ("nft", "-j", "list", "ruleset")
UFW = ("ufw", "status", "verbose")


def firewall_findings(machine: Machine, port: int) -> list[DoctorFinding]:
    """Return what is found about the firewall of this machine, [] if none is known to block the port."""
    looks = {"linux": (ufw, firewalld, nftables), "darwin": (macos,), "win32": (windows,)}
    for look in looks.get(machine.system, ()):
        found = look(machine, port)
        if found is not None:
            return found
    return []


def are_rules_readable(machine: Machine) -> bool:
    """Return whether the rules can be read. Where they cannot, no finding does not mean that no firewall is on."""
    return machine.system != "linux" or bool(machine.run(*NFT) or machine.run(*UFW))


# Each of these returns None if its firewall is not in use.


def ufw(machine: Machine, port: int) -> list[DoctorFinding] | None:
    """Ask ufw. Without root only its switch can be read."""
    facts = {"name": "ufw", "command": f"sudo ufw allow {port}/tcp"}
    status = machine.run(*UFW)
    if "Status: active" in status:
        allowed = any(_covers(row, port) for row in re.findall(r"^(\S+)\s+(?:ALLOW|LIMIT)", status, re.MULTILINE))
        if allowed or "allow (incoming)" in status:
            return []
        return [_drops(port, "drop", "it has no rule that allows the port", **facts)]
    if not status and re.search(r"^ENABLED=yes", machine.read("/etc/ufw/ufw.conf"), re.MULTILINE):
        return [finding("firewall-on", reason=ONLY_ROOT, **facts)]
    return None


def firewalld(machine: Machine, port: int) -> list[DoctorFinding] | None:
    """Ask firewalld for its zone."""
    if machine.run("firewall-cmd", "--state").strip() != "running":
        return None
    facts = {"name": "firewalld", "command": f"sudo firewall-cmd --add-port={port}/tcp"}
    zone = machine.run("firewall-cmd", "--list-all")
    if not zone:
        return [finding("firewall-on", reason=ONLY_ROOT, **facts)]
    ports = re.search(r"^\s*ports:(.*)$", zone, re.MULTILINE)
    if "target: ACCEPT" in zone or any(_covers(row, port) for row in (ports[1].split() if ports else ())):
        return []
    return [_drops(port, "reject", "its zone does not list the port", **facts)]


def _covers(ports: str, port: int) -> bool:
    """Return whether 5551, 5551/tcp, 5000:6000/tcp or 5000-6000/tcp holds a port."""
    found = re.fullmatch(r"(\d+)(?:[:-](\d+))?(?:/tcp)?", ports)
    return found is not None and int(found[1]) <= port <= int(found[2] or found[1])


def macos(machine: Machine, port: int) -> list[DoctorFinding] | None:
    """Ask the application firewall of macOS. It decides by program, not by port."""
    text = machine.run("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate")
    state = re.search(r"State = (\d)", text)
    if not state or state[1] == "0":
        return None
    facts = {"name": "macOS", "command": "allow Python in System Settings, Network, Firewall, Options"}
    if state[1] == "2":
        return [_drops(port, "drop", "it blocks all incoming connections", **facts)]
    return [finding("firewall-on", reason="it allows or blocks each program by itself", **facts)]


_PROFILES = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"


def windows(machine: Machine, port: int) -> list[DoctorFinding] | None:
    """Ask Windows for its current profile. The words of netsh are in the language of the system, its values are not."""
    profile = machine.run("netsh", "advfirewall", "show", "currentprofile")
    switches = re.findall(
        r"EnableFirewall\s+REG_DWORD\s+0x(\d)", machine.run("reg", "query", _PROFILES, "/s", "/v", "EnableFirewall")
    )
    if "BlockInbound" not in profile or (switches and "1" not in switches):
        return None
    heading = next((line.strip(" :") for line in profile.splitlines() if line.strip()), "its profile")
    facts = {
        "name": f"Windows, {heading}",
        "command": "allow Python in Windows Security, Firewall and network protection, also for public networks",
    }
    if "BlockInboundAlways" in profile:
        return [_drops(port, "drop", "it blocks all incoming connections", **facts)]
    return [finding("firewall-on", reason="it blocks each program that was not allowed when Windows asked", **facts)]


def _drops(port: int, verdict: str, reason: str, **facts: str) -> DoctorFinding:
    return finding("firewall-drops", port=str(port), verdict=verdict, reason=reason, **facts)


# nftables

ACCEPT, DROP, REJECT, NO_VERDICT = "accept", "drop", "reject", ""


class Hook(NamedTuple):
    """A chain that sees every incoming packet, and the fate of a new connection there."""

    place: str  # as commands of nft have it: inet filter input
    verdict: str
    is_sure: bool  # False: a rule accepts the connection under a condition that is not understood


def nftables(machine: Machine, port: int) -> list[DoctorFinding] | None:
    """Read the rules of nftables, which only root may."""
    text = machine.run(*NFT)
    if not text:
        if machine.run("systemctl", "is-active", "nftables").strip() != "active":
            return None
        command = f"sudo nft insert rule inet filter input tcp dport {port} accept"
        return [finding("firewall-on", name="nftables", reason=ONLY_ROOT, command=command)]
    for hook in input_hooks(text, port):
        facts = {"name": "nftables", "command": f"sudo nft insert rule {hook.place} tcp dport {port} accept"}
        if hook.verdict in (DROP, REJECT) and hook.is_sure:
            return [_drops(port, hook.verdict, f"chain {hook.place}", **facts)]
        if hook.verdict in (DROP, REJECT):
            return [finding("firewall-on", reason=f"chain {hook.place} has conditions of its own", **facts)]
    return []


def input_hooks(text: str, port: int) -> list[Hook]:
    """Return the fate of a connection in each chain for incoming packets, from `nft -j list ruleset`.

    [] if this is written in another way than versions of nft are known to write it.
    """
    try:
        entries = json.loads(text)["nftables"]
        rules = [entry["rule"] for entry in entries if "rule" in entry]
        chains = [entry["chain"] for entry in entries if "chain" in entry]
        return [_hook(chain, rules, port) for chain in chains if _sees_incoming(chain)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _sees_incoming(chain: dict[str, Any]) -> bool:
    return chain.get("hook") == "input" and chain["family"] in ("ip", "inet")


def _hook(chain: dict[str, Any], rules: list[dict[str, Any]], port: int) -> Hook:
    family, table, name = chain["family"], chain["table"], chain["name"]
    walk = _RuleWalk([rule for rule in rules if (rule["family"], rule["table"]) == (family, table)], port)
    verdict = walk.verdict(name) or chain.get("policy", ACCEPT)
    return Hook(f"{family} {table} {name}", verdict, walk.is_sure)


_MAX_DEPTH = 16  # jumps; the kernel allows as many
_VERDICTS = frozenset({"accept", "drop", "reject", "jump", "goto", "return", "vmap"})
_SILENT = frozenset({"counter", "log", "limit"})  # limit: the first connections pass it


class _RuleWalk:
    """The way of a new TCP connection to a port, from another machine, through the rules of a table."""

    def __init__(self, rules: list[dict[str, Any]], port: int) -> None:
        self._rules = rules
        self._port = port
        self.is_sure = True

    def verdict(self, chain: str, depth: int = 0) -> str:
        """Return the first verdict of a chain. Rules whose conditions are not understood are passed over."""
        for rule in self._rules:
            if rule["chain"] != chain or depth >= _MAX_DEPTH:
                continue
            fits = _all([self._fits(part) for part in rule["expr"] if _VERDICTS.isdisjoint(part)])
            if fits is False:
                continue
            for part in map(self._chosen, rule["expr"]):
                if "return" in part and fits:
                    return NO_VERDICT
                found = self._decision(part, depth)
                if found and fits:
                    return found
                if found == ACCEPT:
                    self.is_sure = False
        return NO_VERDICT

    def _decision(self, part: dict[str, Any], depth: int) -> str:
        for name in (ACCEPT, DROP, REJECT):
            if name in part:
                return name
        jump = part.get("jump") or part.get("goto")
        return self.verdict(jump["target"], depth + 1) if jump else NO_VERDICT

    def _chosen(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return the verdict that a map of verdicts chooses for the connection, {} if none is known."""
        if "vmap" not in part:
            return part
        rows = part["vmap"]["data"]["set"]
        return next((verdict for value, verdict in rows if self._holds(part["vmap"]["key"], value)), {})

    def _fits(self, part: dict[str, Any]) -> bool | None:
        """Return whether a condition is true for the connection, None if that is not known."""
        if not _SILENT.isdisjoint(part):
            return True
        match = part.get("match", {"op": ""})
        if match["op"] not in ("==", "in", "!="):
            return None
        holds = self._holds(match["left"], match["right"])
        return not holds if match["op"] == "!=" and holds is not None else holds

    def _holds(self, left: dict[str, Any], right: Any) -> bool | None:
        """Return whether a property of the connection has a value, None if that is not known."""
        if isinstance(right, str) and right.startswith("@"):
            return None  # the name of a set
        values = right["set"] if isinstance(right, dict) and "set" in right else right
        values = values if isinstance(values, list) else [values]
        if "payload" in left:
            return self._payload_holds(left["payload"], values)
        key = (left.get("ct") or left.get("meta") or {}).get("key")
        if key == "state":
            return "new" in values
        if key == "l4proto":
            return "tcp" in values or 6 in values
        return False if key in ("iif", "iifname") and "lo" in values else None

    def _payload_holds(self, payload: dict[str, Any], values: list[Any]) -> bool | None:
        protocol, name = payload.get("protocol"), payload.get("field")
        if protocol in ("tcp", "th") and name == "dport":
            return any(_is_in(self._port, value) for value in values)
        if (protocol, name) == ("ip", "protocol"):
            return "tcp" in values or 6 in values
        return None if protocol in ("tcp", "th", "ip", "ip6", "ether", None) else False  # udp, icmp and others


def _all(values: list[bool | None]) -> bool | None:
    """Return False if one is False, else None if one is not known, else True."""
    return False if False in values else None if None in values else True


def _is_in(port: int, value: Any) -> bool:
    """Return whether a port is a value of nft, which may be a range."""
    if isinstance(value, dict) and "range" in value:
        first, last = value["range"]
        return bool(first <= port <= last)
    return bool(value == port)
