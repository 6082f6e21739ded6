"""Makes the words for a problem from its facts and the catalogue: for the reply's status and for people.

Facts come from outside: all of them are made printable, and cut where room is short.
"""

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring

from tandem.diagnosis.problems import Problem
from tandem.protocol.message import ERROR_PREFIX
from tandem.protocol.printable import printable

MAX_SENTENCE = 200  # bytes in JSON, so that a status always has room for the first problem
_MAX_FACT = 32  # bytes in JSON, inside a sentence


def what(problem: Problem) -> str:
    """Return what is wrong, in full."""
    return _fill(problem.kind.what, problem, _visible)


def help_for(problem: Problem) -> str:
    """Return what to try, in full."""
    return _fill(problem.kind.help, problem, _visible)


def sentence(problem: Problem) -> str:
    """Return what is wrong and what to try, in one line of at most MAX_SENTENCE bytes. Long facts are cut."""
    kind = problem.kind
    words = f"{kind.what} - {kind.help}"
    line = f"line {problem.facts['line']}: " if "line" in problem.facts else ""
    return line + _fill(words, problem, _short)


def status(problems: Sequence[Problem], room: int) -> str:
    """Return a reply's status (PROTOCOL 7.1): `error: ` and whole problems that fit in `room` bytes, at least one."""
    words = ERROR_PREFIX + sentence(problems[0])
    for problem in problems[1:]:
        longer = f"{words}; {sentence(problem)}"
        if size_in_json(longer) > room:
            break
        words = longer
    return words


def size_in_json(text: str) -> int:
    """Return how many bytes the text takes between its quotes, as the server writes JSON."""
    return len(encode_basestring(text).encode()) - 2


class _Facts(dict[str, str]):
    """Facts for a template. A missing one becomes a question mark, not an exception."""

    def __missing__(self, name: str) -> str:
        return "?"


def _fill(template: str, problem: Problem, show: Callable[[str], str]) -> str:
    return template.format_map(_Facts({name: show(value) for name, value in problem.facts.items()}))


def _visible(text: str) -> str:
    r"""Return the text safe to show; a byte that is not UTF-8 as \xff, not as the surrogate that Python makes of it."""
    if text.isprintable():
        return text
    return printable("".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text))


def _short(text: str) -> str:
    """Return the text safe to show, and cut to _MAX_FACT."""
    shown = _visible(text[: _MAX_FACT + 1])
    if size_in_json(shown) <= _MAX_FACT:
        return shown
    room, length = _MAX_FACT - len("..."), 0
    while (room := room - size_in_json(shown[length])) >= 0:
        length += 1
    return shown[:length] + "..."
