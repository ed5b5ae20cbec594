"""Where the seconds went: a bar a strategy, split into tuning, training and evaluation, and the pretraining."""

from collections.abc import Sequence

from thaw.report.claims.ledger import Cost
from thaw.report.figures.plot import Plot, Trace, escaped, figure, rounded
from thaw.report.figures.style import Style

PRETRAIN = "pretraining"
SHADES = {"train": 1.0, "tune": 0.55, "evaluate": 0.25}
WORDS = {"train": "training of scored runs", "tune": "tuning, failed and repeated runs", "evaluate": "evaluation"}
CAPTION = """Wall seconds of all {runs} transfer runs, by what they were for: training of the runs that are scored (full
colour), tuning and runs that are not scored (paler), evaluation of both (palest). Pretraining is shared by all. Sums,
so no interval{unknown}."""


def cost(costs: Sequence[Cost], style: Style) -> Plot | None:
    """Return the figure of a study, None where nothing has a cost."""
    arms = sorted({one.arm for one in costs if one.arm}, key=lambda arm: arm.order)
    total = sum(one.seconds or 0.0 for one in costs)
    if not arms or not total:
        return None
    unit, name = (3600.0, "hours") if total > 7200 else (60.0, "minutes") if total > 300 else (1.0, "seconds")
    rows = [*(arm.label for arm in arms)]
    data: list[Trace] = []
    pretraining = sum(one.seconds or 0.0 for one in costs if one.stage == "pretrain")
    if pretraining:
        rows.append(PRETRAIN)
        data.append(
            _bar(len(rows) - 1, 0.0, pretraining / unit, "@ink", 0.8, PRETRAIN, f"pretraining: {pretraining:.0f} s")
        )
    for row, arm in enumerate(arms):
        start = 0.0
        for stage, shade in SHADES.items():
            seconds = sum(one.seconds or 0.0 for one in costs if one.arm == arm and one.stage == stage)
            if seconds:
                told = f"{escaped(arm.label)}, {WORDS[stage]}: {seconds:.0f} s"
                data.append(_bar(row, start, seconds / unit, style.colour(arm), shade, arm.label, told))
                start += seconds / unit
    y = {
        "tickvals": list(range(len(rows))),
        "ticktext": [escaped(one) for one in rows],
        "range": [len(rows) - 0.4, -0.6],
        "showgrid": False,
        "ticks": "",
    }
    runs = sum(one.runs for one in costs if one.stage == "evaluate")
    lost = any(one.seconds is None or "seconds" in one.partial for one in costs)
    unknown = "; seconds that a run did not record are missing here" if lost else ""
    return Plot(
        key="cost",
        title="Where the time went",
        caption=" ".join(CAPTION.format(runs=runs, unknown=unknown).split()),
        figure=figure(data, {"title": f"wall time ({name})"}, y, barmode="overlay", height=34 * len(rows) + 70),
    )


def _bar(row: int, start: float, length: float, colour: str, shade: float, name: str, told: str) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "base": [rounded(start)],
        "x": [rounded(length)],
        "y": [row],
        "width": 0.62,
        "marker": {"color": colour, "opacity": [shade], "line": {"width": 0}},
        "name": name,
        "hovertext": [told],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }
