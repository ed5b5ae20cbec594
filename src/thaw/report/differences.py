"""What differs between the configs of runs: only keys with more than one value, and how many runs have which."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from thaw.report.collect import Run

MISSING = "–"  # the run's config has no such key


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


def value_text(config: dict[str, Any], key: str) -> str:
    """Return a config value as text."""
    if key not in config:
        return MISSING
    value = config[key]
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
