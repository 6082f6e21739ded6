"""Looks ahead in a broken text, and takes nothing: where does this text end, where does the next member begin?

Every look goes a bounded way, so reading on stays linear.
"""

import re
import sys

from tandem.diagnosis.recovery import names

SPACE = " \t\r\n"
TYPOGRAPHIC_DOUBLE = "“”„‟«»″"
TYPOGRAPHIC_SINGLE = "‘’‚‛′"
TYPOGRAPHIC = TYPOGRAPHIC_DOUBLE + TYPOGRAPHIC_SINGLE
WIDE_SIGNS = "，；：、＝"  # as a Chinese or Japanese keyboard types them
COLONS = (":", "=", "：", "＝")  # and what people take for one
QUOTES = "\"'`" + TYPOGRAPHIC

_END_OF_MEMBER = SPACE + ",}"  # and "" is in every text
_FAR = 160  # characters
_SPACES = re.compile(f"[{SPACE}]*+")
_NAME = re.compile(rf"[{QUOTES}]?(\w[\w -]{{0,{names.MAX_LENGTH - 1}}})[{QUOTES}]?")


def run_end(run: re.Pattern[str], chars: str, at: int, stop: int = sys.maxsize) -> int:
    """Where the run of characters ends that begins there. The pattern must match anywhere, if need be nothing."""
    found = run.match(chars, at, stop)
    return found.end() if found else at


def skip_all(chars: str, at: int) -> int:
    """The next place from `at` on that is no white space, however far it is."""
    return run_end(_SPACES, chars, at)


def skip_back(chars: str, start: int, at: int, signs: str = SPACE) -> int:
    """The place from `at` back to `start` behind what is no white space, or none of other signs."""
    while at > start:
        run = chars[max(start, at - _FAR) : at]
        kept = len(run.rstrip(signs))
        at -= len(run) - kept
        if kept:
            break
    return at


def skip(chars: str, at: int) -> int:
    """The next place from `at` on that is no white space."""
    run = chars[at : at + _FAR]
    return at + len(run) - len(run.lstrip(SPACE))


def next_char(chars: str, at: int) -> str:
    """The next character that is no white space; "" at the end."""
    return chars[at : at + _FAR].lstrip(SPACE)[:1]


def is_quote(chars: str, at: int) -> bool:
    return at < len(chars) and chars[at] in QUOTES


def name_at(chars: str, at: int) -> tuple[str, int]:
    """The name that stands there, "" if none does, and where it ends: the quotes around it, if any, included."""
    found = _NAME.match(chars, at)
    return (found[1].rstrip(), found.end()) if found else ("", at)


def is_member(chars: str, at: int) -> bool:
    """Whether a name and a colon begin there, with or without quotes."""
    name, end = name_at(chars, at)
    return bool(name) and next_char(chars, end) in COLONS


def is_quoted_member(chars: str, at: int) -> bool:
    """Whether a member begins there whose name has both its quotes."""
    if not is_quote(chars, at):
        return False
    name, end = name_at(chars, at)
    return bool(name) and is_quote(chars, end - 1) and next_char(chars, end) in COLONS


def is_known_member(chars: str, at: int) -> bool:
    """Whether a member begins there whose name is one of the eight, or plainly stands for one."""
    name, end = name_at(chars, at)
    return bool(name) and next_char(chars, end) in COLONS and names.is_known(name)


def ends_member(chars: str, at: int) -> bool:
    """Whether a member surely ends before `at`: a comma and the next member follow, or the last brace."""
    if chars[at : at + 1] not in _END_OF_MEMBER:
        return False
    at = skip(chars, at)
    if chars[at : at + 1] == ",":
        return is_member(chars, skip(chars, at + 1))
    return chars[at : at + 1] == "}" and not next_char(chars, at + 1)


def ends_line(chars: str, at: int) -> bool:
    """Whether only white space stands between `at` and the end of its line."""
    return chars[at : skip(chars, at) + 1].lstrip(" \t")[:1] in ("", "\r", "\n")
