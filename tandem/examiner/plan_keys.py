"""The keys of a plan, and how their values are read from its tables.

A mistake is told in one line: the file, the key, what was wanted. Knows which keys there are, not what they are for.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from tandem.protocol.errors import UsageError

KEYS = {
    "submission": {"folder": "the folder of the submission, as seen from the folder of the plan"},
    "class": {"folder": "a folder of submissions, each a folder in it; in place of `submission`"},
    "client1": {
        "command": "the command line of client 1",
        "prompts": "its questions: `[[client1.prompts]]`, each with `asks` and `answer`",
    },
    "client2": {
        "command": "the command line of client 2",
        "prompts": "its questions: `[[client2.prompts]]`, each with `asks` and `answer`",
        "listens": "the port on which client 2 listens (default: 5551)",
    },
    "prompts": {
        "asks": "a regular expression on what the program has written since the last answer, in any letter case",
        "answer": "the line that is typed",
    },
    "addresses": {
        "server": "HOST:PORT of the server, if the program has it built in",
        "client1": "the address of client 1, if the program has it built in",
        "client2": "the address where client 1 looks for client 2, if the program has it built in",
    },
    "team": {
        "studentnr1": "the number of the student whose program is client 1",
        "studentnr2": "the number of the other student",
        "classname": "the class",
        "teamname": "the name of the team",
    },
    "files": {"NAME": "the content of a file that is written into the copy of the submission, by its name"},
    "limits": {
        "seconds": "wall time of one run (default: 60)",
        "cpu_seconds": "processor time of one program (default: 20)",
        "memory_mib": "memory of one program in MiB (default: 512)",
        "processes": "processes and threads of one program (default: 32)",
        "output_kib": "output of one program in KiB (default: 256)",
        "disk_mib": "files of one program in MiB, the submission included (default: 32)",
        "quiet_s": "seconds for which client 1 is watched after a disturbance (default: 10)",
        "grace_s": "seconds from the end of the exchange until the programs are stopped (default: 2)",
    },
    "counts": {
        "leave_out": "ids of scenarios and checks that do not count: a list",
        "points": "points of checks, where they differ: a table of ids and whole numbers",
    },
    "rules": {"imports": "modules that may be imported: a list (default: socket, json, sys)"},
    "exceptions": {"folder": "the submission of the class that is meant; all other sections may follow in it"},
}
SECTIONS = tuple(name for name in KEYS if name not in ("prompts", "exceptions"))
MAX_TEXT = 100_000  # characters of one value


class PlanError(UsageError):
    """A plan cannot be used. str() says which file, which key, and what was wanted."""


class PlanTable:
    """One table of a plan. It raises a PlanError for a value that is not what is asked for."""

    def __init__(self, values: Any, where: str, name: str = "") -> None:
        self.where = where  # the file, and the exception that is meant
        self.name = name  # of the table in the file, with dots
        if not isinstance(values, dict):
            raise self.error("", f"it is {_shown(values)}, and was to be a table")
        self._values: dict[str, Any] = values

    def error(self, key: str, what: str, help: str = "") -> PlanError:
        """Return the error for a key of this table."""
        place = ".".join(filter(None, (self.name, key)))
        return PlanError(f"{self.where}: {place}: {what}" if place else f"{self.where}: {what}", help)

    def refuse_others(self, known: Iterable[str]) -> None:
        """Raise PlanError if the table has another key than these."""
        known = list(known)
        for key in self._values:
            if key not in known:
                meant = get_close_matches(key, known, 1)
                raise self.error(key, "there is no such key", meant[0] if meant else ", ".join(known))

    def has(self, key: str) -> bool:
        """Return whether the table has this key."""
        return key in self._values

    def names(self) -> list[str]:
        """Return the keys in their order."""
        return list(self._values)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text. Without a default the key must be there."""
        found = self._values.get(key, default)
        if found is None:
            raise self.error(key, "it is missing")
        if not isinstance(found, str):
            raise self.error(key, f"it is {_shown(found)}, and was to be a text in quotes")
        if len(found) > MAX_TEXT or "\0" in found:
            raise self.error(key, f"it has a zero byte, or more than {MAX_TEXT:,} characters")
        return found

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """Return a number between two others, as an integer if the default is one."""
        found = self._values.get(key, default)
        kinds = int if isinstance(default, int) else (int, float)
        if isinstance(found, bool) or not isinstance(found, kinds) or not least <= found <= most:
            whole = "whole " if kinds is int else ""
            raise self.error(key, f"it is {_shown(found)}, and was to be a {whole}number from {least:g} to {most:g}")
        return found

    def texts(self, key: str, default: Iterable[str]) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self._values.get(key, list(default))
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self.error(key, f'it is {_shown(found)}, and was to be a list of texts, as ["a", "b"]')
        return tuple(found)

    def table(self, key: str) -> "PlanTable":
        """Return a table in this one, empty if it is missing."""
        return PlanTable(self._values.get(key, {}), self.where, ".".join(filter(None, (self.name, key))))

    def tables(self, key: str) -> "list[PlanTable]":
        """Return a list of tables in this one, written as [[...]], empty if it is missing."""
        found = self._values.get(key, [])
        name = ".".join(filter(None, (self.name, key)))
        if not isinstance(found, list):
            raise self.error(key, f"it is {_shown(found)}, and was to be tables, each below a line [[{name}]]")
        return [PlanTable(each, self.where, f"{name}[{number}]") for number, each in enumerate(found, 1)]

    def merged(self, other: "PlanTable", without: str, where: str) -> "PlanTable":
        """Return this table with the values of another one, whose tables are merged, and one key left out of it."""
        changes = {key: value for key, value in other._values.items() if key != without}
        return PlanTable(_merge(self._values, changes), where)


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in changes.items():
        before = merged.get(key)
        merged[key] = _merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _shown(value: Any) -> str:
    kinds = {dict: "a table", list: "a list", bool: "true or false"}
    shown = kinds.get(type(value), repr(value))
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
