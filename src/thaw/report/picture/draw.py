"""One `Plot` drawn by matplotlib: axes, grid, lines, notes and a legend of strategies.

Decisions: matplotlib's object interface without pyplot, so that nothing of the user's is touched; text stays text in
SVG; the same figure gives the same bytes.
"""

from collections.abc import Sequence
from typing import Any

from thaw.report.figures.plot import Plot
from thaw.report.picture.frame import frame
from thaw.report.picture.traces import POINT, draw
from thaw.report.picture.words import DASHES, LIGHT, colour, symbol, words

WIDTH = 6.6  # inches
HEIGHT = 4.0
COLUMNS = 3  # of small multiples
SMALL = 0.62  # of the size of a single figure
TITLE = 0.34  # inches
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thaw",
    "text.parse_math": False,  # a $ in a name is a $
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": LIGHT["ink"],
    "legend.frameon": False,
}


def picture(plots: Sequence[Plot]) -> Any:
    """Return matplotlib's figure of plots that differ in their choice only; call it in ``rc_context(SETTINGS)``."""
    from matplotlib.figure import Figure

    several = len(plots) > 1
    columns = min(len(plots), COLUMNS)
    rows = -(-len(plots) // columns)
    share = SMALL if several else 1.0
    wide = WIDTH * share
    tall = max(HEIGHT, *(one.figure["layout"].get("height", 0) / 100 for one in plots)) * min(1.0, 1.3 * share)
    entries = legend_entries([trace for plot in plots for trace in plot.figure["data"]])
    beside = max(2, 4 * columns if several else 4)
    below = 0.1 + 0.2 * -(-len(entries) // beside) if entries else 0.0
    width, height = wide * columns, tall * rows + TITLE + below
    figure = Figure(figsize=(width, height))
    for place, plot in enumerate(plots):
        left, right, bottom, top = _margins(plot.figure["layout"], several)
        x = wide * (place % columns) + left
        y = height - TITLE - tall * (place // columns + 1) + bottom
        inside = (x / width, y / height, (wide - left - right) / width, (tall - bottom - top) / height)
        axes = figure.add_axes(inside)
        _fill(axes, plot.figure)
        if several:
            axes.text(0, 1.03, f"{plot.choice} {plot.choices.lower()}", transform=axes.transAxes, va="bottom", size=9)
    told = ", ".join(part for part in (plots[0].title, plots[0].task) if part)
    figure.text(0.08 / width, 1 - 0.09 / height, told, ha="left", va="top", size=10.5, weight="bold")
    if entries:
        figure.legend(list(entries.values()), list(entries), loc="lower center", ncols=beside, fontsize=8)
    return figure


def _margins(layout: dict[str, Any], several: bool) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top inches beside the axes, by the longest label; a layout engine takes longer."""
    labels = [words(text) for text in layout.get("yaxis", {}).get("ticktext", ())]
    left = max(0.25 + 0.068 * max(map(len, labels), default=0), 0.62 if words(layout["yaxis"].get("title")) else 0.0)
    outside = any(note.get("xref") == "paper" and note["x"] > 1 for note in layout.get("annotations", ()))
    return left, 0.42 if outside else 0.14, 0.52, 0.3 if several else 0.06


def _fill(axes: Any, figure: dict[str, Any]) -> None:
    layout = figure["layout"]
    axes.set_axis_off()  # frame.py draws ticks and grid: matplotlib's take most of the time
    for trace in figure["data"]:
        draw(axes, trace)
    for shape in layout.get("shapes", ()):  # a line that means something is in sight
        for name in ("x", "y"):
            if shape.get(f"{name}ref") != "paper":
                at = (shape["x0"], 0) if name == "x" else (0, shape["y0"])
                axes.update_datalim([at], updatex=name == "x", updatey=name == "y")
    axes.autoscale_view()
    frame(axes, layout.get("xaxis", {}), layout.get("yaxis", {}))
    for shape in layout.get("shapes", ()):
        _shape(axes, shape)
    for note in layout.get("annotations", ()):
        _note(axes, note)


def _place(axes: Any, one: dict[str, Any], name: str) -> Any:
    """Return how a place of a shape or note is to be read along an axis: part of the frame, or data."""
    return axes.transAxes if one.get(f"{name}ref") == "paper" else axes.transData


def _shape(axes: Any, shape: dict[str, Any]) -> None:
    from matplotlib.transforms import blended_transform_factory

    where = blended_transform_factory(_place(axes, shape, "x"), _place(axes, shape, "y"))
    line = shape.get("line", {})
    style = {"linestyle": DASHES.get(line.get("dash", "solid"), "-"), "linewidth": line.get("width", 1) * POINT}
    ends = ([shape["x0"], shape["x1"]], [shape["y0"], shape["y1"]])
    axes.plot(
        *ends, color=colour(line.get("color", "@line")), transform=where, zorder=1, scalex=False, scaley=False, **style
    )


def _note(axes: Any, note: dict[str, Any]) -> None:
    from matplotlib.transforms import blended_transform_factory

    where = blended_transform_factory(_place(axes, note, "x"), _place(axes, note, "y"))
    x, y = note["x"], note["y"]
    if axes.get_xscale() == "log" and note.get("xref") != "paper":
        x = 10**x  # plotly's notes stand at the logarithm
    across = {"left": "left", "right": "right"}.get(note.get("xanchor", ""), "center")
    along = {"bottom": "bottom", "top": "top"}.get(note.get("yanchor", ""), "center")
    font = note.get("font", {})
    style = {"color": colour(font.get("color", "@ink")), "size": font.get("size", 12) * POINT}
    style["weight"] = "bold" if "<b>" in str(note.get("text")) else "normal"
    axes.text(x, y, words(note.get("text")), transform=where, ha=across, va=along, clip_on=False, **style)


def legend_entries(data: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is drawn by name, once each, if there is more than one; bands and helper lines have no entry."""
    from matplotlib.lines import Line2D

    entries: dict[str, Any] = {}
    for trace in data:
        name = words(trace.get("name"))
        if not name or trace.get("fill") or trace.get("hoverinfo") == "skip" or trace.get("showlegend") is False:
            continue
        line, marker = trace.get("line", {}), trace.get("marker", {})
        shown = trace.get("mode", "lines") if trace["type"] == "scatter" else "markers"
        names = marker.get("symbol", "square" if trace["type"] == "bar" else "circle")
        if isinstance(names, list):
            names = next(iter(names), "circle")  # of a strategy that has no point here
        shape, hollow = symbol(names)
        paint = colour(line.get("color") or marker.get("color") or "@ink")
        style: dict[str, Any] = {"color": paint, "markersize": 5, "markerfacecolor": "none" if hollow else paint}
        style |= {"marker": shape if "markers" in shown else "", "linewidth": 1.5 if "lines" in shown else 0}
        style["linestyle"] = DASHES.get(line.get("dash", "solid"), "-") if "lines" in shown else "none"
        entries.setdefault(name, Line2D([], [], **style))
    return entries if len(entries) > 1 else {}
