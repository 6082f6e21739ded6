"""TEAM.json: the rules for each answer, the file itself, and how it stays out of git. It has student numbers."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tandem.diagnosis.problem import Problem
from tandem.diagnosis.rules import check_fields
from tandem.protocol.errors import TandemError
from tandem.protocol.message import Message
from tandem.protocol.printable import printable

QUESTIONS = {
    "studentnr1": "student number of the one who runs client 1",
    "studentnr2": "student number of the teammate (empty for a team of one)",
    "classname": "class",
    "teamname": "name of the team",
}
_RIGHT = {"studentnr1": "0923456", "studentnr2": "0934567", "classname": "INF2A", "teamname": "Team1"}


@dataclass(frozen=True)
class Answer:
    """An answer, and what is to be said about it."""

    value: str
    problem: str = ""  # why it cannot be used
    remark: str = ""  # what is unusual about it


def check_answer(name: str, value: str) -> Answer:
    """Check one field by the rules of the server (PROTOCOL 2.3), as if the others were right."""
    value = value.strip()
    fields = Message(**_RIGHT | {name: value}, clientid=1, ip="192.0.2.1").fields()
    found = [problem for problem in check_fields(fields, "") if problem.facts.get("field") == name]
    return Answer(value, _words(found, remarks=False), _words(found, remarks=True))


def _words(found: list[Problem], remarks: bool) -> str:
    return next((f"{problem.what}: {problem.help}" for problem in found if problem.is_remark is remarks), "")


def write_team_file(path: Path, team: dict[str, str]) -> None:
    """Write the file, readable for its owner alone.

    Raises:
        TandemError: it is there already, or cannot be written.
    """
    text = json.dumps(Message(**team, clientid=1).fields(), indent=2, ensure_ascii=False) + "\n"
    try:
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
        ) as file:
            file.write(text)
    except FileExistsError:
        raise TandemError(f"{path} is there already", "another name, or remove it first") from None
    except OSError as error:
        raise TandemError(f"{path} cannot be written: {error.strerror}", "a folder of your own") from None


def keep_out_of_git(path: Path) -> str:
    """Add the file to the list of those that this clone ignores. Return what was done, or "" outside of git."""
    place = path.absolute()
    top = next((folder for folder in place.parents if (folder / ".git").exists()), None)
    if top is None:
        return ""
    if (top / ".git").is_file():  # a worktree or a submodule has its list elsewhere
        return f"do not add {path} to git: it has student numbers"
    exclude = top / ".git" / "info" / "exclude"
    line = f"/{place.relative_to(top).as_posix()}"
    try:
        known = exclude.read_text(encoding="utf-8") if exclude.exists() else ""
        if line not in known.splitlines():
            exclude.parent.mkdir(exist_ok=True)
            exclude.write_text(
                f"{known}{'' if known.endswith(chr(10)) or not known else chr(10)}{line}\n", encoding="utf-8"
            )
    except (OSError, UnicodeDecodeError) as error:
        return f"do not add {path} to git: it has student numbers, and {printable(str(error))}"
    return f"git ignores {path} in this clone, because it has student numbers"
