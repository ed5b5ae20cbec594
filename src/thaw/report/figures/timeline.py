"""When each layer learns and how fast: the plan that a run followed, a block of rows a strategy."""

import math
from collections.abc import Sequence

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run
from thaw.report.figures.plot import Plot, Trace, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.plan import Plan, read_plan

CAPTION = """Which part of the network learns from which optimizer step: filled where it learns, the fainter the smaller
its share of the learning rate (the number, x1 is all of it), a thin grey line while it is frozen. Rows go from the
input (embeddings) below to the head above. At the right: how far its weights moved, |w - w0| / |w0|, mean over {n}
seeds of {size} labels."""
ROW, GAP = 19, 26  # pixels
FAINTEST = 0.25  # opacity of a factor of 0.01 or less


def timeline(cells: Sequence[Cell], style: Style) -> Plot | None:
    """Return the figure of one task at its largest train size with recorded plans, None if no run recorded one."""
    found: list[tuple[Arm, Plan, list[Run]]] = []
    size = None
    for cell in reversed(cells):  # cells are in order of train size
        if cell.runs and cell.arm.network and size in (None, cell.train_size):
            plan = read_plan(cell.runs[0].folder)
            if plan:
                size = cell.train_size
                found.append((cell.arm, plan, cell.runs))
    if not found:
        return None
    found.sort(key=lambda one: one[0].order)
    data: list[Trace] = []
    ticks: list[tuple[float, str]] = []
    notes = []
    last = max(_end(plan, runs) for _, plan, runs in found)
    row = 0.0
    for arm, plan, runs in reversed(found):
        rows = [row + i for i in range(len(plan.groups))]
        data += _bars(arm, plan, rows, _end(plan, runs), style)
        ticks += [(y, escaped(group)) for y, group in zip(rows, plan.groups, strict=True)]
        moved = _moved(plan, runs)
        text = {"showarrow": False, "font": {"size": 11, "color": "@quiet"}, "xref": "paper", "x": 1.004}
        notes += [
            text | {"y": y, "xanchor": "left", "text": f"{far:.2f}" if far else "0"}
            for y, far in zip(rows, moved, strict=True)
            if far is not None
        ]
        title = {"text": f"<b>{escaped(arm.label)}</b>", "showarrow": False, "xref": "paper", "x": 0, "xanchor": "left"}
        notes.append(title | {"y": rows[-1] + 0.95, "font": {"size": 12}})
        row = rows[-1] + 1 + GAP / ROW
    seeds = max(len(runs) for _, _, runs in found)
    y = {"tickvals": [y for y, _ in ticks], "ticktext": [text for _, text in ticks], "showgrid": False}
    y |= {"range": [-0.8, row - 0.3], "title": "", "ticks": ""}
    return Plot(
        key="timeline",
        task=cells[0].task,
        title="What learns when",
        caption=" ".join(CAPTION.format(n=seeds, size=size).split()),
        figure=figure(
            data,
            {"title": "optimizer step", "range": [0, last], "showgrid": False},
            y,
            annotations=notes,
            barmode="overlay",
            bargap=0.2,
            height=int(row * ROW + 80),
            margin={"l": 90, "r": 44, "t": 10, "b": 44},
        ),
    )


def _end(plan: Plan, runs: Sequence[Run]) -> int:
    return max([run["steps"] or 0 for run in runs] + [plan.stretches[-1][0] + 1])


def _bars(arm: Arm, plan: Plan, rows: Sequence[float], end: int, style: Style) -> list[Trace]:
    """Return the learning stretches as bars of an arm, the frozen ones as thin bars."""
    starts = [step for step, _ in plan.stretches]
    ends = [*starts[1:], end]
    learning, frozen = [], []
    for place, y in enumerate(rows):
        merged: list[tuple[int, int, float | None]] = []
        for start, stop, factor in zip(starts, ends, (factors[place] for _, factors in plan.stretches), strict=True):
            if merged and merged[-1][2] == factor:
                merged[-1] = (merged[-1][0], stop, factor)
            else:
                merged.append((start, stop, factor))
        for start, stop, factor in merged:
            told = f"{escaped(arm.label)}, {escaped(plan.groups[place])}<br>step {start} to {stop}: "
            if factor is None:
                frozen.append((start, stop, y, told + "frozen"))
            else:
                learning.append((start, stop, y, told + f"x{factor:g} of the learning rate", factor))
    made: list[Trace] = []
    common: Trace = {
        "type": "bar",
        "orientation": "h",
        "hovertemplate": "%{hovertext}<extra></extra>",
        "name": arm.label,
    }
    common |= {"showlegend": False}
    if frozen:
        made.append(
            common
            | {
                "base": [one[0] for one in frozen],
                "x": [one[1] - one[0] for one in frozen],
                "y": [one[2] for one in frozen],
                "width": 0.12,
                "hovertext": [one[3] for one in frozen],
                "marker": {"color": "@line", "line": {"width": 0}},
            }
        )
    made.append(
        common
        | {
            "base": [one[0] for one in learning],
            "x": [one[1] - one[0] for one in learning],
            "y": [one[2] for one in learning],
            "width": 0.78,
            "hovertext": [one[3] for one in learning],
            "text": [f"x{one[4]:.2g}" for one in learning],
            "textposition": "inside",
            "insidetextanchor": "start",
            "constraintext": "none",
            "textfont": {"size": 11, "color": ["#ffffff" if _opacity(one[4]) > 0.7 else "@ink" for one in learning]},
            "marker": {
                "color": style.colour(arm),
                "opacity": [rounded(_opacity(one[4])) for one in learning],
                "line": {"width": 0},
            },
        }
    )
    return made


def _opacity(factor: float) -> float:
    return max(FAINTEST, min(1.0, 1.0 + (1 - FAINTEST) / 2 * math.log10(max(factor, 1e-9))))


def _moved(plan: Plan, runs: Sequence[Run]) -> list[float | None]:
    """Return the mean drift of each group over the runs, None where no run recorded it."""
    made: list[float | None] = []
    for group in plan.groups:
        values = [event[f"drift/{group}"] for run in runs for event in run.events[-1:] if f"drift/{group}" in event]
        values = [value for value in values if isinstance(value, int | float)]
        made.append(sum(values) / len(values) if values else None)
    return made
