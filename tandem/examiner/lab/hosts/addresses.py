"""The addresses that the hosts own, from those that a program has built in. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from tandem.examiner.order import LabOrder
from tandem.protocol.errors import TandemError

STAND_INS = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")  # for a host whose built-in address cannot be its own
OWN_NAME = "127.0.1.1"  # of a machine on which gethostbyname(gethostname()) is no address for others, as on Debian


@dataclass(frozen=True)
class Addresses:
    """The addresses of a run."""

    server: str  # that the server's host owns
    client1: str
    client2: tuple[str, ...]  # the first is the one that its connections come from
    server_loopback: str | None  # where the programs look for the server on their own machine
    peer_loopback: str | None  # where client 1 looks for client 2 on its own machine
    peer_at_server: bool  # client 1 looks for client 2 at the server's address: all was tried on one machine
    names: dict[str, str]  # host names that are built in -> address

    @property
    def loopbacks(self) -> set[str]:
        """The addresses that connections from the same machine come from."""
        return {"127.0.0.1", *filter(None, (self.server_loopback, self.peer_loopback))}

    def hosts_file(self, own_name: str, own_address: str, own_name_is_loopback: bool) -> str:
        """Return the content of /etc/hosts of a host."""
        lines = ["127.0.0.1 localhost", f"{OWN_NAME if own_name_is_loopback else own_address} {own_name}"]
        return "".join(f"{line}\n" for line in (*lines, *(f"{ip} {name}" for name, ip in self.names.items())))


def addresses_of(order: LabOrder) -> Addresses:
    """Return who owns which address.

    Raises:
        TandemError: two hosts would have the same one, or one is IPv6.
    """
    server_host, peer_host, client1 = order.server_host, order.peer_host, order.client1_address
    if wrong := [host for host in (server_host, peer_host, client1, order.client2_address) if ":" in host]:
        raise TandemError(f"the hosts of a run have IPv4 addresses, not {wrong[0]}")
    peer_at_server = peer_host == server_host and not loopback(peer_host)
    stand_ins = (ip for ip in STAND_INS if ip not in (client1, order.client2_address, peer_host))
    server = server_host if _is_of_another_machine(server_host) else next(stand_ins)
    own = next(stand_ins) if peer_at_server and order.client2_address == server else order.client2_address
    client2 = (own, peer_host) if _is_of_another_machine(peer_host) and peer_host not in (own, server) else (own,)
    if len({server, client1, *client2}) < 2 + len(client2):
        given = ", ".join((server, client1, *client2))
        raise TandemError(f"the server, client 1 and client 2 need addresses of their own, not {given}")
    names = {host: ip for host, ip in ((peer_host, own), (server_host, server)) if not is_ipv4(host)}
    names.pop("localhost", None)
    return Addresses(server, client1, client2, loopback(server_host), loopback(peer_host), peer_at_server, names)


def _is_of_another_machine(host: str) -> bool:
    return is_ipv4(host) and not loopback(host)


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
