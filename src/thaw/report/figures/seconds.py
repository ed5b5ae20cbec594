"""Score against the cost of training, without any target: a figure a train size and cost."""

import bisect
import math
from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.area import Area, spent
from thaw.report.claims.arrival import curve_of
from thaw.report.claims.clocks import NAMES
from thaw.report.claims.pareto import COSTS
from thaw.report.collect import Run, size_key
from thaw.report.figures.plot import Plot, Trace, band, counted, escaped, figure, interval, log_axis, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import Estimate, estimate

POINTS = 40  # of an averaged curve
FASTEST = 0.1  # seconds: where a log axis of time begins
BAND = 5  # seeds from which an interval is drawn; under it every run is a thin line
CAPTION = """Best dev score so far, mean over seeds ({n}; {around}), against {name} of training: evaluation and
pretraining are not in it. A marker alone is a control without a curve, at its whole cost; the majority answer, which
takes none, is a line across.{areas}"""
AREAS = """ Mean lead in dev score over scratch while the budget that both have is spent (area between the curves, 95%
t-interval, paired by seed): {leads}."""
AXES = {"cpu_seconds": "CPU seconds of training", "seconds": "wall seconds of training", "flops": "FLOPs of training"}


def by_cost(cells: Sequence[Cell], style: Style, areas: Sequence[Area] = ()) -> list[Plot]:
    """Return the figures of one task, a train size and cost each: best dev metric so far against what was spent."""
    found = []
    for size in sorted({cell.train_size for cell in cells}, key=size_key):
        members = [cell for cell in cells if cell.train_size == size]
        for clock in COSTS:
            near = [area for area in areas if (area.size, area.clock) == (size, clock)]
            if any(curve_of(run, clock) for cell in members for run in cell.runs):
                found.append(_of_size(members, style, clock, near))
    return found


def _of_size(cells: Sequence[Cell], style: Style, clock: str, areas: Sequence[Area]) -> Plot:
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    least = FASTEST if clock != "flops" else 1.0
    data: list[Trace] = []
    few = False
    for cell in sorted(cells, key=lambda cell: cell.arm.order):
        if cell.arm.floor:
            continue  # takes no time: a line across, below
        label = cell.arm.label
        said = f"{escaped(label)}<br>%{{x:.3g}} {NAMES[clock]}: %{{y:.3f}}<extra></extra>"
        costs, means, runs = _average(cell, clock, least)
        if len(costs) > 1:
            if len(runs) < BAND:
                few = True
                data += [_thin(costs, run, label, style, cell) for run in runs if len(runs) > 1]
            else:
                ends = [interval(mean, metric) for mean in means]
                low, high = [rounded(end[0]) for end in ends], [rounded(end[1]) for end in ends]
                data.append(band(costs, low, high, style.colour(cell.arm), label))
            y = [rounded(mean.mean) for mean in means]
            data.append({"type": "scatter", "x": costs, "y": y, "mode": "lines", "line": style.line(cell.arm)})
        elif cell.dev and (price := _price(cell, clock, least)) is not None:
            marker = style.marker(cell.arm, 10)
            x = [price]
            data.append({"type": "scatter", "x": x, "y": [rounded(cell.dev.mean)], "mode": "markers", "marker": marker})
        else:
            continue
        data[-1] |= {"hovertemplate": said, "name": label}
    x = [at for trace in data for at in trace["x"]]
    data += _across(cells, style, x)
    leads = "; ".join(
        f"{area.arm.label} {signed(area.lead)}" for area in sorted(areas, key=lambda area: area.arm.order)
    )
    words = CAPTION.format(
        n=counted([len(cell.runs) for cell in cells if cell.dev]), name=NAMES[clock],
        around="thin: each run, too few for an interval"
        if few
        else "95% t-interval as a band, cut where the metric ends",
        areas=AREAS.format(leads=leads) if leads else "",
    )  # fmt: skip
    return Plot(
        key="seconds",
        task=cells[0].task,
        title="Score against the cost of training",
        choice=f"{cells[0].train_size} labels, {NAMES[clock]}",
        caption=" ".join(words.split()),
        figure=figure(data, log_axis(f"{AXES[clock]} (log scale)", x), {"title": f"best dev {escaped(metric)} so far"}),
    )


def signed(lead: Estimate) -> str:
    """Return a lead with its interval."""
    ends = f" [{lead.low:+.3f}, {lead.high:+.3f}]" if lead.low is not None else ""
    return f"{lead.mean:+.3f}{ends}"


def _thin(costs: list[float], scores: list[float], label: str, style: Style, cell: Cell) -> Trace:
    return {
        "type": "scatter", "x": costs, "y": [rounded(score) for score in scores], "mode": "lines", "name": label,
        "line": style.line(cell.arm, 1), "opacity": 0.4, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _across(cells: Sequence[Cell], style: Style, x: Sequence[float]) -> list[Trace]:
    """Return the line of the majority answer, which takes no time."""
    data: list[Trace] = []
    for cell in cells:
        if cell.arm.floor and cell.dev and x:
            line: Trace = {"x": [min(x), max(x)], "y": [rounded(cell.dev.mean)] * 2, "mode": "lines"}
            said = f"{escaped(cell.arm.label)}: %{{y:.3f}}<extra></extra>"
            line |= {"line": style.line(cell.arm), "name": cell.arm.label, "hovertemplate": said}
            data.append({"type": "scatter", **line})
    return data


def _price(cell: Cell, clock: str, least: float) -> float | None:
    prices = [price for run in cell.runs if (price := spent(run, clock)) is not None]
    if not prices:
        return least if clock == "seconds" else None
    return max(least, float(rounded(sum(prices) / len(prices))))


def _average(cell: Cell, clock: str, least: float) -> tuple[list[float], list[Estimate], list[list[float]]]:
    """Return costs, and there the estimates over seeds and each run's best dev metric so far."""
    steps = [steps for run in cell.runs if (steps := best_so_far(run, clock))]
    if not steps:
        return [], [], []
    seen = min((at for curve in steps for at, _ in curve if at > 0), default=least)
    first = max(least, seen if clock == "flops" else 0.0, max(curve[0][0] for curve in steps))
    last = max(first, max(curve[-1][0] for curve in steps))
    grid = [first * (last / first) ** (i / (POINTS - 1)) for i in range(POINTS)] if last > first else [first]
    runs = [[curve[max(0, bisect.bisect_right(curve, (at, math.inf)) - 1)][1] for at in grid] for curve in steps]
    means = [estimate(list(scores)) for scores in zip(*runs, strict=True)]
    return [rounded(at) for at in grid], [mean for mean in means if mean], runs


def best_so_far(run: Run, clock: str) -> list[tuple[float, float]]:
    """Return (what was spent by a clock, best dev score until then) of a run."""
    best, curve = -math.inf, []
    for at, score in curve_of(run, clock):
        best = max(best, score)
        curve.append((at, best))
    return curve
