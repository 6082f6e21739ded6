"""What somebody did to a message: which fields were filled in, swapped, replaced, changed or kept. Pure."""

from tandem.protocol.message import FIELDS, Message

FILLED_IN = "filled in"
SWAPPED = "swapped"
OWN = "put in its own"
CHANGED = "changed"
KEPT = "kept"
DEEDS = (FILLED_IN, SWAPPED, OWN, CHANGED, KEPT)  # in the order in which they are told

_PARTNER = {"studentnr1": "studentnr2", "studentnr2": "studentnr1"}
_SENDERS_OWN = ("clientid", "ip")


def changes(before: Message, after: Message) -> dict[str, list[str]]:
    """The names of the fields by deed; a deed that touched no field is left out."""
    deeds = {name: _deed(name, before, after) for name in FIELDS}
    told = {deed: [name for name in FIELDS if deeds[name] == deed] for deed in DEEDS}
    return {deed: names for deed, names in told.items() if names}


def _deed(name: str, before: Message, after: Message) -> str:
    old, new = before.fields(), after.fields()
    if name in _SENDERS_OWN and before.clientid != after.clientid:
        return OWN  # another sender; on one machine its ip may happen to be the same
    if old[name] == new[name]:
        return KEPT
    if old[name] == "":
        return FILLED_IN
    if name in _PARTNER and new[name] == old[_PARTNER[name]]:
        return SWAPPED
    return CHANGED
