"""The readers of the exchange: the server's for a message, the client's for what the server sends.

An input is four cuts (in 256ths), then a stream as in stretch.py.
"""

import json
from itertools import pairwise

from fuzz.targets.law import require
from fuzz.targets.stretch import place, stretched
from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.framing import FRAMINGS, LENGTH_BYTES, PLAIN
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA, Reader
from testing.reader_cases import Counted
from testing.reader_oracle import SPACE, expected

CUTS = 4
STEP = 61  # bytes at a time, where one at a time would take too long
SHORT = 1000  # bytes

_parse = json.JSONDecoder().raw_decode


def run(data: bytes) -> None:
    """The same for every cut, as the oracle says, looked at once, decided at the limit; both readers."""
    stream = stretched(data[CUTS:])
    crumbs = _crumbs(stream)
    ways = (stream,), _cut(stream, data[:CUTS]), crumbs
    for framing in FRAMINGS:
        wanted = expected(stream, framing)
        for pieces in ways:
            _read_message(pieces, framing, wanted)
        _look_once(crumbs, framing)
        answers = {_read_answer(pieces, framing) for pieces in ways}
        require(len(answers) == 1, "an answer is read the same however it is cut", *answers)
    _agree_with_json(stream)


def _cut(stream: bytes, marks: bytes) -> tuple[bytes, ...]:
    """Some of the pieces may be empty."""
    at = sorted(place(mark, len(stream)) for mark in marks)
    return tuple(stream[start:stop] for start, stop in pairwise([0, *at, len(stream)]))


def _crumbs(stream: bytes) -> tuple[bytes, ...]:
    step = 1 if len(stream) <= SHORT else STEP
    return tuple(stream[at : at + step] for at in range(0, len(stream), step))


def _read_message(pieces: tuple[bytes, ...], framing: str, wanted: tuple[str, bytes, bytes]) -> None:
    reader = Reader(framing)
    decided = NEED_DATA
    for piece in pieces:
        state = reader.feed(piece)
        require(state in (NEED_DATA, COMPLETE, INVALID), "a state is one of three", state)
        require(decided in (NEED_DATA, state), "what is decided stays decided", decided, state)
        require(
            state != NEED_DATA or len(reader.received) < MAX_MESSAGE_BYTES + LENGTH_BYTES,
            "at the limit it is decided",
            piece,
        )
        decided = state
    require(decided == wanted[0], "the state is the oracle's", decided, wanted)
    if decided == COMPLETE:
        require((reader.text, reader.tail) == wanted[1:], "text and tail are the oracle's", reader.text, wanted)


def _look_once(pieces: tuple[bytes, ...], framing: str) -> None:
    reader = Reader(framing)
    counted = reader.received = Counted()
    for piece in pieces:
        reader.feed(piece)
    most = 2 * len(counted) + 8 * (len(pieces) + 1)
    require(reader.received is counted, "what came stays where it is")
    require(counted.looked_at <= most, "no byte is looked at again and again", counted.looked_at, most)


def _agree_with_json(stream: bytes) -> None:
    """If json finds an object at the start, the reader finds the same one. A byte is a character of Latin-1."""
    start = len(stream) - len(stream.lstrip(SPACE))
    try:
        found, end = _parse(stream.decode("latin-1"), start)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict) and end <= MAX_MESSAGE_BYTES:
        reader = Reader()
        reader.feed(stream)
        require(reader.text == stream[start:end], "an object ends where json says", reader.text, stream[start:end])


def _read_answer(pieces: tuple[bytes, ...], framing: str) -> tuple[str, bytes, bytes]:
    """State, greeting and what carried the reply: what the client goes by. It stops at what can never be one."""
    reader = AnswerReader(framing)
    state = NEED_DATA
    for piece in pieces:
        state = reader.feed(piece)
        if state != NEED_DATA:
            break
    if state == INVALID:
        return state, b"", b""
    if reader.greeting.isascii() and framing == PLAIN:
        require(reader.welcome == reader.greeting.decode(), "the welcome is what came before", reader.welcome)
    if state == COMPLETE:
        require(reader.reply_bytes.endswith(reader.text), "what is handed over is the reply", reader.reply_bytes)
        require(reader.received.startswith(reader.greeting + reader.reply_bytes), "nothing is added", reader.received)
        return state, reader.greeting, reader.reply_bytes
    return state, reader.greeting, b""
