"""Decides which line to type into a program, from its output. Pure."""

import re

MAX_ANSWERS = 20  # to one prompt: a program may ask again after a wrong answer, and not for ever
MAX_TAIL = 4096  # characters in which a prompt is looked for


class Prompts:
    """The prompts of one program. Feed it with all output; it says what to type."""

    def __init__(self, prompts: tuple[tuple[str, str], ...]) -> None:
        self._patterns = [(re.compile(pattern, re.IGNORECASE), answer) for pattern, answer in prompts]
        self._counts = [0] * len(prompts)
        self._tail = ""  # the output since the last answer

    def feed(self, output: bytes) -> list[tuple[str, str]]:
        """Add output. Return (pattern, line) for each prompt in it, in the order in which they came."""
        self._tail = (self._tail + output.decode(errors="replace"))[-MAX_TAIL:]
        answers: list[tuple[str, str]] = []
        while (found := self._first()) is not None:
            number, end = found
            self._counts[number] += 1
            self._tail = self._tail[end:]
            pattern, answer = self._patterns[number]
            answers.append((pattern.pattern, answer))
        return answers

    def _first(self) -> tuple[int, int] | None:
        """Return (number, offset after it) of the prompt that comes first in the output since the last answer."""
        found = [
            (match.start(), number, match.end())
            for number, (pattern, _) in enumerate(self._patterns)
            if self._counts[number] < MAX_ANSWERS and (match := pattern.search(self._tail)) and match.group()
        ]
        if not found:
            return None
        _, number, end = min(found)
        return number, end
