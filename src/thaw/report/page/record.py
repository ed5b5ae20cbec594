"""What the page shows as plain data: report.json, runs.csv."""

import csv
import io
import json
from dataclasses import fields, is_dataclass
from typing import Any

from thaw import __version__
from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run, Study
from thaw.report.differences import differences, machines
from thaw.report.page.content import Content
from thaw.track.plain import plain, printable
from thaw.track.row import COLUMNS

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # how a formula begins, also in full-width letters
CLAIMS = (
    "against",
    "curves",
    "exchange",
    "times",
    "areas",
    "pareto",
    "break_even",
    "pooled",
    "tuning",
    "doses",
    "costs",
)


def report(content: Content) -> dict[str, Any]:
    """Return what the page shows as plain data."""
    study, analysis = content.study, content.analysis
    return {
        "format": 2,
        "title": content.title,
        "question": content.question,
        "thaw_version": __version__,
        "folders": [printable(str(folder)) for folder in study.folders],
        "rule": vars(analysis.rule),
        "transfer": analysis.sides.transfer.label if analysis.sides.transfer else None,
        "verdicts": [simple(one) for one in analysis.verdicts],
        "notes": analysis.guards,
        "cells": [_cell(cell) for cell in content.cells],
        **{name: simple(getattr(analysis, name)) for name in CLAIMS},
        "runs": [flat(run) for run in study.runs],
        "differences": {one.key: dict(one.values) for one in differences(study.runs)},
        "machines": {one.key: dict(one.values) for one in machines(study.runs)},
        "unreadable": [{"folder": one.place, "reason": one.reason} for one in study.unreadable],
    }


def simple(value: Any) -> Any:
    """Return dataclasses as plain dicts, an arm as its label."""
    if isinstance(value, Arm):
        return value.label
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: simple(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): simple(one) for key, one in value.items()}
    return [simple(one) for one in value] if isinstance(value, list | tuple) else plain(value)


def runs_csv(study: Study) -> str:
    """Return one line a run: every column of the result row, then state, error and folder.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which makes it a text there.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, [*COLUMNS, "state", "error", "folder"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell_text(value) for name, value in flat(run).items()} for run in study.runs)
    return file.getvalue()


def _cell_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.lstrip()[:1] in FORMULA else value


def flat(run: Run) -> dict[str, Any]:
    """Return the row of a run with its state, error and folder."""
    return {**run.row, "state": run.state, "error": run.error, "folder": run.place}


def as_json(value: Any) -> str:
    """Return compact, strict JSON."""
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError):  # something in it is not plain yet, or not finite
        return _ENCODER.encode(plain(value))


def _cell(cell: Cell) -> dict[str, Any]:
    made = {
        name: plain(getattr(cell, name))
        for name in ("task", "train_size", "metric", "test", "survivors", "dev", "difference")
    }
    made |= {"strategy": cell.arm.strategy, "arm": cell.arm.label, "checkpoint": cell.arm.source or None}
    made |= {"runs": [run["run_id"] for run in cell.runs], "variant": plain(cell.variant), "trials": cell.trials}
    made |= {"tuning_seeds": plain(cell.tuning_seeds), "held_out": cell.held_out, "edge": cell.edge}
    made |= {"ties": plain(cell.ties), "tuned": cell.tuned, "steps": cell.arm.steps}
    made |= {"divergence": plain(cell.divergence) if cell.diverged else None}
    names = ("diverged", "unknown", "failed", "unfinished", "collapsed", "repeated", "unscored")
    return made | {name: getattr(cell, name) for name in names}
