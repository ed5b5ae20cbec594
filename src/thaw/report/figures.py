"""Figures of the page as plotly's own JSON: data and layout, without colours of paper and text (the page has two).

Decisions: one look a strategy (palette.py); intervals are t-intervals over seeds; points at one train size are moved
sideways by a few percent so that intervals do not hide each other; curves are thinned, never smoothed.
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run, size_key
from thaw.report.palette import Look
from thaw.report.statistics import Estimate, estimate

POINTS = 40  # of an averaged curve
FASTEST = 0.1  # seconds: where a log axis of time begins
AXES = ("step", "epoch", "seconds", "tokens")  # of an event; all else is a metric
DASHES = ("solid", "dash", "longdashdot", "dot")  # checkpoints of one strategy
Figure = dict[str, Any]


def dashes(arms: Sequence[Arm], looks: Mapping[str, Look]) -> dict[str, str]:
    """Return the line style of each arm by label: that of its strategy, or one a checkpoint where it has several."""
    sources: dict[str, list[str]] = {}
    for arm in arms:
        sources.setdefault(arm.strategy, []).append(arm.source)
    return {
        arm.label: DASHES[sources[arm.strategy].index(arm.source) % len(DASHES)]
        if len(sources[arm.strategy]) > 1
        else looks[arm.strategy].dash
        for arm in arms
    }


def by_size(cells: Sequence[Cell], looks: Mapping[str, Look], dash: Mapping[str, str]) -> Figure:
    """Return the figure of one task: test metric against the number of labelled examples, a line an arm."""
    from plotly import graph_objects

    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    numbers = [size for size in sizes if isinstance(size, int | float)]
    place = {size: float(size) if size in numbers else 2.0 * max(numbers, default=500) for size in sizes}
    figure = graph_objects.Figure()
    labels = list(dict.fromkeys(cell.arm.label for cell in sorted(cells, key=lambda cell: cell.arm.order)))
    for number, label in enumerate(labels):
        members = [(cell, cell.test) for cell in cells if cell.arm.label == label and cell.test]
        if not members:
            continue
        shift = math.exp(0.025 * (number - (len(labels) - 1) / 2))
        look = looks[members[0][0].arm.strategy]
        figure.add_scatter(
            x=[_round(place[cell.train_size] * shift) for cell, _ in members],
            y=[_round(test.mean) for _, test in members],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_round((test.high or test.mean) - test.mean) for _, test in members],
                "arrayminus": [_round(test.mean - (test.low or test.mean)) for _, test in members],
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[label] * len(members),
            text=[_hover(cell, test) for cell, test in members],
            hovertemplate="%{text}<extra></extra>",
            mode="lines+markers",
            name=label,
            line={"color": look.colour, "width": 2, "dash": dash[label]},
            marker={"symbol": [_symbol(look, test) for _, test in members], "size": 9, "color": look.colour},
        )
    figure.update_xaxes(
        type="log",
        title="labelled training examples (log scale)",
        tickvals=[place[size] for size in sizes],
        ticktext=[str(size) for size in sizes],
        minor={"ticks": ""},
    )
    figure.update_yaxes(title=f"test {_metric(cells)}")
    return _plain(figure)


def by_seconds(cells: Sequence[Cell], looks: Mapping[str, Look], dash: Mapping[str, str]) -> Figure:
    """Return the figure of one task and train size: best dev metric so far against training seconds, a line an arm."""
    from plotly import graph_objects

    figure = graph_objects.Figure()
    for cell in sorted(cells, key=lambda cell: cell.arm.order):
        look, label = looks[cell.arm.strategy], cell.arm.label
        seconds, means = _average(cell)
        line = {"color": look.colour, "width": 2, "dash": dash[label]}
        if len(seconds) > 1:
            low = [_round(one.mean if one.low is None else one.low) for one in means]
            high = [_round(one.mean if one.high is None else one.high) for one in means]
            figure.add_scatter(
                x=seconds + seconds[::-1],
                y=high + low[::-1],
                fill="toself",
                fillcolor=look.colour,
                opacity=0.15,
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                name=label,
            )
            figure.add_scatter(
                x=seconds,
                y=[_round(one.mean) for one in means],
                hovertemplate=f"{_escape(label)}<br>%{{x:.3g}} s: %{{y:.3f}}<extra></extra>",
                mode="lines",
                name=label,
                line=line,
            )
        elif cell.dev:
            spent = [run["train_seconds"] for run in cell.runs if run["train_seconds"] is not None]
            figure.add_scatter(
                x=[max(FASTEST, _round(sum(spent) / len(spent))) if spent else FASTEST],
                y=[_round(cell.dev.mean)],
                hovertemplate=f"{_escape(label)}<br>%{{x:.3g}} s: %{{y:.3f}}<extra></extra>",
                mode="markers",
                name=label,
                marker={"symbol": look.symbol, "size": 10, "color": look.colour},
            )
    figure.update_xaxes(type="log", title="training seconds (log scale)")
    figure.update_yaxes(title=f"best dev {_metric(cells)} so far")
    return _plain(figure)


def _average(cell: Cell) -> tuple[list[float], list[Estimate]]:
    """Return (seconds, estimates over seeds) of the best dev metric so far, on a common grid from the first score."""
    steps = [steps for run in cell.runs if (steps := _best_so_far(run, f"dev/{cell.metric}"))]
    if not steps:
        return [], []
    first = max(FASTEST, max(curve[0][0] for curve in steps))
    last = max(first, max(curve[-1][0] for curve in steps))
    grid = [first * (last / first) ** (i / (POINTS - 1)) for i in range(POINTS)] if last > first else [first]
    means = []
    for second in grid:
        values = [curve[max(0, bisect.bisect_right(curve, (second, math.inf)) - 1)][1] for curve in steps]
        means.append(estimate(values))
    return [_round(second) for second in grid], [one for one in means if one]


def _best_so_far(run: Run, name: str) -> list[tuple[float, float]]:
    best, curve = -math.inf, []
    for event in run.events:
        value, seconds = event.get(name), event.get("seconds")
        if isinstance(value, int | float) and isinstance(seconds, int | float):
            best = max(best, value)
            curve.append((float(seconds), best))
    return curve


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
    made: dict[str, Any] = {x: [_round(run.events[i].get(x)) for i in kept] for x in ("step", "seconds", "tokens")}
    metrics = {
        name: {"at": [place[i] for i in at], "y": [_round(run.events[i][name]) for i in at]}
        for name, at in chosen.items()
    }
    return made | {"metrics": metrics}


def _metric(cells: Sequence[Cell]) -> str:
    return next((cell.metric for cell in cells if cell.metric), "score")


def _hover(cell: Cell, test: Estimate) -> str:
    interval = "no interval" if test.low is None else f"[{test.low:.3f}, {test.high:.3f}]"
    return f"{_escape(cell.arm.label)}, {cell.train_size} examples<br>{test.mean:.3f} {interval}, n = {test.n}"


def _symbol(look: Look, test: Estimate) -> str:
    return look.symbol if test.n > 1 or look.symbol.endswith("-open") else f"{look.symbol}-open"


def _escape(text: str) -> str:
    """Return a text that plotly shows as it is: it knows a few HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def _round(value: Any) -> Any:
    """Return a number with five significant digits: more only makes the page bigger."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _plain(figure: Any) -> Figure:
    made: Figure = figure.to_plotly_json()
    made["layout"].pop("template", None)
    return made
