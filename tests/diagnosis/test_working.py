"""No false alarm."""

import pytest

from tandem.diagnosis.problem import CATALOGUE
from testing.messages.oracle import is_right
from testing.messages.sending import diagnosed
from testing.messages.working import MESSAGES, Working


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.data[:40].decode("latin-1"))
def test_what_works_is_accepted_with_its_remarks_and_no_problem(message: Working) -> None:
    assert is_right(message.data)
    diagnosis = diagnosed(message.data, message.address)
    assert diagnosis.problems == ()
    assert tuple(sorted(remark.id for remark in diagnosis.remarks)) == message.remarks
    assert diagnosis.repaired is None


@pytest.mark.parametrize("message", [message for message in MESSAGES if message.remarks], ids=lambda m: m.remarks[0])
def test_a_remark_points_at_the_value_it_is_about(message: Working) -> None:
    for remark in diagnosed(message.data, message.address).remarks:
        assert CATALOGUE[remark.id].clause
        assert remark.offset is not None
        field = remark.facts["field"].encode()
        assert message.data[: remark.offset].rstrip(b' :"').endswith(field)


def test_the_fields_are_as_they_came() -> None:
    message = diagnosed(MESSAGES[0].data).message
    assert message.encode() == MESSAGES[0].data
