"""The ration: a flood of refused messages is counted, a class is recorded, and memory is bounded."""

from tandem.records.visits import SuppressedVisits, Team
from tandem.server import quota as ration_module
from tandem.server.quota import RecordQuota

MINUTE = 60_000_000  # microseconds


def test_the_first_ones_of_a_minute_are_allowed_and_the_rest_counted() -> None:
    ration = RecordQuota(of_team=3)
    assert [ration.allows("192.0.2.1", None, 61.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert ration.take_surplus(119.9) == []
    assert ration.take_surplus(120.0) == [SuppressedVisits(MINUTE, "192.0.2.1", 2)]
    assert ration.take_surplus(120.0) == []


def test_the_next_minute_begins_anew() -> None:
    ration = RecordQuota(of_team=1)
    assert [ration.allows("192.0.2.1", None, now) for now in (0.0, 59.0, 60.0, 61.0)] == [True, False, True, False]
    assert ration.take_surplus() == [SuppressedVisits(0, "192.0.2.1", 1), SuppressedVisits(MINUTE, "192.0.2.1", 1)]


def test_addresses_do_not_share_a_ration() -> None:
    ration = RecordQuota(of_team=1)
    assert ration.allows("192.0.2.1", None, 0.0)
    assert ration.allows("192.0.2.2", None, 0.0)
    assert not ration.allows("192.0.2.1", None, 0.0)


def test_the_addresses_of_one_ipv6_network_do() -> None:
    ration = RecordQuota(of_team=1)
    assert ration.allows("2001:db8::1", None, 0.0)
    assert not ration.allows("2001:db8::2", None, 0.0)
    assert ration.allows("2001:db8:0:1::1", None, 0.0)


def test_a_noisy_team_costs_the_others_at_its_address_nothing() -> None:
    ration = RecordQuota(of_team=1, of_address=10)
    noisy, quiet = Team("c", "noisy", "", ""), Team("c", "quiet", "", "")
    assert [ration.allows("192.0.2.1", noisy, 0.0) for _ in range(20)] == [True] + [False] * 19
    assert ration.allows("192.0.2.1", quiet, 0.0)


def test_an_address_that_makes_up_team_after_team_has_a_ration_too() -> None:
    ration = RecordQuota(of_team=1, of_address=2)
    allowed = [ration.allows("192.0.2.1", Team("c", f"team {number}", "", ""), 0.0) for number in range(4)]
    assert allowed == [True, True, False, False]


def test_the_first_too_many_is_told_once() -> None:
    ration = RecordQuota(of_team=1)
    told = []
    for _ in range(4):
        ration.allows("192.0.2.1", None, 0.0)
        told.append(ration.is_first_surplus("192.0.2.1"))
    assert told == [False, True, False, False]


def test_more_addresses_than_can_be_counted_share_one_ration() -> None:
    ration = RecordQuota(of_team=1)
    for number in range(ration_module.MAX_COUNTED + 50):
        ration.allows(f"address {number}", None, 0.0)
    assert ration.take_surplus() == [SuppressedVisits(0, ration_module.OTHERS, 49)]


def test_a_team_that_repeats_a_right_message_is_counted_in_the_end() -> None:
    ration = RecordQuota(of_team=2)
    team = Team("c", "again", "1", "2")
    assert [ration.allows_right("192.0.2.1", team, now) for now in (0.0, 1.0, 2.0, 60.0)] == [True, True, False, True]


def test_a_class_behind_one_address_has_no_ration_of_right_messages() -> None:
    ration = RecordQuota(of_team=2, of_address=3)
    for number in range(ration_module.MAX_COUNTED + 50):
        assert ration.allows_right("192.0.2.1", Team("c", f"team {number}", "1", "2"), 0.0)
