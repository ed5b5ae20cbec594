"""Curves of single runs as data for the page, which draws those that are chosen there: thinned, never smoothed."""

from collections.abc import Sequence
from typing import Any

from thaw.report.collect import Run
from thaw.report.figures.plot import rounded

AXES = ("step", "epoch", "seconds", "cpu_seconds", "tokens", "flops")  # of an event; all else is a metric


def curves(runs: Sequence[Run], budget: int = 150_000) -> list[dict[str, Any]]:
    """Return for each run its curves: ``{"step", "seconds", "tokens": [...], "metrics": {name: {"at", "y"}}}``.

    ``at`` are places in the lists of step, seconds and tokens. A curve is thinned to about ``budget`` points over all
    curves, at least 20 each; first and last point stay.
    """
    names = [sorted({key for event in run.events for key in event if key not in AXES}) for run in runs]
    names = [
        found if run["steps"] != 0 else [] for found, run in zip(names, runs, strict=True)
    ]  # a control's are no curve
    limit = min(300, max(20, budget // max(1, sum(map(len, names)))))
    return [_curves(run, found, limit) for run, found in zip(runs, names, strict=True)]


def _curves(run: Run, names: Sequence[str], limit: int) -> dict[str, Any]:
    chosen = {}
    for name in names:
        at = [i for i, event in enumerate(run.events) if isinstance(event.get(name), int | float)]
        if len(at) > limit:
            at = [at[round(i * (len(at) - 1) / (limit - 1))] for i in range(limit)]
        if at:
            chosen[name] = at
    kept = sorted({i for at in chosen.values() for i in at})
    place = {i: number for number, i in enumerate(kept)}
    made: dict[str, Any] = {x: [rounded(run.events[i].get(x)) for i in kept] for x in ("step", "seconds", "tokens")}
    metrics = {
        name: {"at": [place[i] for i in at], "y": [rounded(run.events[i][name]) for i in at]}
        for name, at in chosen.items()
    }
    return made | {"metrics": metrics}
