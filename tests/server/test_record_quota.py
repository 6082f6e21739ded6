"""The quota: a flood of refused messages is counted, a class is recorded, and memory is bounded."""

import pytest

from tandem.records.visits import SuppressedVisits, Team
from tandem.server import record_quota as quota_module
from tandem.server.record_quota import RecordQuota

MINUTE = 60_000_000  # microseconds


def test_the_first_ones_of_a_minute_are_allowed_and_the_rest_counted() -> None:
    quota = RecordQuota(max_per_team=3)
    assert [quota.allows("192.0.2.1", None, 61.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert quota.take_suppressed(119.9) == []
    assert quota.take_suppressed(120.0) == [SuppressedVisits(MINUTE, "192.0.2.1", 2)]
    assert quota.take_suppressed(120.0) == []


def test_the_next_minute_begins_anew() -> None:
    quota = RecordQuota(max_per_team=1)
    assert [quota.allows("192.0.2.1", None, now) for now in (0.0, 59.0, 60.0, 61.0)] == [True, False, True, False]
    assert quota.take_suppressed() == [SuppressedVisits(0, "192.0.2.1", 1), SuppressedVisits(MINUTE, "192.0.2.1", 1)]


def test_addresses_do_not_share_a_quota() -> None:
    quota = RecordQuota(max_per_team=1)
    assert quota.allows("192.0.2.1", None, 0.0)
    assert quota.allows("192.0.2.2", None, 0.0)
    assert not quota.allows("192.0.2.1", None, 0.0)


def test_the_addresses_of_one_ipv6_network_do() -> None:
    quota = RecordQuota(max_per_team=1)
    assert quota.allows("2001:db8::1", None, 0.0)
    assert not quota.allows("2001:db8::2", None, 0.0)
    assert quota.allows("2001:db8:0:1::1", None, 0.0)


def test_a_noisy_team_costs_the_others_at_its_address_nothing() -> None:
    quota = RecordQuota(max_per_team=1, max_per_address=10)
    noisy, quiet = Team("c", "noisy", "", ""), Team("c", "quiet", "", "")
    assert [quota.allows("192.0.2.1", noisy, 0.0) for _ in range(20)] == [True] + [False] * 19
    assert quota.allows("192.0.2.1", quiet, 0.0)


def test_an_address_that_makes_up_team_after_team_has_a_quota_too() -> None:
    quota = RecordQuota(max_per_team=1, max_per_address=2)
    allowed = [quota.allows("192.0.2.1", Team("c", f"team {number}", "", ""), 0.0) for number in range(4)]
    assert allowed == [True, True, False, False]


def test_the_first_one_over_the_quota_is_recognised_once() -> None:
    quota = RecordQuota(max_per_team=1)
    found = []
    for _ in range(4):
        quota.allows("192.0.2.1", None, 0.0)
        found.append(quota.is_first_suppressed("192.0.2.1"))
    assert found == [False, True, False, False]


def test_more_addresses_than_can_be_counted_share_one_quota() -> None:
    quota = RecordQuota(max_per_team=1)
    for number in range(quota_module.MAX_COUNTERS + 50):
        quota.allows(f"address {number}", None, 0.0)
    assert quota.take_suppressed() == [SuppressedVisits(0, quota_module.OTHERS, 49)]


def test_more_teams_than_can_be_counted_share_one_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_module, "MAX_COUNTERS", 1000)
    quota = RecordQuota(max_per_team=1, max_per_address=2000)
    allowed = [quota.allows("192.0.2.1", Team("c", f"team {number}", "", ""), 0.0) for number in range(1003)]
    assert allowed == [True] * 1001 + [False] * 2


def test_a_team_that_repeats_a_right_message_is_counted_in_the_end() -> None:
    quota = RecordQuota(max_per_team=2)
    team = Team("c", "again", "1", "2")
    assert [quota.allows_right("192.0.2.1", team, now) for now in (0.0, 1.0, 2.0, 60.0)] == [True, True, False, True]


def test_a_class_behind_one_address_has_no_quota_of_right_messages() -> None:
    quota = RecordQuota(max_per_team=2, max_per_address=3)
    for number in range(quota_module.MAX_COUNTERS + 50):
        assert quota.allows_right("192.0.2.1", Team("c", f"team {number}", "1", "2"), 0.0)
