"""The secret."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from tandem.keys.secret import derive, verify
from tandem.records.visits import Team

KEY = b"k" * 32
TEAM = Team("INF2A", "Team1", "0923456", "0934567")
TEAMS = st.builds(Team, *[st.text(st.characters(exclude_categories=["Cs"]), max_size=20)] * 4)


def test_a_secret_is_the_hmac_that_the_protocol_describes() -> None:
    data = b"tandem secret 1\5\0\0\0INF2A\5\0\0\0Team1\7\0\0\x000923456\7\0\0\x000934567"
    expected = hmac.new(KEY, data, hashlib.sha256).hexdigest()
    assert derive(KEY, TEAM) == expected
    assert len(expected) == 64


def test_the_order_of_the_numbers_is_in_the_secret() -> None:
    assert derive(KEY, Team("c", "t", "1", "2")) != derive(KEY, Team("c", "t", "2", "1"))


def test_another_key_gives_another_secret() -> None:
    assert derive(KEY, TEAM) != derive(b"K" * 32, TEAM)


@given(TEAMS, TEAMS)
def test_two_teams_never_share_a_secret(one: Team, other: Team) -> None:
    assert (derive(KEY, one) == derive(KEY, other)) == (one == other)


def test_moving_a_character_to_the_next_field_changes_the_secret() -> None:
    assert derive(KEY, Team("ab", "c", "1", "2")) != derive(KEY, Team("a", "bc", "1", "2"))


@given(st.text(max_size=80))
def test_any_text_can_be_compared(text: str) -> None:
    assert not verify(text, TEAM, [KEY])


def test_a_secret_belongs_under_any_of_the_keys() -> None:
    secret = derive(KEY, TEAM)
    assert verify(secret, TEAM, [KEY])
    assert verify(secret, TEAM, [b"new" * 11, KEY])
    assert not verify(secret, TEAM, [b"new" * 11])
    assert not verify(secret.upper(), TEAM, [KEY])
