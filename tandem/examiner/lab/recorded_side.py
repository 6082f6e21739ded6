"""Records what one side of a connection does, as the observer of its direction in a tunnel."""

from tandem.examiner.events import Link, What, Who
from tandem.examiner.lab.recorder import Recorder


class RecordedSide:
    """One side of one connection."""

    def __init__(self, recorder: Recorder, link: Link, number: int, who: Who) -> None:
        self.link: Link = link
        self._recorder = recorder
        self._number = number
        self._who: Who = who

    def add(self, what: What, who: Who | None = None, text: str = "", data: bytes = b"") -> None:
        """Record an event of this connection; of this side, if `who` does not say otherwise."""
        self._recorder.add(who or self._who, what, link=self.link, connection=self._number, text=text, data=data)

    def on_sent(self, data: bytes) -> None:
        """Record the bytes as they were sent."""
        self.add("sent", data=data)

    def on_delivered(self, data: bytes) -> None:
        """Record the bytes as they arrive."""
        self.add("delivered", data=data)

    def on_end(self) -> None:
        """Record the end of the stream."""
        self.add("end of stream")

    def on_reset(self) -> None:
        """Record the reset."""
        self.add("reset")
