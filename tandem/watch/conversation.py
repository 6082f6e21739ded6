"""Reads one connection as it passes: from bytes, ends and resets to what they are in the protocol.

Pure. Bounded: it keeps no more than a message and a reply. The side that connected is the client; the other one is the
server, or client 2 if a handover comes.
"""

from tandem.diagnosis.diagnose import Ending, diagnose
from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.framing import PLAIN
from tandem.protocol.message import STATUS_WAITING, WELCOME_WORD, Message, NotAMessageError, decode
from tandem.protocol.reader import COMPLETE, INVALID, NEED_DATA, Reader
from tandem.watch.watch_events import CLIENT, SERVER, EventKind, WatchEvent

INVALID_SILENCE_S = 0.2  # after bytes that can become no message (PROTOCOL 3.4)
MESSAGE_SILENCE_S = 3.0  # in the middle of a message (PROTOCOL 3.3)
WELCOME_ARROWS, MESSAGE_ARROWS, HANDOVER_ARROWS, REPLY_ARROWS = (1, 5), (2, 6), (4,), (3, 7)
NO_REPLY, PART_OF_REPLY = "without a reply", "in the middle of the reply"

_SPACE = b" \t\r\n"

Events = list[WatchEvent]


class Conversation:
    """One connection. Call a method for each thing that passes; it returns what that is."""

    def __init__(self, address: str = "", framing: str = PLAIN) -> None:
        """`address` is the IP address of the client, for the rules about the field ip."""
        self._address = address
        self._message = Reader(framing)
        self._answer = AnswerReader(framing)
        self._answer_state = NEED_DATA
        self._clientid = 0  # of the message; 0 if that cannot be told
        self._is_message_reported = False
        self._is_welcome_reported = False
        self._is_handover = False
        self._has_rest: dict[str, bool] = {CLIENT: False, SERVER: False}  # more came than belongs to the protocol

    @property
    def silence_s(self) -> float | None:
        """After how many seconds without bytes of the client to call `fall_silent`; None if that says nothing new."""
        if self._is_message_reported or not self._message.received.strip(_SPACE):
            return None
        return INVALID_SILENCE_S if self._message.state is INVALID else MESSAGE_SILENCE_S

    def receive(self, sender: str, data: bytes) -> Events:
        """Take bytes."""
        found = self._from_client(data) if sender == CLIENT else self._from_server(data)
        return [WatchEvent(EventKind.BYTES, sender, data=data), *found]

    def fall_silent(self) -> Events:
        """Take notice that the client sent nothing for `silence_s`."""
        return self._report_message(Ending.SILENCE)

    def end(self, sender: str) -> Events:
        """Take the end of the stream of one side."""
        if sender == CLIENT:
            return [*self._report_message(Ending.END_OF_STREAM), WatchEvent(EventKind.END, sender)]
        return [*self._report_welcome(), WatchEvent(EventKind.END, sender, text=self._missing())]

    def reset(self, sender: str) -> Events:
        """Take the reset by one side."""
        found = self._report_welcome()
        if self._message.received:
            found += self._report_message(Ending.END_OF_STREAM)
        return [*found, WatchEvent(EventKind.RESET, sender, text=self._missing())]

    def _from_client(self, data: bytes) -> Events:
        found = self._report_welcome()
        if self._is_message_reported:
            return found + self._report_rest(CLIENT, data)
        state = self._message.feed(data)
        if state is COMPLETE or self._message.is_full:
            found += self._report_message(Ending.DECIDED)
        return found

    def _from_server(self, data: bytes) -> Events:
        if self._is_handover:
            return []
        if self._answer_state is not NEED_DATA:
            return self._report_rest(SERVER, data)
        self._answer_state = self._answer.feed(data)
        found: Events = []
        if self._answer.reply_begun or WELCOME_WORD in self._answer.welcome:
            found += self._report_welcome()
        if self._answer.reply_begun and self._message.received:
            found += self._report_message(Ending.SILENCE)
        if self._answer_state is not NEED_DATA:
            found.append(self._reply())
        return found

    def _report_welcome(self) -> Events:
        """Return the welcome, once, if there is one. It has no end mark: what came so far is taken for it."""
        greeting = self._answer.greeting
        if self._is_welcome_reported or not greeting.strip(_SPACE):
            return []
        self._is_welcome_reported = True
        welcome = self._answer.welcome
        text = "" if WELCOME_WORD in welcome else f"without the word {WELCOME_WORD} (PROTOCOL.md 3.1)"
        return [WatchEvent(EventKind.WELCOME, SERVER, WELCOME_ARROWS, data=welcome.encode(), text=text)]

    def _report_message(self, ending: Ending) -> Events:
        """Return the message with its diagnosis, once."""
        if self._is_message_reported:
            return []
        self._is_message_reported = True
        received = bytes(self._message.received)
        if WELCOME_WORD not in self._answer.welcome and self._holds_handover():
            self._is_handover = True
            return [WatchEvent(EventKind.HANDOVER, CLIENT, HANDOVER_ARROWS, data=received)]
        diagnosis = diagnose(self._message, ending, self._address)
        self._clientid = diagnosis.message.clientid
        arrows = self._of_visit(MESSAGE_ARROWS)
        return [WatchEvent(EventKind.MESSAGE, CLIENT, arrows, data=received, diagnosis=diagnosis)]

    def _holds_handover(self) -> bool:
        """Return whether the message is a reply to message 1: then client 1 hands it over, and no server reads it."""
        message = _decoded(self._message.text)
        return message is not None and message.clientid == 1 and message.status == STATUS_WAITING

    def _reply(self) -> WatchEvent:
        message = _decoded(self._answer.text) if self._answer_state is COMPLETE else None
        data = message.status.encode(errors="backslashreplace") if message else b""
        text = "" if message else "it is no reply of this protocol"
        return WatchEvent(EventKind.REPLY, SERVER, self._of_visit(REPLY_ARROWS), data=data, text=text)

    def _report_rest(self, sender: str, data: bytes) -> Events:
        """Return, once, that bytes came which do not belong to the protocol."""
        if self._has_rest[sender] or not data.strip(_SPACE):
            return []
        self._has_rest[sender] = True
        return [WatchEvent(EventKind.REST, sender, data=data)]

    def _of_visit(self, arrows: tuple[int, ...]) -> tuple[int, ...]:
        """Return the arrow of client 1 or of client 2; both if it cannot be told which client this is."""
        return arrows[self._clientid - 1 : self._clientid] if self._clientid in (1, 2) else arrows

    def _missing(self) -> str:
        """Return in words that there is no whole reply, "" if there is one or none is due."""
        if self._is_handover or not self._is_message_reported or self._answer_state is not NEED_DATA:
            return ""
        return PART_OF_REPLY if self._answer.reply_begun else NO_REPLY


def _decoded(text: bytes) -> Message | None:
    try:
        return decode(text)
    except NotAMessageError:
        return None
