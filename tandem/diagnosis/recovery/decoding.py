"""From the bytes that came to characters, whatever the bytes: lengths, other encodings and other protocols are named.

Every character knows the byte it came from, so that whoever reads on can point at it. Total and linear.
"""

import re
from collections.abc import Callable
from itertools import islice

from tandem.diagnosis.problems import Edit
from tandem.diagnosis.recovery.ahead import SPACE
from tandem.diagnosis.recovery.findings import Findings
from tandem.diagnosis.recovery.offsets import EncodedOffsets, NestedOffsets, Offsets, PieceOffsets
from tandem.protocol.framing import PREFIX, is_framed
from tandem.protocol.reader import LIMIT

_SPACE_BYTES = SPACE.encode()


class Text:
    """Characters, and for each the offset of the byte it came from."""

    __slots__ = ("chars", "offsets", "as_sent", "is_whole")

    def __init__(self, chars: str, offsets: Offsets, as_sent: bool = True, is_whole: bool = True) -> None:
        self.chars = chars
        self.offsets = offsets
        self.as_sent = as_sent  # are the bytes this text in UTF-8? Then an edit of the one is an edit of the other
        self.is_whole = is_whole  # False: it goes on, and the rest is not read

    def part(self, start: int, stop: int, longest: int) -> "Text":
        """The text between, or as many characters of it as are to be read."""
        end = min(stop, start + longest)
        offsets = NestedOffsets(PieceOffsets(start), self.offsets)
        return Text(self.chars[start:end], offsets, self.as_sent, self.is_whole and end == stop)

    def edit(self, start: int, end: int, text: str) -> tuple[Edit, ...]:
        """To put `text` in the place of the characters from `start` up to `end`; () where bytes differ from text."""
        if not self.as_sent:
            return ()
        return (Edit(self.offsets[start], self.offsets[end], text),)


def to_text(data: bytes, findings: Findings) -> Text | None:
    """The characters that came, or None where they cannot hold a message; `findings` has the reason."""
    if not data[:LIMIT].strip(_SPACE_BYTES):
        _tell_blank(data, findings)
        return None
    for id, is_it in _STRANGERS:
        if is_it(data):
            findings.add(id, 0, found=data[:80].partition(b"\r\n")[0].decode("latin-1"))
            return None
    codec = _wide_codec(data)
    if codec:
        return _from_wide(data, 0, codec, findings)
    start, end = _without_length(data, findings)
    text = data[start : min(end, start + LIMIT)]
    if not text.strip(_SPACE_BYTES):
        if not findings.problems():
            findings.add("nothing-came", 0, found="the length says 0 bytes")
        return None
    codec = _wide_codec(text)
    if codec:
        return _from_wide(data[:end], start, codec, findings)
    if data.startswith(b"\xef\xbb\xbf", start):
        findings.add("byte-order-mark", start, Edit(start, start + 3, ""))
        start += 3
    return _from_utf_8(data[:end], start, findings)


def _tell_blank(data: bytes, findings: Findings) -> None:
    if len(data) >= LIMIT:
        findings.add("too-large", LIMIT, wanted=str(LIMIT))
    else:
        findings.add("nothing-came", 0, found="only white space" if data else "not one byte")


_MAX_LINE = 1024  # bytes of a first line that are looked at
_METHODS = (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"CONNECT", b"PRI")


def _is_http(data: bytes) -> bool:
    line = data[:_MAX_LINE].partition(b"\n")[0]
    method, _, rest = line.partition(b" ")
    return method in _METHODS and (rest[:1] == b"/" or b"HTTP/" in rest)


def _is_tls(data: bytes) -> bool:
    return data[:3] in (b"\x16\x03\x01", b"\x16\x03\x02", b"\x16\x03\x03")


def _is_ssh(data: bytes) -> bool:
    return data[:4] == b"SSH-"


def _is_pickle(data: bytes) -> bool:
    newer = data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and data[2:3] not in (b"", b"\0")
    return newer or data[:3] in (b"(dp", b"}q\x00")


_STRANGERS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("http-request", _is_http),
    ("tls-hello", _is_tls),
    ("ssh-hello", _is_ssh),
    ("pickle", _is_pickle),
)


def _wide_codec(data: bytes) -> str:
    """The codec, if each of the first characters takes 2 or 4 bytes. Marks first; then the place of the zeros."""
    for mark, codec in ((b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be")):
        if data.startswith(mark):
            return codec
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return codec
    zeros = tuple(byte == 0 for byte in data[:8])
    return _ZEROS.get(zeros, "")


_ZEROS: dict[
    tuple[bool, ...], str
] = {  # of two wide ASCII characters (four, where they take 2 bytes): True is a zero byte
    (False, True, False, True, False, True, False, True): "utf-16-le",
    (True, False, True, False, True, False, True, False): "utf-16-be",
    (False, True, True, True, False, True, True, True): "utf-32-le",
    (True, True, True, False, True, True, True, False): "utf-32-be",
}


def _from_wide(data: bytes, start: int, codec: str, findings: Findings) -> Text:
    findings.add("utf-16", start, found=codec[:6].upper())
    mark = "\ufeff".encode(codec)
    if data.startswith(mark, start):
        start += len(mark)
    chars = data[start : start + LIMIT * len(mark)].decode(codec, errors="replace")
    return Text(chars, EncodedOffsets(data, start, codec, "replace"), as_sent=False)


def _without_length(data: bytes, findings: Findings) -> tuple[int, int]:
    """Where the text begins and ends: behind a length of any make, before a second one."""
    for size, order in ((8, "big"), (8, "little"), (2, "big"), (2, "little")):
        if _is_length(data, size, order):
            findings.add("length-of-other-size", 0, Edit(0, size, ""), found=f"{size} bytes")
            return size, len(data)
    if is_framed(data) or data.startswith(bytes(PREFIX)):
        return _behind_little_endian(data, findings)
    if _is_length(data, PREFIX, "big"):
        findings.add("length-big-endian", 0, Edit(0, PREFIX, ""), found=data[:PREFIX].hex(" "))
        return PREFIX, len(data)
    digits = _IN_DIGITS.match(data)
    if digits:
        start = digits.end()
        if data[start : start + 1] == b"{" or len(digits[1]) < start == len(data):
            findings.add("length-in-digits", 0, Edit(0, start, ""), found=digits[1].decode())
            return start, len(data)
    return 0, len(data)


_IN_DIGITS = re.compile(rb"[ \t\r\n]*([0-9]{1,20})[ \t\r\n:;,|#\0]*")


def _is_length(data: bytes, size: int, order: str) -> bool:
    """Whether an object follows on `size` bytes that hold a number about as large as what follows."""
    number = int.from_bytes(data[:size], "big" if order == "big" else "little")
    rest = len(data) - size
    fits = number in (rest, rest + size) or (0 in data[:size] and number <= max(2 * rest, rest + 8))
    return data[size : size + 1] == b"{" and fits


def _behind_little_endian(data: bytes, findings: Findings) -> tuple[int, int]:
    """The length that is allowed: it must fit what came behind it."""
    length = int.from_bytes(data[:PREFIX], "little")
    came = len(data) - PREFIX
    behind = data[PREFIX + length :]
    if length > LIMIT and came >= LIMIT:
        return PREFIX, len(data)  # too large, as the object's reader will say
    if is_framed(behind) and behind[PREFIX : PREFIX + 1] == b"{":
        findings.add("two-messages", PREFIX + length, Edit(PREFIX + length, len(data), ""))
        return PREFIX, PREFIX + length
    cut = length < came and data[: PREFIX + length].rstrip(_SPACE_BYTES)[-1:] != b"}"
    if length > came or cut:
        findings.add("length-wrong", 0, found=str(length), wanted=str(came))
    return PREFIX, len(data)


def _from_utf_8(data: bytes, start: int, findings: Findings) -> Text:
    """UTF-8, with what is not UTF-8 read as the Windows letter it probably is."""
    chars = data[start : start + LIMIT].decode(errors="surrogateescape")
    if len(data) - start > LIMIT:
        chars = chars[:-_MAX_CUT] + chars[-_MAX_CUT:].rstrip(_ESCAPED)  # our own cut may be inside a character
    if chars.isascii():
        return Text(chars, range(start, start + len(chars) + 1))
    offsets = EncodedOffsets(data, start, "utf-8", "surrogateescape")
    wrong = [found.start() for found in islice(_WRONG.finditer(chars), _MAX_LETTERS + 1)]
    if not wrong:
        return Text(chars, offsets)
    at = offsets[wrong[0]]
    found, place = f"{data[at]:02X}", str(at + 1)
    if len(wrong) > _MAX_LETTERS or not _may_be_letters(chars, wrong):
        findings.add("not-utf-8", at, found=found, place=place)
        return Text(chars, offsets)
    edits = (Edit(offsets[i], offsets[i] + 1, _LETTERS[chars[i]]) for i in wrong)
    findings.add("latin-1", at, *edits, found=found, place=place, meant=_LETTERS[chars[wrong[0]]])
    return Text(_WRONG.sub(lambda byte: _LETTERS[byte[0]], chars), offsets)


def _may_be_letters(chars: str, wrong: list[int]) -> bool:
    """Whether the bytes at these places are letters of Latin-1 or Windows, and no pieces of UTF-8."""
    places = set(wrong)
    for at in wrong:
        begins_utf_8 = "\udce0" <= chars[at] <= "\udcf4" and at + 1 in places and chars[at + 1] <= "\udcbf"
        if begins_utf_8 or not _LETTERS[chars[at]]:
            return False
    return not _NO_TEXT.search(chars)


def _as_letter(byte: int) -> str:
    """What a byte that is not UTF-8 means on Windows, if that is a letter, a quote or a euro; else "".

    C2, C3 and F0 are letters, too, but far more often what is left of one in UTF-8.
    """
    letter = bytes([byte]).decode("cp1252", errors="replace")
    return letter if (letter.isalpha() or letter in "“”„‘’–—…€™") and byte not in (0xC2, 0xC3, 0xF0) else ""


_MAX_CUT = 3  # bytes of a character whose last one is missing
_MAX_LETTERS = 32  # bytes that are not UTF-8 in a message that is taken for Latin-1
_LETTERS = {chr(0xDC00 + byte): _as_letter(byte) for byte in range(0x80, 0x100)}  # by what Python makes of the byte
_ESCAPED = "".join(_LETTERS)
_WRONG = re.compile("[\udc80-\udcff]")
_NO_TEXT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\U00010000-\U0010ffff]")  # what no text in Latin-1 has
