r"""The table of symptoms of docs/mistakes.md, as data: what the screen shows, and the entries that it leads to.

The first entry of a row is the most likely one. An entry is the id of a mistake or of a problem of the catalogue. The
words between backticks are what `tandem explain` looks for. After a change run python3 -m testing.messages.page.
"""

import re
from dataclasses import dataclass

_CODE = re.compile(r"`([^`]+)`")
_NUMBER = re.compile(r"\[(?:Errno|WinError) (-?\d+)\]")
_ERROR_CLASS = re.compile(r"\A\w+Error: ")


@dataclass(frozen=True, slots=True)
class Symptom:
    """One row of the table. `shown` is Markdown."""

    shown: str
    entries: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The error numbers of all systems that mean this."""
        return tuple(int(number) for number in _NUMBER.findall(self.shown))

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words of errors in the row, without the name of the class: other versions have another one."""
        spans = [span for span in _CODE.findall(self.shown) if not _NUMBER.match(span)]
        return tuple(_ERROR_CLASS.sub("", span) for span in spans if " " in span or span.endswith("Error"))


SYMPTOMS = (
    Symptom(
        "`Connection refused`, `[Errno 111]`, `[Errno 61]`, `[WinError 10061]`",
        (
            "not-listening",
            "wrong-bind-address",
        ),
    ),
    Symptom(
        "`timed out`, `TimeoutError`, `[Errno 110]`, `[Errno 60]`, `[WinError 10060]`",
        (
            "firewall",
            "both-wait",
        ),
    ),
    Symptom(
        "`No route to host`, `Network is unreachable`, `Host is down`, `[Errno 112]`, `[Errno 64]`, "
        "`[WinError 10064]`, `[Errno 113]`, `[Errno 65]`, `[Errno 101]`, `[Errno 51]`, `[WinError 10065]`, "
        "`[WinError 10051]`",
        ("firewall",),
    ),
    Symptom(
        "`Address already in use`, `[Errno 98]`, `[Errno 48]`, `[WinError 10048]`",
        ("port-in-use",),
    ),
    Symptom(
        "`Cannot assign requested address`, `Can't assign requested address`, `[Errno 99]`, `[Errno 49]`, "
        "`[WinError 10049]`",
        ("wrong-bind-address",),
    ),
    Symptom(
        "`Permission denied`, `[Errno 13]`, `[WinError 10013]` at `bind`",
        ("port-in-use",),
    ),
    Symptom(
        "`Name or service not known`, `nodename nor servname provided, or not known`, `getaddrinfo failed`, "
        "`Temporary failure in name resolution`, `[Errno -2]`, `[Errno -3]`, `[Errno 8]`, `[Errno 11001]`",
        ("not-listening",),
    ),
    Symptom(
        "`Connection reset by peer`, `[Errno 104]`, `[Errno 54]`, `[WinError 10054]`, `Broken pipe`, `[Errno "
        "32]`, `[WinError 10053]`",
        ("end-of-stream",),
    ),
    Symptom(
        "`Transport endpoint is not connected`, `Socket is not connected`, `[Errno 107]`, `[Errno 57]`, "
        "`[WinError 10057]`",
        ("wrong-type",),
    ),
    Symptom(
        "`Transport endpoint is already connected`, `Socket is already connected`, `[Errno 106]`, `[Errno "
        "56]`, `[WinError 10056]`",
        ("connected-twice",),
    ),
    Symptom(
        "`Resource temporarily unavailable`, `BlockingIOError`, `[Errno 11]`, `[Errno 35]`, `[WinError 10035]`",
        ("non-blocking",),
    ),
    Symptom(
        "`Too many open files`, `[Errno 24]`, `[WinError 10024]`",
        ("sockets-left-open",),
    ),
    Symptom(
        "`Operation not supported`, `[Errno 95]`, `[Errno 102]`, `[WinError 10045]` at `listen` or `accept`; "
        "or `SOCK_DGRAM` in the program",
        ("udp",),
    ),
    Symptom(
        "`Bad file descriptor`, `[Errno 9]`, `Socket operation on non-socket`, `[Errno 88]`, `[Errno 38]`, "
        "`[WinError 10038]`: a socket is used after its `close`",
        ("wrong-type",),
    ),
    Symptom(
        "`Invalid argument`, `[Errno 22]`, `[WinError 10022]`: at `accept`, `listen` was not called; at "
        "`connect` or `bind`, the address or port is not valid",
        ("wrong-type",),
    ),
    Symptom(
        "`JSONDecodeError: Unterminated string`, `Expecting ',' delimiter`, with a column that changes",
        ("one-recv",),
    ),
    Symptom(
        "`Expecting ',' delimiter` with the same column each time: a comma is missing in what was sent, or a "
        "quote stands in a text",
        (
            "missing-comma",
            "quote-in-text",
        ),
    ),
    Symptom(
        "`JSONDecodeError: Expecting ':' delimiter`",
        (
            "missing-colon",
            "wrong-separator",
        ),
    ),
    Symptom(
        "`JSONDecodeError: Invalid control character`",
        (
            "newline-in-text",
            "quote-never-closed",
        ),
    ),
    Symptom(
        r"`JSONDecodeError: Invalid \escape`",
        (
            "escaped-bytes-text",
            "bad-escape",
        ),
    ),
    Symptom(
        "`JSONDecodeError: Illegal trailing comma before end of object`",
        ("trailing-comma",),
    ),
    Symptom(
        "`JSONDecodeError: Expecting value: line 1 column 1 (char 0)`",
        (
            "welcome-as-reply",
            "end-of-stream",
        ),
    ),
    Symptom(
        "`JSONDecodeError: Extra data`",
        ("welcome-as-reply",),
    ),
    Symptom(
        "`JSONDecodeError: Expecting property name enclosed in double quotes`",
        ("python-for-json",),
    ),
    Symptom(
        "`JSONDecodeError: Unexpected UTF-8 BOM`, `UnicodeDecodeError`",
        ("other-encoding",),
    ),
    Symptom(
        "`TypeError: a bytes-like object is required, not 'str'`, `a bytes-like object is required, not "
        "'dict'`, `port must be 0-65535`, `'str' object cannot be interpreted as an integer`, `an integer is "
        "required`",
        ("wrong-type",),
    ),
    Symptom(
        "`TypeError: connect(): AF_INET address must be tuple, not str`, the same with `bind()`, "
        "`socket.connect() takes exactly one argument (2 given)`",
        ("wrong-type",),
    ),
    Symptom(
        "`AttributeError: 'tuple' object has no attribute 'recv'` (or `'send'`, `'sendall'`, `'close'`)",
        ("wrong-type",),
    ),
    Symptom(
        "`TypeError: the JSON object must be str, bytes or bytearray, not dict` (or `not NoneType`, `not socket`)",
        ("decoded-twice",),
    ),
    Symptom(
        "`AttributeError: 'str' object has no attribute 'decode'`, `'bytes' object has no attribute "
        "'encode'`, `'dict' object has no attribute 'encode'`",
        ("decoded-twice",),
    ),
    Symptom(
        "`NameError: name 'null' is not defined` (or `'true'`, `'false'`)",
        ("python-for-json",),
    ),
    Symptom(
        "`AttributeError: partially initialized module 'json' has no attribute 'dumps'`, `module 'socket' has "
        "no attribute 'socket'`, `TypeError: 'module' object is not callable`",
        ("own-module",),
    ),
    Symptom(
        "`TypeError: string indices must be integers`, `'str' object has no attribute 'get'`: "
        "json.dumps was called twice",
        ("json-twice",),
    ),
    Symptom(
        "`TypeError: Object of type bytes is not JSON serializable`",
        ("str-of-bytes",),
    ),
    Symptom(
        "`KeyError: 'status'`, `KeyError: 'secret'`",
        ("other-encoding",),
    ),
    Symptom(
        "your own message comes back to you",
        ("self-connect",),
    ),
    Symptom(
        "it works on one machine, and from another one nobody reaches client 2",
        (
            "wrong-bind-address",
            "firewall",
            "wsl",
        ),
    ),
    Symptom(
        "a second message on the connection gets no reply",
        ("second-message",),
    ),
    Symptom(
        "nothing at all; the program stands still",
        (
            "both-wait",
            "end-of-stream",
        ),
    ),
    Symptom(
        "the fan turns, the processor is at 100 %",
        ("end-of-stream",),
    ),
)
