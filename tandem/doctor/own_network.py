"""Addresses and networks of this machine, its name, and its way to another machine."""

import re
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface

from tandem.doctor.findings import DoctorFinding, finding
from tandem.doctor.machine import Machine
from tandem.net.networks import Networks, parse_networks
from tandem.protocol.address import plain_ip, show_address

Interface = IPv4Interface | IPv6Interface

_ALL = "0.0.0.0"


def linux_interfaces(routes: str, addresses: str) -> Iterator[Interface]:
    """Yield the networks of this machine from /proc/net/route and /proc/net/if_inet6.

    A route without a gateway leads to a network to which the machine is connected: of IPv4 the address is that of the
    network. Its numbers are written in the machine's own byte order.
    """
    for address, mask in re.findall(r"^\S+\t(\w{8})\t0{8}\t(?:\w+\t){4}(\w{8})", routes, re.MULTILINE):
        yield from _parsed(IPv4Address(struct.pack("=I", int(address, 16))), int(mask, 16).bit_count())
    for address, bits in re.findall(r"^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{2}) ", addresses, re.MULTILINE):
        yield from _parsed(IPv6Address(bytes.fromhex(address)), int(bits, 16))


def ifconfig_interfaces(text: str) -> Iterator[Interface]:
    """Yield the addresses of this machine, with their networks, from macOS's `ifconfig`."""
    for address, mask in re.findall(r"^\s+inet ([\d.]+)(?: --> \S+)? netmask 0x([0-9a-f]{8})", text, re.MULTILINE):
        yield from _parsed(address, int(mask, 16).bit_count())
    for address, bits in re.findall(r"^\s+inet6 ([0-9a-f:]+)(?:%\S+)? prefixlen (\d+)", text, re.MULTILINE):
        yield from _parsed(address, bits)


def windows_interfaces(text: str) -> Iterator[Interface]:
    """Yield the IPv4 addresses of this machine, with their networks, from Windows' `route print -4`.

    A row without a gateway has a word in its place, in the language of the system. The interface is our address.
    """
    row = re.compile(r"^\s*([\d.]+)\s+([\d.]+)\s+(?![\d.]+\s)\S.*?\s([\d.]+)\s+\d+\s*$", re.MULTILINE)
    for network, mask, address in row.findall(text):
        if mask not in (_ALL, "255.255.255.255") and network != "224.0.0.0":
            yield from _parsed(address, mask)


def _parsed(address: object, bits: object) -> Iterator[Interface]:
    """Yield an address with its network, or nothing if it is none."""
    try:
        yield ip_interface(f"{address}/{bits}")
    except ValueError:
        pass  # a word that looks like an address


def own_networks(machine: Machine) -> Networks:
    """Return the networks to which this machine is connected, without loopback. () if that is not known."""
    found = dict.fromkeys(interface.network for interface in _interfaces(machine))
    return tuple(network for network in found if not network.is_loopback and network.prefixlen)


def all_addresses(machine: Machine) -> list[str]:
    """Return the addresses of this machine that others can use; the one on the way to the Internet is the first."""
    found = dict.fromkeys(machine.addresses())
    if machine.system != "linux":  # there they are all in it
        usable = (each.ip for each in _interfaces(machine) if not (each.ip.is_loopback or each.ip.is_link_local))
        found |= dict.fromkeys(map(str, usable))
    return list(found)


def _interfaces(machine: Machine) -> Iterable[Interface]:
    if machine.system == "linux":
        return linux_interfaces(machine.read("/proc/net/route"), machine.read("/proc/net/if_inet6"))
    if machine.system == "darwin":
        return ifconfig_interfaces(machine.run("ifconfig"))
    if machine.system == "win32":
        return windows_interfaces(machine.run("route", "print", "-4"))
    return ()


def address_findings(addresses: list[str], seen: str, where: str) -> Iterator[DoctorFinding]:
    """Yield the findings about the machine's own addresses. `seen` is the one that is used on the way to `where`."""
    if not addresses:
        yield finding("no-network")
    ipv4 = [address for address in addresses if ":" not in address]
    if len(ipv4) > 1 and seen:
        yield finding(
            "several-addresses", count=str(len(ipv4)), addresses=", ".join(ipv4), seen=seen, where=where or "others"
        )


def own_name_findings(machine: Machine) -> Iterator[DoctorFinding]:
    """Yield the findings about the machine's own name: programs use it to ask for their own address."""
    name = machine.name()
    try:
        found = machine.resolve(name)
    except OSError as error:
        yield finding("own-name-unknown", name=name, reason=str(error))
        return
    if is_loopback(found[0]):
        yield finding("own-name-loopback", name=name, found=found[0])


def remote_findings(machine: Machine, host: str, port: int) -> tuple[str, list[DoctorFinding]]:
    """Return the address of this machine that a host would see, "" if there is none, and the findings about the way.

    A name is resolved. Nothing is sent to the host.
    """
    where = show_address(host, port)
    try:
        address = machine.resolve(host)[0]
    except OSError as error:
        return "", [finding("name-unknown", host=host, reason=str(error))]
    seen = plain_ip(machine.towards(address, port))
    if is_loopback(address):
        return seen, [finding("loopback-address", where=where, found=address)]
    if not seen:
        return "", [finding("no-route", where=where), *subnet_findings(machine, address)]
    return seen, list(subnet_findings(machine, address))


def subnet_findings(machine: Machine, address: str) -> Iterator[DoctorFinding]:
    """Yield a finding if a private address is in none of the networks of this machine."""
    networks = own_networks(machine)
    ip = ip_address(plain_ip(address))
    if not networks or ip.is_loopback or ip.is_link_local or not _is_private(address):
        return
    if plain_ip(address) not in all_addresses(machine) and not any(ip in network for network in networks):
        usable = [str(network) for network in networks if not network.is_link_local]
        yield finding("other-subnet", address=address, networks=", ".join(usable))


_PRIVATE = parse_networks("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7")  # RFC 1918 and RFC 4193


def _is_private(address: str) -> bool:
    ip = ip_address(plain_ip(address))
    return any(ip in network for network in _PRIVATE)


def is_loopback(address: str) -> bool:
    """Return whether an IP address means this machine itself, whichever it is."""
    return ip_address(plain_ip(address)).is_loopback


def wsl_findings(machine: Machine) -> Iterator[DoctorFinding]:
    """Yield a finding in WSL, unless it shares the network of Windows."""
    if "microsoft" not in machine.read("/proc/version").lower():
        return
    if "mirrored" not in machine.run("wslinfo", "--networking-mode"):
        yield finding("wsl-network")
