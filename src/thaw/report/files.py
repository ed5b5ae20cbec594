"""The files of a run folder as values: what they say becomes text and numbers that a page can hold, or an error."""

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thaw.report.damage import is_bounded, sound
from thaw.track.bounded import content
from thaw.track.plain import printables

# What a terminal would obey, or no file of text can hold, is written with an escape or one of these bytes.
_UNPRINTABLE = re.compile(rb"\\|[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2[\x80\x81]")

Event = dict[str, Any]


def read(folder: Path, name: str) -> bytes | None:
    """Return what is in a file, None if there is no such file."""
    try:
        return content(f"{folder}{os.sep}{name}")  # Path takes as long as reading
    except (FileNotFoundError, NotADirectoryError):
        return None


def json_object(contents: Mapping[str, bytes | None], name: str, *, exact: bool = False) -> dict[str, Any]:
    """Return the JSON object in a file, {} if there is no such file; ValueError where it holds something else.

    Numbers that are not finite are None, unless ``exact``.
    """
    data = contents[name]
    if data is None:
        return {}
    try:
        value = (_EXACT if exact else _STRICT).decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    made: dict[str, Any] = as_text(data, value)
    return made


def as_text(data: bytes, value: Any) -> Any:
    """Return what was read from ``data`` as text that terminal, page and files show as text."""
    if not _UNPRINTABLE.search(data):
        return value
    try:
        return printables(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int:
    value = int(text)
    if not is_bounded(value):
        raise ValueError(f"a number of {len(text)} digits")
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
_STRICT = json.JSONDecoder(parse_float=_finite, parse_constant=_finite, parse_int=_whole)
_EXACT = json.JSONDecoder(parse_int=_whole)  # numbers that are not finite are told


def read_events(path: Path) -> tuple[list[Event], int]:
    """Return the events of a run and how many lines were damaged."""
    try:
        data = content(path)
    except FileNotFoundError:
        return [], 0
    events, damaged, odd = [], 0, _UNPRINTABLE.search(data)
    lines = data.decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = sound(_DECODER.decode(line))
        except (ValueError, RecursionError):
            event = None
        if event is None:
            damaged += number < len(lines)  # the last one may be being written
        else:
            events.append(printables(event) if odd else event)
    return events, damaged
