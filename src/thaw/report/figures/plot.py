"""One figure and what is said of it; the page, the static files and W&B draw the same ones.

Decisions: a figure is plotly's own JSON as plain dicts, without colours of paper and text: those are words that begin
with ``@`` (``@ink``, ``@quiet``, ``@line``, ``@paper``), which whoever draws replaces, since the page has two themes.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from thaw.report.file_names import file_name
from thaw.report.statistics import Estimate
from thaw.report.statistics import bounds as bounds

Figure = dict[str, Any]
Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A figure with its words: ``key`` is its kind, ``task`` and ``choice`` tell those of one kind apart."""

    key: str
    title: str
    caption: str  # n of runs, kind of interval, units where the axes do not say them; plain text
    figure: Figure
    task: str = ""  # "" for a figure of the whole study
    choice: str = ""  # such as a train size, "" where there is nothing to choose
    choices: str = field(default="", kw_only=True)  # what `choice` is, as a label: "Labels"

    @property
    def name(self) -> str:
        """A name for files, its own whatever the task is called."""
        return file_name(self.key, self.task, self.choice)


def figure(data: list[Trace], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Figure:
    """Return a figure of some traces; the axes' titles may be plain text."""
    axes = {}
    for name, axis in (("xaxis", x), ("yaxis", y)):
        title = axis.get("title")
        axes[name] = {**axis, "title": {"text": title}} if isinstance(title, str) else dict(axis)
    return {"data": data, "layout": {**axes, **layout}}


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, name: str) -> Trace:
    """Return a filled band between two curves."""
    return {
        "type": "scatter",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": colour,
        "opacity": 0.16,
        "line": {"width": 0, "color": colour},
        "mode": "lines",
        "hoverinfo": "skip",
        "name": name,
    }


def log_axis(title: str, values: Iterable[float]) -> dict[str, Any]:
    """Return a logarithmic axis with ticks at 1, 2 and 5 of each decade, or at the decades where there are many."""
    found = [value for value in values if value > 0]
    low, high = min(found, default=1.0), max(found, default=10.0)
    steps = (1, 2, 5) if high / low < 500 else (1,)
    ticks = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digit in steps
        if 0.6 * low <= digit * 10.0**power <= 1.7 * high
    ]
    texts = [f"{tick:,.0f}" if tick >= 1 else f"{tick:.3g}" for tick in ticks]
    return {"type": "log", "title": title, "tickvals": ticks, "ticktext": texts, "minor": {"ticks": ""}}


def interval(one: Estimate, metric: str) -> tuple[float, float]:
    """Return what is drawn of an interval: a t-interval does not know where a metric ends, so it is cut there."""
    lowest, highest = bounds(metric)
    low, high = (one.mean if end is None else end for end in (one.low, one.high))
    return max(lowest, min(low, one.mean)), min(highest, max(high, one.mean))


def rounded(value: Any) -> Any:
    """Return a number with five significant digits: more only makes the page bigger."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def escaped(text: str) -> str:
    """Return a text that plotly shows as it is: it knows a few HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def counted(numbers: Sequence[int]) -> str:
    """Return ``n = 5`` or ``n = 3 to 5``."""
    if not numbers:
        return "n = 0"
    low, high = min(numbers), max(numbers)
    return f"n = {low}" if low == high else f"n = {low} to {high}"


def amount(tokens: float) -> str:
    """Return a number of tokens as it stands on an axis: ``4.1 M``."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if tokens >= unit:
            return f"{tokens / unit:.3g} {name}"
    return f"{tokens:g}"
