"""Values as strict JSON: what every file of a run folder and every W&B payload is made of. No torch, no numpy here."""

import dataclasses
import enum
import math
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text without what a terminal would obey and what no file of text can hold.

    Control characters, changes of direction, separators of lines and halves of characters become U+FFFD.
    """
    return _CONTROLS.sub("\ufffd", text)


def printables(value: Any) -> Any:
    """Return a plain value with every text in it `printable`, the keys too."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(key)): printables(one) for key, one in value.items()}
    return [printables(one) for one in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Return ``value`` as dict, list, str, int, float, bool or None.

    A float that is not finite becomes None: strict JSON has no word for it, and a browser refuses a page with NaN.
    Zero-dimensional arrays and tensors give their number, without importing what they belong to.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "tolist"):  # numpy and torch, scalars too
        return plain(value.tolist())
    raise TypeError(f"cannot be written as JSON: {type(value).__name__} {value!r}")
