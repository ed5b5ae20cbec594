"""What Hydra and OmegaConf raise -> one line: what is wrong, where, the nearest valid name."""

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    ValidationError,
)
from yaml import MarkedYAMLError

from thaw import config as schema
from thaw.errors import ThawError, nearest


def explain(error: BaseException, command: str, choices: Callable[[str], list[str]]) -> str:
    """Return one line for what composing or typing a config raised."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    source = re.search(r"In '([^']+)'", str(error))
    where = f" in {source[1]}.yaml" if source else ""
    for one in chain:
        if isinstance(one, ThawError):
            return str(one)
        if isinstance(one, MarkedYAMLError) and one.problem_mark is not None:
            mark = one.problem_mark
            return f"{mark.name}:{mark.line + 1}: {one.problem or one.context}"
        if isinstance(one, MissingConfigException):
            return _missing_choice(one, choices)
        if isinstance(one, InterpolationResolutionError):
            return f"{one.full_key}: {_first_line(one)}{where}"
        if isinstance(one, ConfigKeyError | ConfigAttributeError):
            key = _unknown_key(error, one)
            return f"unknown key '{key}'{where}{_near_key(key, command)}"
        if isinstance(one, ValidationError):
            return f"wrong type: {_merging(chain) or one.full_key}: {_first_line(one)}{where}"
        if isinstance(one, MissingMandatoryValue):
            return f"missing value: {one.full_key}, set {one.full_key}=..."
    text = str(error)
    if match := re.search(r"You must specify '([^']+)'", text):
        return f"missing choice: {match[1]}=..., valid: {', '.join(choices(match[1]))}"
    if match := re.search(r"Could not override '([^']+)'", text):
        return f"unknown key '{match[1]}'{_near_key(match[1], command)}"
    return " ".join(text.split())


def _missing_choice(error: MissingConfigException, choices: Callable[[str], list[str]]) -> str:
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    options = [name for name in (error.options or []) if not name.startswith("_")]
    if group.endswith("_schema"):
        return f"a config extends the schema '{choice}' of {group}, which is unknown{nearest(choice, options)}"
    if group == "hydra/launcher" and choice not in options:
        return f"unknown choice 'hydra/launcher={choice}'{nearest(choice, options)} (more: thaw-nlp[launchers])"
    if not options:
        return f"unknown config '{error.missing_cfg_file}'"
    return f"unknown choice '{group}={choice}'{nearest(choice, options or choices(group))}"


def _unknown_key(error: BaseException, one: ConfigKeyError | ConfigAttributeError) -> str:
    if match := re.search(r"Could not override '([^']+)'", str(error)):
        return match[1]
    return str(one.full_key or one.key)


def _merging(chain: list[BaseException]) -> str | None:
    for one in chain:
        if match := re.search(r"Error merging override ([^\s=]+)", str(one)):
            return match[1].lstrip("+")
    return None


def _near_key(key: str, command: str) -> str:
    if key.startswith("hydra.launcher."):
        return ", which this choice of hydra/launcher does not have"
    if key.startswith("hydra."):  # Thaw's keys are none of Hydra's; those that are not followed were refused before
        return f", a new one is added with a plus: +{key}=..."
    names = list(_leaves(schema.TOP[command]))
    if command == "transfer":
        strategies = schema.strategies().values()
        names += [f"strategy.{name}" for strategy in strategies for name in _leaves(strategy.config) if name != "lr"]
    siblings = [name for name in names if name.rpartition(".")[0] == key.rpartition(".")[0]]
    if key in names:
        group = key.partition(".")[0]
        return f", which this choice of {group} does not have"
    if "." not in key:
        near = nearest(key, set(names))
        return near if "did you mean" in near else nearest(key, siblings)
    return nearest(key, set(siblings or names))


def _leaves(config: type, prefix: str = "") -> Iterator[str]:
    for field in dataclasses.fields(config):
        kind: Any = field.type
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            kind = next(part for part in typing.get_args(kind) if part is not type(None))
        yield f"{prefix}{field.name}"
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            yield from _leaves(kind, f"{prefix}{field.name}.")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
