"""Time to target: the share of runs that have reached scratch's own level by a time."""

from collections.abc import Sequence

from thaw.report.claims.arrival import Times
from thaw.report.claims.clocks import NAMES
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, rounded
from thaw.report.figures.style import Style

CAPTION = """Share of runs ({n}) whose dev score has reached {target:.3f}, {share:.0%} of what scratch gains over the
majority answer, by {name} of training (evaluation and pretraining apart): Kaplan-Meier. A run that never reaches it is
counted until it ends (small bar), not dropped; one that diverged, until the run that was watched longest. {reached}"""


def survival(times: Sequence[Times], style: Style) -> Plot | None:
    """Return the figure of one task, train size and target, None where no run has reached it."""
    ordered = sorted(times, key=lambda one: one.arm.order)
    if not any(one.reached for one in ordered):
        return None
    data: list[Trace] = []
    for one in ordered:
        at, shares = one.survival()
        x, y = [0.0, *at], [0.0, *shares]
        if one.longest > x[-1]:
            x, y = [*x, one.longest], [*y, y[-1]]
        common = {"type": "scatter", "name": one.arm.label}
        data.append(
            common
            | {"x": [rounded(value) for value in x], "y": [rounded(value) for value in y], "mode": "lines"}
            | {"line": style.line(one.arm) | {"shape": "hv"}}
            | {"hovertemplate": f"{escaped(one.arm.label)}<br>%{{x:.3g}} {NAMES[one.clock]}: %{{y:.0%}}<extra></extra>"}
        )
        lost = one.lost
        if lost:
            height = [
                rounded(max([share for t, share in zip(x, y, strict=True) if t <= end], default=0)) for end in lost
            ]
            ticks = {"symbol": "line-ns", "size": 11, "line": {"color": style.colour(one.arm), "width": 2}}
            data.append(
                common
                | {"x": [rounded(value) for value in lost], "y": height, "mode": "markers", "marker": ticks}
                | {
                    "hovertemplate": f"{escaped(one.arm.label)}<br>not there at %{{x:.3g}} {NAMES[one.clock]}"
                    "<extra></extra>"
                }
                | {"showlegend": False}
            )
    first = ordered[0]
    told = "; ".join(f"{one.arm.label} {one.reached} of {len(one.arrivals)}" for one in ordered)
    n = counted([len(one.arrivals) for one in ordered])
    return Plot(
        key="survival",
        task=first.task,
        title="Time to reach scratch's level",
        choice=str(first.size),
        choices="Labels",
        caption=" ".join(
            CAPTION.format(
                n=n, name=NAMES[first.clock], target=first.target, share=first.share, reached=f"Reached: {told}."
            ).split()
        ),
        figure=figure(
            data,
            {"title": f"{NAMES[first.clock]} of training", "rangemode": "tozero"},
            {"title": "runs that have reached it", "tickformat": ".0%", "range": [-0.03, 1.05]},
        ),
    )
