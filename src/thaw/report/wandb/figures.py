"""The figures of the page in W&B: logged as plotly charts to a W&B run of their own, shown in the report from there.

Decisions: one such run a report, of job type ``report``; a report that is saved again logs to the same run. It has no
config, so that nothing which reads runs takes it for one of the study.
"""

import os
from collections.abc import Sequence
from typing import Any

from thaw.report.figures import Plot
from thaw.report.page.content import Content
from thaw.report.picture.words import colour
from thaw.report.wandb.panels import HALF, HIGH
from thaw.report.wandb.target import Target
from thaw.report.wandb.workspace import plain_name
from thaw.track.mirror import SETTINGS

FOLDER = "figures/"
INIT_SECONDS, FINISH_SECONDS = 15.0, 120.0  # nothing waits for it but the user, who asked for it
VERDICT = "verdict-"  # how the keys of the figures that go with a verdict begin


def log(content: Content, to: Target, known: str | None = None) -> str:
    """Log the figures to the W&B run ``known``, or to a new one, and return its id; to be called while connected."""
    import wandb

    identity = known or f"report-{os.urandom(5).hex()}"
    with wandb.init(
        project=to.project,
        entity=to.entity,
        id=identity,
        name=plain_name(f"report: {content.title}"),
        job_type="report",
        dir=os.environ["WANDB_DIR"],
        resume="allow",
        mode="online",
        settings=wandb.Settings(**(SETTINGS | {"init_timeout": INIT_SECONDS, "finish_timeout": FINISH_SECONDS})),
    ) as run:
        run.log({FOLDER + plot.name: wandb.Plotly(chart(plot)) for plot in content.plots})
    return identity


def chart(plot: Plot) -> Any:
    """Return a figure as a plotly one that needs no page around it: on white, each name once in its legend."""
    from plotly.graph_objects import Figure

    figure = Figure(_light(plot.figure), skip_invalid=True)
    figure.update_layout(template="plotly_white", margin={"t": 24, "r": figure.layout.margin.r or 24})
    told: set[str] = set()
    for trace in reversed(figure.data):  # the last of a name is its line or marker, before it comes the band
        shown = trace.showlegend is not False and trace.name not in told
        trace.update(legendgroup=trace.name, showlegend=shown)
        if shown:
            told.add(trace.name)
    return figure


def of(task: str, plots: Sequence[Plot], runset: Any, *, first: bool | None = None) -> list[Any]:
    """Return the panels of a task's figures with their captions, nothing without the run set that has them.

    Of the figures of the whole study (task "") ``first`` are those that go with a verdict.
    """
    import wandb_workspaces.reports.v2 as wr

    chosen = [plot for plot in plots if plot.task == task and first in (None, plot.key.startswith(VERDICT))]
    if runset is None or not chosen:
        return []
    shown = [
        wr.MediaBrowser(title=_title(plot), media_keys=[FOLDER + plot.name], num_columns=1, layout=_layout(number))
        for number, plot in enumerate(chosen)
    ]
    captions = {plot.caption: f"{plot.title}: {plot.caption}" for plot in chosen}
    return [
        wr.PanelGrid(runsets=[runset], hide_run_sets=True, panels=shown),
        wr.UnorderedList(items=list(captions.values())),
    ]


def _title(plot: Plot) -> str:
    return f"{plot.title} ({plot.choice} {plot.choices.lower()})" if plot.choice else plot.title


def _layout(number: int) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.Layout(x=HALF * (number % 2), y=HIGH * (number // 2), w=HALF, h=HIGH)


def _light(value: Any) -> Any:
    """Return a figure with the colours of the light theme for the words that stand for colours."""
    if isinstance(value, dict):
        return {key: _light(one) for key, one in value.items()}
    return [_light(one) for one in value] if isinstance(value, list | tuple) else colour(value)
