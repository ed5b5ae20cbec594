"""The folder of a report: the page, the same as data, the table of runs."""

from pathlib import Path

from thaw.report.arms import arms
from thaw.report.cells import cells
from thaw.report.collect import Study
from thaw.report.figures import Style, plots
from thaw.report.page.document import Content, page
from thaw.report.page.record import as_json, report, runs_csv
from thaw.storage import write_text

QUESTION = "Does transfer save training time, improve accuracy, need fewer labels?"


def write(study: Study, out: str | Path, *, title: str | None = None, question: str | None = None) -> Path:
    """Write index.html, report.json and runs.csv to the folder ``out``; return the path of the page."""
    out = Path(out)
    found = cells(study)
    arm_of = arms(study.runs)
    style = Style.of(arm_of.values())
    failed = [(arm_of[id(run)], run) for run in study.runs if run.state == "failed" and run.transfers]
    content = Content(
        study=study,
        cells=found,
        arm_of=arm_of,
        style=style,
        plots=plots(found, style, failed),
        title=title or ", ".join(dict.fromkeys(str(run["name"]) for run in study.runs)) or "no runs",
        question=question or QUESTION,
    )
    write_text(out / "runs.csv", runs_csv(study))
    write_text(out / "report.json", as_json(report(study, found, content.title, content.question)) + "\n")
    write_text(out / "index.html", page(content))
    return out / "index.html"
