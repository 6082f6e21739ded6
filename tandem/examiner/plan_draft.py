"""Writes the plan of a submission, or of a class, as far as the source tells: a draft for a person to correct."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tandem.examiner.placeholder_guess import guess
from tandem.examiner.placeholders import names_in
from tandem.examiner.plan import TEAM
from tandem.examiner.plan_file import is_loopback
from tandem.examiner.python_source import MAX_FILES, read_source, source_files
from tandem.examiner.source_facts import SourceFacts, source_facts
from tandem.protocol.errors import UsageError
from tandem.protocol.printable import printable

PYTHON = "python3"
UNKNOWN = "FILL-IN"  # a word of a command that a person must correct
HEADING = "# A plan for `tandem examine`, drafted from the source. Correct it: docs/examiner.md describes every key."


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


def draft_plan(folder: Path) -> str:
    """Return a plan in TOML for a submission, or for a folder of submissions.

    Raises:
        NoProgramError: no program that uses sockets was found.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "the folder of a submission")
    members = class_members(folder)
    if not members:
        return "".join(f"{line}\n" for line in _plan_lines(folder, draft_submission(folder)))
    return "".join(f"{line}\n" for line in _class_lines(folder, members))


def class_members(folder: Path) -> list[Path]:
    """Return the submissions in a folder; none if the folder is one submission by itself."""
    if any(folder.glob("*.py")):
        return []
    members = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    with_source = [each for each in members if any(each.rglob("*.py"))]
    are_parts = any(each.name.lower().startswith("client") or any(each.glob("__init__.py")) for each in members)
    return with_source if len(with_source) > 1 and not are_parts else []


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
    paths = [
        path for path in sorted(folder.rglob("*.py")) if not any(part.startswith(".") for part in path.parts[-3:-1])
    ]
    found = {path: source_facts([read_source(path, folder)]) for path in paths[:MAX_FILES]}
    using = [path for path, facts in found.items() if facts.connects or facts.listens or _imports_socket(path)]
    if not using:
        raise NoProgramError(f"no Python file in {folder} uses sockets", "the folder in which the program is")
    started = [path for path in using if "__main__" in path.read_text("utf-8", "replace")] or using
    if len(started) == 1:
        return started[0], started[0]
    first = next((path for path in started if re.search(r"(1|one)$", path.stem)), None)
    second = next((path for path in started if re.search(r"(2|two)$", path.stem)), None)
    if first and second:
        return first, second
    main = next((path for path in started if re.search("client|main|tandem", path.stem)), started[0])
    return main, main


def _imports_socket(path: Path) -> bool:
    return bool(re.search(r"^\s*(import|from) socket\b", path.read_text("utf-8", "replace"), re.MULTILINE))


def _program_draft(program: Path, facts: SourceFacts, clientid: int) -> ProgramDraft:
    words = [PYTHON, program.as_posix()]
    for name in facts.arguments:
        value = guess(name.lstrip("-"), clientid)
        words += [name] if name.startswith("-") else []
        words.append(value or f"{UNKNOWN}-{re.sub(r'[^A-Za-z0-9]+', '-', name)}")
    prompts = tuple((_pattern(question), _answer(question, clientid)) for question in facts.questions)
    return ProgramDraft(" ".join(word if "{" in word else shlex.quote(word) for word in words), prompts)


def _pattern(question: str) -> str:
    return re.escape(question).replace(r"\ ", " ")


def _answer(question: str, clientid: int) -> str:
    found = guess(question, clientid)
    return UNKNOWN if found is None else found


def _addresses(facts: Iterable[SourceFacts], listens: int) -> tuple[str, str]:
    """Return HOST:PORT of the server and the host of client 2, as they are built in; "" for what is not."""
    connects = list(dict.fromkeys(pair for fact in facts for pair in fact.connects))
    peers = [pair for pair in connects if listens and pair[1] == listens] or connects[1:2]
    servers = [pair for pair in connects if pair not in peers]
    server = next((f"{host}:{port}" if port else host for host, port in servers if host), "")
    return server, next((host for host, _ in peers if host), "")


def _plan_lines(folder: Path, draft: PlanDraft) -> Iterator[str]:
    yield HEADING
    yield ""
    yield "[submission]"
    yield f"folder = {_quoted(str(folder))}  # as seen from the folder of this file"
    yield ""
    yield from _sections(draft, "")
    yield "# Details that reach the program through a placeholder. It may have others built in."
    yield "[team]"
    yield from (f"{name} = {_quoted(value)}" for name, value in TEAM.items())


def _sections(draft: PlanDraft, prefix: str) -> Iterator[str]:
    """Yield the sections that depend on the source. `prefix` is before the name of each."""
    for clientid, client in enumerate(draft.clients, 1):
        name = f"{prefix}client{clientid}"
        yield f"[{name}]"
        yield f"command = {_quoted(client.command)}" + _to_correct(client.command)
        if clientid == 2 and draft.listens:
            yield f"listens = {draft.listens}"
        for asks, answer in client.prompts:
            yield f"[[{name}.prompts]]"
            yield f"asks = {_quoted(asks)}"
            yield f"answer = {_quoted(answer)}" + _to_correct(answer)
        yield ""
    yield from _address_lines(draft, prefix)


def _to_correct(text: str) -> str:
    return f"  # correct {UNKNOWN}" if UNKNOWN in text else ""


def _address_lines(draft: PlanDraft, prefix: str) -> Iterator[str]:
    given = [names_in(client.texts()) for client in draft.clients]
    lines = [f"server = {_quoted(draft.server)}"] if draft.server else []
    if not draft.server and not all("server_host" in names for names in given):
        lines.append(f'# server = "HOST:PORT"  # {UNKNOWN}: the address of the server was not found')
    if draft.client2:
        note = "  # client 1 cannot run on another machine as it is" if is_loopback(draft.client2) else ""
        lines.append(f"client2 = {_quoted(draft.client2)}{note}")
    elif "peer_host" not in given[0]:
        lines.append(f'# client2 = "HOST"  # {UNKNOWN}: the address where client 1 looks for client 2 was not found')
    if draft.unused_hosts:
        lines.append(f"# also in the source: {', '.join(map(printable, draft.unused_hosts))}")
    if lines:
        yield f"[{prefix}addresses]"
        yield from lines
        yield ""


def _class_lines(folder: Path, members: Iterable[Path]) -> Iterator[str]:
    yield HEADING
    yield ""
    yield "[class]"
    yield f"folder = {_quoted(str(folder))}  # each folder in it is a submission"
    for member in members:
        yield ""
        yield "[[exceptions]]"
        yield f"folder = {_quoted(member.name)}"
        try:
            yield from _sections(draft_submission(member), "exceptions.")
        except NoProgramError as error:
            yield f"# {UNKNOWN}: {error.what}"


def _quoted(text: str) -> str:
    """Return a text as TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
