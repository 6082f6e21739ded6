"""What holds for every request and every answer, whatever the page: whose name it is asked under, where a form comes
from, how much may come, and what a browser may do with what it gets.

Pure ASGI around the application; knows no page but the bounds in its table.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.board.gradebook.roster import MAX_BYTES

MAX_BODY = 40_000  # bytes; a message to check has at most 8,192, and each may become three in a form
BODIES = {"/gradebook/roster": MAX_BYTES + 10_000}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # "no-referrer" would take away the origin of our own forms, too
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
BUG = "Something went wrong on the board; its terminal says what. Try again in a moment."
# A proxy that goes by one length where the board goes by the other would pass on a second, hidden request.
TWO_LENGTHS = (
    "How long this request is cannot be told: send Content-Length, or HTTP/1.1 with Transfer-Encoding, not both."
)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class SecurityMiddleware:
    """Stands before the application. `names`: the host names it answers to; none: to all.

    `proxied`: a proxy on this machine stands before us, and its headers tell who asks, and how.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str], proxied: bool) -> None:
        self._app = app
        self._names = names
        self._proxied = proxied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._proxied:
            _believe_proxy(scope, headers)

        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer[name] = value
                if "cache-control" not in answer:
                    answer["Cache-Control"] = "no-store"
            await send(message)

        most = BODIES.get(scope["path"], MAX_BODY)
        refusal = self._refusal(scope, headers, most)
        if refusal:
            code, words = refusal
            # The connection ends with it: what still comes of such a request must not be read as the next one.
            await PlainTextResponse(words + "\n", code, {"Connection": "close"})(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, _bounded(receive, most), send_guarded)
        except ClientDisconnect:
            pass  # it left in the middle of its request: nobody is there to be answered
        except Exception:
            if not has_begun:
                await PlainTextResponse(BUG + "\n", 500)(scope, receive, send_guarded)
            raise  # the server writes it down

    def _refusal(self, scope: Scope, headers: Headers, most: int) -> tuple[int, str] | None:
        """Why the request is not even looked at; None if it is."""
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            return 400, TWO_LENGTHS
        if self._names and _host(headers.get("host", "")) not in self._names:
            return 403, "This board is not called by that name: use the address that it said when it started."
        if scope["method"] not in ("GET", "HEAD") and not _from_here(headers):
            return 403, "This form was sent from another site."
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > most:
            return 413, _too_much(most)
        return None


def names_for(host: str, proxied_name: str | None) -> tuple[str, ...]:
    """The names a board answers to that listens at `host`. On loopback no other name can be meant (DNS rebinding)."""
    if proxied_name:
        return (*LOOPBACK, proxied_name.lower())
    return LOOPBACK if is_loopback(host) else ()


def peer(scope: Scope) -> str:
    """The address that a request comes from; "" if there is none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_private(scope: Scope) -> bool:
    """Whether nobody on the network can read the request, once the guard has passed it.

    That is HTTPS, or a browser on this machine that asks for it by a name of this machine. A name of another machine,
    or a header that only proxies write, is a sign of a proxy that the board was not told of.
    """
    if scope["scheme"] == "https":
        return True
    headers = Headers(scope=scope)
    is_forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    return is_loopback(peer(scope)) and _host(headers.get("host", "")) in LOOPBACK and not is_forwarded


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(header: str) -> str:
    """A Host header without its port, in small letters."""
    host = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    return host.lower()


def _from_here(headers: Headers) -> bool:
    """Whether a form comes from our own pages. A program that is no browser sends neither header."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # such as an IPv6 address without its end
        return False


def _believe_proxy(scope: Scope, headers: Headers) -> None:
    """Take the client's address and scheme from what the last proxy wrote: the end of the last line of each header.

    All before it may be the client's own invention. Only a proxy on this machine is believed.
    """
    if not is_loopback(peer(scope)):
        return
    client = _ip(_last(headers, "x-forwarded-for"))
    if client:
        scope["client"] = (client, 0)
    if _last(headers, "x-forwarded-proto").lower() == "https":
        scope["scheme"] = "https"


def _last(headers: Headers, name: str) -> str:
    """The last value of a header that may come in several lines, each a list; "" without one."""
    return headers.getlist(name)[-1].rpartition(",")[2].strip() if name in headers else ""


def _ip(text: str) -> str:
    """An IP address, which some proxies write with the client's port, as 192.0.2.7:50123; "" if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str((found.version == 6 and found.ipv4_mapped) or found)


def _too_much(most: int) -> str:
    return f"That is too much: at most {most:,} bytes."


def _bounded(receive: Receive, most: int) -> Receive:
    """The same body, but an exception where it grows too long."""
    came = 0

    async def receive_bounded() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(413, _too_much(most))
        return message

    return receive_bounded
