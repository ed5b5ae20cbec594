"""The folder of a report: the page, the same as data, as text, as tables and as pictures."""

from pathlib import Path

from thaw.report.collect import Study
from thaw.report.figures import Plot
from thaw.report.figures.training import dev_curves, pretraining
from thaw.report.page.content import QUESTION as QUESTION
from thaw.report.page.content import Content, gather
from thaw.report.page.document import page
from thaw.report.page.markdown import summary_text
from thaw.report.page.record import as_json, report, runs_csv
from thaw.report.progress import Progress
from thaw.report.tables import all_tables
from thaw.report.tables.pretrainings import pretraining_tables
from thaw.report.tables.table import latex
from thaw.storage import write_text


def write(
    study: Study,
    out: str | Path,
    *,
    title: str | None = None,
    question: str | None = None,
    pictures: bool = True,
    live: Progress | None = None,
) -> Path:
    """Write index.html and what stands beside it to the folder ``out``; return the path of the page.

    Beside it: report.json, runs.csv, summary.md, tables/*.tex, and with ``pictures`` figures/*.svg and *.png. With
    ``live`` the page says how far the runs have come and reloads itself when it is written again (watch.py).
    """
    out = Path(out)
    content = gather(study, title, question)
    tables = [*all_tables(content.cells, content.analysis), *pretraining_tables(study)]
    write_text(out / "index.html", page(content, live))
    write_text(out / "runs.csv", runs_csv(study))
    write_text(out / "report.json", as_json(report(content)) + "\n")
    for table in tables:
        write_text(out / "tables" / f"{table.file_name}.tex", latex(table))
    drawn = _pictures(content, out / "figures") if pictures else []
    text = summary_text(
        study,
        title=content.title,
        question=content.question,
        notes=content.analysis.guards,
        tables=tables,
        verdicts=content.analysis.verdicts if content.cells else [],
        plots=content.plots,
        files=[path.name for path in drawn],
    )
    write_text(out / "summary.md", text)
    return out / "index.html"


def _pictures(content: Content, folder: Path) -> list[Path]:
    """Write the figures, remove those of an earlier report that this one has not; return the paths."""
    from thaw.report.picture.save import save

    written = save([*content.plots, *_training(content)], folder)
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix in (".svg", ".png") and path not in written:
                path.unlink()
    return written


def _training(content: Content) -> list[Plot]:
    """Return the curves that the page draws by itself."""
    runs = {id(run): (content.arm_of[id(run)], run) for run in content.study.runs if id(run) in content.arm_of}
    metrics = {cell.task: cell.metric for cell in content.main}
    made = [dev_curves(task, metric, runs, content.style) for task, metric in metrics.items()]
    return [one for one in (*made, pretraining(content.study.runs)) if one]
