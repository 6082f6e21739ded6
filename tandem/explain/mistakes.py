r"""Mistakes in connecting, sending and reading, as data: the first part of docs/mistakes.md is made of them.

The texts are Markdown. After a change run python3 -m testing.messages.page.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the symptom, the cause and the remedy."""

    number: int  # on the page
    id: str
    title: str
    see: str
    why: str
    do: str


MISTAKES = (
    Mistake(
        1,
        "one-recv",
        "One recv for one message",
        see="""`json.decoder.JSONDecodeError: Unterminated string starting at: line 1 column 151`, or another JSON
error, each time at another column; often only between two machines, never on one.""",
        why="TCP carries a stream of bytes. One `send` of the other side may take two `recv` calls here.",
        do="""call `recv` again and put the pieces together until the message is complete: until its last brace
closes. Do not wait for the connection to close: another server may keep it open.""",
    ),
    Mistake(
        2,
        "not-listening",
        "Client 2 is not running",
        see="""`ConnectionRefusedError: [Errno 111] Connection refused` (111 / 61 / 10061; on Windows `No connection
could be made because the target machine actively refused it`), or `socket.gaierror` (`Name or service
not known` / `nodename nor servname provided, or not known` / `getaddrinfo failed`).""",
        why="the machine is there, but no program listens on that port; or no machine has the name that you gave.",
        do="""start client 2 first, or let client 1 try again with a pause of half a second. Compare the port
numbers. Give the address in numbers.""",
    ),
    Mistake(
        3,
        "wrong-bind-address",
        "Client 2 listens on the wrong address",
        see="""that everything works on one laptop, and `Connection refused` (111 / 61 / 10061) from two; or at
`bind` `Cannot assign requested address` (99 / 49 / 10049).""",
        why="""bound to `127.0.0.1`, `localhost` or `socket.gethostname()`, a socket takes connections from its own
machine only; and an address that belongs to another machine cannot be bound at all.""",
        do="""`listener.bind(("", 5551))`: the empty text means every address of this machine.""",
    ),
    Mistake(
        4,
        "firewall",
        "A firewall, or a guest network",
        see="""that connecting takes long and ends with `timed out` (110 / 60 / 10060), or `No route to host` (113 /
65 / 10065), `Network is unreachable` (101 / 51 / 10051).""",
        why="""a refusal is an answer; silence means that the packets do not arrive. Firewalls drop them, and guest
Wi-Fi keeps laptops apart on purpose.""",
        do="""allow Python in the firewall of the machine that listens (on Windows: for private *and* public
networks), use the same network on both, or a hotspot of one of your phones.""",
    ),
    Mistake(
        5,
        "wrong-own-ip",
        "The wrong own ip",
        see="""the remarks `ip-loopback`, `ip-elsewhere` or `ip-not-an-address`, or client 1 that cannot reach the
address it was given.""",
        why="""`socket.gethostbyname(socket.gethostname())` gives `127.0.1.1` on many Linux machines, and with a VPN
or Docker it may return the address of that network. Web sites show the public address, which other
machines in the room usually cannot reach.""",
        do="ask the socket that is connected to the server: `connection.getsockname()[0]`.",
    ),
    Mistake(
        6,
        "port-in-use",
        "The port is still in use",
        see="""`OSError: [Errno 98] Address already in use` (98 / 48 / 10048) at `bind`; or `Permission denied` (13 /
13 / 10013).""",
        why="""the system keeps a port for a minute or so after a connection on it has ended; or your program from
before still runs. Ports below 1024 often need administrator rights; on Windows some ranges are
reserved.""",
        do="""before `bind`: `listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)` (not on Windows, where
it means something else). End the old program. Take a port above 1023.""",
    ),
    Mistake(
        7,
        "python-for-json",
        "Python text in place of JSON",
        see="""the problems `single-quotes`, `python-value`; in your own program `Expecting property name enclosed in
double quotes: line 1 column 2 (char 1)`, or `NameError: name 'null' is not defined`.""",
        why="""`str(data)` writes a dict as Python does: `{'secret': None}`. JSON has double quotes, and `null`,
`true`, `false`.""",
        do="`json.dumps(data)` to write, `json.loads(text)` to read. Never `str`, `repr` or `eval`.",
    ),
    Mistake(
        8,
        "str-of-bytes",
        "str() of bytes",
        see=r"the problem `bytes-as-text`; a text that begins with `b'`, with `\\x..` or `\\n` in it.",
        why="""`str(data)` of bytes does not decode them: it writes how Python shows them. f-strings and `+ str(…)`
do the same.""",
        do="from text to bytes `text.encode()`, from bytes to text `data.decode()`.",
    ),
    Mistake(
        9,
        "welcome-as-reply",
        "The welcome is read as the reply",
        see="""`Expecting value: line 1 column 1 (char 0)` at the first answer, `Extra data`, or every answer one too
late.""",
        why="""the server sends first. If you do not read the welcome, your program reads it as the reply. It is
plain text, not JSON.""",
        do="""after `connect` read once and print it; then send; then read the reply. If both came glued together,
the reply begins at the first `{`.""",
    ),
    Mistake(
        10,
        "end-of-stream",
        'The program does not stop when recv returns b""',
        see="""a program that never ends, with the processor at 100 %; or `Expecting value: line 1 column 1 (char
0)`; or `Connection reset by peer` (104 / 54 / 10054), `Broken pipe` (32 / 32 / 10053) at the next
send.""",
        why="""`recv` returns `b""` when the other side has closed, and goes on returning it, at once, for ever.""",
        do="`if not data: break`, and say that the connection was closed.",
    ),
    Mistake(
        11,
        "numbers-not-changed",
        "The numbers not swapped, or clientid still 1",
        see="the problems `not-swapped` or `clientid-still-1`.",
        why="`studentnr1` is always the number of the sender. Client 2 has to change what it got.",
        do="""`message["studentnr1"], message["studentnr2"] = message["studentnr2"], message["studentnr1"]`, then
`message["clientid"] = 2` and `message["ip"]` to client 2's own address.""",
    ),
    Mistake(
        12,
        "object-not-continued",
        "Secret or status not sent on",
        see="the problems `secret-missing`, `secret-wrong`, `field-changed`, or the remark `status-blanked`.",
        why="message 2 was made from scratch, not from the object that client 1 handed over.",
        do="""take the object that client 1 handed over, change only what
[11](#11-the-numbers-not-swapped-or-clientid-still-1) says, and send it.""",
    ),
    Mistake(
        13,
        "both-wait",
        "Both sides wait",
        see="""nothing: no error, no end. Or after a while `timed out`, or a `status` that says `the message is not
complete` or `the last brace is missing`.""",
        why="""each waits for the other. Often the receiver reads until the end of the stream and the sender keeps
its side open; or the message was never sent, or not all of it.""",
        do="""send with `sendall`; then, if nothing more follows, `connection.shutdown(socket.SHUT_WR)`. Read until
the object is complete, not until the end. Give every socket a limit: `connection.settimeout(5)`.""",
    ),
    Mistake(
        14,
        "wrong-type",
        "Text where bytes or a number belong",
        see="""`TypeError: a bytes-like object is required, not 'str'` at `send`; `'str' object cannot be interpreted
as an integer`, `port must be 0-65535` or `AF_INET address must be tuple, not str` at `connect` or
`bind`; `'tuple' object has no attribute 'recv'` after `accept`; `Transport endpoint is not connected`
(107 / 57 / 10057), `Bad file descriptor` (9 / 9 / 10038), `Invalid argument` (22 / 22 / 10022).""",
        why="""sockets send bytes, neither text nor a dict; a port is a number from 1 to 65535, and `input()` and
`sys.argv` give text; `accept()` gives a new socket: that one is connected, the listening one is not;
and a socket is of no use after its `close`, or after the `with` that it was made in.""",
        do="""`json.dumps(data).encode()`; `int(port)`; `connect((host, port))` with two pairs of parentheses: the
address is one value; `listener.listen()`, then `connection, address = listener.accept()`, and then
use `connection`; close it last.""",
    ),
    Mistake(
        15,
        "other-encoding",
        "Other names, or another encoding",
        see="""the problems `key-misspelt`, `key-case`, `field-missing`, `byte-order-mark`, `utf-16`, `latin-1`; in
your own program `KeyError`, `Unexpected UTF-8 BOM (decode using utf-8-sig)`, `UnicodeDecodeError:
'utf-8' codec can't decode byte 0xff in position 0`.""",
        why="""the eight names are fixed, in small letters. Some editors save files with a byte order mark or in
UTF-16, and on Windows `open()` without an encoding reads and writes the code page of the machine.""",
        do="""copy the names from the assignment; `open(name, encoding="utf-8")`; `.encode()` without an argument is
UTF-8.""",
    ),
    Mistake(
        16,
        "connected-twice",
        "Connected twice",
        see="""`OSError: [Errno 106] Transport endpoint is already connected` (106 / 56 / 10056; on macOS `Socket is
already connected`).""",
        why="""`connect` is called again on a socket that is connected; often in a loop of tries, or for the second
server.""",
        do="""make a new socket for each connection and for each try: `socket.create_connection((host, port))` does
both.""",
    ),
    Mistake(
        17,
        "non-blocking",
        "A socket that does not wait",
        see="""`BlockingIOError: [Errno 11] Resource temporarily unavailable` (11 / 35 / 10035) at `recv`, `accept`
or `connect`.""",
        why="""`setblocking(False)` or `settimeout(0)` makes every call return at once, also when nothing has come
yet.""",
        do="leave it out, or give a limit in seconds: `connection.settimeout(5)`.",
    ),
    Mistake(
        18,
        "sockets-left-open",
        "Sockets that are never closed",
        see="`OSError: [Errno 24] Too many open files` (24 / 24 / 10024) after some hundred tries.",
        why="a loop makes a socket for each try and closes none of them.",
        do="""`with socket.create_connection((host, port)) as connection:` closes it whatever happens. Wait half a
second between tries.""",
    ),
    Mistake(
        19,
        "udp",
        "UDP in place of TCP",
        see="""`OSError: [Errno 95] Operation not supported` (95 / 102 / 10045) at `listen` or `accept`; or `connect`
and `send` work, and then nothing comes, or `Connection refused` at `recv`.""",
        why="`SOCK_DGRAM` is UDP. It has no connections, and the server takes TCP only.",
        do="""`socket.socket(socket.AF_INET, socket.SOCK_STREAM)`, or `socket.socket()`, which is the same; with
`nc` leave out `-u`.""",
    ),
    Mistake(
        20,
        "wsl",
        "A program inside WSL",
        see="""that client 2 listens, and connections from another machine end in `timed out` or are refused; its own
ip begins with `172.`; from the same laptop all works.""",
        why="""Linux inside Windows (WSL 2) has a network of its own behind Windows. Other machines reach Windows,
not WSL.""",
        do="""run client 2 with Python for Windows. Or switch WSL to the network of Windows:
`networkingMode=mirrored` under `[wsl2]` in `.wslconfig`, then `wsl --shutdown`. Client 1 may stay in
WSL: it only connects outwards.""",
    ),
    Mistake(
        21,
        "decoded-twice",
        "Bytes, text and dict, taken for each other",
        see="""`TypeError: the JSON object must be str, bytes or bytearray, not dict` (or `not NoneType`);
`AttributeError: 'str' object has no attribute 'decode'`; the problems `null-message` or
`object-repr`.""",
        why="""a message is bytes on the wire, then text, then a dict: each step is done once. `json.loads` of a
dict, and `.decode()` of text, do a step twice; `d.update(…)` and `print(…)` return None.""",
        do="""`json.loads(data.decode())` for what came, `json.dumps(d).encode()` for what goes out, and nothing
else in between.""",
    ),
    Mistake(
        22,
        "own-module",
        "An own file called socket.py or json.py",
        see="""`AttributeError: partially initialized module 'json' has no attribute 'dumps' (most likely due to a
circular import)`, `module 'socket' has no attribute 'socket'`, or `TypeError: 'module' object is not
callable`.""",
        why="Python looks for `socket` and `json` in the folder of your program first, and finds your own file.",
        do="rename your file, and remove the folder `__pycache__` beside it.",
    ),
    Mistake(
        23,
        "escaped-bytes-text",
        "An apostrophe, and str() of bytes",
        see=r"""`JSONDecodeError: Invalid \escape` at a `\'`, only with some names; or the problem
`escaped-apostrophe`.""",
        why=r"""`str(data)[2:-1]` is not `data.decode()`: Python writes an apostrophe in the bytes as `\'`, a letter
such as ë as `\xc3\xab`, and JSON knows neither. The server's own words have no apostrophe, but a
team's name may.""",
        do="`data.decode()`.",
    ),
    Mistake(
        24,
        "self-connect",
        "Client 1 connects to itself",
        see="""that, with both clients on one machine, client 1 is connected before client 2 runs, and reads its own
message back; and then client 2 cannot `bind` (98 / 48 / 10048).""",
        why="""a loop without a pause tries a port that the system also gives to outgoing connections (on Linux 32768
to 60999). Sooner or later the system gives client 1 that very port, and TCP connects the socket to
itself.""",
        do="""take a port below 32768, such as 5551; wait half a second between tries; close the connection if
`connection.getsockname() == connection.getpeername()`.""",
    ),
    Mistake(
        25,
        "refusal-ignored",
        "The refusal of message 1, handed on",
        see="the problem `refusal-handed-on` as the answer to message 2.",
        why="""client 1 did not look at the `status` of the reply, and handed over an object whose status begins with
`error: `.""",
        do="""let client 1 go on only if the status is `waiting for message 2`, and print the status if it is not.
Fix what it says: message 2 is not the trouble.""",
    ),
    Mistake(
        26,
        "second-message",
        "A second message on the same connection",
        see="""no reply to your second message, or to the reply that you sent back; in the results the remark
`bytes-after-reply`.""",
        why="""the server answers one message on each connection. After its reply it ends its side, and answers
nothing more.""",
        do="close the connection after the reply. Connect again for message 2, and for every new try.",
    ),
)
