"""Values as strict JSON: what every file of a run folder and every W&B payload is made of. No torch, no numpy here."""

import dataclasses
import enum
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


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
