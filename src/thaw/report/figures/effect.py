"""The small figure of a verdict: the effect on every task with its interval, and all tasks together."""

import math
from typing import Any

from thaw.report.claims.judge import Judgement
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides
from thaw.report.claims.verdict import Verdict
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import FEWEST, Estimate
from thaw.report.strategy import WORDS as WORDS_ALONE

ROW = 30  # pixels
ALL = "all tasks"
WORDS = "over TF-IDF"
AXES = {
    "time": "times as fast as scratch (log scale)",
    "accuracy": "gain in test score over scratch",
    "labels": "gain over scratch with {fewer:g}x the labels",
}
TIMES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500)


def effect(verdict: Verdict, sides: Sides, style: Style) -> Plot | None:
    """Return the figure of a verdict, None where nothing was paired."""
    found, rule = verdict.judgement, sides.rule
    if found.pooled is None or sides.transfer is None:
        return None
    rows = _rows(found)
    shown = math.exp if verdict.claim == "time" else float
    paint = style.colour(sides.transfer)
    data = [
        _trace(rows[:-1], 0, shown, paint, "circle", 8),
        _trace(rows[-1:], len(rows) - 1, shown, "@ink", "diamond", 11),
    ]
    words = verdict.controls.get(WORDS_ALONE)  # the other half of the verdict on accuracy
    if words is not None:
        rows.append((WORDS, words))
        data.append(_trace(rows[-1:], len(rows) - 1, shown, style.looks[WORDS_ALONE].colour, "cross", 9))
    none = shown(0.0)
    title = AXES[verdict.claim].format(fewer=rule.fewer) if words is None else "gain in test score"
    axis: dict[str, Any] = {"title": title, "nticks": 5}
    if verdict.claim == "time":
        axis |= {"type": "log", "tickvals": TIMES, "ticktext": [f"{one:g}" for one in TIMES], "minor": {"ticks": ""}}
    y = {
        "tickvals": list(range(len(rows))),
        "ticktext": [_name(name) for name, _ in rows],
        "range": [len(rows) - 0.4, -0.6],
        "showgrid": False,
        "ticks": "",
    }
    rule_line = {"type": "line", "x0": none, "x1": none, "yref": "paper", "y0": 0, "y1": 1}
    shapes = [rule_line | {"line": {"color": "@quiet", "width": 1.5, "dash": "dot"}}]
    return Plot(
        key=f"verdict-{verdict.claim}",
        title=verdict.question,
        caption=_caption(found, rule) + ("" if words is None else " TF-IDF: the tasks that it can do."),
        figure=figure(
            data, axis, y, shapes=shapes, height=ROW * len(rows) + 74, margin={"l": 84, "r": 10, "t": 8, "b": 46}
        ),
    )


def _rows(found: Judgement) -> list[tuple[str, Estimate]]:
    assert found.pooled is not None
    return [(one.task, one.estimate) for one in found.tasks] + [(ALL, found.pooled)]


def _trace(rows: list[tuple[str, Estimate]], first: int, shown: Any, paint: str, symbol: str, size: int) -> Trace:
    middle = [shown(one.mean) for _, one in rows]
    ends = [(one.low, one.high) if one.n >= FEWEST else (None, None) for _, one in rows]
    low = [shown(one.mean if end[0] is None else end[0]) for (_, one), end in zip(rows, ends, strict=True)]
    high = [shown(one.mean if end[1] is None else end[1]) for (_, one), end in zip(rows, ends, strict=True)]
    return {
        "type": "scatter",
        "x": [rounded(value) for value in middle],
        "y": list(range(first, first + len(rows))),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [rounded(end - value) for value, end in zip(middle, high, strict=True)],
            "arrayminus": [rounded(value - end) for value, end in zip(middle, low, strict=True)],
            "thickness": 2,
            "width": 4,
            "color": paint,
        },
        "mode": "markers",
        "marker": {"symbol": symbol, "size": size, "color": paint},
        "text": [
            f"{escaped(name)}: {value:.3g} [{a:.3g}, {b:.3g}], n = {one.n}"
            for (name, one), value, a, b in zip(rows, middle, low, high, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "name": "",
        "showlegend": False,
    }


def _name(name: str) -> str:
    return escaped(name if len(name) <= 14 else name[:13] + "…")


def _caption(found: Judgement, rule: Rule) -> str:
    n = counted([one.estimate.n for one in found.tasks])
    return f"Mean over paired seeds ({n} a task) with {rule.level:.0%} t-interval, from three seeds on; dotted: none."
