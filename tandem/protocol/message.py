"""The message of eight fields: reads and writes it, makes message 1, and makes message 2 from the handover.

Knows no sockets, and only checks that a message can be read: its rules are checked by the server.
"""

import json
from json.encoder import encode_basestring as quote

WELCOME_WORD = "connection"  # in every welcome (PROTOCOL 3.1)
# The fast path of the server writes these two without escapes: printable ASCII, no quote, no backslash.
STATUS_WAITING = "waiting for message 2"  # in the reply to a right message 1 (PROTOCOL 4.2)
STATUS_FINISHED = "Finished successfully"  # in the reply to a right message 2 (PROTOCOL 5.4)
ERROR_PREFIX = "error: "  # at the beginning of the status in any other reply (PROTOCOL 7.1)

TEXT_FIELDS = ("studentnr1", "studentnr2", "classname", "teamname", "ip", "secret", "status")
FIELDS = ("studentnr1", "studentnr2", "classname", "clientid", "teamname", "ip", "secret", "status")

NO_TEAMMATE = ("", "0000000")  # the teammate's number in a team of one (PROTOCOL 2.3)


class NotAMessageError(ValueError):
    """The bytes are not one message. Its text says why, for people."""


class Message:
    """The eight fields, in the order in which they are written (PROTOCOL 2.2)."""

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
        self.secret = secret  # "" until the server fills it in
        self.status = status  # "" until the server fills it in

    def fields(self) -> dict[str, str | int]:
        """Return the fields by name, in order."""
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
        """Return the bytes for the wire: one JSON object in UTF-8 (PROTOCOL 2.1).

        They are the same as from json.dumps, which takes six times as long. The server writes two of them an exchange.
        """
        return (
            f'{{"studentnr1": {quote(self.studentnr1)}, "studentnr2": {quote(self.studentnr2)},'
            f' "classname": {quote(self.classname)}, "clientid": {self.clientid}, "teamname": {quote(self.teamname)},'
            f' "ip": {quote(self.ip)}, "secret": {quote(self.secret)}, "status": {quote(self.status)}}}'
        ).encode()

    def is_for_team_of_one(self) -> bool:
        """Return whether it is the message of one student alone (PROTOCOL 2.3)."""
        return is_team_of_one(self.studentnr1, self.studentnr2)


def is_team_of_one(studentnr1: str, studentnr2: str) -> bool:
    """Return whether these are the numbers of one student: one is empty or zeros, or both are the same."""
    return studentnr1 == studentnr2 or studentnr1 in NO_TEAMMATE or studentnr2 in NO_TEAMMATE


def decode(text: bytes) -> Message:
    """Return the message in a JSON text.

    Raises:
        NotAMessageError: It is not a JSON object with the eight fields and their types.
    """
    try:
        found = json.loads(text.decode())
    except UnicodeDecodeError as error:
        raise NotAMessageError(f"byte {error.start + 1} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise NotAMessageError(f"it is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotAMessageError("it is JSON, but not an object in braces")
    missing = [name for name in FIELDS if name not in found]
    if len(missing) == len(FIELDS):
        raise NotAMessageError("it has none of the eight fields")
    if missing:
        raise NotAMessageError(f"it has no {' and no '.join(missing)}")
    for name in TEXT_FIELDS:
        if not isinstance(found[name], str):
            raise NotAMessageError(f"its {name} is not text")
        if not is_unicode(found[name]):
            raise NotAMessageError(f"its {name} holds half of a surrogate pair")
    if isinstance(found["clientid"], float):
        raise NotAMessageError(f"its clientid is {found['clientid']}: a number, but not an integer")
    if type(found["clientid"]) is not int:
        raise NotAMessageError("its clientid is not a number")
    return Message(**{name: found[name] for name in FIELDS})


def refusal_in(text: bytes) -> str:
    """Return the status if a JSON text is a refusal (PROTOCOL 7.1), whatever else it has or lacks; "" if it is none."""
    try:
        found = json.loads(text.decode())
    except (ValueError, RecursionError):
        return ""
    status = found.get("status") if isinstance(found, dict) else None
    return status if isinstance(status, str) and status.startswith(ERROR_PREFIX) else ""


def is_unicode(text: str) -> bool:
    r"""Return whether UTF-8 can carry the text. JSON's escapes can make text that it cannot: "\ud800"."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def argument_text(argument: str) -> str:
    """Return an argument of the command line, read as UTF-8.

    In a C locale Python takes the bytes beyond ASCII for no characters, and passes them on as surrogates.

    Raises:
        ValueError: it is not UTF-8.
    """
    return argument.encode("utf-8", "surrogateescape").decode("utf-8")


def argument_number(argument: str) -> float:
    """Return an argument of the command line as a number: ASCII digits, with or without a decimal point.

    float() also reads 1_0, 1e3, nan, and the digits of other scripts.

    Raises:
        ValueError: it is something else.
    """
    if not (argument.isascii() and argument.replace(".", "", 1).isdigit()):
        raise ValueError("it is not a number in digits")
    return float(argument)


def message_1(studentnr1: str, studentnr2: str, classname: str, teamname: str, ip: str) -> Message:
    """Return what client 1 sends to the server (PROTOCOL 4.1)."""
    return Message(studentnr1, studentnr2, classname, 1, teamname, ip)


def message_2(handover: Message, ip: str) -> Message:
    """Return what client 2 sends to the server, made from the reply that client 1 handed over (PROTOCOL 5.2).

    The numbers are swapped, because studentnr1 is always the sender's; a team of one does not swap them. clientid and
    ip become client 2's own. secret and status stay as they are.
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
