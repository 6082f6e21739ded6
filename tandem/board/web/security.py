"""ASGI middleware for every request: checks host name, origin and size, and sets the security headers of responses.

Knows no page, except in its table of size limits.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.board.gradebook.roster import MAX_ROSTER_BYTES

MAX_BODY_BYTES = 40_000  # a message to check has at most 8,192 bytes, and a form may need three for each
MAX_BODY_BYTES_BY_PATH = {"/gradebook/roster": MAX_ROSTER_BYTES + 10_000}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # "no-referrer" would remove the Origin header of the board's own forms, too
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
INTERNAL_ERROR = "The board has failed; the reason is on its standard error. Try again in a few seconds."
# Request smuggling: a proxy that uses one length where the board uses the other would forward a hidden second request.
AMBIGUOUS_LENGTH = (
    "The length of this request is ambiguous: send Content-Length, or HTTP/1.1 with Transfer-Encoding, not both."
)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class SecurityMiddleware:
    """Checks requests before the application sees them.

    Args:
        app: The application.
        host_names: The host names that the board answers to; if empty, it answers to all.
        proxied: A reverse proxy on this machine forwards to the board, and its headers are used.
    """

    def __init__(self, app: ASGIApp, host_names: Sequence[str], proxied: bool) -> None:
        self._app = app
        self._names = host_names
        self._proxied = proxied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or pass it to the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._proxied:
            _apply_proxy_headers(scope, headers)

        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer[name] = value
                if "cache-control" not in answer:
                    answer["Cache-Control"] = "no-store"
            await send(message)

        max_bytes = MAX_BODY_BYTES_BY_PATH.get(scope["path"], MAX_BODY_BYTES)
        rejection = self._rejection(scope, headers, max_bytes)
        if rejection:
            code, text = rejection
            # The connection is closed: the rest of the request must not be read as the next one.
            await PlainTextResponse(text + "\n", code, {"Connection": "close"})(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _limited(receive, max_bytes), send_with_headers)
        except ClientDisconnect:
            pass  # the client has closed the connection, so there is no response
        except Exception:
            if not has_started:
                await PlainTextResponse(INTERNAL_ERROR + "\n", 500)(scope, receive, send_with_headers)
            raise  # uvicorn logs it

    def _rejection(self, scope: Scope, headers: Headers, max_bytes: int) -> tuple[int, str] | None:
        """Return the status and text of a rejection, or None if the request is accepted."""
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            return 400, AMBIGUOUS_LENGTH
        if self._names and _host(headers.get("host", "")) not in self._names:
            return 403, "This board has another host name: use the address that it logged when it started."
        if scope["method"] not in ("GET", "HEAD") and not _is_same_origin(headers):
            return 403, "This form was sent from another site."
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > max_bytes:
            return 413, _too_large(max_bytes)
        return None


def host_names_for(host: str, proxied_name: str | None) -> tuple[str, ...]:
    """Return the host names that a board answers to which listens at `host`; none: it answers to all.

    On a loopback address every other name is refused, against DNS rebinding.
    """
    if proxied_name:
        return (*LOOPBACK, proxied_name.lower())
    return LOOPBACK if is_loopback(host) else ()


def client_address(scope: Scope) -> str:
    """Return the address that a request comes from, or "" if it is unknown."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_secure(scope: Scope) -> bool:
    """Return whether nobody on the network can read the request. Call it only behind SecurityMiddleware.

    A request is secure over HTTPS, or from a browser on this machine by a loopback name. Another host name, or a header
    that only proxies write, is the sign of a proxy that `--behind` does not name.
    """
    if scope["scheme"] == "https":
        return True
    headers = Headers(scope=scope)
    is_forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    return is_loopback(client_address(scope)) and _host(headers.get("host", "")) in LOOPBACK and not is_forwarded


def is_loopback(host: str) -> bool:
    """Return whether this is a loopback address or "localhost"."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(header: str) -> str:
    """Return a Host header without its port, in lower case."""
    host = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    return host.lower()


def _is_same_origin(headers: Headers) -> bool:
    """Return whether a form comes from the board's own pages. Programs other than browsers send neither header."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # for example an IPv6 address without its closing bracket
        return False


def _apply_proxy_headers(scope: Scope, headers: Headers) -> None:
    """Set the client's address and scheme to the last value of each header, which the proxy on this machine wrote.

    The client may have written all earlier values.
    """
    if not is_loopback(client_address(scope)):
        return
    client = _ip(_last(headers, "x-forwarded-for"))
    if client:
        scope["client"] = (client, 0)
    if _last(headers, "x-forwarded-proto").lower() == "https":
        scope["scheme"] = "https"


def _last(headers: Headers, name: str) -> str:
    """Return the last value of a header that may come in several lines, each a list; "" without one."""
    return headers.getlist(name)[-1].rpartition(",")[2].strip() if name in headers else ""


def _ip(text: str) -> str:
    """Return an IP address without a port (some proxies write 192.0.2.7:50123); "" if the text is not an address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str((found.version == 6 and found.ipv4_mapped) or found)


def _too_large(max_bytes: int) -> str:
    return f"This request is too large: at most {max_bytes:,} bytes."


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """Return a `receive` that raises a 413 HTTPException where the body exceeds the limit."""
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise HTTPException(413, _too_large(max_bytes))
        return message

    return receive_bounded
