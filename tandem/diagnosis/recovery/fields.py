"""From members to the eight fields: which field each member is, whether its type is right, whether it obeys the rules.

The rules themselves are in rules.py.
"""

from collections.abc import Collection

from tandem.diagnosis.problem import REFUSAL_HANDED_ON, Edit, Findings, Problem
from tandem.diagnosis.recovery.members import Member
from tandem.diagnosis.recovery.scanner import CLIENTID_PLACEHOLDER, Text, Type, Value
from tandem.diagnosis.rules import (
    ALIASES,
    MAX_CLIENTID,
    MAX_LENGTHS,
    MAX_NAME,
    SINGLE,
    USUAL_DIGITS,
    check_fields,
    control_in,
    normalise,
    wanted_value,
)
from tandem.protocol.message import FIELDS, TEXT_FIELDS, Message, is_unicode

_NUMBERS = ("studentnr1", "studentnr2")
_MAX_COMPARED = 4  # unknown names that are compared with ours letter by letter
_MAX_REPAIRED = 1024  # characters of a text, the white space around it included


class FieldReader:
    """The fields of one message. Call `read` first, then the other methods."""

    def __init__(self, text: Text, findings: Findings) -> None:
        self.text = text
        self.findings = findings
        self.found: dict[str, Member] = {}  # by field
        self.values: dict[str, str | int] = {}  # by field: what could be read, or repaired without inventing anything
        self._converted: set[str] = set()  # fields whose value came as another type
        self._compared = 0  # names so far
        self._beside: Member | None = None  # the one `studentnr` of an older assignment, beside today's two
        self._certain = True  # every field that came has such a value

    def read(self, members: list[Member]) -> None:
        """Fill `found` and `values`, and report what is wrong with names and types."""
        unknown_members = []
        for member in members:
            if member.name not in FIELDS:
                unknown_members.append(member)
            elif member.name in self.found:
                self._take_second(member)
            else:
                self.found[member.name] = member
        self._take_single_number(unknown_members)
        for member in unknown_members:
            self._take_unknown(member)
        for name in FIELDS:
            if name in self.found:
                self._read_value(name, self.found[name].value)

    def as_received(self) -> dict[str, str | int]:
        """Return what could be read without changing its type."""
        return {name: value for name, value in self.values.items() if name not in self._converted}

    def report_missing(self, start: int, cut_off: bool) -> None:
        """Report the fields that did not come. `start` is the index of the object.

        If the message was cut off, report only those before the last field that came.
        """
        expected = list(FIELDS)
        if cut_off:
            came = [FIELDS.index(name) for name in self.found]
            expected = expected[: max(came, default=0)] if came == sorted(came) else []
        at = start
        for name in FIELDS:
            if name in self.found:
                at = self.found[name].value.end
            elif name in expected:
                self.findings.add("field-missing", self.text.offsets[at], field=name)

    def check_rules(self, address: str) -> None:
        """Apply the rules to what could be read, and report each problem where the field's value is."""
        if self.findings.has("not-utf-8"):
            self._drop_undecoded()
        for problem in check_fields(self.values, address):
            member = self.found.get(problem.facts["field"])
            if member is None:
                continue  # the value only stands for one that did not come
            if problem.id == "status-blanked" and member.value.type is Type.NULL:
                continue  # reported as null already
            facts = problem.facts
            is_size = problem.id in ("field-too-long", "secret-damaged") and facts["found"][0].isdigit()
            if is_size and not member.value.is_whole:
                facts = facts | {"found": f"more than {facts['found']}"}
            offset, edits = self._place(problem, member.value)
            self.findings.add(problem.id, offset, *edits, **facts)

    def repaired(self) -> Message | None:
        """Return the message with every mistake repaired; None if something had to be invented, or breaks a rule."""
        if self.findings.has(REFUSAL_HANDED_ON):
            return None
        if any(len(value) > _MAX_REPAIRED for value in self.values.values() if isinstance(value, str)):
            return None
        values = {name: value.strip() if isinstance(value, str) else value for name, value in self.values.items()}
        if self._beside and not self._take_beside(self._beside.value, values):
            return None
        if values.get("clientid") == 1:
            if len(str(values.get("secret", ""))) == MAX_LENGTHS["secret"]:
                return None  # clientid-still-1: message 2 was meant, and only its sender knows what it says
            values |= {"secret": "", "status": ""}
        if not self._certain or values.keys() != set(FIELDS):
            return None
        if any(not problem.is_remark for problem in check_fields(values, "")):
            return None
        return Message(**{name: values[name] for name in FIELDS})  # type: ignore[arg-type]

    def _take_beside(self, number: Value, values: dict[str, str | int]) -> bool:
        """Put the sender's number of an older assignment into studentnr1. Return False if that loses another number."""
        first, second = values.get("studentnr1"), values.get("studentnr2")
        own = number.text.strip() if number.type is Type.TEXT else ""
        if not own or (first and own not in (first, second)):
            return False
        if own != first:
            values["studentnr1"] = own
            values["studentnr2"] = first or second or ""
        return True

    def _drop_undecoded(self) -> None:
        """Drop the texts with bytes that could not be read: they are reported already."""
        for name, value in list(self.values.items()):
            if isinstance(value, str) and not is_unicode(value):
                del self.values[name]
                self._certain = False

    def _place(self, problem: Problem, value: Value) -> tuple[int, tuple[Edit, ...]]:
        """Return the offset of a rule's problem, if possible that of the wrong character, and a correction if known."""
        if not value.is_literal:
            return self.text.offsets[value.start], ()
        at = value.start
        edits: tuple[Edit, ...] = ()
        if problem.id == "control-character" and (control := control_in(value.text)):
            at += control.start()
        elif problem.id == "field-too-long":
            at += min(int(problem.facts["wanted"]), len(value.text))
        elif problem.id in ("secret-in-message-1", "status-in-message-1"):
            edits = self.text.edit(value.start, value.start + len(value.text), "")
        return self.text.offsets[at], edits

    # names

    def _take_second(self, member: Member) -> None:
        first = self.found[member.name]
        same = (first.value.type, first.value.text) == (member.value.type, member.value.text)
        self._certain = self._certain and same
        self.found[member.name] = member  # as every JSON reader does
        self.findings.add("key-twice", self.text.offsets[member.start], field=member.name)

    def _take_single_number(self, unknown_members: list[Member]) -> None:
        """Take the one `studentnr` of an older assignment for both, if neither is there."""
        if not self.found.keys().isdisjoint(_NUMBERS):
            return
        single = [member for member in unknown_members if normalise(member.name) in SINGLE]
        if single and not any(_is_number(member) for member in unknown_members[:_MAX_COMPARED]):
            self._report_name("studentnr-single", single[0], field="studentnr1")
            self._certain = False
            unknown_members.remove(single[0])
            self.found["studentnr1"] = self.found["studentnr2"] = single[0]

    def _take_unknown(self, member: Member) -> None:
        if normalise(member.name) in SINGLE and "studentnr1" in self.found:
            self._report_name("studentnr-beside", member)
            self._beside = member
            return
        missing = [name for name in FIELDS if name not in self.found]
        meant = plainly_meant(member.name, missing)
        if meant is None and self._compared < _MAX_COMPARED:
            self._compared += 1
            meant = meant_field(member.name, missing)
        if meant is None:
            self._report_name("extra-key", member)
            self._certain = self._certain and member.value.type is not None  # else it may be part of a text
            return
        id = "key-case" if member.name.lower() == meant else "key-misspelt"
        self._report_name(id, member, *self._rename(member, meant), wanted=meant)
        self.found[meant] = member

    def _rename(self, member: Member, wanted: str) -> tuple[Edit, ...]:
        end = member.start + len(member.name)
        is_literal = self.text.chars[member.start : end] == member.name
        return self.text.edit(member.start, end, wanted) if is_literal else ()

    def _report_name(self, id: str, member: Member, *edits: Edit, **facts: str) -> None:
        """Report a problem with a name, where the name begins to differ from the wanted one."""
        wanted = facts.get("wanted", "")
        same = next((i for i, (a, b) in enumerate(zip(member.name, wanted, strict=False)) if a != b), None)
        if same is None:
            same = min(len(wanted), len(member.name)) if wanted else 0
        at = min(member.start + same, len(self.text.chars))
        self.findings.add(id, self.text.offsets[at], *edits, found=member.name, **facts)

    # types

    def _read_value(self, name: str, value: Value) -> None:
        if name == "studentnr2" and self.found.get("studentnr1") is self.found[name]:
            return  # the single number again
        if value.type is None:
            self._read_nothing(name)
        elif value.damaged:
            self._certain = False
        elif name in TEXT_FIELDS:
            self._read_text(name, value)
        else:
            self._read_clientid(value)

    def _read_nothing(self, name: str) -> None:
        if name in ("secret", "status"):
            self.values[name] = ""
        else:
            self._certain = False

    def _read_text(self, name: str, value: Value) -> None:
        if value.type is Type.TEXT:
            self.values[name] = value.text
        elif value.type is Type.NULL and name in ("secret", "status"):
            self.values[name] = ""
            if value.text == "null":
                fix = self.text.edit(value.start, value.end, '""')
                self._report_value("null-as-empty", value, *fix, field=name)
        elif value.type is Type.NUMBER and name.startswith("studentnr"):
            is_whole = len(value.text) == USUAL_DIGITS and value.text.isdigit()
            self._take_number(name, value.text, is_whole)
            self._report_value("studentnr-as-number", value, *self._quote(value), field=name, found=value.text)
        else:
            self._take_number(name, value.text, value.type is Type.NUMBER and name in ("classname", "teamname"))
            if name == "ip" and value.type in (Type.LIST, Type.TUPLE):
                self._report_value("ip-as-list", value, field=name, found=value.type.value)
            elif value.type is Type.NULL and not value.is_python:
                self._report_value("null-value", value, field=name, wanted=wanted_value(name))
            else:
                self._report_type(name, value, Type.TEXT.value)

    def _take_number(self, name: str, digits: str, is_whole: bool) -> None:
        """Take a number in the place of a text, if no digit of it can be lost."""
        self._converted.add(name)
        if is_whole:
            self.values[name] = digits
        else:
            self._certain = False

    def _quote(self, value: Value) -> tuple[Edit, ...]:
        if len(value.text) != USUAL_DIGITS:
            return ()
        return *self.text.edit(value.start, value.start, '"'), *self.text.edit(value.end, value.end, '"')

    def _read_clientid(self, value: Value) -> None:
        digits = value.text.removeprefix("-")
        if value.type is Type.NUMBER and digits.isdigit():
            if len(digits) <= MAX_CLIENTID:
                self.values["clientid"] = int(value.text)
            else:
                self._certain = False
                self._report_value("clientid-not-1-or-2", value, field="clientid", found=value.text)
        elif value.type is Type.NUMBER and (integer := _INTEGERS.get(_as_float(value.text))):
            self.values["clientid"] = integer
            self._converted.add("clientid")
            fix = self.text.edit(value.start, value.end, str(integer))
            self._report_value("clientid-float", value, *fix, field="clientid", found=value.text, wanted=str(integer))
        elif value.type is Type.TEXT and value.text.strip() in ("1", "2"):
            self.values["clientid"] = int(value.text.strip())
            self._converted.add("clientid")
            fix = self.text.edit(value.start - 1, value.end, value.text.strip()) if value.is_literal else ()
            self._report_value("clientid-in-quotes", value, *fix, field="clientid", found=value.text)
        elif value.type is Type.TEXT and normalise(value.text) == CLIENTID_PLACEHOLDER:
            self._certain = False
            self._report_value("placeholder", value, field="clientid", found=value.text)
        else:
            self._certain = False
            self._report_type("clientid", value, "the number 1 or 2")

    def _report_type(self, name: str, value: Value, wanted: str) -> None:
        if value.is_python:
            return  # reported already, with what belongs there
        found = value.type.value if value.type else ""
        if name == "clientid" and value.type in (Type.NUMBER, Type.WORD):
            found = value.text
        elif name == "clientid" and value.type is Type.TEXT:
            found = f"the text `{value.text}`" if value.text else "an empty text"
        self._report_value("field-type", value, field=name, found=found, wanted=wanted)

    def _report_value(self, id: str, value: Value, *edits: Edit, **facts: str) -> None:
        self.findings.add(id, self.text.offsets[value.start], *edits, **facts)


_INTEGERS = {1.0: 1, 2.0: 2}


def _as_float(number: str) -> float:
    """Return the number of a JSON number; 0 if it is too long to be meant."""
    return float(number) if len(number) <= USUAL_DIGITS else 0.0


# Unknown names and the fields that they stand for


def meant_field(name: str, missing: Collection[str]) -> str | None:
    """Return the one of the `missing` fields that the name most likely stands for; None if it is like none of them."""
    plain_guess = plainly_meant(name, missing)
    if plain_guess or len(name) > MAX_NAME:
        return plain_guess
    plain = normalise(name)
    near = [(distance(plain, field, _max_typos(field)), field) for field in missing if _may_be_near(plain, field)]
    typos, field = min(near, default=(MAX_NAME, ""))
    return field if field and typos <= _max_typos(field) and len(plain) > 1 else None


def plainly_meant(name: str, missing: Collection[str]) -> str | None:
    """Return the same as `meant_field`, but without looking for wrong letters inside the name."""
    if len(name) > MAX_NAME:
        return None
    plain = normalise(name)
    guesses = [plain, ALIASES.get(plain, ""), *(number for number in _NUMBERS if plain in SINGLE)]
    likely = [guess for guess in guesses if guess in missing] or [field for field in missing if _is_like(plain, field)]
    return likely[0] if likely else None


def _is_number(member: Member) -> bool:
    return normalise(member.name) not in SINGLE and meant_field(member.name, _NUMBERS) is not None


def _may_be_near(plain: str, field: str) -> bool:
    """Return whether so few letters differ that the distance is worth computing. A typo changes at most two counts."""
    typos = _max_typos(field)
    if abs(len(plain) - len(field)) > typos:
        return False
    return sum(abs(plain.count(c) - field.count(c)) for c in {*plain, *field}) <= 2 * typos


def _is_like(plain: str, field: str) -> bool:
    """Return whether one is a part of the other, or begins and ends like it: letters were lost or doubled."""
    if len(plain) < 3 or len(field) < 3:
        return False
    return plain in field or field in plain or (plain[:4] == field[:4] and plain[-1] == field[-1])


def _max_typos(field: str) -> int:
    """Return how many typos still leave the field recognisable."""
    return 2 if len(field) > 4 else 1


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters to insert, delete, replace or swap with the next, to get from one word to the other.

    If there are more than `limit`, return any number above `limit`. A letter that is further than that from its place
    cannot be part of the shortest way, so only a band of each row is computed.
    """
    while one[:1] == other[:1] != "":
        one, other = one[1:], other[1:]
    while one[-1:] == other[-1:] != "":
        one, other = one[:-1], other[:-1]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [limit + 1] * len(row)
        row[0] = i
        for j in range(max(1, i - limit), min(len(other), i + limit) + 1):
            if a == other[j - 1]:
                row[j] = before[j - 1]  # never more than the other ways
                continue
            cost = min(before[j], row[j - 1], before[j - 1])
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, older[j - 2])
            row[j] = cost + 1
        if min(row) > limit:
            break
    return row[-1]
