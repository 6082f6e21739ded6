"""How often the right entry comes first, measured on the texts of testing/error_texts.txt."""

from collections import Counter

import pytest

from tandem.explain.entries import ENTRIES
from tandem.explain.matching import find
from tandem.explain.mistakes import MISTAKES
from testing.error_texts import ErrorText, error_texts, set_aside, tuned

TEXTS = error_texts()


def test_there_are_enough_texts_and_no_two_are_equal() -> None:
    assert len(TEXTS) >= 150
    assert Counter(" ".join(text.text.split()) for text in TEXTS).most_common(1)[0][1] == 1


def test_every_text_has_an_entry_and_nearly_every_mistake_has_a_text() -> None:
    named = {text.entry for text in TEXTS}
    assert named <= set(ENTRIES)
    assert {mistake.id for mistake in MISTAKES} <= named


@pytest.mark.parametrize("part", [tuned, set_aside])
def test_the_right_entry_is_first_in_95_percent(part: object) -> None:
    texts: list[ErrorText] = part(TEXTS)  # type: ignore[operator]
    wrong = [text for text in texts if find(text.text)[:1] != [text.entry]]
    assert len(wrong) <= 0.05 * len(texts), wrong
