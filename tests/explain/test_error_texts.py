"""How often the right entry comes first, measured on the texts of testing/error_texts.txt."""

from collections import Counter

from tandem.explain.entries import ENTRIES
from tandem.explain.matching import find
from tandem.explain.mistakes import MISTAKES
from testing.error_texts import error_texts

TEXTS = error_texts()
ALL, SET_ASIDE = 0.95, 0.88  # of the texts, at least


def test_there_are_enough_texts_and_no_two_are_equal() -> None:
    assert len(TEXTS) >= 150
    assert sum(text.set_aside for text in TEXTS) >= len(TEXTS) / 4
    assert Counter(" ".join(text.text.split()) for text in TEXTS).most_common(1)[0][1] == 1


def test_every_text_has_an_entry_and_every_mistake_has_a_text() -> None:
    named = {text.entry for text in TEXTS}
    assert named <= set(ENTRIES)
    assert {mistake.id for mistake in MISTAKES} <= named


def test_the_right_entry_is_first() -> None:
    wrong = [text for text in TEXTS if find(text.text)[:1] != [text.entry]]
    assert len(wrong) <= (1 - ALL) * len(TEXTS), wrong
    set_aside = sum(text.set_aside for text in TEXTS)
    assert sum(text.set_aside for text in wrong) <= (1 - SET_ASIDE) * set_aside, wrong
