"""The report in W&B: verdicts, notes, tables, figures, live panels a task, what differs between runs.

Decisions: a report is a record, so its run sets hold exactly the runs that the tables score, by id: those of other
trials and seeds of a sweep would move the means; one run set a strategy, in the colour it has on the page; the
figures of the page, intervals and all, come out of the W&B run they were logged to (figures.py).
"""

from collections.abc import Sequence
from typing import Any

from thaw import __version__
from thaw.report.cells import Cell
from thaw.report.collect import Run
from thaw.report.differences import differences, machines
from thaw.report.page.content import Content
from thaw.report.palette import looks
from thaw.report.tables import Table, all_tables
from thaw.report.tables.pretrainings import pretraining_tables
from thaw.report.tables.scores import score_tables
from thaw.report.tables.table import markdown
from thaw.report.wandb import figures, panels
from thaw.report.wandb.place import is_place
from thaw.report.wandb.runsets import among, runset
from thaw.report.wandb.target import Target
from thaw.report.wandb.workspace import Spec, plain_name
from thaw.report.words import number

WIDTH = "fluid"
MOST_VALUES = 12  # of one setting


def document(content: Content, to: Target, *, drawn: str | None = None) -> Any:
    """Return the ``wandb_workspaces`` report; ``drawn`` is the W&B run that the figures were logged to.

    With it the run sets name their project, for which the server is asked; without it nothing is asked.
    """
    import wandb_workspaces.reports.v2 as wr

    study, cells = content.study, content.cells
    place = {"entity": to.entity or "", "project": to.project} if drawn else {}
    here = wr.Runset(**place, name="figures", filters=among("ID", [drawn])) if drawn else None
    tasks = sorted({cell.task for cell in cells})
    blocks = [wr.P(content.question), *_verdicts(content), *figures.of("", content.plots, here, first=True)]
    blocks += _notes(content)
    for task in tasks:
        members = [cell for cell in cells if cell.task == task]
        blocks += [wr.H2(task), *(wr.MarkdownBlock(markdown(table)) for table in score_tables(members))]
        blocks += [*figures.of(task, content.plots, here), *_task(members, place)]
    told = {table.name for table in score_tables(cells)}
    tables = [table for table in all_tables(cells, content.analysis) if table.name not in told]
    if tables:
        blocks += [wr.H2("Labels, time and costs"), *(wr.MarkdownBlock(markdown(table)) for table in tables)]
    blocks += figures.of("", content.plots, here, first=False)
    blocks += _pretraining([run for run in study.runs if run["kind"] == "pretrain"], place)
    blocks += [wr.MarkdownBlock(markdown(table)) for table in pretraining_tables(study)]
    blocks += _settings([run for run in study.runs if run.transfers])
    places = (str(folder) if is_place(folder) else folder.resolve().name for folder in study.folders)
    written = f"Written by thaw {__version__} from {number(len(study.runs), 'run')} in {', '.join(places)}."
    return wr.Report(
        entity=to.entity or "",
        project=to.project,
        title=plain_name(content.title),
        description=content.question,
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


def _verdicts(content: Content) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    if not content.cells:
        return []
    table = Table(
        name="verdicts",
        title="What the runs say",
        caption="By a rule fixed in the study's config before the runs.",
        columns=("question", "answer", "because", "what would settle it"),
        rows=tuple((one.question, one.word, one.sentence, one.settle) for one in content.analysis.verdicts),
    )
    return [wr.H2("Verdicts"), wr.MarkdownBlock(markdown(table))]


def _notes(content: Content) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    told = content.analysis.guards
    return [wr.H2("Before you read on"), wr.UnorderedList(items=list(told))] if told else []


def _task(cells: Sequence[Cell], place: dict[str, str]) -> list[Any]:
    """Return the live panels of one task, over the runs that its tables score."""
    import wandb_workspaces.reports.v2 as wr

    metric = next((cell.metric for cell in cells if cell.metric), "score")
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    look = looks(arm.what for arm in arms)
    sets, grouped, colours = [], [], {}
    for arm in arms:
        runs = [run for cell in cells if cell.arm == arm for run in cell.runs]
        colour = look[arm.strategy].colour
        sets.append(runset(arm.label, runs, place, colour=colour))
        grouped.append(runset(arm.label, runs, place, groupby=["config.data.train_size"]))
        for size in dict.fromkeys(str(run.config.get("data.train_size")) for run in runs):
            key = wr.RunsetGroupKey(key=wr.Config("data.train_size"), value=size)
            colours[wr.RunsetGroup(runset_name=arm.label, keys=(key,))] = colour
    metrics = panels.curve_metrics([run for cell in cells for run in cell.runs], metric)
    made: list[Any] = [wr.P("The runs behind it, a dot a run.")]
    made += [wr.PanelGrid(runsets=sets, panels=panels.scores(metric))]
    if metrics:
        made += [wr.P("Mean over seeds and range, a line for each strategy and number of labels.")]
        made += [wr.PanelGrid(runsets=grouped, panels=panels.curves(metrics), custom_run_colors=colours)]
    return made


def _settings(runs: Sequence[Run]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    rows = []
    for one in (*differences(runs), *machines(runs)):
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
    curves = panels.curves(panels.curve_metrics(runs, metric))
    return [wr.H2("Pretraining"), wr.PanelGrid(runsets=[runset("pretraining", runs, place)], panels=curves)]
