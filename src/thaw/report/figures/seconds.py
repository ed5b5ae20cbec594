"""Score against training time: the best dev score so far, mean over seeds, a figure a task and train size."""

import bisect
import math
from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.collect import Run, size_key
from thaw.report.figures.plot import Plot, Trace, band, counted, escaped, figure, interval, log_axis, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import Estimate, estimate

POINTS = 40  # of an averaged curve
FASTEST = 0.1  # seconds: where a log axis of time begins
CAPTION = """Best dev score so far, mean over seeds ({n}) with 95% t-interval as a band (cut at the range of the
metric), against seconds of training: evaluation and pretraining are not in it. A marker alone is a control without a
curve, at its whole training time; the majority answer, which takes none, is a line across."""


def by_seconds(cells: Sequence[Cell], style: Style) -> list[Plot]:
    """Return the figures of one task, one a train size: best dev metric so far against training seconds."""
    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    return [_of_size([cell for cell in cells if cell.train_size == size], style) for size in sizes]


def _of_size(cells: Sequence[Cell], style: Style) -> Plot:
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    data: list[Trace] = []
    for cell in sorted(cells, key=lambda cell: cell.arm.order):
        if cell.arm.floor:
            continue  # takes no time: a line across, below
        label = cell.arm.label
        said = f"{escaped(label)}<br>%{{x:.3g}} s: %{{y:.3f}}<extra></extra>"
        seconds, means = _average(cell)
        if len(seconds) > 1:
            ends = [interval(one, metric) for one in means]
            low, high = [rounded(end[0]) for end in ends], [rounded(end[1]) for end in ends]
            data.append(band(seconds, low, high, style.colour(cell.arm), label))
            y = [rounded(one.mean) for one in means]
            data.append({"type": "scatter", "x": seconds, "y": y, "mode": "lines", "line": style.line(cell.arm)})
        elif cell.dev:
            spent = [run["train_seconds"] for run in cell.runs if run["train_seconds"] is not None]
            x = [max(FASTEST, rounded(sum(spent) / len(spent))) if spent else FASTEST]
            marker = style.marker(cell.arm, 10)
            data.append({"type": "scatter", "x": x, "y": [rounded(cell.dev.mean)], "mode": "markers", "marker": marker})
        else:
            continue
        data[-1] |= {"hovertemplate": said, "name": label}
    x = [at for trace in data for at in trace["x"]]
    for cell in cells:
        if cell.arm.floor and cell.dev and x:
            line: Trace = {"x": [min(x), max(x)], "y": [rounded(cell.dev.mean)] * 2, "mode": "lines"}
            said = f"{escaped(cell.arm.label)}: %{{y:.3f}}<extra></extra>"
            line |= {"line": style.line(cell.arm), "name": cell.arm.label, "hovertemplate": said}
            data.append({"type": "scatter", **line})
    return Plot(
        key="seconds",
        task=cells[0].task,
        title="Score against training time",
        choice=str(cells[0].train_size),
        choices="Labels",
        caption=" ".join(CAPTION.format(n=counted([len(cell.runs) for cell in cells if cell.dev])).split()),
        figure=figure(
            data,
            log_axis("training seconds (log scale)", x),
            {"title": f"best dev {escaped(metric)} so far"},
        ),
    )


def _average(cell: Cell) -> tuple[list[float], list[Estimate]]:
    """Return (seconds, estimates over seeds) of the best dev metric so far, on a common grid from the first score."""
    steps = [steps for run in cell.runs if (steps := best_so_far(run, f"dev/{cell.metric}"))]
    if not steps:
        return [], []
    first = max(FASTEST, max(curve[0][0] for curve in steps))
    last = max(first, max(curve[-1][0] for curve in steps))
    grid = [first * (last / first) ** (i / (POINTS - 1)) for i in range(POINTS)] if last > first else [first]
    means = []
    for second in grid:
        values = [curve[max(0, bisect.bisect_right(curve, (second, math.inf)) - 1)][1] for curve in steps]
        means.append(estimate(values))
    return [rounded(second) for second in grid], [one for one in means if one]


def best_so_far(run: Run, name: str) -> list[tuple[float, float]]:
    """Return (training seconds, best value of a metric until then) of a run."""
    best, curve = -math.inf, []
    for event in run.events:
        value, seconds = event.get(name), event.get("seconds")
        if isinstance(value, int | float) and isinstance(seconds, int | float):
            best = max(best, value)
            curve.append((float(seconds), best))
    return curve
