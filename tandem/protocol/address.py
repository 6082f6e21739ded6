"""HOST:PORT as people write it, and addresses as this project shows them. Resolves no names and connects to nothing.

One grammar for every option: HOST:PORT, HOST, [IPV6]:PORT and [IPV6]; where a program listens, :PORT and PORT too.
It is strict, because the system is not: it reads 5550 as 0.0.21.174, 192.168.1 as 192.168.0.1 and 010.0.0.1 as 8.0.0.1.
"""

import socket

SERVER_PORT = 5550  # default (PROTOCOL 1.2)
CLIENT_2_PORT = 5551  # default (PROTOCOL 1.2)

ALL_ADDRESSES = ("0.0.0.0", "::")  # what a socket that listens on all of them shows as its own

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_BYTES = frozenset(map(str, range(256)))  # the numbers of an IPv4 address
_MAX_NAME = 253  # characters of a host name
_MAX_LABEL = 63  # between two dots of it


def parse_address(text: str, default_port: int) -> tuple[str, int]:
    """Return the host and the port of an address to connect to.

    Raises:
        ValueError: The text is not in the grammar. The message says why, and which form was meant.
    """
    try:
        host, port = _parse(text, default_port)
        if port == 0:
            raise ValueError("nothing can be reached at port 0")
    except ValueError as error:
        raise ValueError(f"{text!r} is not HOST:PORT: {error}; {_meant_form(text, default_port)}") from None
    return host, port


def parse_listen_address(text: str, default_port: int) -> tuple[str, int]:
    """Return the host and the port of an address to listen on. The host "" means all addresses of this machine.

    Port 0: the system chooses a free port.

    Raises:
        ValueError: The text is not in the grammar. The message says why, and which form was meant.
    """
    port = text.removeprefix(":")
    if _is_port(port):
        return "", int(port)
    try:
        if port.isdigit():
            raise ValueError(f"the port {port!r} is not a number from 0 to 65535")
        return _parse(text, default_port)
    except ValueError as error:
        meant = _meant_form(text, default_port)
        alone = "" if meant.endswith("?") else ", or a port alone for all addresses"
        raise ValueError(f"{text!r} is not [HOST:]PORT: {error}; {meant}{alone}") from None


def show_address(host: str, port: int) -> str:
    """Return HOST:PORT, with an IPv6 address in brackets, and with * for all addresses of the machine."""
    return f"[{host}]:{port}" if ":" in host else f"{host or '*'}:{port}"


def plain_ip(ip: str) -> str:
    """Return an address from the socket layer in its usual form: no ::ffff: before IPv4, no zone after IPv6."""
    ip = ip.partition("%")[0]
    return ip.removeprefix("::ffff:") if "." in ip else ip


def family_of(ip: str) -> str:
    """Return "IPv4" or "IPv6"."""
    return "IPv6" if ":" in ip else "IPv4"


def is_loopback(ip: str) -> bool:
    """Return whether only programs on the same machine can use the address, or connect from it."""
    return ip.startswith("127.") or ip == "::1"


def accepted_families(listener: socket.socket) -> str:
    """Return in words whether connections over IPv4, IPv6 or both are accepted."""
    if listener.family == socket.AF_INET:
        return "only IPv4"
    return "only IPv6" if listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) else "IPv4 and IPv6"


def _parse(text: str, default_port: int) -> tuple[str, int]:
    _check_text(text)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (rest and not rest.startswith(":")):
            raise ValueError("with brackets it is [IPV6] or [IPV6]:PORT")
        port = rest[1:] if rest else str(default_port)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(default_port)
        _check_host(host)
    if not _is_port(port):
        raise ValueError(f"the port {port!r} is not a number from 1 to 65535")
    return host, int(port)


def _check_text(text: str) -> None:
    """Raise ValueError if the text is something else than HOST:PORT as a whole."""
    if "://" in text:
        raise ValueError("it is the address of a page")
    if any(c.isspace() for c in text):
        raise ValueError("there is a blank in it")
    if "," in text:
        raise ValueError("there is a comma in it")
    if text.isdigit():
        raise ValueError("a number alone names no machine")
    if _is_ipv6(text):
        raise ValueError("an IPv6 address needs brackets")


def _check_host(host: str) -> None:
    """Raise ValueError if this is neither an IPv4 address nor a host name."""
    labels = host.removesuffix(".").split(".")
    if not host:
        raise ValueError("the host is missing")
    if _is_numeric(labels[-1]):
        if not _is_ipv4(host):
            raise ValueError("an IPv4 address is four numbers from 0 to 255, with no zero before another digit")
    elif len(host) > _MAX_NAME or not all(map(_is_label, labels)):
        raise ValueError(f"{host!r} is not the name of a machine")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535


def _is_ipv4(text: str) -> bool:
    numbers = text.split(".")
    return len(numbers) == 4 and _BYTES.issuperset(numbers)


def _is_ipv6(text: str) -> bool:
    address, percent, zone = text.partition("%")
    head, gap, tail = address.partition("::")
    groups = [group for part in (head, tail) if part for group in part.split(":")]
    if groups and address.endswith(groups[-1]) and _is_ipv4(groups[-1]):
        groups[-1:] = ["0", "0"]
    return (
        (len(groups) <= 7 if gap else len(groups) == 8)
        and all(1 <= len(group) <= 4 and _HEX_DIGITS.issuperset(group) for group in groups)
        and (not percent or (zone != "" and all(c.isalnum() or c in "-._" for c in zone)))
    )


def _is_label(text: str) -> bool:
    return 1 <= len(text) <= _MAX_LABEL and all(c.isalnum() or c in "-_" for c in text)


def _is_numeric(label: str) -> bool:
    """Return whether the system may read the last part of a name as a number, and so the name as an IPv4 address."""
    if not label or not label[0].isnumeric():
        return False
    return label.isnumeric() or not label.isascii() or (label[1] in "xX" and _HEX_DIGITS.issuperset(label[2:]))


def _meant_form(text: str, default_port: int) -> str:
    """Return what to write instead: what was probably meant if that can be told, else an example."""
    bare = text.strip().rpartition("://")[2].partition("/")[0]
    joined = ":".join(part.strip(":") for part in bare.replace(",", " ").replace(";", " ").split())
    host, _, port = bare.rpartition(":")
    candidates = (bare, joined, bare.replace(",", "."), f"[{bare}]", f"[{host}]:{port}")
    meant = [form for form in dict.fromkeys(candidates) if form != text and _is_address(form, default_port)]
    if meant:
        return f"did you mean {' or '.join(meant)}?"
    port = bare.removeprefix("*").removeprefix(":")
    port = port if _is_port(port) and port != "0" else str(default_port)
    return f"write it as 192.168.1.2:{port}, or as [2001:db8::2]:{port} for IPv6"


def _is_address(text: str, default_port: int) -> bool:
    try:
        _parse(text, default_port)
    except ValueError:
        return False
    return True
