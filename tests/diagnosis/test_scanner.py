"""How far an object is JSON without doubt, and which objects are too large to be parsed. Without a diagnosis."""

import pytest

from tandem.diagnosis.recovery.scanner import _MAX_SIGNS, end_of_json, ends_member, is_large, string_at

MANY = "{" + ", ".join(f'"field {number}": {number}' for number in range(_MAX_SIGNS)) + "}"


@pytest.mark.parametrize("sign", ["[", "{", ",", '""', '"a[, {"'])
def test_an_object_is_large_from_one_sign_more_on(sign: str) -> None:
    assert not is_large(sign * _MAX_SIGNS, 0)
    assert is_large(sign * (_MAX_SIGNS + 1), 0)


# what comes -> how much of it is certainly JSON
ENDS = [
    ('{"a": 1} tail', '{"a": 1}'),
    ('{"a": 1,', ""),
    (MANY + " tail", MANY),
    (MANY[:-1] + ", tail", MANY[:-1] + ","),
    ('{"a": "x", "b": [' + MANY, '{"a": "x",'),
    ("[" * (_MAX_SIGNS + 1), ""),
]


@pytest.mark.parametrize(("chars", "valid"), ENDS)
def test_where_json_ends(chars: str, valid: str) -> None:
    for before in ("", "  "):
        assert end_of_json(before + chars, len(before)) == (len(before + valid) if valid else 0)


def test_only_a_string_is_a_string() -> None:
    assert string_at('x"a\\n"y', 1) == ("a\n", 6)
    assert string_at("x12", 1) is None
    assert string_at('x"a', 1) is None


@pytest.mark.parametrize("after", ["}", " }", "}\n", ', "a": 1'])
def test_a_member_ends(after: str) -> None:
    assert ends_member("x" + after, 1)


@pytest.mark.parametrize("after", ["x", " ~", "~", "} x", ",", ""])
def test_a_member_does_not_end(after: str) -> None:
    assert not ends_member("x" + after, 1)
