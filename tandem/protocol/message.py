"""The message of eight fields: read it, write it, make message 1, make message 2 from what came back.

Knows nothing of sockets and judges nothing: whether a message deserves an answer is the ground's business.
"""

import json
from json.encoder import encode_basestring as quote

WELCOME_WORD = "connection"  # every welcome contains it
WAITING = "waiting for message 2"  # the status of a right message 1
FINISHED = "Finished successfully"  # the status of a right message 2
ERROR = "error: "  # how the status of anything wrong begins

TEXT_FIELDS = ("studentnr1", "studentnr2", "classname", "teamname", "ip", "secret", "status")
FIELDS = ("studentnr1", "studentnr2", "classname", "clientid", "teamname", "ip", "secret", "status")

NOBODY = ("", "0000000")  # what a team of one writes where the teammate's number belongs


class NotAMessageError(ValueError):
    """These bytes are not one message; its text says why, for a person to read."""


class Message:
    """The eight fields, in the order in which they are written."""

    __slots__ = FIELDS

    def __init__(
        self,
        studentnr1: str = "",
        studentnr2: str = "",
        classname: str = "",
        clientid: int = 0,
        teamname: str = "",
        ip: str = "",
        secret: str = "",
        status: str = "",
    ) -> None:
        self.studentnr1 = studentnr1  # always the sender's number
        self.studentnr2 = studentnr2  # the teammate's
        self.classname = classname
        self.clientid = clientid  # 1 or 2
        self.teamname = teamname
        self.ip = ip  # the sender's own address
        self.secret = secret  # "" until the ground fills it in
        self.status = status  # "" until the ground fills it in

    def fields(self) -> dict[str, str | int]:
        """The fields by name, in order."""
        return {name: getattr(self, name) for name in FIELDS}

    def answered(self, secret: str, status: str) -> "Message":
        """Return the same message with the secret and the status of a reply."""
        return Message(
            self.studentnr1, self.studentnr2, self.classname, self.clientid, self.teamname, self.ip, secret, status
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.fields() == other.fields()

    def __repr__(self) -> str:
        return f"Message({', '.join(f'{name}={value!r}' for name, value in self.fields().items())})"

    def encode(self) -> bytes:
        """The bytes for the wire: one JSON object in UTF-8, nothing before or after it.

        The same as json.dumps makes, at a sixth of its price: the ground writes two of these an exchange.
        """
        return (
            f'{{"studentnr1": {quote(self.studentnr1)}, "studentnr2": {quote(self.studentnr2)},'
            f' "classname": {quote(self.classname)}, "clientid": {self.clientid}, "teamname": {quote(self.teamname)},'
            f' "ip": {quote(self.ip)}, "secret": {quote(self.secret)}, "status": {quote(self.status)}}}'
        ).encode()

    def is_for_team_of_one(self) -> bool:
        """One student alone: no teammate's number, zeros, or the own number again."""
        return is_team_of_one(self.studentnr1, self.studentnr2)


def is_team_of_one(studentnr1: str, studentnr2: str) -> bool:
    """One student alone: one of the two numbers stands for nobody, or both are the same."""
    return studentnr1 == studentnr2 or studentnr1 in NOBODY or studentnr2 in NOBODY


def decode(text: bytes) -> Message:
    """Reads one message. Raises NotAMessageError unless it is a JSON object with the eight fields, rightly typed."""
    try:
        found = json.loads(text.decode())
    except UnicodeDecodeError as error:
        raise NotAMessageError(f"byte {error.start + 1} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise NotAMessageError(f"it is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotAMessageError("it is JSON, but not an object in braces")
    missing = [name for name in FIELDS if name not in found]
    if missing:
        raise NotAMessageError(f"it has no {' and no '.join(missing)}")
    for name in TEXT_FIELDS:
        if not isinstance(found[name], str):
            raise NotAMessageError(f"its {name} is not text")
        if not is_unicode(found[name]):
            raise NotAMessageError(f"its {name} holds half of a surrogate pair")
    if type(found["clientid"]) is not int:
        raise NotAMessageError("its clientid is not a number")
    return Message(**{name: found[name] for name in FIELDS})


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can carry the text. JSON's escapes can make text that it cannot: "\\ud800"."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def message_1(studentnr1: str, studentnr2: str, classname: str, teamname: str, ip: str) -> Message:
    """What client 1 sends to the ground."""
    return Message(studentnr1, studentnr2, classname, 1, teamname, ip)


def message_2(handover: Message, ip: str) -> Message:
    """What client 2 makes of the ground's reply that client 1 handed over.

    The numbers change places, because studentnr1 is always the sender's (a team of one has nothing to
    swap); client id and ip become client 2's own; secret and status stay as they came.
    """
    studentnr1, studentnr2 = handover.studentnr2, handover.studentnr1
    if handover.is_for_team_of_one():
        studentnr1, studentnr2 = handover.studentnr1, handover.studentnr2
    return Message(
        studentnr1,
        studentnr2,
        handover.classname,
        2,
        handover.teamname,
        ip,
        handover.secret,
        handover.status,
    )
