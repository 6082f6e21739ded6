"""What holds for any text, and for every id, number and phrase of the data."""

import errno
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.diagnosis.problem import CATALOGUE, Problem, error_status
from tandem.explain.entries import ENTRIES
from tandem.explain.matching import MAX_FOUND, find
from tandem.explain.mistakes import MISTAKES
from tandem.explain.symptoms import SYMPTOMS
from tandem.explain.wordings import PHRASES, WORDINGS
from testing.error_texts import error_texts
from testing.messages.sending import diagnosed

quickly = settings(max_examples=60, deadline=None, derandomize=True)
known = st.sampled_from([text.text for text in error_texts()])


def test_no_mistake_has_the_id_of_a_problem() -> None:
    assert len(ENTRIES) == len(MISTAKES) + len(CATALOGUE)


def test_all_data_leads_to_entries() -> None:
    named = {id for symptom in SYMPTOMS for id in symptom.entries} | set(PHRASES) | set(WORDINGS)
    assert named <= set(ENTRIES)


@pytest.mark.parametrize("id", ENTRIES)
def test_an_id_finds_its_entry(id: str) -> None:
    assert find(f" `{id.upper()}`\n") == [id]


def test_no_number_stands_in_two_rows() -> None:
    numbers = [number for symptom in SYMPTOMS for number in symptom.numbers]
    assert len(numbers) == len(set(numbers)) >= 50


@pytest.mark.parametrize("form", ["{}", "errno {}", "[Errno {}] x", "[WinError {}]", "error {}:", "(os error {})"])
def test_a_number_finds_its_row(form: str) -> None:
    for symptom in SYMPTOMS:
        for number in symptom.numbers:
            assert find(form.format(number))[0] == symptom.entries[0]


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.EADDRINUSE, errno.EPIPE, errno.EISCONN, errno.EAGAIN])
def test_name_number_and_words_of_this_system_find_the_same(number: int) -> None:
    assert find(errno.errorcode[number])[0] == find(os.strerror(number))[0] == find(str(number))[0]


@pytest.mark.parametrize("id", [id for id, kind in CATALOGUE.items() if not kind.needs])
def test_the_status_of_a_specimen_finds_its_problem(id: str) -> None:
    diagnosis = diagnosed(CATALOGUE[id].specimen)
    status = error_status((*diagnosis.problems, *diagnosis.remarks), 2000)
    assert find(status)[0] == id
    assert find(f'{{"ip": "192.168.1.2", "secret": "", "status": "{status}"}}')[0] == id


def test_a_status_with_several_problems_finds_them_in_its_order() -> None:
    problems = [Problem("key-case", facts={"found": "IP"}), Problem("not-swapped"), Problem("secret-missing")]
    assert find(error_status(problems, 2000)) == ["key-case", "not-swapped", "secret-missing"]


FITS_NOTHING = [
    "",
    " ",
    "\0",
    "1",
    "12345",
    "error: ",
    "how do I bake a pizza",
    "[Errno 2] No such file or directory: 'TEAM.json'",
    "NameError: name 'sokcet' is not defined",
    "IndexError: list index out of range",
    "ModuleNotFoundError: No module named 'requests'",
    "SyntaxError: invalid syntax",
    "KeyboardInterrupt",
]


@pytest.mark.parametrize("text", FITS_NOTHING)
def test_a_text_that_fits_nothing_finds_nothing(text: str) -> None:
    assert find(text) == []


@quickly
@given(st.one_of(st.text(), st.lists(st.one_of(known, st.text(max_size=20)), max_size=4).map("\n".join)))
def test_any_text_finds_a_few_different_entries(text: str) -> None:
    found = find(text)
    assert len(found) == len(set(found)) <= MAX_FOUND
    assert set(found) <= set(ENTRIES)


@quickly
@given(known, st.sampled_from(["upper", "lines", "spaces", "quotes"]))
def test_letter_case_spaces_and_quotes_do_not_matter(text: str, change: str) -> None:
    text = text.splitlines()[-1]
    changed = {
        "upper": text if "error: " in text else text.upper(),
        "lines": f"\n{text}\r\n\n",
        "spaces": text if "error: " in text else re.sub(" ", "  ", text),
        "quotes": text if "error: " in text else text.replace("'", "’"),
    }
    assert find(changed[change]) == find(text)


@quickly
@given(known)
def test_the_last_line_counts_most(earlier: str) -> None:
    """An error before it, as of a traceback in a traceback, does not change what an error number says."""
    if "error: " not in earlier:
        assert find(f"{earlier}\n\nOSError: [Errno 98] Address already in use")[0] == "port-in-use"


def test_a_large_text_takes_a_moment_only() -> None:
    """Each pattern is linear: 64 KiB of what begins like many of them."""
    for piece in ("error: ", "a ", "is not ", "`", "error 1", "x - ; "):
        assert len(find(piece * (65_536 // len(piece)))) <= MAX_FOUND
