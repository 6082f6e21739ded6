"""The peer on a bare epoll loop: about the least that a server in Python can cost. A limit, not an example.

A message in the usual spelling of JSON is checked by one regular expression and answered from its own bytes; any other
goes to the work of the other peers. No deadline, and the connection is closed right behind the reply. The low-level
socket type saves a second object and a getsockname for each connection.
"""

import _socket
import hmac
import re
import select
import socket

from bench.peers.work import KEY, LENGTHS, MAX_MESSAGE, WELCOME, answer, listen, tell

AT_ONCE = 256  # sockets that one poll reports


def _text(name: str, most: int) -> str:
    """The expression of a field of printable ASCII without escapes; what it reads has the field's name."""
    return rf'"{name}": "(?P<{name}>[ !#-\[\]-~]{{0,{most}}})"'


USUAL = re.compile(
    (
        rf"\{{{_text('studentnr1', LENGTHS['studentnr1'])}, {_text('studentnr2', LENGTHS['studentnr2'])}, "
        rf'{_text("classname", LENGTHS["classname"])}, "clientid": (?P<clientid>[12]), '
        rf"{_text('teamname', LENGTHS['teamname'])}, {_text('ip', LENGTHS['ip'])}, "
        rf"{_text('secret', 64)}, {_text('status', 64)}\}}"
    ).encode()
)
_KEYED = hmac.new(KEY, digestmod="sha256")


def reply_to(data: bytes) -> bytes:
    """The reply to a message, whatever it is."""
    match = USUAL.fullmatch(data)
    if match is None:
        return answer(data)
    numbers = match["studentnr1"], match["studentnr2"]
    status = b"waiting for message 2"
    if match["clientid"] == b"2":
        numbers = numbers[::-1]
        status = b"Finished successfully"
    keyed = _KEYED.copy()
    keyed.update(b"\0".join((match["classname"], match["teamname"], *numbers)))
    secret = keyed.hexdigest().encode()
    if match["clientid"] == b"2" and not hmac.compare_digest(secret, match["secret"]):
        return answer(data)  # which says what is wrong
    return b'%b%b", "status": "%b"}' % (data[: match.start("secret")], secret, status)


def serve(listener: _socket.socket) -> None:
    """Answers until it is killed."""
    poller = select.epoll()
    poller.register(listener.fileno(), select.EPOLLIN)
    clients: dict[int, _socket.socket] = {}
    while True:
        for fd, _ in poller.poll(maxevents=AT_ONCE):
            if fd != listener.fileno():
                finish(clients.pop(fd))
                continue
            for client in accepted(listener):
                clients[client.fileno()] = client
                poller.register(client.fileno(), select.EPOLLIN)


def accepted(listener: _socket.socket) -> list[_socket.socket]:
    """All who wait to be accepted, greeted."""
    clients = []
    try:
        while True:
            fd, _ = listener._accept()  # type: ignore[attr-defined]
            client = _socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
            clients.append(client)
            client.send(WELCOME)
    except OSError:
        return clients  # nobody waits any more, or one has gone: the next poll brings the others


def finish(client: _socket.socket) -> None:
    """Reads what came, replies, closes. The end of the stream is sent together with the reply."""
    try:
        if data := client.recv(MAX_MESSAGE):
            client.send(reply_to(data), socket.MSG_MORE)
    except OSError:
        pass  # the other side has gone
    finally:
        client.close()


def main() -> None:
    listener = listen()
    listener.setblocking(False)
    tell(listener)
    serve(listener)


if __name__ == "__main__":
    main()
