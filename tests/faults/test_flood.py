"""A crowd at client 2's door, from one address or many: the real message is taken all the same."""

import pytest

from testing.client_faults.crowded import seconds_until_taken
from testing.client_faults.flood import FLOODS

CROWD = 300


@pytest.mark.parametrize("where", ["one", "many"])
@pytest.mark.parametrize("kind", FLOODS)
def test_the_real_message_is_taken(kind: str, where: str) -> None:
    seconds_until_taken(kind, CROWD, where)
