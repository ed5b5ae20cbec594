"""Total cost against number of tasks: when the pretraining has paid for itself."""

import math
from collections.abc import Sequence

from thaw.report.claims.breakeven import BreakEven
from thaw.report.claims.clocks import NAMES
from thaw.report.figures.plot import Plot, Trace, band, counted, escaped, figure, log_axis, rounded
from thaw.report.figures.style import Style
from thaw.report.palette import BASELINE, LOOKS

POINTS = 60
MOST = 100_000  # tasks
CAPTION = """{name} of training for a number of tasks like this one, to {share:.0%} of what scratch gains on dev:
pretraining once, then each task (mean over seeds, {n}; band: 95% t-interval of what a task saves, paired by seed).
Where a line crosses scratch's, pretraining has paid for itself: {told}. A run that never arrives has cost
its training and saved nothing. The tokenizer's training and the tuning are not in it."""


def break_even(found: Sequence[BreakEven], share: float, style: Style) -> Plot | None:
    """Return the figure of one task and train size, None where no arm has a pretraining with a known cost."""
    ordered = sorted(found, key=lambda one: one.arm.order)
    if not ordered:
        return None
    ordered = [one for one in ordered if one.clock == ordered[0].clock]
    crossings = [one.tasks for one in ordered if one.tasks is not None]
    last = min(MOST, 10 ** math.ceil(math.log10(max([10.0, *(2 * one for one in crossings if one < MOST)]))))
    tasks = [last ** (i / (POINTS - 1)) for i in range(POINTS)]
    base = ordered[0].scratch
    look = LOOKS[BASELINE]
    data: list[Trace] = []
    notes: list[str] = []
    for one in ordered:
        label, colour = one.arm.label, style.colour(one.arm)
        if one.saved.low is not None and one.saved.high is not None:
            ends = [
                [max(1e-3, one.pretraining + n * max(0.0, one.scratch - saved)) for n in tasks]
                for saved in (one.saved.high, one.saved.low)
            ]
            low, high = ([rounded(value) for value in end] for end in ends)
            data.append(band([rounded(n) for n in tasks], low, high, colour, label))
        y = [rounded(one.pretraining + n * one.transfer) for n in tasks]
        data.append(_line([rounded(n) for n in tasks], y, label, style.line(one.arm)))
        if one.tasks is not None and one.tasks <= last:
            marker = {
                "symbol": style.symbol(one.arm),
                "size": 11,
                "color": colour,
                "line": {"color": "@ink", "width": 1},
            }
            data.append(
                {"type": "scatter", "x": [rounded(one.tasks)], "y": [rounded(one.tasks * one.scratch)], "name": label}
                | {"mode": "markers", "marker": marker, "showlegend": False}
                | {"hovertemplate": f"{escaped(label)} pays from {escaped(_range(one))}<extra></extra>"}
            )
        notes.append(f"{label} from {_range(one)}" if one.tasks else f"{label} never, as it saves nothing")
    line = {"color": look.colour, "width": 2, "dash": look.dash}
    data.append(_line([rounded(n) for n in tasks], [rounded(n * base) for n in tasks], BASELINE, line))
    first = ordered[0]
    return Plot(
        key="breakeven",
        task=first.task,
        title="When pretraining has paid for itself",
        choice=str(first.size),
        choices="Labels",
        caption=" ".join(
            CAPTION.format(
                name=NAMES[first.clock][0].upper() + NAMES[first.clock][1:],
                share=share,
                n=counted([one.saved.n for one in ordered]),
                told="; ".join(notes),
            ).split()
        ),
        figure=figure(
            data,
            log_axis("number of tasks (log scale)", tasks),
            log_axis(f"{NAMES[first.clock]} of training in all (log scale)", [y for trace in data for y in trace["y"]]),
        ),
    )


def _line(x: list[float], y: list[float], name: str, line: dict[str, object]) -> Trace:
    said = f"{escaped(name)}<br>%{{x:.3g}} tasks: %{{y:.4g}}<extra></extra>"
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "name": name, "line": line, "hovertemplate": said}


def _range(one: BreakEven) -> str:
    def shown(value: float | None) -> str:
        return "no end" if value is None else f"{max(1.0, math.ceil(value)):,.0f}"

    return f"{shown(one.tasks)} tasks [{shown(one.low)}, {shown(one.high)}]"
