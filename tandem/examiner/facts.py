"""Facts of a record: events -> a set of plain statements that are true of the run. Pure.

A check (scenario.py) names facts; nothing else is looked at to decide it. Where the programs were started a second
time, only what came after that counts.
"""

import json
from collections.abc import Iterable, Sequence

from tandem.examiner.events import Event, Link

WAITING = "waiting for message 2"
FINISHED = "Finished successfully"

CLIENT_2_LISTENED = "client 2 listened"
SERVER_CALLED = "client 1 connected to the server"
SERVER_REFUSED = "client 1 was refused by the server's port"
ANSWERED_1 = "message 1 was answered"
ACCEPTED_1 = "message 1 was accepted"
DISTURBED = "the disturbance took place"
PEER_CALLED = "client 1 connected to client 2"
HANDED_OVER = "client 1 sent something to client 2"
SERVER_CALLED_2 = "client 2 connected to the server"
ANSWERED_2 = "message 2 was answered"
ACCEPTED_2 = "message 2 was accepted"
APPROACHED = "the examiner connected to client 2"
ENDED_1 = "client 1 ended"
SAID_SO_1 = "client 1 wrote something after the disturbance"
BUG = "the examiner failed"
OVERLOADED = "the machine of the examiner had too much to do"


def facts(events: Iterable[Event]) -> frozenset[str]:
    """Return what is true of a run."""
    counted = events_that_count(list(events))
    found = {fact for event in counted for fact in _facts_of(event)}
    found |= _facts_of_replies(reply_statuses(counted, "visit 1"), WAITING, ANSWERED_1, ACCEPTED_1)
    found |= _facts_of_replies(reply_statuses(counted, "visit 2"), FINISHED, ANSWERED_2, ACCEPTED_2)
    if spoke_after_disturbance(counted):
        found.add(SAID_SO_1)
    return frozenset(found)


def events_that_count(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events of the last start of the programs, and every failure of the examiner."""
    begin = max((index for index, event in enumerate(events) if event.what == "started again"), default=0)
    return [event for index, event in enumerate(events) if index >= begin or event.what == "failure"]


_OF_KIND: dict[str, str] = {
    "disturbed": DISTURBED,
    "approached": APPROACHED,
    "overloaded": OVERLOADED,
    "failure": BUG,
}
_OF_LINK: dict[tuple[str, Link], str] = {
    ("connected", "visit 1"): SERVER_CALLED,
    ("refused", "visit 1"): SERVER_REFUSED,
    ("connected", "visit 2"): SERVER_CALLED_2,
    ("connected", "handover"): PEER_CALLED,
}
_OF_PROGRAM: dict[tuple[str, str], str] = {
    ("client 2", "listening"): CLIENT_2_LISTENED,
    ("client 1", "ended"): ENDED_1,
}


def _facts_of(event: Event) -> Iterable[str]:
    """Yield what one event says by itself."""
    yield from filter(
        None,
        (
            _OF_KIND.get(event.what),
            _OF_LINK.get((event.what, event.link)),
            _OF_PROGRAM.get((event.who, event.what)),
        ),
    )
    if (event.who, event.what, event.link) == ("client 1", "sent", "handover") and event.data.strip():
        yield PEER_CALLED
        yield HANDED_OVER


def _facts_of_replies(statuses: list[str], right: str, answered: str, accepted: str) -> set[str]:
    """Return what the statuses of the replies to one message say."""
    return ({answered} if statuses else set()) | ({accepted} if right in statuses else set())


def reply_statuses(events: Iterable[Event], link: Link) -> list[str]:
    """Return the statuses that the server sent on the connections of a visit, before any fault, in their order."""
    sent: dict[int, bytes] = {}
    for event in events:
        if event.link == link and event.who == "server" and event.what == "sent":
            sent[event.connection] = sent.get(event.connection, b"") + event.data
    return [status for data in sent.values() if (status := _status(data)) is not None]


def _status(data: bytes) -> str | None:
    """Return the status of the reply in what the server sent: everything from the first brace on."""
    try:
        status = json.loads(data[data.index(b"{") :])["status"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(status)


def disturbed_at_s(events: Iterable[Event]) -> float | None:
    """Return when the first disturbance took place; a refused connection is one. None: there was none."""
    for event in events:
        if event.what == "disturbed" or (event.what == "refused" and event.link == "visit 1"):
            return event.at_s
    return None


def spoke_after_disturbance(events: Sequence[Event]) -> bool:
    """Tell whether client 1 wrote something to its terminal after a disturbance of its visit."""
    begin = disturbed_at_s(events)
    return begin is not None and any(
        event.who == "client 1" and event.what == "output" and event.at_s >= begin and event.data.strip()
        for event in events
    )
