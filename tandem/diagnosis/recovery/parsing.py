"""How far JSON's own reader takes a text: there quotes are what they seem, and nothing has to be guessed.

An object with many members or values in it would take too much memory. Of such a one only the flat members at its
beginning are looked at.
"""

import json
import re

_MAX_SIGNS = 128  # strings, commas and opening brackets of an object that is parsed; a right message has 23 of them

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_MANY_SIGNS = re.compile(rf'(?:[^"{{\[,]*+(?>{_STRING}|[{{\[,])){{{_MAX_SIGNS + 1}}}+', re.DOTALL)

_SPACE = r"[ \t\r\n]*+"
_VALID_STRING = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_MEMBER = rf"{_SPACE}{_VALID_STRING}{_SPACE}:{_SPACE}(?:{_VALID_STRING}|{_NUMBER}|null|true|false){_SPACE}"
_FLAT_MEMBERS = re.compile(rf"\{{(?:{_MEMBER},)*+(?:{_MEMBER}\}})?")

_decoder = json.JSONDecoder()


def is_large(chars: str, start: int) -> bool:
    """Whether what begins there has more in it than is parsed."""
    return _MANY_SIGNS.match(chars, start) is not None


def parse(chars: str, start: int) -> tuple[object, int] | None:
    """The value that begins there, and where it ends; None if it is not JSON. Must not be large."""
    try:
        return _decoder.raw_decode(chars, start)
    except (ValueError, RecursionError):
        return None


def end_of_json(chars: str, start: int) -> int:
    """Up to where the object that begins there is JSON for certain; 0 if it is not. `closes` tells if it ends there."""
    if is_large(chars, start):
        members = _FLAT_MEMBERS.match(chars, start)
        return members.end() if members else 0
    parsed = parse(chars, start)
    return parsed[1] if parsed else 0


def closes(chars: str, end: int) -> bool:
    """Whether an object that is JSON up to `end` ends there."""
    return chars[end - 1 : end] == "}"


def string_at(chars: str, at: int) -> tuple[str, int] | None:
    """The JSON string that begins there, and where it ends; None if it is none."""
    text, end = parse(chars, at) or (None, at)
    return (text, end) if isinstance(text, str) else None
