"""The exchange rate: how many labels from scratch one label with transfer is worth, against the number of labels."""

import math
from collections.abc import Sequence
from typing import Any

from thaw.report.claims.labels import Exchange
from thaw.report.figures.plot import Plot, Trace, counted, escaped, figure, log_axis, rounded
from thaw.report.figures.style import Style

CAPTION = """Scratch labels that score as much as n labels with transfer, divided by n ({n}); bars are 95% intervals,
paired by seed (all multipliers at which the difference is not told from 0, the errors of reading between scratch's
sizes and of the test texts in it), from three seeds on. An arrow goes on beyond the measured sizes: nothing is
extrapolated, and nothing can be seen above the dotted line (scratch's most labels / n). At 1 transfer saves no
label."""


def exchange(rates: Sequence[Exchange], style: Style) -> Plot | None:
    """Return the figure of one task, None where no rate lies within the measured sizes (`beyond` says so)."""
    if all(one.worth is None for one in rates):
        return None
    arms = sorted({one.arm for one in rates}, key=lambda arm: arm.order)
    data: list[Trace] = []
    for number, arm in enumerate(arms):
        shift = math.exp(0.03 * (number - (len(arms) - 1) / 2))
        data += _arm([one for one in rates if one.arm == arm], shift, style)
    sizes = sorted({one.labels for one in rates})
    most = rates[0].most
    bound = {"color": "@quiet", "width": 1.2, "dash": "dot"}
    data.append(
        {"type": "scatter", "x": sizes, "y": [rounded(most / n) for n in sizes], "mode": "lines", "line": bound}
        | {"name": "largest that can be seen", "hoverinfo": "skip", "showlegend": False}
    )
    one_line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    x: dict[str, Any] = {"type": "log", "title": "labels with transfer, n (log scale)", "tickvals": sizes}
    x |= {"ticktext": [str(size) for size in sizes], "minor": {"ticks": ""}}
    return Plot(
        key="exchange",
        task=rates[0].task,
        title="What a label with transfer is worth",
        caption=" ".join(CAPTION.format(n=counted([one.seeds for one in rates])).split()),
        figure=figure(
            data,
            x,
            log_axis("scratch labels for one label (log scale)", [1, *(y for trace in data for y in trace["y"])]),
            shapes=[one_line | {"line": {"color": "@ink", "width": 1}}],
        ),
    )


def beyond(rates: Sequence[Exchange]) -> str:
    """Return one sentence where no rate of a task lies within the measured sizes, so that it has no figure; else ""."""
    if not rates or any(one.worth is not None for one in rates):
        return ""
    sides = {one.beyond for one in rates}
    most, least = max(one.most for one in rates), min(one.least for one in rates)
    what = f"What a label with transfer is worth on {rates[0].task} is"
    if sides == {"above"}:
        return f"{what} more than can be measured: scratch never gets there with up to {most:g} labels."
    if sides == {"below"}:
        return f"{what} less than can be measured: scratch is better with {least:g} labels already."
    return f"{what} never between {least:g} and {most:g} labels of scratch, so it can not be measured."


def beyond_all(rates: Sequence[Exchange]) -> list[str]:
    """Return the sentences of all tasks that have no figure."""
    tasks = dict.fromkeys(one.task for one in rates)
    return [line for task in tasks if (line := beyond([one for one in rates if one.task == task]))]


def _arm(rates: Sequence[Exchange], shift: float, style: Style) -> list[Trace]:
    arm = rates[0].arm
    known = [one for one in rates if one.worth is not None]
    beyond = [one for one in rates if one.worth is None]
    made: list[Trace] = []
    if known:
        middle = [one.worth / one.labels for one in known if one.worth is not None]
        low = [(one.low or one.least) / one.labels if one.tested else at for one, at in zip(known, middle, strict=True)]
        high = [
            (one.high or one.most) / one.labels if one.tested else at for one, at in zip(known, middle, strict=True)
        ]
        made.append(
            {
                "type": "scatter",
                "x": [rounded(one.labels * shift) for one in known],
                "y": [rounded(value) for value in middle],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(max(0.0, end - value)) for value, end in zip(middle, high, strict=True)],
                    "arrayminus": [rounded(max(0.0, value - end)) for value, end in zip(middle, low, strict=True)],
                    "thickness": 1.5,
                    "width": 3,
                },
                "mode": "lines+markers",
                "line": style.line(arm),
                "marker": style.marker(arm),
                "text": [_told(one) for one in known],
                "hovertemplate": "%{text}<extra></extra>",
                "name": arm.label,
            }
        )
    ends = [(one, one.most if one.beyond == "above" else one.least) for one in beyond]
    ends += [(one, one.most) for one in known if one.tested and one.high is None]
    if ends:
        made.append(
            {
                "type": "scatter",
                "x": [rounded(one.labels * shift) for one, _ in ends],
                "y": [rounded(end / one.labels) for one, end in ends],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [0.0] * len(ends),
                    "arrayminus": [rounded(_down(one, end) / one.labels) for one, end in ends],
                    "thickness": 1.5,
                    "width": 3,
                },
                "mode": "markers",
                "marker": {
                    "symbol": [
                        "triangle-down-open" if one.beyond == "below" else "triangle-up-open" for one, _ in ends
                    ],
                    "size": 11,
                    "color": style.colour(arm),
                    "line": {"color": style.colour(arm), "width": 2},
                },
                "text": [_told(one) for one, _ in ends],
                "hovertemplate": "%{text}<extra></extra>",
                "name": arm.label,
                "showlegend": not known,
            }
        )
    return made


def _down(one: Exchange, end: float) -> float:
    """Return how far below an arrow the interval of a rate beyond the measured sizes reaches."""
    return end - one.low if one.beyond == "above" and one.low is not None else 0.0


def _told(one: Exchange) -> str:
    return f"{escaped(one.arm.label)}, {one.labels} labels: {escaped(one.rate)}"
