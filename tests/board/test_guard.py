"""The guard before the application: a body without a length, what a proxy says, what is no request."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from tandem.board.guard import HEADERS, MOST_BODY, Guard


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


def answer(guard: Guard, headers: dict[str, str], pieces: Sequence[bytes] = (b"",)) -> tuple[object, bytes]:
    """The status and the body of an answer."""
    sent: list[Message] = []

    async def bodies() -> AsyncIterator[Message]:
        for number, piece in enumerate(pieces, 1):
            yield {"type": "http.request", "body": piece, "more_body": number < len(pieces)}

    coming = bodies()

    async def send(message: Message) -> None:
        sent.append(message)

    async def play() -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/check", "scheme": "http", "client": ("127.0.0.1", 1)}
        await guard(scope | {"headers": pairs}, lambda: anext(coming), send)

    asyncio.run(play())
    return sent[0]["status"], sent[-1]["body"]


def guard(names: Sequence[str] = (), proxied: bool = False) -> Guard:
    return Guard(reader, names, proxied)


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
        asyncio.run(Guard(buggy, (), False)(scope, receive, send))
    assert sent[0]["status"] == 500
    assert {name.lower().encode() for name in HEADERS} <= {name for name, _ in sent[0]["headers"]}


def test_a_length_that_is_none_or_too_large() -> None:
    for length in ("-1", "x", "1" * 16, str(MOST_BODY + 1), "²"):
        assert answer(guard(), {"content-length": length.encode().decode("latin-1")})[0] == 413


def test_a_proxy_is_believed_only_where_there_is_one() -> None:
    headers = {"x-forwarded-for": "198.51.100.9, 192.0.2.7", "x-forwarded-proto": "https"}
    assert answer(guard(), headers) == (200, b"0 http ('127.0.0.1', 1)")
    assert answer(guard(proxied=True), headers) == (200, b"0 https ('192.0.2.7', 0)")
    assert answer(guard(proxied=True), {}) == (200, b"0 http ('127.0.0.1', 1)")


def test_what_is_no_request_passes() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(guard(["name"])({"type": "lifespan"}, receive, send))
    assert sent[0]["status"] == 200
