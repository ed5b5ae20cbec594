"""Curves of single runs as a picture: dev scores of a task, held-out loss of pretraining. The page draws its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from thaw.report.arms import Arm
from thaw.report.collect import Run
from thaw.report.figures.plot import Plot, Trace, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.pretrainings import measure_name

MOST = 100  # curves
POINTS = 30  # of a curve
CAPTION = "{metric} of {shown} of {all} single runs as recorded, thinned but not smoothed: no mean and no interval."


def dev_curves(task: str, metric: str, runs: Mapping[int, tuple[Arm, Run]], style: Style) -> Plot | None:
    """Return the dev scores of a task's runs over optimizer steps, None where there is no curve."""
    name = f"dev/{metric}"
    having = [
        (arm, run)
        for arm, run in runs.values()
        if run["task"] == task and run["steps"] != 0 and len(_points(run, name)) > 1  # trials of a control are no curve
    ]
    if not having:
        return None
    drawn = having[:: -(-len(having) // MOST)]
    data = [_line(_points(run, name), arm.label, style.line(arm, 1)) for arm, run in drawn]
    caption = CAPTION.format(metric=name, shown=len(drawn), all=len(having))
    axes: tuple[dict[str, Any], dict[str, Any]] = ({"title": "optimizer step"}, {"title": f"dev {escaped(metric)}"})
    return Plot(key="curves", task=task, title="Curves of single runs", caption=caption, figure=figure(data, *axes))


def pretraining(runs: Sequence[Run]) -> Plot | None:
    """Return the held-out loss of pretraining runs over tokens, None where there is none."""
    name = "dev/bits_per_byte"
    having = [run for run in runs if run["kind"] == "pretrain" and len(_points(run, name, "tokens")) > 1]
    if not having:
        return None
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a")
    data = [
        _line(_points(run, name, "tokens"), str(run["run_id"]), {"color": colours[i % len(colours)], "width": 2})
        for i, run in enumerate(having[:MOST])
    ]
    return Plot(
        key="pretraining",
        title="Pretraining",
        caption=CAPTION.format(metric=measure_name(name), shown=len(data), all=len(having)),
        figure=figure(data, {"title": "training tokens"}, {"title": f"held-out {measure_name(name)}"}),
    )


def _points(run: Run, name: str, x: str = "step") -> list[tuple[float, float]]:
    found = [
        (event[x], event[name])
        for event in run.events
        if isinstance(event.get(name), int | float) and isinstance(event.get(x), int | float)
    ]
    if len(found) > POINTS:
        found = [found[round(i * (len(found) - 1) / (POINTS - 1))] for i in range(POINTS)]
    return found


def _line(points: Sequence[tuple[float, float]], name: str, line: dict[str, Any]) -> Trace:
    x, y = [rounded(float(one)) for one, _ in points], [rounded(float(one)) for _, one in points]
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "line": line, "name": escaped(name), "opacity": 0.7}
