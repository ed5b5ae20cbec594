"""Dose: test score against the tokens that the encoder was pretrained on, a line a strategy."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.dose import Dose
from thaw.report.figures.plot import Plot, Trace, amount, counted, escaped, figure, interval, rounded
from thaw.report.figures.style import Style

CAPTION = """Mean test score ({n} a point) with 95% intervals over seeds (Student's t on the logit), of encoders that
are checkpoints of one pretraining; grey line: scratch, which uses none. Spearman's rank correlation with the dose:
{told}."""


def dose(found: Sequence[Dose], cells: Sequence[Cell], style: Style) -> Plot | None:
    """Return the figure of one task and train size."""
    if not found:
        return None
    metric = next((cell.metric for cell in cells if cell.metric), "score")
    positive = sorted({one for line in found for one in line.tokens if one > 0})
    zero = positive[0] / 4 if positive else 1.0  # where "no pretraining" stands on a log axis
    data: list[Trace] = []
    for line in found:
        look = style.looks[line.strategy]
        ends = [interval(score, metric) for score in line.scores]
        data.append(
            {
                "type": "scatter",
                "x": [rounded(one or zero) for one in line.tokens],
                "y": [rounded(score.mean) for score in line.scores],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(high - one.mean) for (_, high), one in zip(ends, line.scores, strict=True)],
                    "arrayminus": [rounded(one.mean - low) for (low, _), one in zip(ends, line.scores, strict=True)],
                    "thickness": 1.5,
                    "width": 3,
                },
                "mode": "lines+markers",
                "line": {"color": look.colour, "width": 2, "dash": look.dash},
                "marker": {"symbol": look.symbol, "size": 9, "color": look.colour},
                "name": line.strategy,
                "text": [f"{escaped(line.strategy)}, n = {score.n}" for score in line.scores],
                "hovertemplate": "%{text}<br>%{x:.3s} tokens: %{y:.3f}<extra></extra>",
            }
        )
    told = [f"{line.strategy} {line.spearman:+.2f}" for line in found if line.spearman is not None]
    shapes = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": rounded(cell.test.mean),
            "y1": rounded(cell.test.mean),
        }
        | {"line": {"color": style.colour(cell.arm), "width": 1.5, "dash": "dot"}}
        for cell in cells
        if cell.arm.baseline and cell.train_size == found[0].size and cell.test
    ]
    ticks = [zero, *positive] if any(0 in line.tokens for line in found) else positive
    return Plot(
        key="dose",
        task=found[0].task,
        title="Does more pretraining help more?",
        choice=str(found[0].size),
        choices="Labels",
        caption=" ".join(
            CAPTION.format(
                n=counted([score.n for line in found for score in line.scores]),
                told=", ".join(told) or "fewer than four doses, so none",
            ).split()
        ),
        figure=figure(
            data,
            {
                "type": "log",
                "title": "pretraining tokens (log scale)",
                "tickvals": ticks,
                "ticktext": ["0" if one == zero else amount(one) for one in ticks],
                "minor": {"ticks": ""},
            },
            {"title": f"test {escaped(metric)}"},
            shapes=shapes,
        ),
    )
