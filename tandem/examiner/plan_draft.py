"""Drafts the plan of a submission as far as its source tells."""

import ast
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tandem.examiner.placeholder_guess import guess
from tandem.examiner.plan import UNKNOWN
from tandem.examiner.python_source import MAX_FILES, SourceFile, imports, read_source, source_files
from tandem.examiner.source_facts import SourceFacts, source_facts
from tandem.protocol.errors import UsageError

PYTHON = "python3"
MAIN_FILE = "__main__.py"  # of a package that is started with -m


class NoProgramError(UsageError):
    """A folder has no program that uses sockets."""


@dataclass(frozen=True)
class ProgramDraft:
    """One instance, as far as the source tells."""

    command: str
    prompts: tuple[tuple[str, str], ...]  # pattern -> answer

    def texts(self) -> list[str]:
        """Return all that may have placeholders."""
        return [self.command, *(answer for _, answer in self.prompts)]


@dataclass(frozen=True)
class PlanDraft:
    """A submission, as far as its source tells. What is "" or 0 is not built in, or was not found."""

    clients: tuple[ProgramDraft, ProgramDraft]
    server: str
    client2: str
    listens: int
    unused_hosts: tuple[str, ...]  # addresses in the source whose purpose was not found


def draft_submission(folder: Path) -> PlanDraft:
    """Return what the source of a submission tells.

    Raises:
        NoProgramError: no program that uses sockets was found.
    """
    programs = _programs(folder)
    facts = [source_facts(source_files(program, folder)) for program in programs]
    clients = tuple(
        _program_draft(program.relative_to(folder), fact, clientid)
        for clientid, (program, fact) in enumerate(zip(programs, facts, strict=True), 1)
    )
    listens = next((port for fact in reversed(facts) for port in fact.binds), 0)
    server, client2 = _addresses(facts, listens)
    used = (server.partition(":")[0], client2)
    unused = dict.fromkeys(host for fact in facts for host in fact.hosts if host not in used)
    return PlanDraft((clients[0], clients[1]), server, client2, listens, tuple(unused))


def _programs(folder: Path) -> tuple[Path, Path]:
    """Return the program of client 1 and that of client 2, which may be the same."""
    paths = [path for path in sorted(folder.rglob("*.py")) if not _is_hidden(path.relative_to(folder))]
    files = [read_source(path, folder) for path in paths[:MAX_FILES]]
    started = [file.path for file in files if _is_started(file)] or [file.path for file in files]
    using = [path for path in started if any(map(_uses_sockets, source_files(path, folder)))]
    if not using:
        raise NoProgramError(f"no Python file in {folder} uses sockets", "the folder in which the program is")
    first = next((path for path in using if re.search(r"(1|one)$", path.stem)), None)
    second = next((path for path in using if re.search(r"(2|two)$", path.stem)), None)
    if first and second:
        return first, second
    main = next((path for path in using if re.search("client|main", path.stem)), using[0])
    return main, main


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_started(file: SourceFile) -> bool:
    """Return whether a file is a program: `if __name__ == "__main__"`, or the file __main__.py."""
    tests = [node.test for node in file.tree.body if isinstance(node, ast.If)]
    names = {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}
    return "__name__" in names or file.path.name == MAIN_FILE


def _uses_sockets(file: SourceFile) -> bool:
    if file.error:  # perhaps Python 2: the text alone tells
        return bool(re.search(rb"^\s*(import|from) socket\b", file.path.read_bytes(), re.MULTILINE))
    return any(each.module == "socket" for each in imports(file.tree))


def _program_draft(program: Path, facts: SourceFacts, clientid: int) -> ProgramDraft:
    is_package = program.name == MAIN_FILE and len(program.parts) > 1
    words = [PYTHON, "-m", ".".join(program.parts[:-1])] if is_package else [PYTHON, program.as_posix()]
    for name in facts.arguments:
        value = guess(name.lstrip("-"), clientid)
        words += [name] if name.startswith("-") else []
        words.append(value or f"{UNKNOWN}-{re.sub(r'[^A-Za-z0-9]+', '-', name)}")
    prompts = tuple(prompt_for(question, clientid) for question in facts.questions)
    return ProgramDraft(" ".join(word if "{" in word else shlex.quote(word) for word in words), prompts)


def prompt_for(question: str, clientid: int) -> tuple[str, str]:
    """Return the pattern for a question, and the answer as far as it can be guessed."""
    answer = guess(question, clientid)
    return re.escape(question).replace(r"\ ", " "), UNKNOWN if answer is None else answer


def _addresses(facts: Iterable[SourceFacts], listens: int) -> tuple[str, str]:
    """Return HOST:PORT of the server and the host of client 2, as they are built in; "" for what is not."""
    connects = list(dict.fromkeys(pair for fact in facts for pair in fact.connects))
    peers = [pair for pair in connects if listens and pair[1] == listens] or connects[1:2]
    servers = [pair for pair in connects if pair not in peers]
    server = next((f"{host}:{port}" if port else host for host, port in servers if host), "")
    return server, next((host for host, _ in peers if host), "")
