"""docs/mistakes.md is the catalogue, with the mistakes on the way in front of it."""

import re

from tandem.diagnosis.problems import CATALOGUE
from testing.messages.page import BEGIN, PAGE, catalogue

TEXT = PAGE.read_text(encoding="utf-8")
BY_HAND = TEXT.partition(BEGIN)[0]
PROTOCOL = (PAGE.parents[1] / "PROTOCOL.md").read_text(encoding="utf-8")


def test_the_second_part_is_the_catalogue() -> None:
    assert BY_HAND + catalogue() == TEXT, "run python3 -m testing.messages.page"


def test_every_kind_is_on_the_page() -> None:
    for kind in CATALOGUE.values():
        assert f"\n#### {kind.title}\n" in TEXT
        assert f"\n`{kind.id}`" in TEXT


def test_every_clause_is_one_of_the_protocols() -> None:
    clauses = set(re.findall(r"^(\d\.\d+) ", PROTOCOL, re.MULTILINE))
    assert {kind.clause for kind in CATALOGUE.values()} <= clauses


def test_the_fifteen_stand_in_front_and_each_says_what_why_and_do() -> None:
    sections = re.split(r"^### ", BY_HAND, flags=re.MULTILINE)[1:]
    assert [section.partition(".")[0] for section in sections] == [str(number) for number in range(1, 16)]
    for section in sections:
        assert section.count("**You see**") == section.count("**Why:**") == section.count("**Do:**") == 1


def test_links_on_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]*)\)", TEXT))
    assert len(links) >= 15
    assert links <= anchors


def test_ids_in_the_first_part_are_ids() -> None:
    shown = re.findall(r"(?:problems?|remarks?) ((?:`[a-z0-9-]+`(?:,\s| or |,? and )?)+)", BY_HAND)
    named = {id for ids in shown for id in re.findall(r"`([a-z0-9-]+)`", ids)}
    assert len(named) > 10
    assert named <= set(CATALOGUE)


def test_the_numbers_of_errors_stand_for_all_three_systems() -> None:
    for numbers in ("111 / 61 / 10061", "110 / 60 / 10060", "98 / 48 / 10048", "104 / 54 / 10054"):
        assert numbers in BY_HAND
