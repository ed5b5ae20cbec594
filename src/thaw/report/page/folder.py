"""The folder of a report: the page, the same as data, as text, as tables and as pictures."""

from pathlib import Path

from thaw.report.arms import arms
from thaw.report.cells import cells
from thaw.report.collect import Study
from thaw.report.examples import examples
from thaw.report.figures import Style, plots
from thaw.report.notes import notes
from thaw.report.page.document import Content, page
from thaw.report.page.markdown import summary_text
from thaw.report.page.record import as_json, report, runs_csv
from thaw.report.tables import score_tables
from thaw.report.tables.table import latex
from thaw.storage import write_text

QUESTION = "Does transfer save training time, improve accuracy, need fewer labels?"


def write(
    study: Study, out: str | Path, *, title: str | None = None, question: str | None = None, pictures: bool = True
) -> Path:
    """Write index.html and what stands beside it to the folder ``out``; return the path of the page.

    Beside it: report.json, runs.csv, summary.md, tables/*.tex, and with ``pictures`` figures/*.svg and *.png.
    """
    out = Path(out)
    content = gather(study, title, question)
    told = notes(study, content.cells)
    tables = score_tables(content.cells)
    write_text(out / "runs.csv", runs_csv(study))
    write_text(out / "report.json", as_json(report(study, content.cells, content.title, content.question)) + "\n")
    for table in tables:
        write_text(out / "tables" / f"{table.file_name}.tex", latex(table))
    drawn = _pictures(content, out / "figures") if pictures else []
    text = summary_text(
        study,
        title=content.title,
        question=content.question,
        notes=told,
        tables=tables,
        plots=content.plots,
        files=[path.name for path in drawn if path.suffix == ".svg"],
    )
    write_text(out / "summary.md", text)
    write_text(out / "index.html", page(content))
    return out / "index.html"


def gather(study: Study, title: str | None = None, question: str | None = None) -> Content:
    """Return everything a page of a study is made of."""
    found = cells(study)
    arm_of = arms(study.runs)
    style = Style.of(arm_of.values())
    failed = [(arm_of[id(run)], run) for run in study.runs if run.state == "failed" and run.transfers]
    return Content(
        study=study,
        cells=found,
        arm_of=arm_of,
        style=style,
        plots=plots(found, style, failed),
        examples=examples(found),
        title=title or ", ".join(dict.fromkeys(str(run["name"]) for run in study.runs)) or "no runs",
        question=question or QUESTION,
    )


def _pictures(content: Content, folder: Path) -> list[Path]:
    """Write the figures, remove those of an earlier report that this one has not; return the paths."""
    from thaw.report.picture.save import save

    written = save(content.plots, folder)
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix in (".svg", ".png") and path not in written:
                path.unlink()
    return written
