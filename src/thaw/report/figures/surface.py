"""Surface: what transfer gains over scratch by tokens of pretraining and number of labels, a table of shaded cells."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.dose import Dose
from thaw.report.claims.phrases import points
from thaw.report.collect import size_key
from thaw.report.figures.plot import Plot, amount, counted, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import Estimate

CAPTION = """Mean test {metric} of {strategy} minus that of scratch with the same labels, paired by seed ({n}), by the
tokens that its encoder was pretrained on; the stronger the more, grey: less than scratch; dot: interval includes 0."""
ROW = 44  # pixels
FAINTEST = 0.12  # opacity of no difference
STRONG = 0.6  # from here a cell is its own colour rather than the paper's


def surface(found: Sequence[Dose], cells: Sequence[Cell], style: Style) -> Plot | None:
    """Return the figure of one strategy on one task, None without two train sizes that have doses and scratch."""
    lines = sorted((one for one in found if any(one.gains)), key=lambda one: size_key(one.size))
    if len(lines) < 2:
        return None
    strategy = lines[0].strategy
    columns = sorted({tokens for one in lines for tokens in one.tokens})
    gains = [
        (columns.index(tokens), row, gain, f"{one.size} labels, {amount(tokens)} tokens")
        for row, one in enumerate(lines)
        for tokens, gain in zip(one.tokens, one.gains, strict=True)
        if gain
    ]
    most = max(max(abs(gain.mean) for _, _, gain, _ in gains), 1e-9)
    clear = [FAINTEST + (1 - FAINTEST) * abs(gain.mean) / most for _, _, gain, _ in gains]
    paint = [style.looks[strategy].colour if gain.mean >= 0 else "@quiet" for _, _, gain, _ in gains]
    cell = {
        "type": "bar",
        "orientation": "h",
        "base": [column - 0.48 for column, *_ in gains],
        "x": [0.96] * len(gains),
        "y": [row for _, row, *_ in gains],
        "width": 0.92,
        "text": [f"{gain.mean:+.3f}{'' if _told(gain) else ' ·'}" for _, _, gain, _ in gains],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "constraintext": "none",
        "textfont": {
            "size": 12,
            "color": [_ink(one) if share > STRONG else "@ink" for one, share in zip(paint, clear, strict=True)],
        },
        "marker": {"color": paint, "opacity": [rounded(one) for one in clear], "line": {"width": 0}},
        "hovertext": [f"{what}: {points(gain)}, n = {gain.n}" for _, _, gain, what in gains],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "name": strategy,
        "showlegend": False,
    }
    metric = next((one.metric for one in cells if one.metric), "score")
    bare = {"showgrid": False, "ticks": ""}
    return Plot(
        key="surface",
        task=lines[0].task,
        title="Gain by pretraining and labels",
        choice=strategy,
        choices="Strategy",
        caption=" ".join(
            CAPTION.format(metric=metric, strategy=strategy, n=counted([gain.n for _, _, gain, _ in gains])).split()
        ),
        figure=figure(
            [cell],
            {
                "title": "pretraining tokens",
                "tickvals": list(range(len(columns))),
                "ticktext": [amount(tokens) for tokens in columns],
                "range": [-0.5, len(columns) - 0.5],
                **bare,
            },
            {
                "title": "labels",
                "tickvals": list(range(len(lines))),
                "ticktext": [escaped(str(one.size)) for one in lines],
                "range": [-0.5, len(lines) - 0.5],
                **bare,
            },
            barmode="overlay",
            height=max(240, ROW * len(lines) + 90),
        ),
    )


def _told(gain: Estimate) -> bool:
    """Whether a gain is told from none."""
    return gain.excludes_zero


def _ink(paint: str) -> str:
    """Return the colour of a text on a strong cell: on grey that of the paper, else black or white."""
    if paint.startswith("@"):
        return "@paper"
    red, green, blue = (int(paint[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else "#1b1f24"
