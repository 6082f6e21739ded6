"""The guard before the application: a body without a length, what a proxy says, what is no request."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from tandem.board.web.security import HEADERS, MAX_BODY_BYTES, SecurityMiddleware, is_secure


async def reader(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads everything, and tells who asked."""
    length, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    said = f"{length} {scope.get('scheme')} {scope.get('client')}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})


def answer(
    guard: SecurityMiddleware,
    headers: dict[str, str] | list[tuple[str, str]],
    pieces: Sequence[bytes] = (b"",),
    client: str = "127.0.0.1",
) -> tuple[object, bytes]:
    """The status and the body of an answer."""
    lines = headers.items() if isinstance(headers, dict) else headers
    sent: list[Message] = []

    async def bodies() -> AsyncIterator[Message]:
        for number, piece in enumerate(pieces, 1):
            yield {"type": "http.request", "body": piece, "more_body": number < len(pieces)}

    coming = bodies()

    async def send(message: Message) -> None:
        sent.append(message)

    async def play() -> None:
        pairs = [(name.encode(), value.encode()) for name, value in lines]
        scope = {"type": "http", "method": "POST", "path": "/check", "scheme": "http", "client": (client, 1)}
        await guard(scope | {"headers": pairs}, lambda: anext(coming), send)

    asyncio.run(play())
    return sent[0]["status"], sent[-1]["body"]


def guard(names: Sequence[str] = (), proxied: bool = False) -> SecurityMiddleware:
    return SecurityMiddleware(reader, names, proxied)


def test_a_body_that_does_not_say_how_long_it_is() -> None:
    assert answer(guard(), {}, [b"x" * 10_000] * 3)[0] == 200
    with pytest.raises(HTTPException, match="413"):
        answer(guard(), {}, [b"x" * 10_000] * 5)


def test_a_bug_is_answered_with_the_same_headers_and_told_to_the_server() -> None:
    async def buggy(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ZeroDivisionError):
        asyncio.run(SecurityMiddleware(buggy, (), False)(scope, receive, send))
    assert sent[0]["status"] == 500
    assert {name.lower().encode() for name in HEADERS} <= {name for name, _ in sent[0]["headers"]}


def test_a_length_that_is_none_or_too_large() -> None:
    for length in ("-1", "x", "1" * 16, str(MAX_BODY_BYTES + 1), "²"):
        assert answer(guard(), {"content-length": length.encode().decode("latin-1")})[0] == 413


HEADERS_OF_A_PROXY = {"x-forwarded-for": "198.51.100.9, 192.0.2.7", "x-forwarded-proto": "https"}


def test_a_proxy_is_believed_only_where_there_is_one_and_on_this_machine_alone() -> None:
    assert answer(guard(), HEADERS_OF_A_PROXY) == (200, b"0 http ('127.0.0.1', 1)")
    assert answer(guard(proxied=True), {}) == (200, b"0 http ('127.0.0.1', 1)")
    for local in ("127.0.0.1", "127.0.0.9", "::1"):
        assert answer(guard(proxied=True), HEADERS_OF_A_PROXY, client=local) == (200, b"0 https ('192.0.2.7', 0)")
    for other in ("192.0.2.99", "2001:db8::1", "::ffff:192.0.2.99", "", "unknown"):
        expected = f"0 http ('{other}', 1)".encode()
        assert answer(guard(proxied=True), HEADERS_OF_A_PROXY, client=other) == (200, expected)


# What comes in X-Forwarded-For, a text for each of its lines -> whom the board takes for the client. The last proxy
# writes at the end of the last line, or a line of its own; all before it the client may have made up.
FORWARDED = {
    ("192.0.2.7",): "192.0.2.7",
    ("198.51.100.9, 192.0.2.7",): "192.0.2.7",
    ("198.51.100.9", "192.0.2.7"): "192.0.2.7",
    ("198.51.100.9, 198.51.100.8", "198.51.100.7,192.0.2.7"): "192.0.2.7",
    ("192.0.2.7:50123",): "192.0.2.7",
    ("2001:db8::7",): "2001:db8::7",
    ("[2001:db8::7]",): "2001:db8::7",
    ("[2001:db8::7]:50123",): "2001:db8::7",
    ("2001:0DB8:0:0:0:0:0:7",): "2001:db8::7",
    ("::ffff:192.0.2.7",): "192.0.2.7",
    ("fe80::1%eth0",): "fe80::1",
    ("unknown",): "127.0.0.1",
    ("_hidden",): "127.0.0.1",
    ("",): "127.0.0.1",
    ("192.0.2.7", ""): "127.0.0.1",
    ("192.0.2.7,",): "127.0.0.1",
    ("192.0.2.7" * 1000,): "127.0.0.1",
}


@pytest.mark.parametrize(("lines", "client"), FORWARDED.items(), ids=lambda value: str(value)[:40])
def test_the_client_is_whom_the_last_proxy_names(lines: tuple[str, ...], client: str) -> None:
    told = answer(guard(proxied=True), [("x-forwarded-for", line) for line in lines])[1]
    assert f"('{client}'" in told.decode()


def test_of_the_scheme_the_last_counts_too() -> None:
    for lines, scheme in ((("https", "http"), b"http"), (("http", "https"), b"https"), (("https, http",), b"http")):
        told = answer(guard(proxied=True), [("x-forwarded-proto", line) for line in lines])[1]
        assert told.split()[1] == scheme


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "http://testserver.example", "//", "\u00e9"])
def test_a_form_from_an_odd_place_is_refused(origin: str) -> None:
    status, _ = answer(guard(), [("host", "testserver"), ("origin", origin)])
    assert status == 403


PRIVATE = {
    "https": ({"scheme": "https", "client": ("192.0.2.9", 1)}, {}, True),
    "this machine": ({}, {"host": "127.0.0.1:8080"}, True),
    "this machine by IPv6": ({"client": ("::1", 1)}, {"host": "[::1]:8080"}, True),
    "through SSH": ({}, {"host": "localhost:8080"}, True),
    "the network": ({"client": ("192.0.2.9", 1)}, {"host": "127.0.0.1:8080"}, False),
    "nobody": ({"client": None}, {"host": "127.0.0.1"}, False),
    "another name": ({}, {"host": "board.example.org"}, False),
    "no name": ({}, {}, False),
    "a proxy that the board was not told of": ({}, {"host": "127.0.0.1", "x-forwarded-for": "192.0.2.9"}, False),
    "one of RFC 7239": ({}, {"host": "127.0.0.1", "forwarded": "for=192.0.2.9"}, False),
}


@pytest.mark.parametrize(("scope", "headers", "expected"), PRIVATE.values(), ids=PRIVATE)
def test_what_nobody_else_can_read(scope: Scope, headers: dict[str, str], expected: bool) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert is_secure({"scheme": "http", "client": ("127.0.0.1", 1), "headers": pairs, **scope}) == expected


def test_what_is_no_request_passes() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(guard(["name"])({"type": "lifespan"}, receive, send))
    assert sent[0]["status"] == 200
