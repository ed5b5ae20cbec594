"""The page of a study: its sections as HTML, and the JSON that page/*.js draw figures and tables from."""

import json
from string import Template
from typing import Any

from thaw import __version__
from thaw.report.arms import Arm
from thaw.report.collect import Run
from thaw.report.differences import CODE, MACHINE, MISSING, differences, machines
from thaw.report.examples import Examples
from thaw.report.figures.curves import curves
from thaw.report.figures.exchange import beyond_all
from thaw.report.figures.style import Style
from thaw.report.page import listings, sections, verdicts
from thaw.report.page.content import Content
from thaw.report.page.record import flat
from thaw.report.page.shell import asset, shell
from thaw.report.progress import Progress
from thaw.report.tables import claim_tables
from thaw.track.plain import printable

RUN_COLUMNS = ["run_id", "state", "kind", "task", "strategy", "train_size", "seed", "lr", "dev", "test"]
RUN_COLUMNS += ["train_seconds", "collapsed"]
SCRIPTS = ("curves.js", "table.js", "examples.js", "page.js")


def page(content: Content, live: Progress | None = None) -> str:
    """Return the page as one HTML text; ``live`` is how far the runs have come, where more are to come."""
    study, analysis = content.study, content.analysis
    tables = claim_tables(analysis)
    arms = {cell.arm for cell in content.main}
    shown = [one for one in analysis.exchange if one.arm in arms]
    above = [
        verdicts.cards(analysis, content.plots, content.style),
        sections.note_list(analysis.guards),
        verdicts.reading(analysis, content.style),
    ]
    below = {
        "comparison": sections.comparison(
            content.main, content.style.looks, content.plots, tables, {"labels": beyond_all(shown)}
        ),
        "pretraining": sections.pretraining(study),
        "examples": sections.examples(content.examples),
        "differences": listings.difference_tables(study),
        "problems": listings.problems(study),
    }
    return shell(
        title=content.title,
        question=content.question,
        facts=sections.facts(study),
        tasks=sorted({cell.task for cell in content.cells}),
        skip='<a class="skip" href="#runs">Skip to the table of runs</a>',
        live=sections.live(live),
        above="\n".join(above),
        below=Template(asset("page.html")).substitute(below),
        data=_data(content),
        scripts=[asset(name) for name in (*SCRIPTS, *(["live.js"] if live else []))],
        footer=printable(f"Written by thaw {__version__} from {', '.join(map(str, study.folders))}"),
    )


def _data(content: Content) -> dict[str, Any]:
    study, style = content.study, content.style
    keys = [one.key for one in (*differences(study.runs), *machines(study.runs))]
    labels = [content.arm_of[id(run)].label if id(run) in content.arm_of else None for run in study.runs]
    return {
        "metric": {cell.task: cell.metric for cell in content.cells},
        "arms": arm_looks(style, {cell.arm for cell in content.main}),
        "plots": [
            {"key": one.key, "task": one.task, "choice": one.choice, "caption": one.caption, "figure": one.figure}
            for one in content.plots
        ],
        "runs": {
            "columns": ["seconds" if name == "train_seconds" else name for name in RUN_COLUMNS],
            "rows": [[flat(run)[name] for name in RUN_COLUMNS] for run in study.runs],
            "config_keys": keys,
            "config": [[_shown(run, key) for key in keys] for run in study.runs],
            "state": [run.state for run in study.runs],
            "task": [run["task"] for run in study.runs],
            "arm": labels,
            "title": [_title(run, label) for run, label in zip(study.runs, labels, strict=True)],
        },
        "curves": curves(study.runs),
        "examples": {one.task: _examples(one) for one in content.examples},
    }


def arm_looks(style: Style, shown: set[Arm]) -> list[dict[str, Any]]:
    """Return how each arm is drawn, and whether the legend has it."""
    return [
        {"label": arm.label, "dash": style.dashes[arm.label], "shown": arm in shown}
        | {"colour": style.colour(arm), "symbol": style.symbol(arm)}
        for arm in style.arms
    ]


def _examples(one: Examples) -> dict[str, Any]:
    return {
        "size": one.train_size,
        "seed": one.seed,
        "total": one.total,
        "arms": one.arms,
        "shown": one.shown,
        "pairs": {f"{first},{second}": counts for (first, second), counts in one.pairs.items()},
        "samples": [vars(sample) for sample in one.samples],
    }


def _shown(run: Run, key: str) -> Any:
    if key in MACHINE or key in CODE:
        return MISSING if run.row.get(key) is None else run[key]
    value = run.config.get(key, MISSING)
    plain_value = isinstance(value, str | int | float) and not isinstance(value, bool)
    return value if plain_value else json.dumps(value, default=str)


def _title(run: Run, label: str | None) -> str:
    if label is None:
        return f"{run['run_id']}, seed {run['seed']}"
    return f"{label}, {run['train_size']} examples, seed {run['seed']}, lr {run['lr']} ({run['run_id']})"
