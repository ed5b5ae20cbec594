"""Every seed of every cell: nothing is averaged away, runs that failed or collapsed stay in sight."""

from collections.abc import Sequence
from typing import Any

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run, size_key
from thaw.report.figures.plot import Figure, Plot, Trace, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import bounds
from thaw.report.words import number

CAPTION = """Test score of every seed with the setting chosen by dev ({scored}); the short line is their mean.
Hollow: collapsed, not above the majority class on dev ({collapsed})."""
DIVERGED = " A cross among the scores: diverged, it counts as the majority answer ({diverged})."
FAILED = " A cross in the lowest row: failed, no score ({failed}, any setting)."
LOST = "x-thin"  # a line alone: the outline of a marker draws it


def by_seed(cells: Sequence[Cell], failed: Sequence[tuple[Arm, Run]], style: Style) -> Plot | None:
    """Return the strip plot of one task, None if no run has a test score; ``failed`` are the task's failed runs."""
    scores = [run["test"] for cell in cells for run in cell.runs if run["test"] is not None]
    if not scores:
        return None
    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    width = 0.84 / len(arms)
    low, high, lane = _range(scores, metric, bool(failed))
    data: list[Trace] = []
    for place, arm in enumerate(arms):
        aside = width * (place - (len(arms) - 1) / 2)
        members = [(cell, sizes.index(cell.train_size) + aside) for cell in cells if cell.arm == arm]
        data += [_means(members, width), _scored(members, width, style)]
        lost = [(sizes.index(run["train_size"]) + aside, run) for one, run in failed if one == arm]
        if lost:
            data.append(_lost(arm, lost, lane, style))
    collapsed = sum(run.collapsed for cell in cells for run in cell.runs)
    diverged = sum(cell.diverged for cell in cells)
    caption = " ".join(CAPTION.format(scored=number(len(scores), "run"), collapsed=collapsed).split())
    caption += DIVERGED.format(diverged=diverged) if diverged else ""
    return Plot(
        key="seeds",
        task=cells[0].task,
        title="Every seed",
        caption=caption + (FAILED.format(failed=len(failed)) if failed else ""),
        figure=_figure(data, sizes, {"title": f"test {escaped(metric)}", "range": [low, high]}, lane, bool(failed)),
    )


def _means(members: Sequence[tuple[Cell, float]], width: float) -> Trace:
    """Return the short lines at the means of an arm; a gap is None."""
    x: list[Any] = []
    y: list[Any] = []
    for cell, middle in members:
        if cell.test and cell.test.n > 1:
            x += [rounded(middle - 0.42 * width), rounded(middle + 0.42 * width), None]
            y += [rounded(cell.test.mean), rounded(cell.test.mean), None]
    line = {"color": "@ink", "width": 1.5}
    name = members[0][0].arm.label
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "name": name, "line": line, "hoverinfo": "skip"}


def _scored(members: Sequence[tuple[Cell, float]], width: float, style: Style) -> Trace:
    """Return the runs of an arm that have a score, beside each other so that equal ones can be told apart."""
    arm = members[0][0].arm
    shown = [
        (middle + 0.6 * width * ((i + 0.5) / len(cell.runs) - 0.5), run)
        for cell, middle in members
        for i, run in enumerate(cell.runs)
        if run["test"] is not None
    ]
    symbols = [LOST if run.diverged else style.symbol(arm, hollow=run.collapsed) for _, run in shown]
    return {
        "type": "scatter",
        "x": [rounded(x) for x, _ in shown],
        "y": [rounded(run["test"]) for _, run in shown],
        "mode": "markers",
        "name": arm.label,
        "marker": style.marker(arm, 7) | {"symbol": symbols, "line": {"color": style.colour(arm), "width": 0.8}},
        "text": [_told(arm, run) + (", diverged" if run.diverged else "") for _, run in shown],
        "hovertemplate": "%{text}<br>%{y:.4f}<extra></extra>",
    }


def _lost(arm: Arm, lost: Sequence[tuple[float, Run]], lane: float, style: Style) -> Trace:
    return {
        "type": "scatter",
        "x": [rounded(x) for x, _ in lost],
        "y": [rounded(lane)] * len(lost),
        "mode": "markers",
        "name": arm.label,
        "marker": {"symbol": LOST, "size": 9, "line": {"color": style.colour(arm), "width": 2.5}},
        "text": [_told(arm, run) + ", failed" for _, run in lost],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _figure(data: list[Trace], sizes: Sequence[Any], y: dict[str, Any], lane: float, failed: bool) -> Figure:
    x = {
        "title": "labelled training examples",
        "tickvals": list(range(len(sizes))),
        "ticktext": [str(size) for size in sizes],
        "range": [-0.5, len(sizes) - 0.5],
        "showgrid": False,
    }
    line = {"color": "@line", "width": 1}
    rules = [
        {"type": "line", "x0": i - 0.5, "x1": i - 0.5, "yref": "paper", "y0": 0, "y1": 1, "line": line}
        for i in range(1, len(sizes))
    ]
    note = {"text": "failed", "showarrow": False, "font": {"color": "@quiet", "size": 11}, "xanchor": "left"}
    notes = [note | {"xref": "paper", "x": 0.002, "y": rounded(lane)}] if failed else []
    return figure(data, x, y, shapes=rules, annotations=notes)


def _range(scores: Sequence[float], metric: str, failed: bool) -> tuple[float, float, float]:
    """Return the ends of the axis and the height of the row of failed runs."""
    lowest, highest = bounds(metric)
    span = max(0.05, max(scores) - min(scores))
    bottom = max(lowest - 0.01 * span, min(scores) - 0.07 * span)
    lane = bottom - 0.06 * span
    top = min(highest + 0.01 * span, max(scores) + 0.07 * span)
    return rounded(lane - 0.06 * span if failed else bottom), rounded(top), lane


def _told(arm: Arm, run: Run) -> str:
    text = f"{arm.label}, {run['train_size']} examples, seed {run['seed']}"
    return escaped(text + (", collapsed" if run.collapsed else "") + f" ({run['run_id']})")
