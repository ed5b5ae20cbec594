"""Axes of a picture: scales, limits, grid, tick labels and titles, as few artists as it takes.

matplotlib's own axis objects took two thirds of the drawing time of a report.
"""

from typing import Any

from thaw.report.picture.words import LIGHT, words

MANY = 1e5  # from here a tick is written as a power of ten
ROOM = 0.04  # of the span, beside the data


def frame(axes: Any, x: dict[str, Any], y: dict[str, Any]) -> None:
    """Set scales and limits, draw grid, ticks and titles under what is drawn already."""
    from matplotlib.collections import LineCollection

    across, along = axes.get_xaxis_transform(), axes.get_yaxis_transform()
    _limits(axes, x, "x")
    _limits(axes, y, "y")
    for axis, name, where in ((x, "x", across), (y, "y", along)):
        found = _ticks(axes, axis, name)
        if axis.get("showgrid", True):
            lines = [[(at, 0), (at, 1)] if name == "x" else [(0, at), (1, at)] for at, _ in found]
            grid = {"colors": LIGHT["grid"], "linewidths": 0.7, "transform": where, "zorder": 0}
            axes.add_collection(LineCollection(lines, **grid), autolim=False)
        for at, text in found:
            place = (at, -0.02, "center", "top") if name == "x" else (-0.012, at, "right", "center")
            axes.text(*place[:2], text, transform=where, ha=place[2], va=place[3], size=8, color=LIGHT["quiet"])
    edges = LineCollection([[(0, 0), (1, 0)], [(0, 0), (0, 1)]], colors=LIGHT["line"], linewidths=1, zorder=1)
    edges.set(transform=axes.transAxes, clip_on=False)
    axes.add_collection(edges, autolim=False)
    _titles(axes, words(x.get("title")), words(y.get("title")))


def _titles(axes: Any, x: str, y: str) -> None:
    style = {"xycoords": "axes fraction", "textcoords": "offset points", "size": 8.5}
    axes.annotate(x, (0.5, 0), xytext=(0, -19), ha="center", va="top", **style)
    if y:
        axes.annotate(y, (0, 0.5), xytext=(-34, 0), ha="center", va="center", rotation=90, **style)


def _limits(axes: Any, axis: dict[str, Any], name: str) -> None:
    log = axis.get("type") == "log"
    if log:
        getattr(axes, f"set_{name}scale")("log")
    set_limits = getattr(axes, f"set_{name}lim")
    if axis.get("range"):
        set_limits([10**end if log else end for end in axis["range"]])
        return
    low, high = getattr(axes, f"get_{name}lim")()
    if axis.get("rangemode") == "tozero":
        set_limits(0, high)
    elif not log and high > low:
        set_limits(low - ROOM * (high - low) * 0.2, high + ROOM * (high - low) * 0.2)


def _ticks(axes: Any, axis: dict[str, Any], name: str) -> list[tuple[float, str]]:
    """Return places and texts of the ticks within the limits."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = sorted(getattr(axes, f"get_{name}lim")())
    if "tickvals" in axis:
        texts = axis.get("ticktext", axis["tickvals"])
        return [(at, words(text)) for at, text in zip(axis["tickvals"], texts, strict=True) if low <= at <= high]
    if axis.get("type") == "log":
        decades = high / low
        found = LogLocator(subs=(1.0, 2.0, 5.0) if decades < 3e3 else (1.0,), numticks=12).tick_values(low, high)
    else:
        found = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    percent = str(axis.get("tickformat", "")).endswith("%")
    return [(float(at), _number(float(at), percent)) for at in found if low <= at <= high]


def _number(value: float, percent: bool) -> str:
    if percent:
        return f"{value:.0%}"
    return f"{value:g}" if abs(value) < MANY else f"{value:.0e}".replace("e+0", "e")
