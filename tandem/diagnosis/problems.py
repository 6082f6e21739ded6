"""A Problem is one mistake, or remark, found in one message: facts only. CATALOGUE says what each one means.

The words are made by `explain`, from the templates of the Kind. Nothing here reads a message.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from tandem.diagnosis.catalogue import in_bytes, in_exchange, in_fields, in_json
from tandem.diagnosis.catalogue.kinds import Family, Kind, Severity

__all__ = ["CATALOGUE", "Edit", "Family", "Kind", "Problem", "Severity"]

CATALOGUE: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        *in_bytes.KINDS,
        *in_json.KINDS,
        *in_fields.KINDS,
        *in_exchange.KINDS,
    )
}


class Edit(NamedTuple):
    """What would set it right: put `text` in the place of the bytes from `start` up to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, or remark, found in one message: facts, no words."""

    id: str
    at: int | None = None  # offset in bytes from the first byte that came; None: nowhere in particular
    facts: dict[str, str] = field(default_factory=dict)  # for the templates: field, found, wanted, near
    edits: tuple[Edit, ...] = ()  # empty where nobody but the sender can know

    @property
    def kind(self) -> Kind:
        return CATALOGUE[self.id]

    @property
    def is_remark(self) -> bool:
        return self.kind.severity is Severity.REMARK
