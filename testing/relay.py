"""A network between a server and its database that can be cut or silent: a relay from TCP to a Unix socket."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Relay:
    """A relay that runs. Call `end` when it is not needed any more."""

    def __init__(self, to: Path) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.answers = threading.Event()  # cleared: what the server says is taken, and goes nowhere
        self.answers.set()
        self.turns = 0  # how often the server was asked, and answered
        self._asked = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def url(self, tables: str = "public") -> str:
        """Return the URL of the database through the relay."""
        return f"postgresql://tandem@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{tables}"

    def to_url(self, tables: str = "public") -> str:
        """Return the URL of the database without the relay."""
        return self.url(tables).replace(f"127.0.0.1:{self.port}", "").replace("?", f"?host={self._to.parent}&")

    def cut(self) -> None:
        """Break every open connection."""
        _shut(*self._sockets)

    def end(self) -> None:
        """Close everything and join the threads."""
        self.answers.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._sockets += (client, server)
                try:
                    server.connect(str(self._to))
                except OSError:
                    client.shutdown(socket.SHUT_RDWR)
                    continue
                self._start(self._carry_questions, client, server)
                self._start(self._carry_answers, server, client)

    def _carry_questions(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 20):
                self._asked = True
                server.sendall(data)
        _shut(client, server)

    def _carry_answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                self.answers.wait()
                self.turns += self._asked
                self._asked = False
                client.sendall(data)
        _shut(server, client)

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(to: Path) -> Iterator[Relay]:
    """Run a relay to the Unix socket of a server, and end it with the block."""
    started = Relay(to)
    try:
        yield started
    finally:
        started.end()
