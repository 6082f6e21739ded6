"""The four messages of a right exchange, as values."""

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message, message_1, message_2

ASKED = message_1("0923456", "0934567", "INF2A", "Team1", "192.168.1.2")
ANSWERED = Message(**(ASKED.fields() | {"secret": "5e" * 32, "status": STATUS_WAITING}))  # type: ignore[arg-type]
PASSED_ON = message_2(ANSWERED, "192.168.1.3")
DONE = Message(**(PASSED_ON.fields() | {"status": STATUS_FINISHED}))  # type: ignore[arg-type]
