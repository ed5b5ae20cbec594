"""Everything that a page of a study is made of, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from thaw.report.arms import Arm, arms
from thaw.report.cells import Cell, cells
from thaw.report.claims.analysis import Analysis, analyse
from thaw.report.claims.pooled import pooled
from thaw.report.collect import Study
from thaw.report.examples import Examples, examples
from thaw.report.figures import Plot, Style, plots

QUESTION = "Does transfer save training time, improve accuracy, need fewer labels?"


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that a page is made of."""

    study: Study
    cells: list[Cell]
    main: list[Cell]  # without the encoders that are lesser doses of another one: those are in the dose figure
    analysis: Analysis
    arm_of: dict[int, Arm]  # by id of the run
    style: Style
    plots: list[Plot]
    examples: list[Examples]
    title: str
    question: str


def gather(study: Study, title: str | None = None, question: str | None = None) -> Content:
    """Return everything a page of a study is made of."""
    found = cells(study)
    analysis = analyse(study, found)
    arm_of = arms(study.runs)
    lesser = lesser_doses(found) - {analysis.sides.transfer}
    style = Style.of(arm_of.values(), lesser)
    main = [cell for cell in found if cell.arm not in lesser]
    scored = {run.folder for cell in found for run in cell.runs}  # diverged ones are among them
    failed = [
        (arm, run)
        for run in study.runs
        if run.state == "failed"
        and (arm := arm_of.get(id(run))) is not None
        and arm not in lesser
        and run.folder not in scored
    ]
    return Content(
        study=study,
        cells=found,
        analysis=analysis,
        arm_of=arm_of,
        style=style,
        main=main,
        plots=plots(main, without(analysis, lesser), style, failed),
        examples=examples(main),
        title=title or ", ".join(dict.fromkeys(str(run["name"]) for run in study.runs)) or "no runs",
        question=question or QUESTION,
    )


def lesser_doses(found: Sequence[Cell]) -> set[Arm]:
    """Return the arms whose encoder is a checkpoint of a pretraining that goes on in another arm of the strategy."""
    tokens: dict[tuple[str, str], dict[Arm, float]] = {}
    for cell in found:
        for run in cell.runs[:1]:
            if run["pretrain_run"] and run["pretrain_tokens"] is not None:
                own = tokens.setdefault((cell.arm.strategy, str(run["pretrain_run"])), {})
                own[cell.arm] = max(own.get(cell.arm, 0.0), run["pretrain_tokens"])
    return {arm for doses in tokens.values() for arm, dose in doses.items() if dose < max(doses.values())}


def without(analysis: Analysis, lesser: set[Arm]) -> Analysis:
    """Return an analysis of the other arms alone; doses, tuning and costs stay whole."""
    if not lesser:
        return analysis
    sides = replace(
        analysis.sides, cells={key: one for key, one in analysis.sides.cells.items() if key[1] not in lesser}
    )
    kept: dict[str, Any] = {
        name: [one for one in getattr(analysis, name) if one.arm not in lesser]
        for name in ("against", "curves", "exchange", "times", "areas", "pareto", "break_even")
    }
    return replace(analysis, sides=sides, pooled=pooled(sides), **kept)
