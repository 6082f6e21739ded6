"""Makes docs/mistakes.md: the table of symptoms, the mistakes on the way, and the catalogue. The rest is by hand.

After a change of tandem/explain/ or of the catalogue run python3 -m testing.messages.page.
"""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tandem.diagnosis.excerpt import excerpt
from tandem.diagnosis.problem import CATALOGUE, Family, Kind, Problem, Severity
from tandem.explain.entries import ENTRIES, anchor
from tandem.explain.mistakes import MISTAKES
from tandem.explain.symptoms import SYMPTOMS
from tandem.protocol.framing import LENGTH
from testing.messages.sending import diagnosed

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
BEGIN = "<!-- from the catalogue: python3 -m testing.messages.page -->"
BEGIN_MISTAKES = "<!-- from tandem/explain/: python3 -m testing.messages.page -->"
END_MISTAKES = "<!-- the end of tandem/explain/ -->"
WIDTH = 120

HEADINGS = {
    Family.BYTES: "The bytes",
    Family.JSON: "The JSON",
    Family.FIELDS: "The fields",
    Family.EXCHANGE: "The exchange",
}

# Facts for the kinds that only the server can find: the message alone does not show them.
_SAMPLE = {"field": "classname", "found": "INF2B", "wanted": "INF2A"}
_SAMPLE_IP = {"field": "ip", "found": "10.8.0.6", "wanted": "192.168.1.2"}
_SAMPLES = {
    "ip-elsewhere": _SAMPLE_IP,
    "ip-of-client-1": _SAMPLE_IP,
    "bytes-after-reply": {"found": '{"studentnr1": "0934567", "studentnr2": "0923456", "classname": "INF2A"'},
    "length-too-large": {"found": "40192", "wanted": "8192"},
    "length-wrong": {"found": "200", "wanted": "157"},
    "secret-damaged": {"field": "secret", "found": "60 characters"},
    "number-changed": {"field": "studentnr1", "found": "0934568", "wanted": "0934567", "other": "studentnr2"},
    "number-lost": {"field": "studentnr2", "found": "0934567"},
}


def mistakes() -> str:
    """Return the page's table of symptoms, and the mistakes in connecting, sending and reading."""
    lines = [BEGIN_MISTAKES, "", "## Symptoms on your screen", "", "| it shows | go to |", "|---|---|"]
    lines += [f"| {symptom.shown} | {_leads(symptom.entries)} |" for symptom in SYMPTOMS]
    lines += [
        "| a status that begins with `error: ` | the same words [below](#all-problems-and-remarks-of-a-message) |"
    ]
    lines += ["", "## Connecting, sending and reading", ""]
    lines += ["Error numbers differ by system; the order here is Linux / macOS / Windows."]
    for mistake in MISTAKES:
        lines += ["", f"### {ENTRIES[mistake.id].heading}", "", *_wrapped("**You see**", mistake.see)]
        lines += [*_wrapped("**Why:**", mistake.why), *_wrapped("**Do:**", mistake.do)]
    return "\n".join([*lines, "", END_MISTAKES]) + "\n"


def _leads(ids: tuple[str, ...]) -> str:
    """Return links to mistakes by number, or the ids of problems with a link to their family."""
    numbers = {mistake.id: mistake.number for mistake in MISTAKES}
    if ids[0] in numbers:
        links = [f"[{numbers[id]}](#{anchor(ENTRIES[id].heading)})" for id in ids if id in numbers]
        others = [id for id in ids if id not in numbers]
        return ", ".join([*links, *([_below(others)] if others else [])])
    return _below(ids)


def _below(ids: Sequence[str]) -> str:
    heading = HEADINGS[CATALOGUE[ids[0]].family]
    return f"{', '.join(f'`{id}`' for id in ids)} [below](#{anchor(heading)})"


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(f"{label} {text}", WIDTH, break_long_words=False, break_on_hyphens=False)


def catalogue() -> str:
    """Return the page's entries for every kind, family by family: what it says, where it is, what to try."""
    lines = [BEGIN]
    for family, heading in HEADINGS.items():
        lines += ["", f"### {heading}"]
        for kind in CATALOGUE.values():
            if kind.family is family:
                lines += ["", *_entry(kind)]
    return "\n".join(lines) + "\n"


def _entry(kind: Kind) -> Iterator[str]:
    remark = " (a remark: the message is accepted)" if kind.severity is Severity.REMARK else ""
    problem = _problem(kind)
    place = None if kind.needs else excerpt(kind.specimen, problem)
    yield f"#### {kind.title}"
    yield ""
    yield f"`{kind.id}`{remark}, [PROTOCOL.md](../PROTOCOL.md) {kind.clause}"
    if place:
        yield ""
        yield "```text"
        yield place.shown
        yield place.mark
        yield "```"
    yield ""
    yield f"- It says: {_plain(problem.what)}"
    yield f"- Try: {_plain(problem.help)}"
    if kind.help_framed:
        framed = Problem(kind.id, facts=problem.facts | {"framing": LENGTH})
        yield f"- With `--framing length`, try: {_plain(framed.help)}"
    if kind.needs:
        yield f"- The message alone does not show it: this needs {kind.needs}"


def _problem(kind: Kind) -> Problem:
    if kind.needs:
        return Problem(kind.id, facts=_SAMPLES.get(kind.id, _SAMPLE))
    diagnosis = diagnosed(kind.specimen)
    return (*diagnosis.problems, *diagnosis.remarks)[0]


def _plain(text: str) -> str:
    """Return the text as a span of code, which Markdown leaves as it is."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def page(text: str) -> str:
    """Return the page with the parts that are made, and the rest of `text` as it is."""
    before, _, rest = text.partition(BEGIN_MISTAKES)
    between = rest.partition(f"{END_MISTAKES}\n")[2].partition(BEGIN)[0]
    return before + mistakes() + between + catalogue()


def main() -> None:
    """Write the page, and keep what is by hand."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
