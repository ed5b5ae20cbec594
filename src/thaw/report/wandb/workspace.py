"""The saved views of a study in its W&B project: one a task, since panels of several tasks can not be told apart.

Decisions: a view is a living thing: it takes the runs whose group the study has, also those of a later seed; runs are
grouped by strategy and train size, in the colours of the page.
"""

import unicodedata
from typing import Any

from thaw.report.arms import arms
from thaw.report.collect import Run, Study
from thaw.report.palette import looks
from thaw.report.wandb import panels
from thaw.report.wandb.runsets import of_groups
from thaw.report.wandb.target import Target

Spec = dict[str, Any]


def workspaces(study: Study, to: Target, title: str) -> dict[str, Any]:
    """Return a ``wandb_workspaces`` workspace for each task, by task."""
    tasks = sorted({str(run["task"]) for run in study.runs if run.transfers})
    members = {task: [run for run in study.runs if run.transfers and str(run["task"]) == task] for task in tasks}
    return {task: _workspace(task, runs, to, title) for task, runs in members.items()}


def spec(workspace: Any) -> Spec:
    """Return a workspace as what the API takes, without asking the server."""
    view = workspace._to_model()
    return {
        "entityName": view.entity or None,
        "projectName": view.project,
        "displayName": view.display_name,
        "type": "project-view",
        "spec": view.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _workspace(task: str, runs: list[Run], to: Target, title: str) -> Any:
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws
    from wandb_workspaces import expr

    metric = next((str(run["metric"]) for run in runs if run["metric"]), "score")
    look = looks(arm.what for arm in arms(runs).values())
    grid = ws.SectionLayoutSettings(columns=2, rows=2)
    sections = {"Comparison": panels.scores(metric), "Curves": panels.curves(panels.curve_metrics(runs, metric))}
    sections["Settings that differ"] = panels.settings()
    for panel in (panel for members in sections.values() for panel in members):
        panel.layout = wr.Layout()  # a section flows
    return ws.Workspace(
        entity=to.entity or "",
        project=to.project,
        name=plain_name(f"{title}: {task}"),
        sections=[
            ws.Section(name=name, panels=members, is_open=name != "Settings that differ", layout_settings=grid)
            for name, members in sections.items()
            if members
        ],
        settings=ws.WorkspaceSettings(max_runs=panels.MOST_LINES),
        runset_settings=ws.RunsetSettings(
            filters=of_groups(runs),
            groupby=[expr.Config("strategy.name"), expr.Config("data.train_size")],
            group_colors={name: one.colour for name, one in look.items()},
            pinned_columns=[f"summary:{name}" for name in panels.COLUMNS],
        ),
    )


def plain_name(text: str) -> str:
    """Return a name as W&B takes it: at most 128 characters, no symbols (it refuses ``<`` and ``+`` as emoji)."""
    return "".join(letter for letter in text if unicodedata.category(letter)[0] not in "SC")[:128].strip() or "runs"
