"""Writes the plan of a submission, or of a class, as TOML: a draft for a person to correct."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tandem.examiner.placeholders import names_in
from tandem.examiner.plan import TEAM, UNKNOWN
from tandem.examiner.plan_draft import NoProgramError, PlanDraft, draft_submission
from tandem.examiner.plan_file import is_loopback
from tandem.protocol.errors import UsageError
from tandem.protocol.printable import printable

HEADING = "# A plan for `tandem examine`, drafted from the source. Correct it: docs/examiner.md describes every key."

# Tries a draft, and returns it with the questions that the programs asked, and lines about what happened.
Trial = Callable[[Path, PlanDraft], tuple[PlanDraft, list[str]]]


def draft_plan(folder: Path, trial: Trial) -> str:
    """Return a plan in TOML for a submission, or for a folder of submissions, which are not tried.

    Raises:
        NoProgramError: no program that uses sockets was found.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "the folder of a submission")
    members = class_members(folder)
    if not members:
        draft, remarks = trial(folder, draft_submission(folder))
        return "".join(f"{line}\n" for line in _plan_lines(folder, draft, remarks))
    return "".join(f"{line}\n" for line in _class_lines(folder, members))


def class_members(folder: Path) -> list[Path]:
    """Return the submissions in a folder; none if the folder is one submission by itself."""
    if any(folder.glob("*.py")):
        return []
    members = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    with_source = [each for each in members if any(each.rglob("*.py"))]
    are_parts = any(each.name.lower().startswith("client") or any(each.glob("__init__.py")) for each in members)
    return with_source if len(with_source) > 1 and not are_parts else []


def _plan_lines(folder: Path, draft: PlanDraft, remarks: Iterable[str]) -> Iterator[str]:
    yield HEADING
    yield from (f"# {printable(line)}" for line in remarks)
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
