"""Machines as the doctor sees them, made of texts as Linux, macOS and Windows write them."""

import errno
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tandem.doctor.machine import Machine

LINUX = {
    "/proc/net/route": (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
    ),
    "/proc/net/if_inet6": (
        "00000000000000000000000000000001 01 80 10 80       lo\nfe800000000000000000000000000005 03 40 20 80    wlan0\n"
    ),
    "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
}
WINDOWS = {
    "route print -4": """\
===========================================================================
Schnittstellenliste
 12...00 00 5e 00 53 05 ......Intel(R) Wi-Fi 6 AX201 160MHz
===========================================================================

IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0      192.168.1.1      192.168.1.5     35
        127.0.0.0        255.0.0.0   Auf Verbindung         127.0.0.1    331
      192.168.1.0    255.255.255.0   Auf Verbindung       192.168.1.5    291
      192.168.1.5  255.255.255.255   Auf Verbindung       192.168.1.5    291
        224.0.0.0        240.0.0.0   Auf Verbindung       192.168.1.5    291
===========================================================================
""",
    "netsh int ipv4 show dynamicport tcp": (
        "\nProtokoll tcp: Dynamischer Portbereich\n----\nStartport      : 49152\nAnzahl von Ports : 16384\n\n"
    ),
}
MACOS = {
    "ifconfig": """\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tinet6 fe80::5%en0 prefixlen 64 secured scopeid 0xb
\tinet 192.168.1.5 netmask 0xffffff00 broadcast 192.168.1.255
""",
    "sysctl -n net.inet.ip.portrange.first net.inet.ip.portrange.last": "49152\n65535\n",
}
_USUAL: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "linux": (LINUX, {}),
    "darwin": ({}, MACOS),
    "win32": ({}, WINDOWS),
}


def machine(
    system: str = "linux",
    texts: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    **changed: Any,
) -> Machine:
    """Return a machine without a finding, 192.168.1.5/24, but for what is changed.

    Args:
        system: "linux", "darwin" or "win32".
        texts: Files by their path.
        outputs: Standard output of commands by their words.
        names: Addresses of names. A numeric address stands for itself, and any other name is unknown.
        changed: Other fields of Machine, as values that are returned, or as functions.
    """
    files, commands = _USUAL[system]
    known = {"laptop": ["192.168.1.5"], **(names or {})}

    def resolve(host: str) -> list[str]:
        if host[0].isdigit() or ":" in host:
            return [host]
        if host not in known:
            raise OSError("Name or service not known")
        return list(known[host])

    fields: dict[str, Any] = {
        "read": lambda path: {**files, **(texts or {})}.get(path, ""),
        "run": lambda *words: {**commands, **(outputs or {})}.get(" ".join(words), ""),
        "resolve": resolve,
        "name": _returns("laptop"),
        "addresses": _returns(["192.168.1.5"]),
        "towards": lambda host, port: "127.0.0.1" if host.startswith("127.") else "192.168.1.5",
        "bind_error": _returns(0),
        "socket_holder": _returns(""),
        "own_modules": _returns([]),
    }
    return Machine(
        system, **fields | {name: each if callable(each) else _returns(each) for name, each in changed.items()}
    )


def _returns(value: object) -> Callable[..., Any]:
    return lambda *_: value


IN_USE = errno.EADDRINUSE
