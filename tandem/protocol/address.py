"""HOST:PORT as people write it, and addresses as this project shows them. Text only: resolves no names."""

SERVER_PORT = 5550  # default (PROTOCOL 1.2)
CLIENT_2_PORT = 5551  # default (PROTOCOL 1.2)


def parse_address(text: str, default_port: int) -> tuple[str, int]:
    """Return the host and the port of HOST:PORT, HOST, [IPV6]:PORT, :PORT or IPV6. A missing host is "".

    Raises:
        ValueError: The text is none of these; the message says why.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not [IPV6]:PORT")
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not port:
        return host, default_port
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
        raise ValueError(f"the port {port!r} in {text!r} is not a number from 0 to 65535")
    return host, int(port)


def show_address(host: str, port: int) -> str:
    """Return HOST:PORT, with an IPv6 address in brackets, and with * for all addresses of the machine."""
    return f"[{host}]:{port}" if ":" in host else f"{host or '*'}:{port}"


def plain_ip(ip: str) -> str:
    """Return an address from the socket layer in its usual form: no ::ffff: before IPv4, no zone after IPv6."""
    ip = ip.partition("%")[0]
    return ip.removeprefix("::ffff:") if "." in ip else ip
