"""The faults: each a named, pure filter from a talk to a talk, with the way to draw its values.

A filter knows neither the client nor the place. `at` counts the bytes that our side sends, `taken` those
that came from the client. Filters compose: each takes what the one before it has left.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from testing.client_faults.talk import (
    WELCOME,
    Close,
    Endless,
    Fin,
    Halt,
    Pause,
    Reset,
    Send,
    Step,
    TakeBytes,
    TakeMessage,
    Talk,
    divided,
    only_sends,
    without_sends,
)

Value = int | float | bytes
Values = tuple[Value, ...]

GAP = 0.006  # seconds: longer than the clients' pause between two looks, so that they see two segments
TRICKLE = 0.001  # seconds between two bytes
SHORT = (0.02, 0.15)  # seconds of a delay that every limit has room for
LONG = (0.25, 0.9)  # seconds of a delay around the small limits of the campaign
MAX_TAKEN = 250  # bytes: a little more than a message has

_PIECES = (
    *(b"\0", b"\0\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J\x07", "\u202e\u2028".encode(), b"\r\n", b" ", b"\t"),
    *(
        b"{",
        b"}",
        b"{}",
        b'"',
        b"\\",
        b",",
        b"[",
        b'{"a":',
        b"9",
        b"1e999",
        b"NaN",
        b"null",
        b"\\ud800",
        b"\\u001b[31m",
    ),
    *(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"connection", b'{"status": "Finished successfully"}', b"\xff\x1f\0\0"),
)


# What our side sends, and when.


def cut(talk: Talk, at: int) -> Talk:
    head, tail = divided(talk, at)
    return (*head, Pause(GAP), *tail)


def late(talk: Talk, at: int, seconds: float) -> Talk:
    head, tail = divided(talk, at)
    return (*head, Pause(seconds), *tail)


def trickle(talk: Talk) -> Talk:
    """Byte by byte."""
    steps: list[Step] = []
    for step in talk:
        if isinstance(step, Send):
            for byte in step.data:
                steps += (Send(bytes([byte])), Pause(TRICKLE))
        else:
            steps.append(step)
    return tuple(steps)


def swallow_welcome(talk: Talk) -> Talk:
    """The first piece never comes. Talks without a welcome stay as they are, here and in the next two."""
    if TakeMessage() not in talk:
        return talk
    first = next((number for number, step in enumerate(talk) if isinstance(step, Send)), len(talk))
    return talk[:first] + talk[first + 1 :]


def glue_welcome(talk: Talk) -> Talk:
    """The welcome comes as late as the reply, in one piece with it."""
    if TakeMessage() not in talk:
        return talk
    message = talk.index(TakeMessage())
    return (*without_sends(talk[:message]), TakeMessage(), *only_sends(talk[:message]), *talk[message + 1 :])


def early_reply(talk: Talk) -> Talk:
    """The reply comes with the welcome, before the message."""
    if TakeMessage() not in talk:
        return talk
    message = talk.index(TakeMessage())
    return (*talk[:message], *only_sends(talk[message:]), *without_sends(talk[message:]))


def insert(talk: Talk, at: int, piece: bytes, times: int) -> Talk:
    head, tail = divided(talk, at)
    return (*head, Send(piece * times), *tail)


def append(talk: Talk, piece: bytes, times: int) -> Talk:
    """Behind the last byte."""
    last = max((number for number, step in enumerate(talk) if isinstance(step, Send)), default=-1)
    return (*talk[: last + 1], Send(piece * times), *talk[last + 1 :])


def overwrite(talk: Talk, at: int, piece: bytes, times: int) -> Talk:
    head, rest = divided(talk, at)
    gone, tail = divided(rest, len(piece) * times)
    return (*head, Send(piece * times), *without_sends(gone), *tail)


def lose(talk: Talk, at: int, count: int) -> Talk:
    head, rest = divided(talk, at)
    gone, tail = divided(rest, count)
    return (*head, *without_sends(gone), *tail)


def double(talk: Talk, at: int, count: int) -> Talk:
    head, rest = divided(talk, at)
    twice, tail = divided(rest, count)
    return (*head, *twice, *only_sends(twice), *tail)


def endless(talk: Talk, at: int, piece: bytes, times: int) -> Talk:
    return (*divided(talk, at)[0], Endless(piece * times))


# Where our side ends.


def stop(talk: Talk, at: int) -> Talk:
    """Silence for ever."""
    return (*divided(talk, at)[0], Halt())


def half_close(talk: Talk, at: int) -> Talk:
    return (*divided(talk, at)[0], Fin())


def close(talk: Talk, at: int) -> Talk:
    return (*divided(talk, at)[0], Close())


def reset(talk: Talk, at: int) -> Talk:
    return (*divided(talk, at)[0], Reset())


# What our side takes of the client's bytes.


def deaf(talk: Talk) -> Talk:
    """Takes nothing at all, and says what it has to say."""
    return (*(step for step in talk if step != TakeMessage()), Halt())


def stop_taking(talk: Talk, taken: int) -> Talk:
    return (*_before_message(talk), TakeBytes(taken), Halt())


def close_taking(talk: Talk, taken: int) -> Talk:
    return (*_before_message(talk), TakeBytes(taken), Close())


def reset_taking(talk: Talk, taken: int) -> Talk:
    return (*_before_message(talk), TakeBytes(taken), Reset())


def _before_message(talk: Talk) -> Talk:
    return talk[: talk.index(TakeMessage())] if TakeMessage() in talk else talk


class Filter(NamedTuple):
    apply: Callable[..., Talk]
    draw: Callable[[Random, int], Values]  # values for a talk that sends so many bytes
    is_harmless: Callable[[Values], bool]  # must the client finish all the same?


def _no_values(random: Random, most: int) -> Values:
    return ()


def _at(random: Random, most: int) -> int:
    """Any place; as often as not one of those where something begins or ends."""
    edges = (0, 1, 4, len(WELCOME) - 1, len(WELCOME), len(WELCOME) + 1, len(WELCOME) + 4, most - 1, most)
    return max(0, min(most, random.choice((random.randint(0, most), random.choice(edges)))))


def _at_only(random: Random, most: int) -> Values:
    return (_at(random, most),)


def _delay(random: Random, most: int) -> Values:
    return (_at(random, most), round(random.uniform(*random.choice((SHORT, LONG))), 3))


def _garbage(random: Random, most: int) -> Values:
    noise = random.randbytes(random.randint(1, 12))
    return (random.choice((*_PIECES, noise)), random.choice((1, 1, 1, 2, 40, 3000)))


def _at_garbage(random: Random, most: int) -> Values:
    return (_at(random, most), *_garbage(random, most))


def _range(random: Random, most: int) -> Values:
    return (_at(random, most), random.choice((1, 1, 2, 4, len(WELCOME), random.randint(1, most + 1))))


def _taken(random: Random, most: int) -> Values:
    return (random.choice((0, 1, random.randint(0, MAX_TAKEN))),)


def _yes(values: Values) -> bool:
    return True


def _no(values: Values) -> bool:
    return False


def _is_short(values: Values) -> bool:
    seconds = values[1]
    return isinstance(seconds, float) and seconds <= SHORT[1]


FILTERS: dict[str, Filter] = {
    "cut": Filter(cut, _at_only, _yes),
    "late": Filter(late, _delay, _is_short),
    "trickle": Filter(trickle, _no_values, _yes),
    "swallow_welcome": Filter(swallow_welcome, _no_values, _yes),
    "glue_welcome": Filter(glue_welcome, _no_values, _yes),
    "early_reply": Filter(early_reply, _no_values, _yes),
    "insert": Filter(insert, _at_garbage, _no),
    "append": Filter(append, _garbage, _no),
    "overwrite": Filter(overwrite, _at_garbage, _no),
    "lose": Filter(lose, _range, _no),
    "double": Filter(double, _range, _no),
    "endless": Filter(endless, _at_garbage, _no),
    "stop": Filter(stop, _at_only, _no),
    "half_close": Filter(half_close, _at_only, _no),
    "close": Filter(close, _at_only, _no),
    "reset": Filter(reset, _at_only, _no),
    "deaf": Filter(deaf, _no_values, _no),
    "stop_taking": Filter(stop_taking, _taken, _no),
    "close_taking": Filter(close_taking, _taken, _no),
    "reset_taking": Filter(reset_taking, _taken, _no),
}
