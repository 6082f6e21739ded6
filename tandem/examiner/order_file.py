"""An order as a file: `order.json` of the record folder. Bytes are written as hex digits."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from tandem.examiner.events import ORDER
from tandem.examiner.order import LabOrder


def write_order(folder: Path, order: LabOrder) -> None:
    """Write the order into the folder of its record."""
    (folder / ORDER).write_text(json.dumps(_plain(order), indent=1) + "\n", encoding="utf-8")


def read_order(folder: Path) -> LabOrder:
    """Read the order of a record.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not an order.
    """
    text = (folder / ORDER).read_text(encoding="utf-8")
    try:
        order = _typed(json.loads(text), LabOrder)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{folder / ORDER} is not an order: {error}") from error
    assert isinstance(order, LabOrder)
    return order


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(str(each) for each in value)
    return value.hex() if isinstance(value, bytes) else value


def _typed(value: Any, wanted: Any) -> object:
    """Return a value of JSON as the wanted type. Only the types that an order has are known."""
    origin = get_origin(wanted)
    if is_dataclass(wanted):
        return _dataclass(value, wanted)
    if origin in (Union, UnionType):
        return None if value is None else _typed(value, get_args(wanted)[0])
    if origin in (tuple, frozenset):
        return _collection(value, origin, get_args(wanted))
    if wanted is bytes:
        return bytes.fromhex(value)
    return dict(value) if origin is dict else value


def _dataclass(value: Mapping[str, Any], wanted: Any) -> object:
    types = get_type_hints(wanted)
    if unknown := value.keys() - types.keys():
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    return wanted(**{name: _typed(each, types[name]) for name, each in value.items()})


def _collection(value: list[Any], origin: Any, of: tuple[Any, ...]) -> object:
    """Return a tuple or frozenset: tuple[int, ...], frozenset[str], or a tuple with a type for each place."""
    if len(of) == 2 and of[1] is not Ellipsis:
        return tuple(_typed(each, kind) for each, kind in zip(value, of, strict=True))
    return origin(_typed(each, of[0]) for each in value)
