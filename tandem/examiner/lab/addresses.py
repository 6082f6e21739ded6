"""The addresses that the hosts own, from those that a program has built in. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from tandem.examiner.order import LabOrder
from tandem.protocol.errors import TandemError

STAND_INS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")  # for a server that is looked for by name or on the own machine
OWN_NAME = "127.0.1.1"  # of a machine on which gethostbyname(gethostname()) is no address for others, as on Debian


@dataclass(frozen=True)
class Addresses:
    """The addresses of a run."""

    server: str  # that the server's host owns
    client1: str
    client2: tuple[str, ...]  # the first is the one that its connections come from
    server_loopback: str | None  # where the programs look for the server on their own machine
    peer_loopback: str | None  # where client 1 looks for client 2 on its own machine
    names: dict[str, str]  # host names that are built in -> address

    @property
    def loopbacks(self) -> set[str]:
        """From where connections to the own machine come."""
        return {"127.0.0.1", *filter(None, (self.server_loopback, self.peer_loopback))}

    def hosts_file(self, own_name: str, own_address: str, own_name_is_loopback: bool) -> str:
        """Return the content of /etc/hosts of a host."""
        lines = ["127.0.0.1 localhost", f"{OWN_NAME if own_name_is_loopback else own_address} {own_name}"]
        return "".join(f"{line}\n" for line in (*lines, *(f"{ip} {name}" for name, ip in self.names.items())))


def addresses_of(order: LabOrder) -> Addresses:
    """Return who owns which address.

    Raises:
        TandemError: two hosts would have the same one.
    """
    client1 = order.client1_address
    client2: tuple[str, ...] = (order.client2_address,)
    if is_ipv4(order.peer_host) and not loopback(order.peer_host) and order.peer_host not in client2:
        client2 = (*client2, order.peer_host)
    stand_in = next(address for address in STAND_INS if address not in (client1, *client2))
    names = {} if is_ipv4(order.server_host) else {order.server_host: stand_in}
    names |= {} if is_ipv4(order.peer_host) else {order.peer_host: client2[0]}
    names.pop("localhost", None)
    server = order.server_host if is_ipv4(order.server_host) and not loopback(order.server_host) else stand_in
    if len({server, client1, *client2}) < 2 + len(client2):
        given = ", ".join((server, client1, *client2))
        raise TandemError(f"the server, client 1 and client 2 need addresses of their own, not {given}")
    return Addresses(server, client1, client2, loopback(order.server_host), loopback(order.peer_host), names)


def is_ipv4(host: str) -> bool:
    """Return whether a host is given as an IPv4 address."""
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def loopback(host: str) -> str | None:
    """Return the address of its own machine that a program means; None if it means another machine."""
    if host in ("localhost", "0.0.0.0"):
        return "127.0.0.1"
    return host if is_ipv4(host) and IPv4Address(host).is_loopback else None
