"""Changes of a message between two arrows: fields that were filled in, swapped, replaced, changed or kept.

Pure. Knows fields and nothing of how they are drawn.
"""

from tandem.protocol.message import FIELDS, Message

FILLED_IN = "filled in"
SWAPPED = "swapped"
SET_OWN = "set its own"
CHANGED = "changed"
KEPT = "kept"
KINDS = (FILLED_IN, SWAPPED, SET_OWN, CHANGED, KEPT)  # in the order in which they are shown

_SWAPPED_WITH = {"studentnr1": "studentnr2", "studentnr2": "studentnr1"}
_OF_THE_SENDER = ("clientid", "ip")


def changes(before: Message, after: Message) -> dict[str, list[str]]:
    """Return the names of the fields by kind of change. A kind without fields is left out."""
    kinds = {name: _kind(name, before, after) for name in FIELDS}
    names_by_kind = {kind: [name for name in FIELDS if kinds[name] == kind] for kind in KINDS}
    return {kind: names for kind, names in names_by_kind.items() if names}


def _kind(name: str, before: Message, after: Message) -> str:
    old, new = before.fields(), after.fields()
    if name in _OF_THE_SENDER and before.clientid != after.clientid:
        return SET_OWN  # another sender; on one machine both may have the same ip
    if old[name] == new[name]:
        return KEPT
    if old[name] == "":
        return FILLED_IN
    if name in _SWAPPED_WITH and new[name] == old[_SWAPPED_WITH[name]]:
        return SWAPPED
    return CHANGED
