"""Every strategy against the one the verdicts are about: better, worse, equal within the margin, or undecided."""

from collections.abc import Sequence

from thaw.report.claims.against import Against
from thaw.report.claims.sides import Sides
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.words import number

CAPTION = """Test score minus that of {transfer}: mean over {tasks} with {level:.0%} t-interval over paired seeds ({n})
and test texts; better and worse by a paired t-test, Holm over the rows; equal where two one-sided tests put the
difference within {margin:g} of 0 (dotted lines); not tuned: the learning rate of one of the two was not."""


def against(found: Sequence[Against], sides: Sides, style: Style) -> Plot | None:
    """Return the figure of a study, None where nothing pairs."""
    if sides.transfer is None:
        return None
    ordered = sorted((one for one in found if not one.arm.floor), key=lambda one: one.arm.order)
    if not ordered:
        return None
    data: list[Trace] = []
    for row, one in enumerate(ordered):
        low, high = (one.estimate.mean if end is None else end for end in (one.estimate.low, one.estimate.high))
        data.append(
            {
                "type": "scatter",
                "x": [rounded(one.estimate.mean)],
                "y": [row],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(high - one.estimate.mean)],
                    "arrayminus": [rounded(one.estimate.mean - low)],
                    "thickness": 2,
                    "width": 4,
                },
                "mode": "markers",
                "marker": style.marker(one.arm, 10),
                "name": one.arm.label,
                "hovertemplate": f"{escaped(one.arm.label)}: %{{x:+.3f}} [{low:+.3f}, {high:+.3f}], "
                f"p = {one.p:.2g}, {one.word}<extra></extra>",
                "showlegend": False,
            }
        )
    margin = sides.rule.margin
    places = {0.0: "solid", margin: "dot", -margin: "dot"}
    shapes = [
        {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1}
        | {"line": {"color": "@quiet", "width": 1.2, "dash": dash}}
        for at, dash in places.items()
    ]
    y = {
        "tickvals": list(range(len(ordered))),
        "ticktext": [f"{escaped(one.arm.label)}: {one.word}" for one in ordered],
        "range": [len(ordered) - 0.4, -0.6],
        "showgrid": False,
        "ticks": "",
    }
    most = max(one.tasks for one in ordered)
    caption = CAPTION.format(
        transfer=sides.transfer.label,
        tasks=number(most, "task"),
        level=sides.rule.level,
        n=counted([one.estimate.n for one in ordered]),
        margin=margin,
    )
    return Plot(
        key="against",
        title=f"Every strategy against {sides.transfer.label}",
        caption=" ".join(caption.split()),
        figure=figure(data, {"title": "difference in test score"}, y, shapes=shapes, height=34 * len(ordered) + 70),
    )
