"""The examiner's own connections to client 2: a port probe, garbage, one that stays idle, and one that is over."""

import socket
from collections.abc import Callable

from tandem.examiner.lab.connections.endpoints import Address, Inside, connect
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.scenario import Approach
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream
from tandem.protocol.address import show_address

AFTER_S = 0.3  # a program that was connected to gets this time to notice


def approach(
    loop: EventLoop, recorder: Recorder, inside: Inside, target: Address, wanted: Approach, on_done: Callable[[], None]
) -> None:
    """Connect to client 2, and call when it has had time to notice.

    An idle connection stays until client 2 ends it.
    """

    def done() -> None:
        loop.after(AFTER_S, on_done)

    def on_connected(connected: socket.socket) -> None:
        text = f"{show_address(*connected.getsockname())} -> {show_address(*target)}"
        recorder.add("examiner", "approached", link="approach", connection=1, text=text)
        stream = Stream(loop, connected)
        stream.start(_Approached(recorder, stream))
        if wanted.sends:
            recorder.add("examiner", "sent", link="approach", connection=1, data=wanted.sends)
            stream.send(wanted.sends)
        if wanted.closes:
            stream.close()
        done()

    def on_failed(error: OSError) -> None:
        recorder.add("examiner", "refused", link="approach", text=f"{show_address(*target)}: {error.strerror}")
        done()

    connect(loop, inside, target, on_connected, on_failed)


def leave_closed_connection(inside: Inside, address: Address) -> None:
    """Leave a connection in TIME_WAIT at client 2's port, as it stays when client 2 closes first. It is not running.

    Which side closes first is chance in many programs, and a restart must not depend on it.

    Args:
        inside: enters the host of client 2.
        address: of client 2.

    """
    with inside(), socket.socket() as listener, socket.socket() as caller:
        listener.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # or a program that sets it could not bind either
        try:
            listener.bind(address)
            listener.listen()
            caller.connect(address)
            accepted, _ = listener.accept()
        except OSError:  # what client 2 has left itself is in the way, and does the same
            return
        accepted.close()
        caller.recv(1)  # the end of the stream


class _Approached:
    """Records what client 2 does on the connection."""

    def __init__(self, recorder: Recorder, stream: Stream) -> None:
        self._recorder = recorder
        self._stream = stream

    def on_data(self, data: bytes) -> None:
        """Record what it sent."""
        self._recorder.add("client 2", "sent", link="approach", connection=1, data=data)

    def on_end(self) -> None:
        """Record that it ended its side, and close."""
        self._recorder.add("client 2", "end of stream", link="approach", connection=1)
        self._stream.close()

    def on_reset(self) -> None:
        """Record the reset."""
        self._recorder.add("client 2", "reset", link="approach", connection=1)
