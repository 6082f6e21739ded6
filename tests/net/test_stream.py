"""One end of a connection in the event loop, where a tunnel does not show it."""

import socket
from contextlib import closing

from tandem.net.event_loop import EventLoop
from tandem.net.stream import RESET_ON_CLOSE, Stream


class Seen:
    """The handler of a stream: it keeps what happens."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def on_data(self, data: bytes) -> None:
        self.events.append(data)

    def on_end(self) -> None:
        self.events.append("end")

    def on_reset(self) -> None:
        self.events.append("reset")


def test_a_reply_before_a_reset_is_read_although_sending_failed() -> None:
    seen = Seen()
    with closing(EventLoop()) as loop, socket.create_server(("127.0.0.1", 0)) as listener:
        stream = Stream(loop, socket.create_connection(listener.getsockname()))
        other, _ = listener.accept()
        other.sendall(b"reply")
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        other.close()
        stream.start(seen)
        stream.send(b"more")
        stream.end()
        assert stream.lost == 4
        loop.run(lambda: stream.is_closed)
    assert seen.events == [b"reply", "reset"]
