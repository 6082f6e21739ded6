"""How long a request is: whatever can be read in two ways is refused, and what follows it is never looked at.

A proxy that reads a request in one way where the board reads it in the other passes on a second one that it has not
seen (request smuggling). So these are raw bytes, sent to a board as it runs.
"""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.boards import RunningBoard, running_board
from testing.processes import LIMIT

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /check HTTP/1.1"
BODY = b"message=x"
CHUNKED = b"9\r\nmessage=x\r\n0\r\n\r\n"
TE = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"  # the board answers it with 404


def request(headers: bytes, body: bytes, line: bytes = POST, host: bytes = HOST) -> bytes:
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    return line + b"\r\n" + host + kind + headers + b"\r\n" + body


ONE_LENGTH = {
    "a length": request(b"Content-Length: 9\r\n", BODY),
    "chunks": request(TE, CHUNKED),
    "a chunk with an extension": request(TE, b"9;a=b\r\nmessage=x\r\n0\r\n\r\n"),
    "the same length twice, which is one (RFC 9110, 8.6)": request(b"Content-Length: 9\r\n" * 2, BODY),
    "the same length twice in a line": request(b"Content-Length: 9, 9\r\n", BODY),
    "a name with an underscore, which is another": request(b"Content_Length: 90\r\nContent-Length: 9\r\n", BODY),
    "lines without CR": request(b"X: a\nContent-Length: 9\n", BODY),
    "a GET that has a body": request(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN, b"GET /check HTTP/1.1"),
}
TWO_LENGTHS = {
    "a length and chunks": request(b"Content-Length: 9\r\n" + TE, CHUNKED),
    "chunks and a length": request(TE + b"Content-Length: 5\r\n", b"0\r\n\r\n"),
    "a request in the body": request(b"Content-Length: %d\r\n" % (5 + len(HIDDEN)) + TE, b"0\r\n\r\n" + HIDDEN),
    "in capitals": request(b"TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 9\r\n", CHUNKED),
    "in two lines": request(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 9\r\n", CHUNKED),
    "two lengths": request(b"Content-Length: 9\r\nContent-Length: 8\r\n", BODY),
    "two lengths in a line": request(b"Content-Length: 9, 8\r\n", BODY),
    "a sign": request(b"Content-Length: +9\r\n", BODY),
    "below nothing": request(b"Content-Length: -9\r\n", BODY),
    "in hexadecimal": request(b"Content-Length: 0x9\r\n", BODY),
    "with an underscore": request(b"Content-Length: 9_0\r\n", BODY),
    "no length": request(b"Content-Length: \r\n", BODY),
    "more digits than a number has": request(b"Content-Length: " + b"9" * 30 + b"\r\n", BODY),
    "a space before the colon": request(b"Content-Length : 9\r\n", BODY),
    "a length in two lines": request(b"Content-Length: 9\r\n 0\r\n", BODY),
    "chunks twice": request(TE * 2, CHUNKED),
    "chunks in chunks": request(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKED),
    "compressed": request(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKED),
    "as it is": request(b"Transfer-Encoding: identity\r\nContent-Length: 9\r\n", BODY),
    "nearly chunked": request(b"Transfer-Encoding: xchunked\r\n", CHUNKED),
    "chunked behind a control character": request(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKED),
    "chunked with a space before the colon": request(b"Transfer-Encoding : chunked\r\n", CHUNKED),
    "chunks, which HTTP/1.0 does not have": request(TE, CHUNKED, b"POST /check HTTP/1.0"),
    "a size of a chunk that is none": request(TE, b"0x9\r\nmessage=x\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": request(TE, b"9\r\nmessage=xAB0\r\n\r\n"),
    "chunks without CR": request(TE, b"9\nmessage=x\n0\n\n"),
    "two hosts": request(b"Content-Length: 9\r\n", BODY, host=HOST * 2),
    "no host": request(b"Content-Length: 9\r\n", BODY, host=b""),
    "a lone CR": request(b"X: a\rContent-Length: 9\r\n", BODY),
    "a zero byte": request(b"X: a\0b\r\nContent-Length: 9\r\n", BODY),
    "an empty line first": b"\r\n" * 2 + request(b"Content-Length: 9\r\n", BODY),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBoard]:
    with running_board(tmp_path_factory.mktemp("board")) as started:
        yield started
        assert "Traceback" not in started.process.err


def answers(running: RunningBoard, sent: bytes) -> list[str]:
    """The status of every answer until the board closes the connection."""
    host, _, port = running.address.partition(":")
    came = b""
    with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
        connection.sendall(sent)
        with contextlib.suppress(ConnectionError):  # closed, and there was still something to read
            while piece := connection.recv(65_536):
                came += piece
    return [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d+)", came)]


@pytest.mark.parametrize("sent", ONE_LENGTH.values(), ids=ONE_LENGTH)
def test_one_length_and_then_the_next_request(running: RunningBoard, sent: bytes) -> None:
    assert answers(running, sent + HIDDEN) == ["200", "404"]


@pytest.mark.parametrize("sent", TWO_LENGTHS.values(), ids=TWO_LENGTHS)
def test_a_length_that_can_be_read_in_two_ways_ends_the_connection(running: RunningBoard, sent: bytes) -> None:
    assert answers(running, sent + HIDDEN) == ["400"]


def test_a_client_that_leaves_in_the_middle_is_no_bug_of_ours(tmp_path: Path) -> None:
    with running_board(tmp_path) as running:
        host, _, port = running.address.partition(":")
        for sent in (request(b"Content-Length: 9\r\n", b"mess"), request(TE, b"9\r\nmess")):
            with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
                connection.sendall(sent)
        assert running.get("/")[0] == 200
        running.process.stop()
        assert "Traceback" not in running.process.err
