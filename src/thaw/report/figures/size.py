"""Learning curves: score against number of labels, a point a cell, intervals over seeds, the fitted curve.

Points at one train size are moved sideways by a few percent so that intervals do not hide each other.
"""

import math
from collections.abc import Sequence
from typing import Any

from thaw.report.cells import Cell
from thaw.report.claims.curves import Curve
from thaw.report.collect import size_key
from thaw.report.figures.plot import Plot, Trace, band, counted, escaped, figure, interval, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import Estimate

CAPTION = """Mean test score over seeds ({n} a point); bars and bands are 95% intervals over seeds (Student's t on the
logit), a hollow marker has one seed and no interval. {lines} Points of one size are moved sideways a little to tell the
bars apart."""
LINES = {
    "power law": "fitted power laws, error = a n^-b + c",
    "monotone": "the means made monotone, as no power law fits them or there are fewer than four sizes",
}


def by_size(cells: Sequence[Cell], style: Style, curves: Sequence[Curve] = ()) -> Plot:
    """Return the figure of one task: test metric against the number of labelled examples, a line an arm."""
    fitted = {curve.arm.label: curve for curve in curves}
    place = places(cells)
    labels = list(dict.fromkeys(cell.arm.label for cell in sorted(cells, key=lambda cell: cell.arm.order)))
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    data = []
    for number, label in enumerate(labels):
        members = [(cell, cell.test) for cell in cells if cell.arm.label == label and cell.test]
        if not members:
            continue
        arm = members[0][0].arm
        shift = math.exp(0.025 * (number - (len(labels) - 1) / 2))
        ends = [interval(test, metric) for _, test in members]
        curve = fitted.get(label)
        if curve:
            data += _fitted(
                curve, [(place[cell.train_size], one) for (cell, _), one in zip(members, ends, strict=True)], style
            )
        data.append(
            {
                "type": "scatter",
                "x": [rounded(place[cell.train_size] * shift) for cell, _ in members],
                "y": [rounded(test.mean) for _, test in members],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(high - test.mean) for (_, high), (_, test) in zip(ends, members, strict=True)],
                    "arrayminus": [rounded(test.mean - low) for (low, _), (_, test) in zip(ends, members, strict=True)],
                    "thickness": 1.5,
                    "width": 3,
                },
                "text": [hover(cell, test) for cell, test in members],
                "hovertemplate": "%{text}<extra></extra>",
                "mode": "markers" if curve else "lines+markers",
                "name": label,
                "line": style.line(arm),
                "marker": style.marker(arm)
                | {"symbol": [style.symbol(arm, hollow=test.n == 1) for _, test in members]},
            }
        )
    counts = [cell.test.n for cell in cells if cell.test]
    return Plot(
        key="size",
        task=cells[0].task,
        title="Learning curves",
        caption=" ".join(CAPTION.format(n=counted(counts), lines=_told(curves)).split()),
        figure=figure(data, size_axis(cells), {"title": f"test {escaped(metric)}"}),
    )


def _fitted(curve: Curve, ends: Sequence[tuple[float, tuple[float, float]]], style: Style) -> list[Trace]:
    """Return the band between the intervals and the fitted curve of an arm."""
    ordered = sorted(ends)
    x, low, high = [one for one, _ in ordered], [end[0] for _, end in ordered], [end[1] for _, end in ordered]
    lines = [
        band(
            [rounded(one) for one in x],
            [rounded(one) for one in low],
            [rounded(one) for one in high],
            style.colour(curve.arm),
            curve.arm.label,
        )
    ]
    lines[0]["opacity"] = 0.1
    fit = {"x": [rounded(one) for one in curve.x], "y": [rounded(one) for one in curve.y], "mode": "lines"}
    lines.append(
        {"type": "scatter", **fit, "line": style.line(curve.arm), "hoverinfo": "skip", "name": curve.arm.label}
    )
    return lines


def _told(curves: Sequence[Curve]) -> str:
    kinds: dict[str, list[str]] = {}
    for curve in curves:
        kinds.setdefault(curve.kind, []).append(curve.arm.label)
    if not kinds:
        return ""
    if len(kinds) == 1:
        return f"Lines: {LINES[next(iter(kinds))]}."
    return f"Lines: {LINES['power law']} ({', '.join(kinds['power law'])}); {LINES['monotone']}, for the others."


def places(cells: Sequence[Cell]) -> dict[Any, float]:
    """Return where each train size stands on the axis; "all" of unknown number stands beyond the largest."""
    sizes = {cell.train_size for cell in cells}
    numbers = [size for size in sizes if isinstance(size, int | float)]
    return {size: float(size) if size in numbers else 2.0 * max(numbers, default=500) for size in sizes}


def size_axis(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the axis of train sizes; a label is left out where it would touch the one before."""
    place = places(cells)
    last, texts = 0.0, []
    sizes = sorted(place, key=size_key)
    for size in sizes:
        texts.append(str(size) if place[size] > 1.3 * last else "")
        last = place[size] if texts[-1] else last
    return {
        "type": "log",
        "title": "labelled training examples (log scale)",
        "tickvals": [place[size] for size in sizes],
        "ticktext": texts,
        "minor": {"ticks": ""},
    }


def hover(cell: Cell, test: Estimate) -> str:
    """Return what is said of a cell under the pointer."""
    ends = "no interval" if test.low is None else f"[{test.low:.3f}, {test.high:.3f}]"
    return f"{escaped(cell.arm.label)}, {cell.train_size} examples<br>{test.mean:.3f} {ends}, n = {test.n}"
