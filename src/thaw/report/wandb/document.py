"""The report in W&B: verdicts, notes, a table and live panels a task, what differs between runs.

Decisions: a report is a record, so its run sets hold exactly the runs that the tables score, by id: those of other
trials and seeds of a sweep would move the means; one run set a strategy, in the colour it has on the page.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from thaw import __version__
from thaw.report.cells import Cell
from thaw.report.collect import Run, Study
from thaw.report.differences import differences
from thaw.report.palette import looks
from thaw.report.tables import Table, score_tables
from thaw.report.tables.table import markdown
from thaw.report.wandb import panels
from thaw.report.wandb.place import is_place
from thaw.report.wandb.target import Target
from thaw.report.wandb.workspace import Spec, among, of_groups, plain_name

WIDTH = "fluid"
MOST_VALUES = 12  # of one setting


class Verdict(Protocol):
    """What a claim came to."""

    @property
    def claim(self) -> str: ...
    @property
    def word(self) -> str: ...
    @property
    def sentence(self) -> str: ...


def document(
    study: Study,
    cells: Sequence[Cell],
    to: Target,
    *,
    title: str,
    question: str,
    verdicts: Sequence[Verdict] = (),
    notes: Sequence[str] = (),
    saved: bool = False,
) -> Any:
    """Return the ``wandb_workspaces`` report; with ``saved`` its run sets name their project, which asks the server."""
    import wandb_workspaces.reports.v2 as wr

    place = {"entity": to.entity or "", "project": to.project} if saved else {}
    blocks = [wr.P(question), *_verdicts(verdicts), *_notes(notes)]
    for task in sorted({cell.task for cell in cells}):
        blocks += _task(task, [cell for cell in cells if cell.task == task], place)
    blocks += _pretraining([run for run in study.runs if run["kind"] == "pretrain"], place)
    blocks += _settings([run for run in study.runs if run.transfers])
    places = (str(folder) if is_place(folder) else folder.resolve().name for folder in study.folders)
    written = f"Written by thaw {__version__} from {len(study.runs)} runs in {', '.join(places)}."
    return wr.Report(
        entity=to.entity or "",
        project=to.project,
        title=plain_name(title),
        description=question,
        blocks=[*blocks, wr.HorizontalRule(), wr.P(written)],
        width=WIDTH,
    )


def spec(report: Any) -> Spec:
    """Return a report as what the API takes, without asking the server."""
    model = report._to_model()
    return {
        "entityName": model.project.entity_name or None,
        "projectName": model.project.name,
        "displayName": model.display_name,
        "description": model.description,
        "type": "runs",
        "spec": model.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _verdicts(verdicts: Sequence[Verdict]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    if not verdicts:
        return []
    table = Table(
        name="verdicts",
        title="What the runs say",
        caption="By a rule fixed before the runs; what would settle an open one stands in its sentence.",
        columns=("claim", "verdict", "because"),
        rows=tuple((one.claim, one.word, one.sentence) for one in verdicts),
    )
    return [wr.H2("Verdicts"), wr.MarkdownBlock(markdown(table))]


def _notes(notes: Sequence[str]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    return [wr.H2("Before you read on"), wr.UnorderedList(items=list(notes))] if notes else []


def _task(task: str, cells: Sequence[Cell], place: dict[str, str]) -> list[Any]:
    """Return the part of one task: the table, then the runs behind it."""
    import wandb_workspaces.reports.v2 as wr

    metric = next((cell.metric for cell in cells if cell.metric), "score")
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    look = looks(arm.strategy for arm in arms)
    sets, grouped, colours = [], [], {}
    for arm in arms:
        runs = [run for cell in cells if cell.arm == arm for run in cell.runs]
        colour = look[arm.strategy].colour
        sizes = dict.fromkeys(str(run.config.get("data.train_size")) for run in runs)
        sets.append(_runset(arm.label, runs, place, colour))
        grouped.append(_runset(arm.label, runs, place, colour, groupby=["config.data.train_size"]))
        for size in sizes:
            key = wr.RunsetGroupKey(key=wr.Config("data.train_size"), value=size)
            colours[wr.RunsetGroup(runset_name=arm.label, keys=(key,))] = colour
    scored = [run for cell in cells for run in cell.runs]
    metrics = panels.curve_metrics(scored, metric)
    made: list[Any] = [wr.H2(task), *(wr.MarkdownBlock(markdown(table)) for table in score_tables(cells))]
    made += [wr.PanelGrid(runsets=sets, panels=panels.scores(metric))]
    if metrics:
        made += [wr.P("Mean over seeds and range, a line for each strategy and number of labels.")]
        made += [wr.PanelGrid(runsets=grouped, panels=panels.curves(metrics), custom_run_colors=colours)]
    return made


def _settings(runs: Sequence[Run]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    rows = []
    for one in differences(runs):
        more = [f"and {len(one.values) - MOST_VALUES} more"] if len(one.values) > MOST_VALUES else []
        rows.append((one.key, ", ".join([f"{value} ({n})" for value, n in one.values[:MOST_VALUES]] + more)))
    if not rows:
        return []
    table = Table(
        name="settings",
        title=f"{len(runs)} transfer runs and controls",
        caption="In brackets the number of runs of each value.",
        columns=("setting", "values"),
        rows=tuple(rows),
    )
    return [wr.H2("Settings that differ"), wr.MarkdownBlock(markdown(table))]


def _pretraining(runs: Sequence[Run], place: dict[str, str]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    if not runs:
        return []
    metric = next((str(run["metric"]) for run in runs if run["metric"]), "loss")
    metrics = panels.curve_metrics(runs, metric)
    return [
        wr.H2("Pretraining"),
        wr.PanelGrid(runsets=[_runset("pretraining", runs, place)], panels=panels.curves(metrics)),
    ]


def _runset(
    name: str, runs: Sequence[Run], place: dict[str, str], colour: str = "", groupby: Sequence[str] = ()
) -> Any:
    import wandb_workspaces.reports.v2 as wr

    ids = {str(run.mirror["id"]) for run in runs if run.mirror.get("id")}
    return wr.Runset(
        **place,
        name=name,
        filters=among("ID", ids) if ids else of_groups(list(runs)),
        groupby=list(groupby),
        pinned_columns=["run:displayName", *(f"summary:{name}" for name in panels.COLUMNS)],
        run_settings={one: wr.RunSettings(color=colour) for one in ids} if colour and not groupby else {},
    )
