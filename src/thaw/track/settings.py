"""The config of a run, read back from its folder, fast where there are thousands.

Decision: PyYAML takes milliseconds a file, and the runs of a study differ in a few lines. So a text is cut where a line
begins a key of the top level, and a piece that was met before is not read again. That is YAML's own reading of a piece
as a document; a text that can not be cut so, or has a piece that does not stand alone, is read whole.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from thaw.track import bounded
from thaw.track.plain import plain

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
_KEY = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)
_MAY_BE_DEEP = re.compile(rf"^ {{{bounded.DEEPEST},}}", re.MULTILINE)  # a level takes a blank, or one of four signs
_CUTTABLE = re.compile(
    r"[A-Za-z_]\w*:(?: .*)?\n(?:[A-Za-z_]\w*:(?: .*)?\n| .*\n|- .*\n)*"
)  # lines: keys, deeper, items


def read_settings(path: Path) -> dict[str, Any]:
    """Return a YAML file as dotted keys; YAMLError where it is no YAML, ValueError where it is no mapping."""
    return settings(bounded.content(path), path.name)


def settings(content: bytes, name: str) -> dict[str, Any]:
    """Return the content of a YAML file as dotted keys; ``name`` is its name in the error of `read_settings`."""
    text = content.decode("utf-8").replace("\r\n", "\n")
    try:
        return _by_pieces(text) or _read(text)
    except _NoMapping as error:
        raise ValueError(f"{name} is not a mapping") from error


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested config as dotted keys; lists stay values."""
    items: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            items |= flat(value, f"{prefix}{key}.")
        else:
            items[f"{prefix}{key}"] = plain(value)
    return items


class _NoMapping(ValueError):
    """A YAML text that is a list, a word or nothing."""


def _by_pieces(text: str) -> dict[str, Any] | None:
    if not _CUTTABLE.fullmatch(text):
        return None
    pieces = [piece for piece in _KEY.split(text) if piece]
    if len({piece.partition(":")[0] for piece in pieces}) < len(pieces):
        return None  # of a key that stands twice the last counts
    found: dict[str, Any] = {}
    try:
        for piece in pieces:
            values, lists = _piece(piece)
            found |= values
            for key in lists:  # what may be changed is not shared
                found[key] = plain(values[key])
    except (yaml.YAMLError, _NoMapping):
        return None  # damaged, or refers to another piece
    return found


def _read(text: str) -> dict[str, Any]:
    if _MAY_BE_DEEP.search(text) or max(map(text.count, ("[", "{", "- ", "? "))) > bounded.DEEPEST:
        _refuse_depth(text)
    if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
        raise ValueError("refers to parts of itself, which no run writes")  # a few lines could become gigabytes
    nested = yaml.load(text, Loader=_Loader)  # noqa: S506  a safe one
    if not isinstance(nested, dict):
        raise _NoMapping
    return flat(nested)


def _refuse_depth(text: str) -> None:
    """Raise ValueError for a text that is nested too deeply; the loader in C would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > bounded.DEEPEST:
            raise ValueError(f"YAML that is nested deeper than {bounded.DEEPEST} levels, which no run writes")


@lru_cache(maxsize=8192)
def _piece(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the keys of a piece with their values, and those whose value is a list."""
    found = _read(text)
    return found, [key for key, value in found.items() if isinstance(value, list)]
