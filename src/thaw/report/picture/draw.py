"""One `Plot` drawn by matplotlib: axes, grid, lines, notes and a legend of strategies.

Decisions: matplotlib's object interface without pyplot, so that nothing of the user's is touched; text stays text in
SVG; the same figure gives the same bytes.
"""

from collections.abc import Sequence
from typing import Any

from thaw.report.figures.plot import Plot
from thaw.report.picture.traces import POINT, draw
from thaw.report.picture.words import DASHES, LIGHT, colour, symbol, words

WIDTH = 6.6  # inches
HEIGHT = 4.0
COLUMNS = 3  # of small multiples
SMALL = 0.62  # of the size of a single figure
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thaw",
    "text.parse_math": False,  # a $ in a name is a $
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": LIGHT["line"],
    "axes.labelcolor": LIGHT["ink"],
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["quiet"],
    "ytick.color": LIGHT["quiet"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def picture(plots: Sequence[Plot]) -> Any:
    """Return matplotlib's figure of plots that differ in their choice only; call it in ``rc_context(SETTINGS)``."""
    from matplotlib.figure import Figure

    columns = min(len(plots), COLUMNS)
    rows = -(-len(plots) // columns)
    tall = max(HEIGHT, *(one.figure["layout"].get("height", 0) / 100 for one in plots))
    share = 1.0 if columns == 1 else SMALL
    figure = Figure(figsize=(WIDTH * columns * share, tall * min(1.0, share * 1.3) * rows), layout="constrained")
    found = figure.subplots(rows, columns, squeeze=False).flat
    for plot, axes in zip(plots, found, strict=False):
        _fill(axes, plot.figure)
        if len(plots) > 1:
            axes.set_title(f"{plot.choice} {plot.choices.lower()}", loc="left", fontsize=9)
    for axes in list(found)[len(plots) :]:
        axes.remove()
    told = ", ".join(part for part in (plots[0].title, plots[0].task) if part)
    figure.suptitle(told, x=0.01, ha="left", size=10.5, weight="bold")
    _legend(figure, [trace for plot in plots for trace in plot.figure["data"]], 4 * columns)
    return figure


def _fill(axes: Any, figure: dict[str, Any]) -> None:
    layout = figure["layout"]
    axes.set_axisbelow(True)
    axes.grid(color=LIGHT["grid"], linewidth=0.7)
    for trace in figure["data"]:
        draw(axes, trace)
    for name in ("x", "y"):
        _axis(axes, name, layout.get(f"{name}axis", {}))
    for shape in layout.get("shapes", ()):
        _shape(axes, shape)
    for note in layout.get("annotations", ()):
        _note(axes, note)


def _axis(axes: Any, name: str, axis: dict[str, Any]) -> None:
    set_label, set_scale = getattr(axes, f"set_{name}label"), getattr(axes, f"set_{name}scale")
    set_label(words(axis.get("title")))
    log = axis.get("type") == "log"
    one = getattr(axes, f"{name}axis")
    if log and "tickvals" in axis:
        set_scale("log")
    elif log:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

        set_scale("log")
        one.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1e5 else f"{value:.0e}"))
        one.set_minor_locator(NullLocator())
    if "tickvals" in axis:
        one.set_ticks(list(axis["tickvals"]), [words(text) for text in axis.get("ticktext", axis["tickvals"])])
        one.set_ticks([], minor=True)
    if axis.get("tickformat", "").endswith("%"):
        from matplotlib.ticker import PercentFormatter

        one.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if axis.get("range"):
        getattr(axes, f"set_{name}lim")([10**end if log else end for end in axis["range"]])
    if axis.get("showgrid") is False:
        axes.grid(False, axis=name)
    if axis.get("visible") is False:
        one.set_visible(False)


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


def _legend(figure: Any, data: Sequence[dict[str, Any]], columns: int) -> None:
    """Name what is drawn, once each, above the axes; bands and helper lines have no entry."""
    from matplotlib.lines import Line2D

    entries: dict[str, Any] = {}
    for trace in data:
        name = words(trace.get("name"))
        if not name or trace.get("fill") or trace.get("hoverinfo") == "skip" or trace.get("showlegend") is False:
            continue
        line, marker = trace.get("line", {}), trace.get("marker", {})
        paint = colour(line.get("color") or marker.get("color") or "@ink")
        shown = trace.get("mode", "lines") if trace["type"] == "scatter" else "markers"
        names = marker.get("symbol", "square" if trace["type"] == "bar" else "circle")
        shape, hollow = symbol(names[0] if isinstance(names, list) else names)
        paint = paint[0] if isinstance(paint, list) else paint
        if name not in entries and trace["type"] != "heatmap":
            entries[name] = Line2D(
                [],
                [],
                color=paint,
                linewidth=1.5 if "lines" in shown else 0,
                linestyle=DASHES.get(line.get("dash", "solid"), "-") if "lines" in shown else "none",
                marker=shape if "markers" in shown else "",
                markersize=5,
                markerfacecolor="none" if hollow else paint,
            )
    if len(entries) > 1:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(columns, len(entries)),
            fontsize=8,
        )
