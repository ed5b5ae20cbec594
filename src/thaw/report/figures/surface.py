"""Surface: what transfer gains over scratch by tokens of pretraining and number of labels, a table of shaded cells."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.dose import Dose
from thaw.report.collect import size_key
from thaw.report.figures.plot import Plot, amount, counted, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.palette import BASELINE

CAPTION = """Mean test {metric} of {strategy} minus that of scratch with the same labels ({n} a cell), by the tokens
that its encoder was pretrained on; the darker the more, grey: less than scratch."""
ROW = 44  # pixels
FAINTEST = 0.12  # opacity of no difference


def surface(found: Sequence[Dose], cells: Sequence[Cell], style: Style) -> Plot | None:
    """Return the figure of one strategy on one task, None without two train sizes that have doses and scratch."""
    scratch = {cell.train_size: cell for cell in cells if cell.arm.strategy == BASELINE and cell.test}
    lines = sorted((one for one in found if one.size in scratch), key=lambda one: size_key(one.size))
    if len(lines) < 2:
        return None
    strategy = lines[0].strategy
    columns = sorted({tokens for one in lines for tokens in one.tokens})
    gains, texts, counts = [], [], []
    for row, one in enumerate(lines):
        base = scratch[one.size].test
        assert base
        for tokens, score in zip(one.tokens, one.scores, strict=True):
            gain = score.mean - base.mean
            gains.append((columns.index(tokens), row, gain))
            texts.append(f"{one.size} labels, {amount(tokens)} tokens: {score.mean:.3f}, scratch {base.mean:.3f}")
            counts += [score.n, base.n]
    most = max(max(abs(gain) for *_, gain in gains), 1e-9)
    clear = [FAINTEST + (1 - FAINTEST) * abs(gain) / most for *_, gain in gains]
    cell = {
        "type": "bar",
        "orientation": "h",
        "base": [column - 0.48 for column, *_ in gains],
        "x": [0.96] * len(gains),
        "y": [row for _, row, _ in gains],
        "width": 0.92,
        "text": [f"{gain:+.3f}" for *_, gain in gains],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "constraintext": "none",
        "textfont": {"size": 12, "color": ["#ffffff" if one > 0.6 else "@ink" for one in clear]},
        "marker": {
            "color": [style.looks[strategy].colour if gain >= 0 else "@quiet" for *_, gain in gains],
            "opacity": [rounded(one) for one in clear],
            "line": {"width": 0},
        },
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "name": strategy,
        "showlegend": False,
    }
    metric = next((one.metric for one in cells if one.metric), "score")
    plain = {"showgrid": False, "ticks": ""}
    return Plot(
        key="surface",
        task=lines[0].task,
        title="Gain by pretraining and labels",
        choice=strategy,
        choices="Strategy",
        caption=" ".join(CAPTION.format(metric=metric, strategy=strategy, n=counted(counts)).split()),
        figure=figure(
            [cell],
            {
                "title": "pretraining tokens",
                "tickvals": list(range(len(columns))),
                "ticktext": [amount(tokens) for tokens in columns],
                "range": [-0.5, len(columns) - 0.5],
                **plain,
            },
            {
                "title": "labels",
                "tickvals": list(range(len(lines))),
                "ticktext": [escaped(str(one.size)) for one in lines],
                "range": [-0.5, len(lines) - 0.5],
                **plain,
            },
            barmode="overlay",
            height=max(240, ROW * len(lines) + 90),
        ),
    )
