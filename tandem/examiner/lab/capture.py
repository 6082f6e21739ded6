"""The packet capture of a run. Bounded. The steps of the examiner are comments at the next packet."""

import time
from pathlib import Path
from types import TracebackType

from tandem.examiner.events import CAPTURE
from tandem.net.pcapng import PcapngWriter

MAX_BYTES = 16 << 20
FULL = "the capture ends here: it is as large as it may be"


class Capture:
    """Writes frames as they pass."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / CAPTURE).open("wb")
        self._writer = PcapngWriter(self._file, "switch", "tandem examine")
        self._comments: list[str] = []
        self._bytes = 0

    def comment(self, text: str) -> None:
        """Put a comment at the next frame."""
        self._comments.append(text)

    def add(self, frame: bytes, fate: str = "") -> None:
        """Write a frame that is sent now. `fate` is what happens to it, if not the usual."""
        if self._bytes > MAX_BYTES:
            return
        self._bytes += len(frame)
        if fate:
            self.comment(f"{fate} (examiner)")
        if self._bytes > MAX_BYTES:
            self.comment(FULL)
        self._writer.packet(time.time_ns(), frame, self._comments)
        self._comments.clear()

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()
