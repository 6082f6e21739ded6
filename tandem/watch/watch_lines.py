"""Events in words, for a terminal, and as one JSON object a line. Pure.

Everything from outside is escaped and bounded. The words about a message are those of `tandem check`.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from tandem.diagnosis.problem import CUT
from tandem.protocol.arrows import ARROWS, arrow_words
from tandem.protocol.printable import printable_bytes
from tandem.report.check import entry, finding_lines, verdict
from tandem.watch.watch_events import CLIENT, EventKind, WatchEvent

MAX_SHOWN = 240  # bytes of what passed that are shown in a line
_INDENT = " " * 8

TEXT = "text"
JSON = "json"
FORMATS = (TEXT, JSON)


def text_lines(
    time_ns: int, number: int, event: WatchEvent, colour: bool = False, encoding: str | None = None
) -> Iterator[str]:
    """Yield the lines for an event. `time_ns` is in nanoseconds since 1970 (UTC); the time of day is shown."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    clock = time.strftime("%H:%M:%S", time.localtime(seconds))
    yield f"{clock}.{nanoseconds // 1_000_000:03} #{number} {event_words(event, colour)}"
    if event.diagnosis is not None:
        for lines in finding_lines(event.diagnosis, event.data, colour, encoding, in_file=False):
            yield from (_INDENT + line for line in lines)


def json_line(time_ns: int, number: int, event: WatchEvent) -> str:
    """Return one JSON object: `time` (UTC), `connection`, `event`, and what this kind of event has."""
    found: dict[str, object] = {
        "time": datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="microseconds"),
        "connection": number,
        "event": event.kind.value,
    }
    if event.sender:
        found["from"] = event.sender
    if event.arrows:
        found["arrows"] = list(event.arrows)
    if event.data:
        found |= {"bytes": len(event.data), "text": printable_bytes(event.data[:MAX_SHOWN])}
    if event.text:
        found["note"] = event.text
    if event.diagnosis is not None:
        found["accepted"] = not event.diagnosis.problems
        found["problems"] = [entry(each, event.data, in_file=False) for each in event.diagnosis.problems]
        found["remarks"] = [entry(each, event.data, in_file=False) for each in event.diagnosis.remarks]
    return json.dumps(found)


def arrow_text(event: WatchEvent) -> str:
    """Return the arrow of an event in words; all that it may be if that cannot be told."""
    if len(event.arrows) == 1:
        return arrow_words(event.arrows[0])
    kinds = {ARROWS[number][2] for number in event.arrows}
    return f"arrow {' or '.join(map(str, event.arrows))} ({' or '.join(sorted(kinds))})"


def event_words(event: WatchEvent, colour: bool = False) -> str:
    """Return an event in one line."""
    note = f" ({event.text})" if event.text else ""
    match event.kind:
        case EventKind.BYTES:
            way = "client -> server" if event.sender == CLIENT else "server -> client"
            return f"{way}  {_count(len(event.data))}: {_shown(event.data)}"
        case EventKind.WELCOME:
            return f"{arrow_text(event)}: {_shown(event.data.rstrip())}{note}"
        case EventKind.REPLY:
            return f"{arrow_text(event)}: {event.text or 'status ' + _shown(event.data)}"
        case EventKind.MESSAGE:
            assert event.diagnosis is not None
            return f"{arrow_text(event)}: {verdict(event.diagnosis, colour)}"
        case EventKind.HANDOVER:
            return f"{arrow_text(event)}: client 1 hands the reply of the server over"
        case EventKind.REST:
            place = "message" if event.sender == CLIENT else "reply"
            return f"the {event.sender} sent more than its {place}: {_count(len(event.data))}"
        case EventKind.END:
            return f"the {event.sender} ended its sending side{note}"
        case EventKind.RESET:
            return f"the {event.sender} reset the connection{note}"
        case _:
            return f"{event.kind.value}: {event.text}"


def _count(size: int) -> str:
    return "1 byte" if size == 1 else f"{size:,} bytes"


def _shown(data: bytes) -> str:
    return printable_bytes(data[:MAX_SHOWN]) + (CUT if len(data) > MAX_SHOWN else "")
