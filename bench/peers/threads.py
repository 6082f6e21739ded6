"""The peer with a thread for each connection, blocking all the way."""

import socket
import threading

from bench.peers.work import MAX_MESSAGE, WELCOME, answer, listen, tell


def visit(client: socket.socket) -> None:
    """One connection, from the welcome to the end."""
    with client:
        try:
            client.sendall(WELCOME)
            if data := client.recv(MAX_MESSAGE):
                client.sendall(answer(data))
        except OSError:
            pass  # the other side has gone


def main() -> None:
    listener = listen()
    tell(listener)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=visit, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
