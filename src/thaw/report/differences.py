"""What differs between runs: config keys with more than one value, machines and versions; how many runs have which."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from thaw.report.collect import Run

MISSING = "–"  # the run's config has no such key
# Columns that say where a run was made and by what: their plural, and what a difference means.
MACHINE = {
    "host": ("hosts", "their seconds are not comparable"),
    "threads": ("thread counts", "their seconds are not comparable"),
    "torch": ("versions of torch", "scores may differ by that alone"),
    "thaw_version": ("versions of thaw", "scores may differ by that alone"),
}
CODE = {
    "results": ("results epochs of the code", "their scores are not comparable"),
    "source": ("states of the code", "scores may differ by that alone"),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A config key and its values, as text, with the number of runs that have each."""

    key: str
    values: list[tuple[str, int]]


def differences(runs: Iterable[Run]) -> list[Difference]:
    """Return the config keys that are not equal in all runs, in alphabetical order."""
    configs = [run.config for run in runs if run.config]
    found = []
    for key in sorted({key for config in configs for key in config}):
        counter = Counter(value_text(config, key) for config in configs)
        if len(counter) > 1:
            found.append(Difference(key=key, values=sorted(counter.items(), key=lambda item: (-item[1], item[0]))))
    return found


def machines(runs: Iterable[Run]) -> list[Difference]:
    """Return the columns of `MACHINE` and `CODE` that are not equal in all finished runs."""
    finished = [run for run in runs if run.state == "finished"]
    found = []
    for column in (*MACHINE, *CODE):
        counter = Counter(str(run.row[column]) for run in finished if run.row.get(column) is not None)
        if len(counter) > 1:
            found.append(Difference(key=column, values=sorted(counter.items(), key=lambda item: (-item[1], item[0]))))
    return found


def changed(run: Run) -> set[str]:
    """Return what was not as before when a run went on after a stop (threads, torch, source …), empty if nothing."""
    resumed = run.lineage.get("resumed")
    stops = [stop.get("changed") for stop in resumed if isinstance(stop, dict)] if isinstance(resumed, list) else []
    return {str(key) for stop in stops if isinstance(stop, dict) for key in stop}


def value_text(config: dict[str, Any], key: str) -> str:
    """Return a config value as text."""
    if key not in config:
        return MISSING
    value = config[key]
    if isinstance(value, str):
        return value
    return _known(value) if isinstance(value, int | float | None) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


_known = lru_cache(maxsize=4096, typed=True)(_json)  # thousands of runs have few values
