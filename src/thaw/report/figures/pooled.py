"""All tasks together: performance profile, interquartile mean, probability of improvement, and tuning."""

from collections.abc import Sequence

from thaw.report.claims.pooled import THRESHOLDS, Pooled
from thaw.report.claims.tuning import Tuning
from thaw.report.figures.plot import Figure, Plot, Trace, counted, escaped, figure, rounded
from thaw.report.figures.style import Style
from thaw.report.statistics import Estimate

NORMAL = "normalised score: 0 is the majority answer, 1 the best mean of any strategy on the task"
PROFILE = """Share of runs above a score, over {cells} task and train size pairs that all strategies have ({n} runs a
strategy); {normal}. Higher is better everywhere; no interval."""
IQM = """Interquartile mean over {cells} task and train size pairs, {normal}; 95% t-interval over seeds ({n})."""
BETTER = """Probability that a run scores higher than the run from scratch with the same task, train size and seed (a
tie is a half), mean over {n} seeds with Wilson's 95% interval at the pairs they amount to; dotted: a coin's."""
TRIALS = """Expected best dev score after trying a number of settings drawn at random ({n} task and train size pairs a
strategy; estimator of Dodge et al. 2021 without an interval, a trial is the mean over the tuning seeds). A strategy
that still climbs at its last trial may do better with more. How sure each choice is stands in the table of choices."""


def pooled(found: Sequence[Pooled], style: Style) -> list[Plot]:
    """Return profile, interquartile mean and probability of improvement; empty without two arms."""
    if not found:
        return []
    cells = found[0].cells
    profile = [
        _line(THRESHOLDS, [rounded(share) for share in one.profile], one.arm.label)
        | {"line": style.line(one.arm) | {"shape": "hv"}}
        for one in found
    ]
    made = [
        Plot(
            key="profile",
            title="Performance profile, all tasks",
            caption=_filled(PROFILE, cells=cells, n=max(one.runs for one in found), normal=NORMAL),
            figure=figure(
                profile,
                {"title": "normalised test score"},
                {"title": "runs above it", "tickformat": ".0%", "range": [-0.03, 1.05]},
            ),
        )
    ]
    means = [(one, one.iqm) for one in found if one.iqm]
    if means:
        made.append(
            Plot(
                key="iqm",
                title="Interquartile mean, all tasks",
                caption=_filled(IQM, cells=cells, normal=NORMAL, n=counted([iqm.n for _, iqm in means])),
                figure=_rows(means, style, "normalised test score", None),
            )
        )
    chances = [(one, one.better) for one in found if one.better]
    if chances:
        made.append(
            Plot(
                key="better",
                title="Probability of improving on scratch",
                caption=_filled(BETTER, n=chances[0][1].n),
                figure=_rows(chances, style, "probability of improvement", 0.5),
            )
        )
    return made


def tuning(found: Sequence[Tuning], style: Style) -> Plot | None:
    """Return expected validation performance against trials, None where nothing was tuned."""
    if not found:
        return None
    data = [
        _line(list(range(1, len(one.expected) + 1)), [rounded(value) for value in one.expected], one.arm.label)
        | {"mode": "lines+markers", "line": style.line(one.arm), "marker": style.marker(one.arm, 8)}
        for one in found
    ]
    return Plot(
        key="tuning",
        title="Score against tuning trials",
        caption=_filled(TRIALS, n=_counts([one.cells for one in found])),
        figure=figure(data, {"title": "settings tried", "dtick": 1}, {"title": "expected best dev score"}),
    )


def _line(x: Sequence[float], y: Sequence[float], label: str) -> Trace:
    said = f"{escaped(label)}<br>%{{x:.3g}}: %{{y:.3f}}<extra></extra>"
    return {"type": "scatter", "x": list(x), "y": list(y), "mode": "lines", "name": label, "hovertemplate": said}


def _rows(found: Sequence[tuple[Pooled, Estimate]], style: Style, title: str, rule: float | None) -> Figure:
    """Return a row an arm: point and interval."""
    data: list[Trace] = []
    for row, (one, value) in enumerate(found):
        low, high = (value.mean if end is None else end for end in (value.low, value.high))
        data.append(
            {
                "type": "scatter",
                "x": [rounded(value.mean)],
                "y": [row],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded((min(1.0, high) if rule else high) - value.mean)],
                    "arrayminus": [rounded(value.mean - (max(0.0, low) if rule else low))],
                    "thickness": 2,
                    "width": 4,
                },
                "mode": "markers",
                "marker": style.marker(one.arm, 10),
                "name": one.arm.label,
                "hovertemplate": f"{escaped(one.arm.label)}: %{{x:.3f}} [{low:.3f}, {high:.3f}]<extra></extra>",
                "showlegend": False,
            }
        )
    y = {
        "tickvals": list(range(len(found))),
        "ticktext": [escaped(one.arm.label) for one, _ in found],
        "range": [len(found) - 0.4, -0.6],
        "showgrid": False,
        "ticks": "",
    }
    line = {"color": "@quiet", "width": 1.5, "dash": "dot"}
    shapes = [{"type": "line", "x0": rule, "x1": rule, "yref": "paper", "y0": 0, "y1": 1, "line": line}] if rule else []
    return figure(data, {"title": title}, y, shapes=shapes, height=34 * len(found) + 70)


def _filled(text: str, **values: object) -> str:
    return " ".join(text.format(**values).split())


def _counts(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"
