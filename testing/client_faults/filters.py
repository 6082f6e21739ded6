"""The faults: each a named, pure filter from a script to a script, with the way to draw its values.

A filter knows neither the client nor the place. `at` counts the bytes that our side sends, `taken` those that came from
the client. Filters compose: each takes the script that the one before it returned.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from testing.client_faults.scripts import divided, only_sends, without_sends
from testing.clients import WELCOME
from testing.other_side import Finish, Pause, Receive, Script, Send, SendForever, Step, Wait

Value = int | float | bytes
Values = tuple[Value, ...]

GAP = 0.02  # seconds: longer than the clients' pause between two looks, so that they see two segments
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


# Filters of the bytes that our side sends.


def cut(script: Script, at: int) -> Script:
    """Send in two segments."""
    head, tail = divided(script, at)
    return (*head, Pause(GAP), *tail)


def late(script: Script, at: int, seconds: float) -> Script:
    """Pause before a byte."""
    head, tail = divided(script, at)
    return (*head, Pause(seconds), *tail)


def trickle(script: Script) -> Script:
    """Send byte by byte."""
    steps: list[Step] = []
    for step in script:
        if isinstance(step, Send):
            for byte in step.data:
                steps += (Send(bytes([byte])), Pause(TRICKLE))
        else:
            steps.append(step)
    return tuple(steps)


def swallow_welcome(script: Script) -> Script:
    """Leave out the first piece. Scripts without a welcome stay as they are, here and in the next two."""
    if Wait.MESSAGE not in script:
        return script
    first = next((number for number, step in enumerate(script) if isinstance(step, Send)), len(script))
    return script[:first] + script[first + 1 :]


def glue_welcome(script: Script) -> Script:
    """Send the welcome as late as the reply, in one piece with it."""
    if Wait.MESSAGE not in script:
        return script
    message = script.index(Wait.MESSAGE)
    return (*without_sends(script[:message]), Wait.MESSAGE, *only_sends(script[:message]), *script[message + 1 :])


def early_reply(script: Script) -> Script:
    """Send the reply with the welcome, before the message."""
    if Wait.MESSAGE not in script:
        return script
    message = script.index(Wait.MESSAGE)
    return (*script[:message], *only_sends(script[message:]), *without_sends(script[message:]))


def insert(script: Script, at: int, piece: bytes, times: int) -> Script:
    """Send something in between."""
    head, tail = divided(script, at)
    return (*head, Send(piece * times), *tail)


def append(script: Script, piece: bytes, times: int) -> Script:
    """Send something after the last byte."""
    last = max((number for number, step in enumerate(script) if isinstance(step, Send)), default=-1)
    return (*script[: last + 1], Send(piece * times), *script[last + 1 :])


def overwrite(script: Script, at: int, piece: bytes, times: int) -> Script:
    """Send something in place of as many bytes."""
    head, rest = divided(script, at)
    gone, tail = divided(rest, len(piece) * times)
    return (*head, Send(piece * times), *without_sends(gone), *tail)


def lose(script: Script, at: int, count: int) -> Script:
    """Leave out some bytes."""
    head, rest = divided(script, at)
    gone, tail = divided(rest, count)
    return (*head, *without_sends(gone), *tail)


def double(script: Script, at: int, count: int) -> Script:
    """Send some bytes twice."""
    head, rest = divided(script, at)
    twice, tail = divided(rest, count)
    return (*head, *twice, *only_sends(twice), *tail)


def endless(script: Script, at: int, piece: bytes, times: int) -> Script:
    """Send something for ever."""
    return (*divided(script, at)[0], SendForever(piece * times))


# Ends of our side.


def stop(script: Script, at: int) -> Script:
    """Send and receive nothing any more, and keep the connection open."""
    return (*divided(script, at)[0], Wait.STOP)


def half_close(script: Script, at: int) -> Script:
    """Shut the sending side."""
    return (*divided(script, at)[0], Finish.HALF_CLOSE)


def close(script: Script, at: int) -> Script:
    """Close the connection."""
    return (*divided(script, at)[0], Finish.CLOSE)


def reset(script: Script, at: int) -> Script:
    """Reset the connection."""
    return (*divided(script, at)[0], Finish.RESET)


# Filters of the bytes that our side receives.


def deaf(script: Script) -> Script:
    """Receive nothing at all, and send everything."""
    return (*(step for step in script if step != Wait.MESSAGE), Wait.STOP)


def stop_taking(script: Script, taken: int) -> Script:
    """Receive some bytes, and no more."""
    return (*_before_message(script), Receive(taken), Wait.STOP)


def close_taking(script: Script, taken: int) -> Script:
    """Receive some bytes, then close."""
    return (*_before_message(script), Receive(taken), Finish.CLOSE)


def reset_taking(script: Script, taken: int) -> Script:
    """Receive some bytes, then reset the connection."""
    return (*_before_message(script), Receive(taken), Finish.RESET)


def _before_message(script: Script) -> Script:
    return script[: script.index(Wait.MESSAGE)] if Wait.MESSAGE in script else script


class Filter(NamedTuple):
    """A fault: the change of a script, and how its values are drawn."""

    apply: Callable[..., Script]
    draw: Callable[[Random, int], Values]  # values for a script that sends so many bytes
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
