"""Rules for the options of a command together: a table beside the options of each command, applied here.

Options that no rule names are independent: each has the same effect with the other as alone. tests/commands checks
every pair of every command.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple


class Excludes(NamedTuple):
    """Options that are refused together: one of `options` with one of `others`."""

    options: tuple[str, ...]
    others: tuple[str, ...]  # options, variables of the environment, or a command below the command
    reason: str

    def violation(self, given: Collection[str]) -> str:
        """Return what is wrong with the given options, or ""."""
        first = next((name for name in self.options if name in given), "")
        second = next((name for name in self.others if name in given), "")
        if not (first and second):
            return ""
        return f"{first} cannot be used with {second}: {self.reason}; leave one of them out"

    def __str__(self) -> str:
        return f"{' and '.join(self.options)} cannot be used with {' or '.join(self.others)}: {self.reason}."


class Requires(NamedTuple):
    """An option that is refused without another option."""

    option: str
    needed: str
    reason: str

    def violation(self, given: Collection[str]) -> str:
        """Return what is wrong with the given options, or ""."""
        if self.option not in given or self.needed in given:
            return ""
        return f"{self.option} needs {self.needed}: {self.reason}"

    def __str__(self) -> str:
        return f"{self.option} needs {self.needed}: {self.reason}."


class RequiresValue(NamedTuple):
    """An option that is refused beside some values of another option. The command itself checks the value."""

    option: str
    other: str
    wanted: str  # the values, in words
    reason: str

    def violation(self, given: Collection[str]) -> str:
        """Return "": the names of the options do not tell."""
        return ""

    def __str__(self) -> str:
        return f"{self.option} needs a {self.other} {self.wanted}: {self.reason}."


class Interaction(NamedTuple):
    """Options that change the meaning of each other. For the help only; it refuses nothing."""

    options: tuple[str, ...]
    meaning: str

    def violation(self, given: Collection[str]) -> str:
        """Return what is wrong with the given options, or ""."""
        return ""

    def __str__(self) -> str:
        return f"{' and '.join(self.options)} together: {self.meaning}."


Rule = Excludes | Requires | RequiresValue | Interaction


def options_in(words: Sequence[str]) -> Iterator[str]:
    """Yield the names of the options on a command line, in order. A value never begins with two dashes."""
    for word in words:
        if word == "--":
            return
        if word.startswith("--"):
            yield word.partition("=")[0]


def violated_rule(given: Sequence[str], rules: Sequence[Rule], repeatable: Collection[str] = ()) -> str:
    """Return what is wrong with the given options together, in one line, or ""."""
    for name in given:
        if given.count(name) > 1 and name not in repeatable:
            return f"{name} is given {given.count(name)} times: give it once"
    return next((wrong for rule in rules if (wrong := rule.violation(given))), "")
