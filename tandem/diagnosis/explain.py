"""The words for a problem, made at the edge from its facts and the catalogue: for the reply's status and for people.

Facts come from outside: everything is made printable, and bounded where room is short.
"""

import json
from collections.abc import Callable, Sequence

from tandem.diagnosis.problems import Problem
from tandem.protocol.message import ERROR
from tandem.protocol.printable import printable

MAX_SENTENCE = 200  # bytes in JSON, so that a status always has room for the first problem
_MAX_FACT = 32  # bytes in JSON, inside a sentence


def what(problem: Problem) -> str:
    """What is wrong, in full."""
    return _fill(problem.kind.what, problem, _visible)


def help_for(problem: Problem) -> str:
    """What to try, in full."""
    return _fill(problem.kind.help, problem, _visible)


def sentence(problem: Problem) -> str:
    """What is wrong and what to try, in one line of at most 200 bytes in JSON. Long facts are cut."""
    words = f"{problem.kind.what} - {problem.kind.help}"
    line = f"line {problem.facts['line']}: " if "line" in problem.facts else ""
    return line + _fill(words, problem, _short)


def status(problems: Sequence[Problem], room: int) -> str:
    """The reply's status: `error: ` and as many whole problems as fit in `room` bytes of JSON, at least one."""
    words = ERROR + sentence(problems[0])
    for problem in problems[1:]:
        longer = f"{words}; {sentence(problem)}"
        if size_in_json(longer) > room:
            break
        words = longer
    return words


def size_in_json(text: str) -> int:
    """How many bytes the text takes between its quotes, as the ground writes JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


class _Facts(dict[str, str]):
    """Facts for a template; one that was not given is a question mark, not an exception."""

    def __missing__(self, name: str) -> str:
        return "?"


def _fill(template: str, problem: Problem, show: Callable[[str], str]) -> str:
    return template.format_map(_Facts({name: show(value) for name, value in problem.facts.items()}))


def _visible(text: str) -> str:
    """Safe to show; a byte that is not UTF-8 as what it is, \\xff, and not as what Python makes of it."""
    if text.isprintable():
        return text
    return printable("".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text))


def _short(text: str) -> str:
    """Safe to show, and cut to _MAX_FACT."""
    shown = _visible(text[: _MAX_FACT + 1])
    if size_in_json(shown) <= _MAX_FACT:
        return shown
    room, kept = _MAX_FACT - len("..."), 0
    while (room := room - size_in_json(shown[kept])) >= 0:
        kept += 1
    return shown[:kept] + "..."
