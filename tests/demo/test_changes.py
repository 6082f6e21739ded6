"""What was done to a message, field by field."""

import pytest

from tandem.demo.changes import CHANGED, FILLED_IN, KEPT, SET_OWN, SWAPPED, changes
from tandem.protocol.message import FIELDS, STATUS_WAITING, Message, message_2
from testing.exchange_messages import ANSWERED, ASKED, DONE, PASSED_ON

ALONE = Message("0923456", "", "INF2A", 1, "Solo", "192.168.1.2", "5e" * 32, STATUS_WAITING)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (ASKED, ANSWERED, {FILLED_IN: ["secret", "status"]}),
        (ANSWERED, PASSED_ON, {SWAPPED: ["studentnr1", "studentnr2"], SET_OWN: ["clientid", "ip"]}),
        (
            ANSWERED,
            message_2(ANSWERED, ANSWERED.ip),
            {SWAPPED: ["studentnr1", "studentnr2"], SET_OWN: ["clientid", "ip"]},
        ),
        (PASSED_ON, DONE, {CHANGED: ["status"]}),
        (DONE, DONE, {}),
        (ALONE, message_2(ALONE, "192.168.1.3"), {SET_OWN: ["clientid", "ip"]}),
        (ANSWERED, Message("1", "2", "INF2A", 1, "Team1", "192.168.1.2", "5e" * 32, STATUS_WAITING), None),
    ],
    ids=["reply 1", "message 2", "message 2, one machine", "reply 2", "nothing", "team of one", "other numbers"],
)
def test_changes(before: Message, after: Message, told: dict[str, list[str]] | None) -> None:
    told = {CHANGED: ["studentnr1", "studentnr2"]} if told is None else told
    touched = [name for names in told.values() for name in names]
    assert changes(before, after) == told | {KEPT: [name for name in FIELDS if name not in touched]}
