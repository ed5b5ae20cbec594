"""The file of golden values: what was measured under which results epoch; what may be rewritten, and when.

A value that moves means that finished runs hold other numbers than the code gives now. So it is recorded anew only
under a new epoch (``RESULTS`` in thaw/track/epoch.py), which gives every run a new id. A value that agrees within its
tolerance is not touched, and a new name may join under the same epoch.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaw.track.epoch import RESULTS

FILE = Path(__file__).parent / "golden" / "results.json"
REMEDY = "Is it meant? Then raise RESULTS in src/thaw/track/epoch.py, say there what raised it, and run `make golden`"


class Moved(AssertionError):
    """A value is not the recorded one, and the epoch is still the one it was recorded under."""


def digest(values: dict[str, Any]) -> str:
    """Return 16 hexadecimal digits that name the values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def joined(
    document: dict[str, Any], name: str, value: Any, agrees: Callable[[Any, Any], bool], before: int, now: int
) -> dict[str, Any]:
    """Return the document with a value recorded under the epoch ``now``; Moved where that is not allowed.

    ``before`` is the epoch of the document before any value was rewritten.
    """
    values = dict(document.get("values", {}))
    if name not in values or not agrees(values[name], value):
        if name in values and now == before:
            raise Moved(f"'{name}' is {value}, recorded as {values[name]}. {REMEDY}")
        values[name] = value
    return {"epoch": now, "digest": digest(values), "values": values}


def read() -> dict[str, Any]:
    """Return the document, empty if there is none."""
    document: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    return document


_BEFORE = read().get("epoch", 0)


def check(name: str, value: Any, agrees: Callable[[Any, Any], bool]) -> None:
    """Compare a value with the recorded one; record it where THAW_GOLDEN=rewrite says so."""
    if os.environ.get("THAW_GOLDEN") == "rewrite":
        document = joined(read(), name, value, agrees, _BEFORE, RESULTS)
        FILE.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
        return
    expected = read()["values"].get(name)
    if expected is None or not agrees(expected, value):
        raise Moved(f"'{name}' is {value}, recorded as {expected}. {REMEDY}")


def check_numbers(name: str, value: Any, tolerance: float) -> None:
    """Compare a list or a dictionary of numbers with the recorded one."""
    check(name, value, lambda expected, found: bool(found == pytest.approx(expected, abs=tolerance)))


def check_answers(name: str, answers: list[dict[str, Any]], margin: float) -> float:
    """Compare predicted classes; "?" stands where another processor's order of sums may decide otherwise.

    That is where the two best ``scores`` differed by less than ``margin`` when it was recorded. Return the share of
    these: a score may differ by it.
    """
    clear = [sorted(one["scores"], reverse=True) for one in answers if one["scores"] is not None]
    thin = [best[0] - best[1] < margin for best in clear] or [False] * len(answers)
    words = ["?" if unsure else str(one["prediction"]) for unsure, one in zip(thin, answers, strict=True)]

    def agrees(expected: str, found: str) -> bool:
        pairs = list(zip(expected.split(), found.split(), strict=True))
        return all(one == two or "?" in (one, two) for one, two in pairs)

    check(name, " ".join(words), agrees)
    return sum(thin) / len(thin)
