"""What holds for every request and every answer, whatever the page: whose name it is asked under, where a form comes
from, how much may come, and what a browser may do with what it gets.

Pure ASGI around the application; knows no page but the bounds in its table.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.board.roster import MOST_BYTES

MOST_BODY = 40_000  # bytes; a message to check has at most 8,192, and each may become three in a form
BODIES = {"/gradebook/roster": MOST_BYTES + 10_000}

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
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Guard:
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

        most = BODIES.get(scope["path"], MOST_BODY)
        refusal = self._refusal(scope, headers, most)
        if refusal:
            code, words = refusal
            await PlainTextResponse(words + "\n", code)(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, _bounded(receive, most), send_guarded)
        except Exception:
            if not has_begun:
                await PlainTextResponse(BUG + "\n", 500)(scope, receive, send_guarded)
            raise  # the server writes it down

    def _refusal(self, scope: Scope, headers: Headers, most: int) -> tuple[int, str] | None:
        """Why the request is not even looked at; None if it is."""
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
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _believe_proxy(scope: Scope, headers: Headers) -> None:
    forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if forwarded:
        scope["client"] = (forwarded[:64], 0)
    if headers.get("x-forwarded-proto") == "https":
        scope["scheme"] = "https"


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
