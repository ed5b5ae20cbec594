"""The comparison page: one HTML file that needs nothing else, and the same as data beside it.

Decisions: plotly.js is inlined once; texts of runs (names, labels, errors) reach the page through ``html.escape`` or
as JSON without ``<``; nothing on the page decides, it shows means, intervals, counts and what to be wary of.
"""

import csv
import html
import io
import json
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from thaw import __version__
from thaw.report import figures, sections
from thaw.report.arms import Arm, arms
from thaw.report.cells import Cell, cells
from thaw.report.collect import Run, Study, size_key
from thaw.report.differences import MISSING, differences
from thaw.report.notes import notes
from thaw.report.palette import looks
from thaw.storage import write_text
from thaw.track.plain import plain
from thaw.track.row import COLUMNS

QUESTION = "Does transfer save training time, improve accuracy, need fewer labels?"
RUN_COLUMNS = ["run_id", "state", "kind", "task", "strategy", "train_size", "seed", "lr", "dev", "test"]
RUN_COLUMNS += ["train_seconds", "collapsed"]


def write(study: Study, out: str | Path, *, title: str | None = None, question: str | None = None) -> Path:
    """Write index.html, report.json and runs.csv to the folder ``out``; return the path of the page."""
    out = Path(out)
    title = title or ", ".join(dict.fromkeys(str(run["name"]) for run in study.runs)) or "no runs"
    question = question or QUESTION
    found = cells(study)
    write_text(out / "runs.csv", runs_csv(study))
    write_text(out / "report.json", _json(report(study, found, title, question)) + "\n")
    write_text(out / "index.html", page(study, found, title, question))
    return out / "index.html"


def report(study: Study, found: list[Cell], title: str, question: str) -> dict[str, Any]:
    """Return what the page shows as plain data."""
    return {
        "format": 1,
        "title": title,
        "question": question,
        "thaw_version": __version__,
        "folders": [str(folder) for folder in study.folders],
        "notes": notes(study, found),
        "cells": [_cell(cell) for cell in found],
        "runs": [_flat(run) for run in study.runs],
        "differences": {one.key: dict(one.values) for one in differences(study.runs)},
        "unreadable": [{"folder": str(one.folder), "reason": one.reason} for one in study.unreadable],
    }


def runs_csv(study: Study) -> str:
    """Return one line a run: every column of the result row, then state, error and folder."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [*COLUMNS, "state", "error", "folder"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(run) for run in study.runs)
    return file.getvalue()


def page(study: Study, found: list[Cell], title: str, question: str) -> str:
    """Return the page as one HTML text."""
    from plotly.offline import get_plotlyjs

    arm_of = arms(study.runs)
    ordered = sorted(set(arm_of.values()), key=lambda arm: arm.order)
    tasks = sorted({cell.task for cell in found})
    look = looks(arm.strategy for arm in ordered)
    content = {
        "title": html.escape(title),
        "question": html.escape(question),
        "facts": html.escape(sections.facts(study)),
        "task_options": "".join(f'<option value="{html.escape(task)}">{html.escape(task)}</option>' for task in tasks),
        "notes": sections.note_list(notes(study, found)),
        "comparison": sections.comparison(found, look),
        "pretraining": sections.pretraining(study),
        "differences": sections.difference_tables(study),
        "problems": sections.problems(study),
        "footer": html.escape(f"Written by thaw {__version__} from {', '.join(map(str, study.folders))}"),
        "data": _script_json(_data(study, found, ordered, arm_of)),
        "plotly": get_plotlyjs(),
        "css": _asset("page.css"),
        "js": _asset("page.js"),
    }
    return Template(_asset("page.html")).substitute(content)


def _data(study: Study, found: list[Cell], ordered: list[Arm], arm_of: dict[int, Arm]) -> dict[str, Any]:
    look = looks(arm.strategy for arm in ordered)
    dash = figures.dashes(ordered, look)
    by_task = {task: [cell for cell in found if cell.task == task] for task in sorted({cell.task for cell in found})}
    seconds = {}
    for task, members in by_task.items():
        sizes = sorted({cell.train_size for cell in members}, key=size_key)
        drawn = [figures.by_seconds([one for one in members if one.train_size == size], look, dash) for size in sizes]
        seconds[task] = {"sizes": [str(size) for size in sizes], "figures": drawn}
    keys = [one.key for one in differences(study.runs)]
    labels = {number: arm_of[id(run)].label for number, run in enumerate(study.runs) if id(run) in arm_of}
    return {
        "tasks": list(by_task),
        "metric": {task: members[0].metric for task, members in by_task.items()},
        "arms": [
            {"label": arm.label, "dash": dash[arm.label]}
            | {"colour": look[arm.strategy].colour, "symbol": look[arm.strategy].symbol}
            for arm in ordered
        ],
        "size": {task: figures.by_size(members, look, dash) for task, members in by_task.items()},
        "seconds": seconds,
        "runs": {
            "columns": ["seconds" if name == "train_seconds" else name for name in RUN_COLUMNS],
            "rows": [[_flat(run)[name] for name in RUN_COLUMNS] for run in study.runs],
            "config_keys": keys,
            "config": [[_shown(run, key) for key in keys] for run in study.runs],
            "state": [run.state for run in study.runs],
            "task": [run["task"] for run in study.runs],
            "arm": [labels.get(number) for number in range(len(study.runs))],
            "title": [_title(run, labels.get(number)) for number, run in enumerate(study.runs)],
        },
        "curves": figures.curves(study.runs),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    made = {name: plain(getattr(cell, name)) for name in ("task", "train_size", "metric", "test", "dev", "difference")}
    made |= {"strategy": cell.arm.strategy, "arm": cell.arm.label, "checkpoint": cell.arm.source or None}
    made |= {"runs": [run["run_id"] for run in cell.runs], "variant": plain(cell.variant), "trials": cell.trials}
    made |= {"tuning_seeds": plain(cell.tuning_seeds), "held_out": cell.held_out, "edge": cell.edge}
    counted = ("failed", "unfinished", "collapsed", "repeated", "unscored")
    return made | {name: getattr(cell, name) for name in counted}


def _flat(run: Run) -> dict[str, Any]:
    return {**run.row, "state": run.state, "error": run.error, "folder": str(run.folder)}


def _shown(run: Run, key: str) -> Any:
    value = run.config.get(key, MISSING)
    plain_value = isinstance(value, str | int | float) and not isinstance(value, bool)
    return value if plain_value else json.dumps(value, default=str)


def _title(run: Run, label: str | None) -> str:
    if label is None:
        return f"{run['run_id']}, seed {run['seed']}"
    return f"{label}, {run['train_size']} examples, seed {run['seed']}, lr {run['lr']} ({run['run_id']})"


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _script_json(value: Any) -> str:
    """Return JSON that can stand in a script element: without ``<`` no text can end it."""
    return _json(value).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return resources.files("thaw.report").joinpath(name).read_text("utf-8")
