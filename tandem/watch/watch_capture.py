"""The capture file of the tap: what passed, as packets for Wireshark. A new file, which only its owner may read."""

import os
import time
from pathlib import Path

from tandem.net.pcapng import PcapngWriter
from tandem.protocol.errors import TandemError
from tandem.report.screen import print_error

INTERFACE = "tap"


class CaptureError(TandemError):
    """The file cannot be made or written."""


class WatchCapture:
    """Writes frames as they come. After the first error it writes none: what passes is not held up by a full disk."""

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            CaptureError: it is there already, or cannot be made.
        """
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            self._file = open(descriptor, "wb")  # noqa: SIM115 - until `close`
        except FileExistsError:
            raise CaptureError(f"{path} is there already, and is not replaced", "a new name for --capture") from None
        except OSError as error:
            raise CaptureError(f"{path} cannot be made: {error.strerror}", "a folder that can be written") from None
        self.error: CaptureError | None = None
        self._packets = 0
        self._writer = PcapngWriter(self._file, INTERFACE, "tandem watch")
        self.add(time.time_ns(), [])

    def add(self, time_ns: int, frames: list[bytes], comments: list[str] | None = None) -> None:
        """Write frames of the same time, with comments at the first one, so that they are in the file at once."""
        if self.error is not None:
            return
        try:
            for frame in frames:
                self._writer.packet(time_ns, frame, comments or ())
                comments = None
            self._file.flush()
            self._packets += len(frames)
        except OSError as error:
            self.error = CaptureError(
                f"{self._path} cannot be written: {error.strerror}; it has the first {self._packets} packets",
                "a file on a disk with room",
            )
            print_error(f"{self.error}. What passes is still shown")

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError:
            pass  # `add` has told
