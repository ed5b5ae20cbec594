"""What must be known before a verdict is believed; printed at the top of the page when it fires."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence

from thaw.report.cells import Cell
from thaw.report.claims import clocks
from thaw.report.claims.seed_notes import seed_notes
from thaw.report.claims.sides import Sides
from thaw.report.collect import Study
from thaw.report.words import number


def guards(study: Study, cells: Sequence[Cell], sides: Sides, rules: int) -> list[str]:
    """Return the guards of the verdicts; those of the tables are in notes.py."""
    budget = [*_rule(sides, rules), *seed_notes(sides), *_tuned(study, cells), *_doses(sides)]
    return [*clocks.guard(sides), *budget, *clocks.cores(study)]


def _rule(sides: Sides, rules: int) -> Iterable[str]:
    if rules == 0:
        yield "No run records a verdict rule: the default one is used, fixed after the runs were made."
    if rules > 1:
        yield f"The runs were made under {rules} verdict rules; the one of most runs is used."
    if sides.transfer is not None and sides.transfer.strategy != sides.rule.strategy:
        yield (
            f"The rule is about {sides.rule.strategy}, which was not run: the verdicts are about"
            f" {sides.transfer.strategy}, chosen after the runs were made."
        )
    known = {size for arm in sides.arms for task in sides.tasks for size in sides.sizes(task, arm)}
    if missing := [str(size) for size in sides.rule.sizes if size not in known]:
        yield f"The rule's train sizes {', '.join(missing)} were not run."


def _tuned(study: Study, cells: Sequence[Cell]) -> Iterable[str]:
    """Tell of tuning whose runs are not here: their costs are in no ledger, their trials can not be counted."""
    read = {os.path.normpath(str(folder)) for folder in study.folders}
    outside: dict[str, int] = defaultdict(int)
    for cell in cells:
        for run in cell.runs:
            source = run.config.get("tuned")
            if source and run["lr"] is not None and os.path.normpath(str(source)) not in read:
                outside[str(source)] += 1
    for source, count in sorted(outside.items()):
        which = f"The learning rates of {number(count, 'run')}"
        yield f"{which} were chosen in {source}: those trials are not counted in the costs."


def _doses(sides: Sides) -> Iterable[str]:
    if sides.transfer is None:
        return
    same = [arm for arm in sides.arms if arm.strategy == sides.transfer.strategy]
    encoders, budgets = len({arm.source for arm in same}), len({arm.steps for arm in same})
    name, label = sides.transfer.strategy, sides.transfer.label
    if budgets > 1:
        yield f"{name} was run with {budgets} numbers of steps: the verdicts are about {label}."
    elif encoders > 1:
        which = "the one at the end of the pretraining" if label == name else label
        yield f"{name} was run from {encoders} encoders: the verdicts are about {which}."
