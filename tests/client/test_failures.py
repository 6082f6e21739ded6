"""Every error of the system that a client can meet, with the numbers of Linux, macOS and Windows: what it says."""

import errno
import socket

import pytest

from tandem.client.failures import client_error

WHERE = "192.0.2.1:5550"

# action, what it says, then the error as Linux, macOS and Windows raise it
ROWS: tuple[tuple[str, str, tuple[Exception, ...]], ...] = (
    ("connect", "there is no machine called 192.0.2.1:5550", tuple(socket.gaierror(n, "?") for n in (-2, 8, 11001))),
    ("connect", "is not the name of a machine", (UnicodeError("label too long"),)),
    ("connect", "connection refused", tuple(ConnectionRefusedError(n, "?") for n in (111, 61, 10061))),
    (
        "connect",
        "did not answer in time",
        (TimeoutError("timed out"), *(TimeoutError(n, "?") for n in (110, 60, 10060))),
    ),
    ("connect", "there is no route to", tuple(OSError(n, "?") for n in (113, 65, 10065))),
    ("connect", "there is no route to", tuple(OSError(n, "?") for n in (101, 51, 10051))),
    ("connect", "there is no route to", tuple(OSError(n, "?") for n in (100, 50, 10050))),
    ("connect", "it is not possible to connect to", tuple(OSError(n, "?") for n in (99, 49, 10049))),
    ("connect", "this system forbids connecting to", tuple(PermissionError(n, "?") for n in (1, 13, 10013))),
    ("connect", "connection reset", tuple(ConnectionResetError(n, "?") for n in (104, 54, 10054))),
    ("connect", "connection reset", tuple(ConnectionAbortedError(n, "?") for n in (103, 53, 10053))),
    ("connect", "connection reset", tuple(OSError(n, "?") for n in (107, 57, 10057))),  # reset before getpeername
    ("listen", "port already in use", tuple(OSError(n, "?") for n in (98, 48, 10048))),
    ("listen", "does not let you listen on", tuple(PermissionError(n, "?") for n in (13, 13, 10013))),
    ("listen", "is not an address of this machine", tuple(OSError(n, "?") for n in (99, 49, 10049))),
    ("listen", "is not an address of this machine", tuple(socket.gaierror(n, "?") for n in (-2, 8, 11001))),
    ("listen", "is not an address of this machine", (UnicodeError("label too long"),)),
    ("talk", "connection reset", tuple(ConnectionResetError(n, "?") for n in (104, 54, 10054))),
    ("talk", "connection reset", tuple(ConnectionAbortedError(n, "?") for n in (103, 53, 10053))),
    ("talk", "connection reset", tuple(BrokenPipeError(n, "?") for n in (32, 32, 10058))),
    ("talk", "did not answer in time", (TimeoutError("timed out"), *(TimeoutError(n, "?") for n in (110, 60, 10060)))),
)

CASES = [
    pytest.param(action, says, error, id=f"{action}-{type(error).__name__}-{error.args[0]}")
    for action, says, errors in ROWS
    for error in errors
]


@pytest.mark.parametrize(("action", "says", "error"), CASES)
def test_says_what_it_means_and_what_to_try(action: str, says: str, error: Exception) -> None:
    found = client_error(action, WHERE, error)
    assert says in found.what
    assert WHERE in found.what
    assert found.help
    for words in (found.what, found.help):
        assert "\n" not in words
        assert not set("{}") & set(words), "a placeholder that was not filled in"


@pytest.mark.parametrize("action", ["connect", "listen", "talk"])
def test_an_unknown_error_is_shown_as_it_is(action: str) -> None:
    found = client_error(action, WHERE, OSError(errno.EIO, "Input/output error"))
    assert WHERE in found.what
    assert "Input/output error" in found.what
    assert found.help


def test_braces_in_a_name_are_no_placeholder() -> None:
    assert (
        client_error("connect", "{address}", ConnectionRefusedError()).what
    ) == "connection refused: the machine is there, but nothing listens on {address}"


def test_an_error_knows_its_arrow() -> None:
    found = client_error("talk", WHERE, TimeoutError())
    assert found.arrow == 0
    assert found.with_arrow(4) is found
    assert found.arrow == 4
