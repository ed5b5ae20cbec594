"""``thaw runs --prune``: caches, training states, checkpoints on the way: how large, why they stay; remove the rest."""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from thaw.errors import ConfigError
from thaw.job import disk
from thaw.job.disk import Item
from thaw.track.plain import printable
from thaw.train.config import CacheConfig

_AGE = re.compile(r"(\d+(?:\.\d+)?)([dhm])")
_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0}


def prune(folders: Sequence[str], cache: str | None, older: str | None, yes: bool) -> int:
    """List what there is, then remove what may go: with ``yes``, or if the terminal says so. Return the exit code."""
    roots, kept = _roots(folders), Path(cache or CacheConfig().folder)
    age = None if older is None else seconds(older)
    found = disk.listed(roots, kept, age)
    _show(found)
    going = [one for one in found if not one.stays]
    print(f"{_sum(going)} may go, {_sum([one for one in found if one.stays])} stay")
    if not going:
        return 0
    if not yes and not _agreed():
        print("nothing was removed: --yes removes what may go, --older 30d only what was not used for 30 days")
        return 0
    still = {one.path for one in disk.listed(roots, kept, age) if not one.stays}  # the question may have waited
    removed = [one for one in going if one.path in still and disk.remove(one)]
    for one in going:
        what = printable(f"{one.what} {one.path} ({size(one.bytes)})")
        print(f"removed {what}" if one in removed else f"in use, stays: {what}")
    print(f"{_sum(removed)} removed")
    return 0


def seconds(age: str) -> float:
    """Return the seconds of an age like 30d, 12h or 45m."""
    match = _AGE.fullmatch(age.strip())
    if not match:
        raise ConfigError(f"--older {age} is not an age, write it like 30d, 12h or 45m")
    return float(match[1]) * _SECONDS[match[2]]


def size(count: int) -> str:
    """Return a number of bytes in the unit that fits."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= power:
            return f"{count / power:.1f} {unit}"
    return f"{count} bytes"


def _roots(folders: Sequence[str]) -> list[Path]:
    roots = [Path(folder) for folder in folders or ["runs"]]
    for root in roots:
        if folders and not root.is_dir():
            raise ConfigError(f"no such folder of runs: {root}, --prune looks at folders of this machine, like runs")
    return [root for root in roots if root.is_dir()]


def _show(found: Sequence[Item]) -> None:
    from thaw.report.lines import show
    from thaw.report.summary import terminal

    if found:
        ages = [f"{disk.span(max(0.0, time.time() - one.used))} ago" for one in found]
        rows = [
            (one.what, size(one.bytes), age, str(one.path), one.stays or "–")
            for one, age in zip(found, ages, strict=True)
        ]
        show(terminal(), ("what", "size", "last used", "where", "stays because"), rows)


def _sum(items: Sequence[Item]) -> str:
    return f"{len(items)} ({size(sum(one.bytes for one in items))})"


def _agreed() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return input("remove what may go? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
