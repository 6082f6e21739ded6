"""The end of what each program wrote, safe to show: bounded, with control characters as escapes."""

from collections.abc import Iterable

from tandem.examiner.events import Event
from tandem.protocol.printable import printable_bytes

PROGRAMS = ("client 1", "client 2")
MAX_LINES = 20
MAX_COLUMNS = 500  # of a line; the end of a longer one is left out


def ends_of_output(events: Iterable[Event]) -> dict[str, str]:
    """Return the last lines of each program. A program that wrote nothing is left out."""
    written = {program: bytearray() for program in PROGRAMS}
    for event in events:
        if event.what == "output" and event.who in written:
            written[event.who] += event.data
    return {program: _last_lines(bytes(data)) for program, data in written.items() if data.strip()}


def _last_lines(data: bytes) -> str:
    data = data[-MAX_LINES * MAX_COLUMNS :]
    lines = [printable_bytes(line.rstrip(b"\r")) for line in data.strip(b"\r\n").split(b"\n")]
    return "\n".join(_cut(line) for line in lines[-MAX_LINES:])


def _cut(line: str) -> str:
    return line if len(line) <= MAX_COLUMNS else f"{line[:MAX_COLUMNS]}..."
