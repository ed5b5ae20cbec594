"""Config fields that declare their role and their bounds beside their default, and what reads them.

Roles: ``identity`` changes the result and is part of the run id; ``speed`` changes how fast it is reached, equal
beyond rounding; ``free`` says where, who, how it is shown.
"""

import dataclasses
from collections.abc import Callable
from enum import Enum
from typing import Any

from thaw.errors import ConfigError

_NONE = object()


def _field(role: str, default: Any, bounds: dict[str, Any]) -> Any:
    metadata = {"role": role, **bounds}
    if default is _NONE:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    if dataclasses.is_dataclass(default) and isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def identity(default: Any = _NONE, *, new: bool = False, **bounds: Any) -> Any:
    """A field that changes the result; ``bounds`` are any of gt, ge, lt, le, choices.

    ``new`` marks a field that was added after runs were recorded: it is left out of the run id while it has its
    default, so that those runs keep their names. The default must then mean what was done before the field was there.
    """
    return _field("identity", default, {**bounds, "new": True} if new else bounds)


def speed(default: Any = _NONE, **bounds: Any) -> Any:
    """A field that changes only how fast the result is reached."""
    return _field("speed", default, bounds)


def free(default: Any = _NONE, **bounds: Any) -> Any:
    """A field that changes neither result nor speed: where, who, how it is shown."""
    return _field("free", default, bounds)


_RULES: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "gt": (lambda value, bound: value > bound, "greater than"),
    "ge": (lambda value, bound: value >= bound, "at least"),
    "lt": (lambda value, bound: value < bound, "less than"),
    "le": (lambda value, bound: value <= bound, "at most"),
    "choices": (lambda value, bound: value in bound, "one of"),
}


def check(config: Any, prefix: str = "") -> None:
    """Raise ConfigError for the first field of a (nested) config dataclass outside its declared bounds."""
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            check(value, f"{name}.")
        for key, (rule, words) in _RULES.items():
            if key not in field.metadata or value is None:
                continue
            bound = field.metadata[key]
            for one in value if isinstance(value, list) else [value]:
                if not rule(one, bound):
                    shown = ", ".join(map(str, bound)) if key == "choices" else bound
                    raise ConfigError(f"out of range: {name}={one} must be {words} {shown}")


def names(config: Any, role: str) -> list[str]:
    """Return the names of a config's own fields that have a role."""
    return [field.name for field in dataclasses.fields(config) if field.metadata.get("role") == role]


def identity_of(config: Any) -> dict[str, Any]:
    """Return the identity fields of a config as plain nested values; inputs by content are for the caller to add.

    New fields that have their default are left out, at every level.
    """
    result: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        if field.metadata.get("role") == "identity":
            value = _plain(getattr(config, field.name), identity_of)
            if not (field.metadata.get("new") and value == _plain(_default(field), identity_of)):
                result[field.name] = value
    return result


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def as_dict(config: Any) -> dict[str, Any]:
    """Return all fields of a config as plain nested values, enums by name."""
    return {field.name: _plain(getattr(config, field.name), as_dict) for field in dataclasses.fields(config)}


def roles(config: Any, prefix: str = "") -> dict[str, str]:
    """Return dotted field name -> identity, speed or free, for every leaf of a config."""
    result: dict[str, str] = {}
    for field in dataclasses.fields(config):
        name, value = f"{prefix}{field.name}", getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            result |= roles(value, f"{name}.")
        else:
            result[name] = field.metadata["role"]
    return result


def _plain(value: Any, fields_of: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return fields_of(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return {key: _plain(item, fields_of) for key, item in value.items()}
    return [_plain(item, fields_of) for item in value] if isinstance(value, list) else value
