"""Bytes of other programs: each row of the table is recognised, its counterpart is not, and neither is a part of it."""

import pytest

from tandem.diagnosis.problem import CATALOGUE, Family
from tandem.diagnosis.recovery.foreign import SIGNATURES, Signature, identify, prefix_of
from tandem.protocol.framing import FRAMINGS
from testing.messages.corpus import CASES, JSON_HEADER, ONE, SECOND, TELNET, behind_length
from testing.messages.sending import diagnosed
from testing.messages.working import MESSAGES

rows = pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: f"{row.id}: {row.name}")

# What may be said of the beginning of something: true of it, and no other format.
GENERAL = {
    "not-json",
    "not-text",
    "nothing-came",
    "zero-bytes-only",
    "cut-off",
    "stray-character",
    "length-not-wanted",
    "length-big-endian",
}


@rows
def test_a_specimen_is_named_by_its_own_row(row: Signature) -> None:
    found = identify(row.specimen)
    assert found is not None
    assert found.id == row.id
    assert row.name in ("", found.name)
    assert row.id in CATALOGUE


@rows
def test_what_only_looks_like_it_is_not_named(row: Signature) -> None:
    assert not row.matches(row.counter)
    assert identify(row.counter) is None


@rows
def test_a_part_of_a_specimen_is_not_named_wrongly(row: Signature) -> None:
    for size in range(1, len(row.specimen)):
        for problem in diagnosed(row.specimen[:size]).problems:
            is_format = CATALOGUE[problem.id].family is Family.BYTES
            assert problem.id in (row.id, *GENERAL) or not is_format, row.specimen[:size]
            assert problem.id != row.id or row.name in ("", problem.facts["found"])
            assert "encode(" not in problem.help.replace("json.dumps(data).encode()", "")


@rows
@pytest.mark.parametrize("length", [">I", "<I", ">H", ">Q"])
def test_behind_a_length_the_format_is_named_and_not_the_length(row: Signature, length: str) -> None:
    if row.follows_length:
        assert diagnosed(behind_length(row.specimen, length)).problems[0].id == row.id


def test_no_row_is_shadowed_by_another_one() -> None:
    for row in SIGNATURES:
        assert [other.id for other in SIGNATURES if other.matches(row.specimen)] == [row.id]


def test_no_message_is_taken_for_a_format() -> None:
    foreign = {row.id for row in SIGNATURES}
    for message in MESSAGES:
        assert identify(message.data) is None
        assert prefix_of(message.data) is None
    for case in CASES:
        assert (identify(case.data) is not None) <= bool(foreign & set(case.ids)), case.data


# What a protocol puts before the message -> the problem
PREFIXES = [
    (TELNET, "telnet-negotiation"),
    (b"\xff\xfb\x1f", "telnet-negotiation"),
    (b"\xff\xf4\xff\xfd\x06", "telnet-negotiation"),
    (b"\xff\xfa\x18\0xterm\xff\xf0", "telnet-negotiation"),
    (behind_length(JSON_HEADER, ">H"), "json-header"),
    (behind_length(JSON_HEADER, ">I"), "json-header"),
    (bytes([len(ONE) & 127 | 128, len(ONE) >> 7]), "length-7-bit"),
]


@pytest.mark.parametrize(("before", "id"), PREFIXES)
def test_what_comes_before_a_message_is_named_and_the_message_is_read(before: bytes, id: str) -> None:
    diagnosis = diagnosed(before + ONE.encode())
    assert [problem.id for problem in diagnosis.problems] == [id]
    assert diagnosis.message == diagnosed(ONE.encode()).message
    assert diagnosis.repaired == diagnosis.message


@pytest.mark.parametrize(("before", "id"), PREFIXES)
def test_a_message_that_is_cut_behind_it_is_not_named_wrongly(before: bytes, id: str) -> None:
    for size in range(len(before) + 1, len(before) + len(ONE)):
        assert diagnosed((before + ONE.encode())[:size]).problems[0].id in (id, "length-of-other-size"), size


NEGOTIATIONS = [  # of PuTTY, of Windows, of Linux with -a, after Ctrl-C; a terminal's size and name; and then Enter
    TELNET,
    b"\xff\xfb\x18\xff\xfb\x1f",
    b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x21\xff\xfb\x22\xff\xfb\x27\xff\xfd\x05\xff\xfb\x23",
    b"\xff\xf4\xff\xfd\x06",
    b"\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfa\x18\0xterm\xff\xf0",
    b"\xff\xfb\x1f\r\n",
]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("data", NEGOTIATIONS)
def test_telnet_alone_is_told_what_to_connect_with(data: bytes, framing: str) -> None:
    """The server answers after 0.2 s, before anything is typed: these bytes can never become a message."""
    [problem] = diagnosed(data, framing=framing).problems
    assert problem.id == "telnet-negotiation"
    assert (
        f"({data[:3].hex(' ').upper()}) before what is typed - connect with nc, or with Raw in PuTTY"
        in problem.sentence
    )


# What looks like it, and is not
NO_PREFIXES = [
    b"\xff\xfe" + ONE.encode("utf-16-le"),
    ONE.encode("utf-16"),
    behind_length(ONE.encode(), "<H"),
    behind_length(SECOND.encode(), "<H"),
    b"\xeb {" + ONE.encode(),
    b"`" + ONE.encode(),
    ONE.encode(),
]


@pytest.mark.parametrize("data", NO_PREFIXES)
def test_what_only_looks_like_a_prefix_is_none(data: bytes) -> None:
    assert prefix_of(data) is None
