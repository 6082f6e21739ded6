"""The message of eight fields: read, written, and turned into message 2."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.protocol.message import (
    FIELDS,
    TEXT_FIELDS,
    Message,
    NotAMessageError,
    argument_text,
    decode,
    message_1,
    message_2,
)
from testing.cuts import anything

REPLY = Message("0923456", "0934567", "INF2A", 1, "Team1", "192.168.1.2", "5ec4e7", "waiting for message 2")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)  # all but halves of surrogate pairs
messages = st.builds(Message, text, text, text, st.integers(-(10**9), 10**9), text, text, text, text)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def changed(**fields: Any) -> bytes:
    return json.dumps(REPLY.fields() | fields).encode()


def test_written_as_the_assignment_has_it() -> None:
    assert REPLY.encode() == (
        b'{"studentnr1": "0923456", "studentnr2": "0934567", "classname": "INF2A", "clientid": 1, '
        b'"teamname": "Team1", "ip": "192.168.1.2", "secret": "5ec4e7", "status": "waiting for message 2"}'
    )


def test_message_1() -> None:
    made = message_1("0923456", "0934567", "INF2A", "Zoë", "192.168.1.2")
    assert made == Message("0923456", "0934567", "INF2A", 1, "Zoë", "192.168.1.2", "", "")
    assert "Zoë".encode() in made.encode()


@settings(deadline=None)
@given(messages)
def test_decode_takes_back_what_encode_made(message: Message) -> None:
    written = message.encode()
    assert decode(written) == message
    assert decode(written).encode() == written
    assert tuple(json.loads(written)) == FIELDS


def decoded(data: bytes) -> Message | str:
    """The message, or why it is none."""
    try:
        return decode(data)
    except NotAMessageError as why:
        return str(why)


@settings(deadline=None, max_examples=200)
@given(st.one_of(anything, values.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_a_message_or_not(data: bytes) -> None:
    found = decoded(data)
    assert isinstance(found, Message) or "\n" not in found


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(FIELDS), values)
def test_any_value_in_any_field(name: str, value: object) -> None:
    found = decoded(changed(**{name: value}))
    if isinstance(found, Message):
        assert type(value) is (int if name == "clientid" else str)
        assert found.fields()[name] == value
    else:
        assert found in (
            f"its {name} is not text",
            f"its {name} is not a number",
            f"its {name} is {value}: a number, but not an integer",
            f"its {name} holds half of a surrogate pair",
        )


NOT_MESSAGES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "it is not JSON: "),
    "not UTF-8": (b'{"a": "\xe9"}', "byte 8 is not UTF-8"),
    "Python's own text": (b"{'studentnr1': None}", "it is not JSON: "),
    "list": (b"[]", "not an object in braces"),
    "text": (b'"{}"', "not an object in braces"),
    "null": (b"null", "not an object in braces"),
    "empty": (b"{}", "it has none of the eight fields"),
    "two messages": (changed() * 2, "it is not JSON: "),
    "byte order mark": (b"\xef\xbb\xbf" + changed(), "it is not JSON: "),
    "brackets without end": (b"[" * 100_000, "it is not JSON: "),
    "objects without end": (b'{"a":' * 100_000, "it is not JSON: "),
    "endless number": (b'{"clientid": ' + b"1" * 5000 + b"}", "it is not JSON: "),
    "clientid as text": (changed(clientid="1"), "its clientid is not a number"),
    "clientid with a fraction": (changed(clientid=1.0), "its clientid is 1.0: a number, but not an integer"),
    "clientid true": (changed(clientid=True), "its clientid is not a number"),
    "half of a surrogate pair": (changed(ip="\ud83d"), "its ip holds half of a surrogate pair"),
}


@pytest.mark.parametrize(("data", "why"), NOT_MESSAGES.values(), ids=NOT_MESSAGES.keys())
def test_not_a_message(data: bytes, why: str) -> None:
    with pytest.raises(NotAMessageError) as caught:
        decode(data)
    assert why in str(caught.value)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_has_to_be_there(name: str) -> None:
    fields = {other: value for other, value in REPLY.fields().items() if other != name}
    with pytest.raises(NotAMessageError, match=f"^it has no {name}$"):
        decode(json.dumps(fields).encode())


@pytest.mark.parametrize("value", [None, 7, [], {}, True], ids=repr)
@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_each_text_has_to_be_text(name: str, value: object) -> None:
    with pytest.raises(NotAMessageError, match=f"^its {name} is not text$"):
        decode(changed(**{name: value}))


def test_a_message_is_read_however_it_is_written() -> None:
    fields = dict(reversed(REPLY.fields().items())) | {"hint": [1, None]}
    assert decode(json.dumps(fields, indent=4).encode()) == REPLY
    assert decode(b"\n" + REPLY.encode().replace(b"Team1", rb"T\u0065am1") + b" \r\n") == REPLY


def test_unequal_messages() -> None:
    assert Message() != REPLY
    assert REPLY.fields() != REPLY
    assert repr(Message()).startswith("Message(studentnr1='', ")


# studentnr1 and studentnr2 of the handover, then of message 2
NUMBERS: dict[str, tuple[str, str, str, str]] = {
    "two students": ("0923456", "0934567", "0934567", "0923456"),
    "alone, no number": ("0923456", "", "0923456", ""),
    "alone, zeros": ("0923456", "0000000", "0923456", "0000000"),
    "alone, the own number again": ("0923456", "0923456", "0923456", "0923456"),
    "other zeros are a number": ("0923456", "000000", "000000", "0923456"),
    "alone, nobody first": ("0000000", "0923456", "0000000", "0923456"),
}


@pytest.mark.parametrize(("one", "two", "own", "mate"), NUMBERS.values(), ids=NUMBERS.keys())
def test_message_2(one: str, two: str, own: str, mate: str) -> None:
    handover = Message(one, two, "INF2A", 1, "Team1", "192.168.1.2", "5ec4e7", "waiting for message 2")
    wanted = Message(own, mate, "INF2A", 2, "Team1", "192.168.1.3", "5ec4e7", "waiting for message 2")
    assert message_2(handover, "192.168.1.3") == wanted
    assert (handover.studentnr1, handover.studentnr2, handover.clientid) == (one, two, 1)


@settings(deadline=None)
@given(messages, text)
def test_message_2_changes_nothing_but_what_it_must(handover: Message, ip: str) -> None:
    made = message_2(handover, ip)
    assert {made.studentnr1, made.studentnr2} == {handover.studentnr1, handover.studentnr2}
    assert (made.clientid, made.ip) == (2, ip)
    for name in ("classname", "teamname", "secret", "status"):
        assert made.fields()[name] == handover.fields()[name]


@settings(deadline=None)
@given(text)
def test_an_argument_is_the_same_text_in_every_locale(given_text: str) -> None:
    for locale in ("utf-8", "ascii"):  # the latter is Python's in a C locale
        assert argument_text(given_text.encode().decode(locale, "surrogateescape")) == given_text


@pytest.mark.parametrize("locale", ["utf-8", "ascii"])
def test_an_argument_that_is_not_utf_8(locale: str) -> None:
    with pytest.raises(ValueError, match="codec can't decode"):
        argument_text(b"Gr\xf6\xdfe".decode(locale, "surrogateescape"))
