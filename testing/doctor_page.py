"""Make the last table of docs/doctor.md from the catalogue of findings: python3 -m testing.doctor_page."""

import re

from tandem.doctor.findings import FINDINGS
from testing.processes import ROOT

PAGE = ROOT / "docs" / "doctor.md"
HEADING = "| finding | | trouble | try |\n|---|---|---|---|\n"


def catalogue_table() -> str:
    """Return the table of all findings, with the names of facts in capital letters in the place of facts."""
    rows = [HEADING]
    for kind in FINDINGS.values():
        facts = {name: name.upper() for name in re.findall(r"{(\w+)}", kind.help)}
        rows.append(f"| `{kind.id}` | {kind.severity} | {kind.title} | {kind.help.format_map(facts)} |\n")
    return "".join(rows)


def main() -> None:
    """Write the table. It is the end of the page."""
    by_hand = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
    PAGE.write_text(by_hand + catalogue_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
