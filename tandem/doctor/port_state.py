"""The port on which client 2 will listen: is it free, who holds it, may it be taken at times?

It is never tried by connecting to it: the one connection that a client 2 waits for would be lost. The kernel's table of
connections is read, and a bind() shows if a simple program would get the port.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tandem.doctor.findings import DoctorFinding, finding
from tandem.doctor.machine import IN_USE, Machine

LISTEN, TIME_WAIT, OTHER = "LISTEN", "TIME_WAIT", "closing"

_LINUX_STATES = {"0A": LISTEN, "06": TIME_WAIT}  # include/net/tcp_states.h
_LINUX_ROW = re.compile(r"^ *\d+: \w+:([0-9A-F]{4}) \S+ (\w\w) \S+ \S+ \S+ +\d+ +\d+ (\d+)", re.MULTILINE)
_NO_INODE = "0"


class TcpRow(NamedTuple):
    """One row of the kernel's table of TCP connections, as far as it is needed."""

    port: int  # ours
    state: str  # LISTEN, TIME_WAIT or OTHER
    owner: str  # Linux: the inode of the socket. Windows: the process id. "" if there is no process


def linux_rows(text: str) -> Iterator[TcpRow]:
    """Yield the rows of /proc/net/tcp or tcp6."""
    for port, state, inode in _LINUX_ROW.findall(text):
        yield TcpRow(int(port, 16), _LINUX_STATES.get(state, OTHER), "" if inode == _NO_INODE else inode)


def macos_rows(text: str) -> Iterator[TcpRow]:
    """Yield the rows of macOS's `netstat -an -p tcp`. They name no process."""
    for port, state in re.findall(r"^tcp\S*\s+\d+\s+\d+\s+\S+\.(\d+)\s+\S+\s+(\w+)", text, re.MULTILINE):
        yield TcpRow(int(port), state if state in (LISTEN, TIME_WAIT) else OTHER, "")


def windows_rows(text: str) -> Iterator[TcpRow]:
    """Yield the rows of Windows' `netstat -ano`.

    The words for the states are in the language of the system. A listener has port 0 on the other side; TIME_WAIT
    belongs to no process.
    """
    for port, other, pid in re.findall(r"^\s*TCP\s+\S+:(\d+)\s+\S+:(\d+)\s.*?(\d+)\s*$", text, re.MULTILINE):
        state = LISTEN if other == "0" else TIME_WAIT if pid == "0" else OTHER
        yield TcpRow(int(port), state, "" if pid == "0" else pid)


def port_findings(machine: Machine, port: int) -> Iterator[DoctorFinding]:
    """Yield the findings about a port of this machine."""
    error = machine.bind_error(port)
    if error in IN_USE:
        yield _in_use(machine, port)
    elif error:
        yield finding("port-forbidden", port=str(port))
    first, last = ephemeral_range(machine)
    if first <= port <= last and port not in reserved_ports(machine.read(_RESERVED)):
        yield finding(
            "port-ephemeral", port=str(port), first=str(first), last=str(last), below=str(max(1024, first - 1))
        )


def _in_use(machine: Machine, port: int) -> DoctorFinding:
    rows = [row for row in _rows(machine) if row.port == port]
    held = [row for row in rows if row.state == LISTEN] or [row for row in rows if row.owner]
    if rows and not held:
        waiting = any(row.state == TIME_WAIT for row in rows)
        return finding("port-in-time-wait", port=str(port), state=TIME_WAIT if waiting else OTHER)
    return finding("port-held", port=str(port), holder=_holder(machine, port, held[0].owner if held else ""))


def _rows(machine: Machine) -> Iterator[TcpRow]:
    if machine.system == "linux":
        for path in ("/proc/net/tcp", "/proc/net/tcp6"):
            yield from linux_rows(machine.read(path))
    elif machine.system == "win32":
        yield from windows_rows(machine.run("netstat", "-ano"))
    else:
        yield from macos_rows(machine.run("netstat", "-an", "-p", "tcp"))


def _holder(machine: Machine, port: int, owner: str) -> str:
    """Return in words which program holds a port."""
    if machine.system == "linux":
        pid = machine.socket_holder(owner) if owner else ""
        name = machine.read(f"/proc/{pid}/comm").strip() if pid else ""
    elif machine.system == "win32":
        pid = owner
        name = first_column(machine.run("tasklist", "/FI", f"PID eq {pid}", "/FO", "CSV", "/NH")) if pid else ""
    else:
        name, pid = lsof_holder(machine.run("lsof", "-nP", f"-iTCP:{port}"))
    return f"{name or 'a program'} (process {pid})" if pid else "a program of another user, or one that is not shown"


def first_column(text: str) -> str:
    """Return the first column of a row of CSV with quotes, "" if there is none."""
    found = re.match(r'\s*"([^"]*)","', text)
    return found[1] if found else ""


def lsof_holder(text: str) -> tuple[str, str]:
    """Return the name and the process id in the first row of lsof, ("", "") if there is none."""
    found = re.search(r"^(\S+)\s+(\d+)\s", text, re.MULTILINE)
    return (found[1], found[2]) if found else ("", "")


_RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"
_NO_RANGE = (1, 0)


def ephemeral_range(machine: Machine) -> tuple[int, int]:
    """Return the first and the last of the ports that the system gives to outgoing connections; (1, 0) if unknown."""
    if machine.system == "linux":
        text, is_count = machine.read("/proc/sys/net/ipv4/ip_local_port_range"), False
    elif machine.system == "win32":
        text, is_count = machine.run("netsh", "int", "ipv4", "show", "dynamicport", "tcp"), True
    else:
        names = ("net.inet.ip.portrange.first", "net.inet.ip.portrange.last")
        text, is_count = machine.run("sysctl", "-n", *names), False
    numbers = [int(number) for number in re.findall(r"\b\d{1,5}\b", text, re.ASCII)]
    if len(numbers) != 2:
        return _NO_RANGE
    return (numbers[0], numbers[0] + numbers[1] - 1) if is_count else (numbers[0], numbers[1])


def reserved_ports(text: str) -> frozenset[int]:
    """Return the ports that Linux never gives to outgoing connections: 5550,6000-6010."""
    ranges = re.findall(r"\b(\d{1,5})\b(?:-(\d{1,5})\b)?", text, re.ASCII)
    return frozenset(port for first, last in ranges for port in range(int(first), int(last or first) + 1))
