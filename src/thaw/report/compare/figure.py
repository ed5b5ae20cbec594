"""The differences of a task against the number of labels, a line a strategy, with intervals."""

import math
from collections.abc import Sequence

from thaw.report.collect import size_key
from thaw.report.compare.changes import Change
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, rounded
from thaw.report.figures.style import Style

CAPTION = """Mean difference ({n}) with 95% interval: paired by seed where both studies have the same seeds and subsets
({paired} of {all} points), else Welch's. Filled: told from 0 (dotted line) with all {cells} cells of this page
considered (Holm); hollow: not. Without an interval: fewer than three seeds, no test."""


def differences(found: Sequence[Change], cells: int, names: tuple[str, str], style: Style) -> Plot:
    """Return the figure of one task; ``cells`` is the number of cells of all tasks."""
    sizes = sorted({one.size for one in found}, key=size_key)
    numbers = [size for size in sizes if isinstance(size, int | float)]
    place = {size: float(size) if size in numbers else 2.0 * max(numbers, default=500) for size in sizes}
    labels = list(dict.fromkeys(one.label for one in sorted(found, key=lambda one: one.arm.order)))
    data: list[Trace] = []
    for number, label in enumerate(labels):
        members = [one for one in found if one.label == label]
        arm = members[0].arm
        shift = math.exp(0.03 * (number - (len(labels) - 1) / 2))
        ends = [[one.difference.mean if end is None else end for end in _ends(one)] for one in members]
        data.append(
            {
                "type": "scatter",
                "x": [rounded(place[one.size] * shift) for one in members],
                "y": [rounded(one.difference.mean) for one in members],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(end[1] - one.difference.mean) for one, end in zip(members, ends, strict=True)],
                    "arrayminus": [
                        rounded(one.difference.mean - end[0]) for one, end in zip(members, ends, strict=True)
                    ],
                    "thickness": 1.5,
                    "width": 3,
                },
                "mode": "lines+markers",
                "line": style.line(arm, 1),
                "marker": style.marker(arm) | {"symbol": [style.symbol(arm, hollow=not one.real) for one in members]},
                "name": arm.label,
                "text": [f"{escaped(label)}, {one.size} labels, {_p(one)}" for one in members],
                "hovertemplate": "%{text}<br>%{y:+.4f}<extra></extra>",
            }
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    caption = CAPTION.format(
        n=counted([one.difference.n for one in found]),
        paired=sum(one.pairs for one in found),
        all=len(found),
        cells=cells,
    )
    return Plot(
        key="change",
        task=found[0].task,
        title=f"{names[1]} minus {names[0]}",
        caption=" ".join(caption.split()),
        figure=figure(
            data,
            {
                "type": "log",
                "title": "labelled training examples (log scale)",
                "tickvals": [place[size] for size in sizes],
                "ticktext": [str(size) for size in sizes],
                "minor": {"ticks": ""},
            },
            {"title": f"difference in test {escaped(found[0].metric)}"},
            shapes=[zero | {"line": {"color": "@quiet", "width": 1.5, "dash": "dot"}}],
        ),
    )


def _p(one: Change) -> str:
    return f"p = {one.p:.2g}" if one.tested else f"n = {one.difference.n}: no test"


def _ends(one: Change) -> tuple[float | None, float | None]:
    return (one.difference.low, one.difference.high) if one.tested else (None, None)
