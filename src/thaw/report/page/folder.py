"""The folder of a report: the page, the same as data, as text, as tables and as pictures."""

from collections.abc import Sequence
from pathlib import Path

from thaw.report.collect import Study
from thaw.report.figures import Plot
from thaw.report.figures.training import dev_curves, pretraining
from thaw.report.odd import made_of
from thaw.report.out import Out
from thaw.report.page.content import QUESTION as QUESTION
from thaw.report.page.content import Content, gather
from thaw.report.page.document import page
from thaw.report.page.markdown import summary_text
from thaw.report.page.record import as_json, report, runs_csv
from thaw.report.progress import Progress
from thaw.report.tables import all_tables
from thaw.report.tables.pretrainings import pretraining_tables
from thaw.report.tables.table import latex


def write(
    study: Study,
    out: str | Path,
    *,
    title: str | None = None,
    question: str | None = None,
    pictures: bool = True,
    live: Progress | None = None,
    force: bool = False,
) -> Path:
    """Write index.html and what stands beside it to the folder ``out``; return the path of the page.

    Beside it: report.json, runs.csv, summary.md, tables/*.tex, and with ``pictures`` figures/*.svg and *.png. With
    ``live`` the page says how far the runs have come and reloads itself when it is written again (watch.py). Files
    that no report wrote stay; ConfigError where one of them has a name of ours, unless ``force`` overwrites it.
    """
    from thaw.report.picture.save import drawn, names

    to = Out(out, force=force)

    def make(some: Study) -> tuple[dict[str, str], list[Plot]]:
        content = gather(some, title, question)
        figures = [*content.plots, *_training(content)] if pictures else []
        return _texts(content, live, names(figures)), figures

    files, figures = made_of(study, make)
    to.refuse([*files, *names(figures)])
    to.write("page", files)
    if pictures:
        to.write("pictures", drawn(figures, to))
    return to.folder / "index.html"


def _texts(content: Content, live: Progress | None, pictures: Sequence[str]) -> dict[str, str]:
    """Return what stands in the files of a report, its pictures apart, by their names."""
    tables = [*all_tables(content.cells, content.analysis), *pretraining_tables(content.study)]
    summary = summary_text(
        content.study,
        title=content.title,
        question=content.question,
        notes=content.analysis.guards,
        tables=tables,
        verdicts=content.analysis.verdicts if content.cells else [],
        plots=content.plots,
        files=pictures,
    )
    files = {"index.html": page(content, live), "runs.csv": runs_csv(content.study)}
    files |= {"report.json": as_json(report(content)) + "\n"}
    files |= {f"tables/{table.file_name}.tex": latex(table) for table in tables}
    return files | {"summary.md": summary}


def _training(content: Content) -> list[Plot]:
    """Return the curves that the page draws by itself."""
    runs = {id(run): (content.arm_of[id(run)], run) for run in content.study.runs if id(run) in content.arm_of}
    metrics = {cell.task: cell.metric for cell in content.main}
    made = [dev_curves(task, metric, runs, content.style) for task, metric in metrics.items()]
    return [one for one in (*made, pretraining(content.study.runs)) if one]
