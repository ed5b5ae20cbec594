"""The panels of a task, the same in workspace and report: scores against labels and time, curves, settings.

What a result row holds stands flat in a run's summary in W&B (``train_size``, ``test``, ``train_seconds``), as numbers;
its config has the train size as a word. W&B draws means and ranges over seeds itself, without intervals: those stand
in the report's tables.
"""

from collections.abc import Sequence
from typing import Any

from thaw.report.collect import Run
from thaw.report.pretrainings import measure_name
from thaw.track.mirror import STEP

LOSS = "train/loss"
COLUMNS = ("test", "dev", "train_size", "seed", "lr", "train_seconds")  # of the table of runs, all in the summary
MOST_LINES = 60
WIDE, HALF, HIGH = 24, 12, 9  # W&B's grid has 24 columns


def scores(metric: str) -> list[Any]:
    """Return the panels that compare results: test score against labels, against seconds, and by strategy."""
    import wandb_workspaces.reports.v2 as wr

    test, column = wr.SummaryMetric("test"), wr.ParallelCoordinatesPlotColumn
    return [
        wr.ScatterPlot(
            title=f"Test {metric} against labelled training examples", layout=_half(0, 0),
            x=wr.SummaryMetric("train_size"), y=test, log_x=True,
        ),
        wr.ScatterPlot(
            title=f"Test {metric} against seconds of training", layout=_half(HALF, 0),
            x=wr.SummaryMetric("train_seconds"), y=test, log_x=True,
        ),
        wr.BarPlot(
            title=f"Test {metric} by strategy, mean over all sizes and seeds", layout=_half(0, HIGH),
            metrics=["test"], groupby=wr.Config("strategy.name"), groupby_aggfunc="mean", groupby_rangefunc="stderr",
        ),
        wr.ParallelCoordinatesPlot(
            title="Strategy, labels, learning rate, seconds, score", layout=_half(HALF, HIGH),
            columns=[
                column(metric=wr.Config("strategy.name"), display_name="strategy"),
                column(metric=wr.SummaryMetric("train_size"), display_name="labels", log=True),
                column(metric=wr.SummaryMetric("lr"), display_name="learning rate", log=True),
                column(metric=wr.SummaryMetric("train_seconds"), display_name="seconds"),
                column(metric=test, display_name=f"test {metric}"),
            ],
        ),
    ]  # fmt: skip


def curves(metrics: Sequence[str]) -> list[Any]:
    """Return a line panel for each metric against optimizer steps and against seconds of training."""
    import wandb_workspaces.reports.v2 as wr

    axes = {STEP: "optimizer steps", "seconds": "seconds of training"}
    return [
        wr.LinePlot(
            title=f"{measure_name(metric)} against {words}",
            layout=_half(HALF * column, HIGH * row), x=x, y=[metric], title_x=words,
            smoothing_type="none", groupby_aggfunc="mean", groupby_rangefunc="minmax", max_runs_to_show=MOST_LINES,
        )
        for row, metric in enumerate(metrics)
        for column, (x, words) in enumerate(axes.items())
    ]  # fmt: skip


def settings() -> list[Any]:
    """Return the panel that shows where the configs of runs differ."""
    import wandb_workspaces.reports.v2 as wr

    return [wr.RunComparer(diff_only="split", layout=wr.Layout(x=0, y=0, w=WIDE, h=HIGH))]


def curve_metrics(runs: Sequence[Run], metric: str) -> list[str]:
    """Return the metrics to draw as curves: the dev score and the training loss, where a run has them."""
    logged = {key for run in runs for event in run.events for key in event}
    return [name for name in (f"dev/{metric}", LOSS) if name in logged]


def _half(x: int, y: int) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.Layout(x=x, y=y, w=HALF, h=HIGH)
