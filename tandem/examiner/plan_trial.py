"""Tries the draft of a plan: runs the plain exchange, to find the questions that a program asks and how far it comes.

Most students build the text of a question from pieces, so the source alone does not tell all of them.
"""

import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tandem.examiner.copy_submission import SubmissionError, copy_submission
from tandem.examiner.events import Event
from tandem.examiner.fill_order import fill_order
from tandem.examiner.order import LabOrder, Limits, ProgramOrder
from tandem.examiner.plan import UNKNOWN, Plan, PlanAddresses, PlannedProgram
from tandem.examiner.plan_draft import PlanDraft, ProgramDraft, prompt_for
from tandem.examiner.run_lab import Labs
from tandem.examiner.scenario import Scenario
from tandem.examiner.submission_result import PASS, ends_of_output
from tandem.examiner.verdicts import judge
from tandem.protocol.address import SERVER_PORT, parse_address

TRIES = 12  # a run finds one new question of each program
TRIAL_LIMITS = Limits(seconds=6.0)
MAX_HELP_LINES = 30
PROGRAMS = ("client 1", "client 2")

Prompts = tuple[tuple[str, str], ...]  # pattern -> answer


class PlanTrial:
    """Tries drafts in a lab."""

    def __init__(self, labs: Labs, plain: Scenario) -> None:
        self._labs = labs
        self._plain = plain

    def __call__(self, folder: Path, draft: PlanDraft) -> tuple[PlanDraft, list[str]]:
        """Return the draft with the questions that were found, and lines about how far it came."""
        with tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary, "submission")
            try:
                copy_submission(folder, copy, Path(temporary), TRIAL_LIMITS.disk_mib)
            except SubmissionError as error:
                return draft, [f"Not tried: {error}"]
            return self._try(draft, copy, Path(temporary))

    def _try(self, source: PlanDraft, copy: Path, records: Path) -> tuple[PlanDraft, list[str]]:
        """Run until no new question comes. Questions of the source whose answer is not known wait until they do."""
        draft = _with_prompts(source, [_known(client.prompts) for client in source.clients])
        for number in range(TRIES):
            events = self._labs.run(self._order(draft, copy), records / f"run-{number}")
            better = _with_questions(draft, events)
            if better == draft:
                break
            draft = better
        clients = zip(source.clients, draft.clients, strict=True)
        whole = _with_prompts(draft, [_with_unseen(before.prompts, client.prompts) for before, client in clients])
        [result] = judge(self._plain, events)
        if result.verdict == PASS:
            return whole, ["Tried in a sandbox: the exchange finished."]
        return whole, [f"Tried in a sandbox: {result.reason}.", *_said(events), *self._help(draft, copy, records)]

    def _order(self, draft: PlanDraft, copy: Path) -> LabOrder:
        return fill_order(_as_plan(draft), self._plain, copy, seed=1)

    def _help(self, draft: PlanDraft, copy: Path, records: Path) -> list[str]:
        """Return what the program of client 2 says to --help, if that looks like help."""
        order = self._order(draft, copy)
        asks_for_help = ProgramOrder((*_program_words(order.client2.words), "--help"))
        events = self._labs.run(replace(order, client2=asks_for_help), records / "help")
        lines = _written(events, "client 2").splitlines()[:MAX_HELP_LINES]
        if not any("usage" in line.lower() for line in lines):
            return []
        return ["Its --help:", *(f"    {line}".rstrip() for line in lines)]


def _program_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the beginning of a command line, up to the program."""
    return tuple(words[:3] if words[1:2] == ("-m",) else words[:2])


def _as_plan(draft: PlanDraft) -> Plan:
    """Return the plan that a draft is, with the usual addresses where none is known."""
    usual = PlanAddresses()
    addresses = PlanAddresses(
        server=parse_address(draft.server, SERVER_PORT) if draft.server else usual.server,
        client2=draft.client2 or usual.client2,
        listen_port=draft.listens or usual.listen_port,
    )
    first, second = (PlannedProgram(tuple(shlex.split(client.command)), client.prompts) for client in draft.clients)
    return Plan(first, second, addresses, limits=TRIAL_LIMITS)


def _with_prompts(draft: PlanDraft, prompts: Sequence[Prompts]) -> PlanDraft:
    first, second = (replace(client, prompts=each) for client, each in zip(draft.clients, prompts, strict=True))
    return replace(draft, clients=(first, second))


def _known(prompts: Prompts) -> Prompts:
    return tuple(prompt for prompt in prompts if prompt[1] != UNKNOWN)


def _with_unseen(source: Prompts, found: Prompts) -> Prompts:
    """Add the questions of the source that did not come, not even as a part of another one."""
    return found + tuple(prompt for prompt in source if not any(prompt[0] in asks for asks, _ in found))


def _with_questions(draft: PlanDraft, events: Sequence[Event]) -> PlanDraft:
    """Return the draft with the question at which each program was still waiting when the run ended."""
    first, second = (
        _with_question(client, clientid, _last_question(events, PROGRAMS[clientid - 1]))
        for clientid, client in enumerate(draft.clients, 1)
    )
    return replace(draft, clients=(first, second))


def _with_question(client: ProgramDraft, clientid: int, question: str) -> ProgramDraft:
    is_known = any(re.search(asks, question, re.IGNORECASE) for asks, _ in client.prompts)
    if not question or is_known:
        return client
    return replace(client, prompts=(*client.prompts, prompt_for(question, clientid)))


def _last_question(events: Sequence[Event], program: str) -> str:
    """Return the line at which a program waited when it was stopped, without what it had asked and got before."""
    own = [event for event in events if event.who == program]
    if not own or own[-1].what != "stopped":
        return ""
    answered = max((index for index, event in enumerate(own) if event.what == "answered"), default=-1)
    return _written(own[answered + 1 :], program).rpartition("\n")[2].strip()


def _written(events: Sequence[Event], program: str) -> str:
    data = b"".join(event.data for event in events if event.who == program and event.what == "output")
    return data.decode(errors="replace")


def _said(events: Sequence[Event]) -> list[str]:
    return [f"{program} wrote: {text.rpartition(chr(10))[2]}" for program, text in ends_of_output(events).items()]
