"""One trace of plotly on the axes of matplotlib: scatter with lines, markers, bands, error bars; bars."""

import math
from typing import Any

from thaw.report.picture.words import DASHES, colour, several, symbol, words

POINT = 0.72  # pixels of the page to points


def draw(axes: Any, trace: dict[str, Any]) -> None:
    """Draw a trace; a kind that is not known here is an error, so that no figure misses a part."""
    {"scatter": _scatter, "bar": _bar}[trace["type"]](axes, trace)


def _numbers(values: Any) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]


def _scatter(axes: Any, trace: dict[str, Any]) -> None:
    x, y = _numbers(trace["x"]), _numbers(trace["y"])
    if not x:
        return
    mode, opacity = trace.get("mode", "lines"), trace.get("opacity", 1)
    line, marker = trace.get("line", {}), trace.get("marker", {})
    paint = colour(line.get("color") or marker.get("color") or "@ink")
    if trace.get("fill"):
        axes.fill(x, y, facecolor=colour(trace.get("fillcolor", paint)), alpha=opacity, linewidth=0)
        return
    if "error_y" in trace or "error_x" in trace:
        ends: dict[str, Any] = {}
        for name, key in (("error_x", "xerr"), ("error_y", "yerr")):
            if name in trace:
                ends[key] = [_numbers(trace[name]["arrayminus"]), _numbers(trace[name]["array"])]
        error = {"linestyle": "none", "ecolor": colour(marker.get("color", paint)), "elinewidth": 1.1, "capsize": 2}
        axes.errorbar(x, y, **ends, **error, alpha=opacity, zorder=2)
    if "lines" in mode:
        style = {"color": paint, "linewidth": line.get("width", 2) * POINT, "alpha": opacity}
        step = {"hv": "steps-post", "vh": "steps-pre"}.get(line.get("shape", ""), "default")
        axes.plot(x, y, linestyle=DASHES.get(line.get("dash", "solid"), "-"), drawstyle=step, **style)
    if "markers" in mode:
        _markers(axes, x, y, marker, opacity)
    if "text" in mode:
        for left, bottom, text in zip(x, y, several(trace.get("text", ""), len(x)), strict=True):
            size = trace.get("textfont", {}).get("size", 12) * POINT
            axes.annotate(
                words(text), (left, bottom), xytext=(4, 0), textcoords="offset points", va="center", size=size
            )


def _markers(axes: Any, x: list[float], y: list[float], marker: dict[str, Any], opacity: float) -> None:
    names = several(marker.get("symbol", "circle"), len(x))
    paints = several(colour(marker.get("color", "@ink")), len(x))
    sizes = several(marker.get("size", 6), len(x))
    edge = marker.get("line", {})
    for name in dict.fromkeys(names):
        at = [i for i, one in enumerate(names) if one == name]
        shape, hollow = symbol(name)
        thin = shape in "x_|"
        edges = [colour(edge["color"])] * len(at) if "color" in edge else [paints[i] for i in at]
        width = edge.get("width", 2 if thin or hollow else 0) * POINT
        faces = "none" if hollow and not thin else edges if thin else [paints[i] for i in at]
        area = [(sizes[i] * POINT) ** 2 for i in at]
        spots = ([x[i] for i in at], [y[i] for i in at])
        looks = {"color": edges} if thin else {"facecolors": faces, "edgecolors": edges}
        axes.scatter(*spots, s=area, marker=shape, linewidths=width, alpha=opacity, zorder=3, **looks)


def _bar(axes: Any, trace: dict[str, Any]) -> None:
    marker = trace.get("marker", {})
    flat = trace.get("orientation") == "h"
    places, lengths = (trace["y"], trace["x"]) if flat else (trace["x"], trace["y"])
    n = len(lengths)
    bases = several(trace.get("base", 0), n)
    paints, clear = several(colour(marker.get("color", "@ink")), n), several(marker.get("opacity", 1), n)
    inks = several(colour(trace.get("textfont", {}).get("color", "@ink")), n)
    thick = trace.get("width", 0.8)
    texts = several(trace.get("text", ""), n)
    for i in range(n):
        style = {"color": paints[i], "alpha": clear[i] * trace.get("opacity", 1), "linewidth": 0}
        if flat:
            axes.barh(places[i], lengths[i], left=bases[i], height=thick, **style)
            if trace.get("insidetextanchor") == "middle":
                where = {"xy": (bases[i] + lengths[i] / 2, places[i]), "xytext": (0, 0), "va": "center", "ha": "center"}
            else:
                where = {"xy": (bases[i], places[i]), "xytext": (3, 0), "va": "center"}
        else:
            axes.bar(places[i], lengths[i], bottom=bases[i], width=thick, **style)
            where = {"xy": (places[i], bases[i] + lengths[i]), "xytext": (0, 2), "ha": "center"}
        if texts[i]:
            axes.annotate(words(texts[i]), textcoords="offset points", color=inks[i], size=7.5, **where)
