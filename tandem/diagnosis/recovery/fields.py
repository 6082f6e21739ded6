"""From members to the eight fields: which field each one is, and whether its value is of the right type.

What a field must hold beyond its type is in `rules`.
"""

from tandem.diagnosis import rules
from tandem.diagnosis.problems import Edit, Problem
from tandem.diagnosis.recovery import names
from tandem.diagnosis.recovery.decoding import Text
from tandem.diagnosis.recovery.findings import Findings
from tandem.diagnosis.recovery.members import Member
from tandem.diagnosis.recovery.values import CLIENTID_PLACEHOLDER, Type, Value
from tandem.protocol.message import FIELDS, TEXT_FIELDS, is_unicode

_NUMBERS = ("studentnr1", "studentnr2")
_MAX_COMPARED = 4  # names that are none of ours and are compared with ours letter by letter


class FieldReader:
    """The fields of one message."""

    def __init__(self, text: Text, findings: Findings) -> None:
        self.text = text
        self.findings = findings
        self.found: dict[str, Member] = {}  # by field
        self.values: dict[str, str | int] = {}  # by field: what could be read, or repaired without inventing anything
        self.converted: set[str] = set()  # fields whose value came as another type
        self._compared = 0  # names so far
        self.certain = True  # does every field that came have such a value?

    def read(self, members: list[Member]) -> None:
        """Fills `found` and `values`, and tells what is wrong with names and types."""
        strangers = []
        for member in members:
            if member.name not in FIELDS:
                strangers.append(member)
            elif member.name in self.found:
                self._tell_twice(member)
            else:
                self.found[member.name] = member
        self._place_single(strangers)
        for member in strangers:
            self._place_stranger(member)
        for name in FIELDS:
            if name in self.found:
                self._read_value(name, self.found[name].value)

    def as_received(self) -> dict[str, str | int]:
        """What could be read without changing its type."""
        return {name: value for name, value in self.values.items() if name not in self.converted}

    def forget_undecoded(self) -> None:
        """Drops the texts that hold bytes which could not be read: that was told already."""
        for name, value in list(self.values.items()):
            if isinstance(value, str) and not is_unicode(value):
                del self.values[name]
                self.certain = False

    def offset_of(self, problem: Problem) -> int:
        """Where to point at for a problem of a rule: the value, or the very character in it."""
        value = self.found[problem.facts["field"]].value
        if not value.is_literal:
            return self.text.offsets[value.at]
        inside = 0
        if problem.id == "control-character":
            inside = value.text.index(problem.facts["found"])
        elif problem.id == "field-too-long":
            inside = min(int(problem.facts["wanted"]), len(value.text))
        return self.text.offsets[value.at + inside]

    def fix_of(self, problem: Problem) -> tuple[Edit, ...]:
        """What sets it right, where that is sure: client 1 has no secret and no status to send."""
        value = self.found[problem.facts["field"]].value
        if problem.id in ("secret-in-message-1", "status-in-message-1") and value.is_literal:
            return self.text.edit(value.at, value.at + len(value.text), "")
        return ()

    def _tell_twice(self, member: Member) -> None:
        first = self.found[member.name]
        same = (first.value.type, first.value.text) == (member.value.type, member.value.text)
        self.certain = self.certain and same
        self.found[member.name] = member  # as every JSON reader does
        self.findings.add("key-twice", self.text.offsets[member.at], field=member.name)

    def _place_single(self, strangers: list[Member]) -> None:
        """The one `studentnr` of an older assignment stands for both, if neither is there."""
        if not self.found.keys().isdisjoint(_NUMBERS):
            return
        single = [member for member in strangers if names.normalise(member.name) in names.SINGLE]
        if single and not any(self._is_number(member) for member in strangers[:_MAX_COMPARED]):
            self._tell("studentnr-single", single[0])
            self.certain = False
            strangers.remove(single[0])
            self.found["studentnr1"] = self.found["studentnr2"] = single[0]

    def _is_number(self, member: Member) -> bool:
        return names.normalise(member.name) not in names.SINGLE and names.meant(member.name, _NUMBERS) is not None

    def _place_stranger(self, member: Member) -> None:
        wanting = [name for name in FIELDS if name not in self.found]
        meant = names.plainly_meant(member.name, wanting)
        if meant is None and self._compared < _MAX_COMPARED:
            self._compared += 1
            meant = names.meant(member.name, wanting)
        if meant is None:
            self._tell("extra-key", member)
            self.certain = self.certain and member.value.type is not None  # else it may be part of a text
            return
        fix = self._rename(member, meant)
        id = "key-case" if member.name.lower() == meant else "key-misspelt"
        self._tell(id, member, *fix, wanted=meant)
        self.found[meant] = member

    def _rename(self, member: Member, wanted: str) -> tuple[Edit, ...]:
        end = member.at + len(member.name)
        is_literal = self.text.chars[member.at : end] == member.name
        return self.text.edit(member.at, end, wanted) if is_literal else ()

    def _tell(self, id: str, member: Member, *edits: Edit, **facts: str) -> None:
        """A problem with a name; it is shown where the name begins to differ from what is wanted."""
        wanted = facts.get("wanted", "")
        same = next((i for i, (a, b) in enumerate(zip(member.name, wanted, strict=False)) if a != b), None)
        if same is None:
            same = min(len(wanted), len(member.name)) if wanted else 0
        at = min(member.at + same, len(self.text.chars))
        self.findings.add(id, self.text.offsets[at], *edits, found=member.name, **facts)

    def _read_value(self, name: str, value: Value) -> None:
        if name == "studentnr2" and self.found.get("studentnr1") is self.found[name]:
            return  # the single number again
        if value.type is None:
            self._read_nothing(name)
        elif value.damaged:
            self.certain = False
        elif name in TEXT_FIELDS:
            self._read_text(name, value)
        else:
            self._read_clientid(value)

    def _read_nothing(self, name: str) -> None:
        if name in ("secret", "status"):
            self.values[name] = ""
        else:
            self.certain = False

    def _read_text(self, name: str, value: Value) -> None:
        if value.type is Type.TEXT:
            self.values[name] = value.text
        elif value.type is Type.NULL and name in ("secret", "status"):
            self.values[name] = ""
            if value.text == "null":
                fix = self.text.edit(value.at, value.end, '""')
                self._tell_value("null-as-empty", value, *fix, field=name)
        elif value.type is Type.NUMBER and name.startswith("studentnr"):
            is_whole = len(value.text) == rules.USUAL_DIGITS and value.text.isdigit()
            self._take_number(name, value.text, is_whole)
            self._tell_value("studentnr-as-number", value, *self._quote(value), field=name, found=value.text)
        else:
            self._take_number(name, value.text, value.type is Type.NUMBER and name in ("classname", "teamname"))
            self._tell_type(name, value, Type.TEXT.value)

    def _take_number(self, name: str, digits: str, is_whole: bool) -> None:
        """A number where text belongs can be read if no digit of it can have been lost."""
        self.converted.add(name)
        if is_whole:
            self.values[name] = digits
        else:
            self.certain = False

    def _quote(self, value: Value) -> tuple[Edit, ...]:
        if len(value.text) != rules.USUAL_DIGITS:
            return ()
        return *self.text.edit(value.at, value.at, '"'), *self.text.edit(value.end, value.end, '"')

    def _read_clientid(self, value: Value) -> None:
        digits = value.text.removeprefix("-")
        if value.type is Type.NUMBER and digits.isdigit():
            if len(digits) <= rules.MAX_CLIENTID:
                self.values["clientid"] = int(value.text)
            else:
                self.certain = False
                self._tell_value("clientid-not-1-or-2", value, field="clientid", found=value.text)
        elif value.type is Type.TEXT and value.text.strip() in ("1", "2"):
            self.values["clientid"] = int(value.text.strip())
            self.converted.add("clientid")
            fix = self.text.edit(value.at - 1, value.end, value.text.strip()) if value.is_literal else ()
            self._tell_value("clientid-in-quotes", value, *fix, field="clientid", found=value.text)
        elif value.type is Type.TEXT and names.normalise(value.text) == CLIENTID_PLACEHOLDER:
            self.certain = False
            self._tell_value("placeholder", value, field="clientid", found=value.text)
        else:
            self.certain = False
            self._tell_type("clientid", value, "the number 1 or 2")

    def _tell_type(self, name: str, value: Value, wanted: str) -> None:
        if value.is_python:
            return  # what belongs there was told
        found = value.type.value if value.type else ""
        if name == "clientid" and value.type in (Type.TEXT, Type.NUMBER, Type.WORD):
            found = value.text or "an empty text"
        self._tell_value("field-type", value, field=name, found=found, wanted=wanted)

    def _tell_value(self, id: str, value: Value, *edits: Edit, **facts: str) -> None:
        self.findings.add(id, self.text.offsets[value.at], *edits, **facts)
