"""The figures of a study: one small file a family, all as `Plot`."""

from collections.abc import Sequence

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.claims.analysis import Analysis
from thaw.report.claims.clocks import deciding
from thaw.report.collect import Run, size_key
from thaw.report.figures.against import against
from thaw.report.figures.breakeven import break_even
from thaw.report.figures.cost import cost
from thaw.report.figures.dose import dose
from thaw.report.figures.effect import effect
from thaw.report.figures.exchange import exchange
from thaw.report.figures.pareto import pareto
from thaw.report.figures.plot import Figure, Plot
from thaw.report.figures.pooled import pooled, tuning
from thaw.report.figures.seconds import by_cost
from thaw.report.figures.seeds import by_seed
from thaw.report.figures.size import by_size
from thaw.report.figures.style import Style
from thaw.report.figures.surface import surface
from thaw.report.figures.survival import survival
from thaw.report.figures.timeline import timeline

__all__ = ["Figure", "Plot", "Style", "plots"]


def plots(
    cells: Sequence[Cell], analysis: Analysis, style: Style, failed: Sequence[tuple[Arm, Run]] = ()
) -> list[Plot]:
    """Return every figure of a study, in the order of families and tasks; ``failed`` are its failed runs."""
    made: list[Plot | None] = [effect(one, analysis.sides, style) for one in analysis.verdicts]
    for task in sorted({cell.task for cell in cells}):
        made += _of_task(task, cells, analysis, style, failed)
    made.append(against(analysis.against, analysis.sides, style))
    made += pooled(analysis.pooled, style)
    made += [tuning(analysis.tuning, style), cost(analysis.costs, style)]
    return [one for one in made if one]


def _of_task(
    task: str, cells: Sequence[Cell], analysis: Analysis, style: Style, failed: Sequence[tuple[Arm, Run]]
) -> list[Plot | None]:
    members = [cell for cell in cells if cell.task == task]
    share, clock = analysis.rule.target, deciding(analysis.sides)
    made: list[Plot | None] = [
        by_size(members, style, [one for one in analysis.curves if one.task == task]),
        exchange([one for one in analysis.exchange if one.task == task], style),
        *by_cost(members, style, [area for area in analysis.areas if area.task == task]),
        *pareto([point for point in analysis.pareto if point.task == task], members[0].metric or "score", style),
    ]
    times = [one for one in analysis.times if (one.task, one.share, one.clock) == (task, share, clock)]
    paid = [one for one in analysis.break_even if one.task == task]
    doses = [one for one in analysis.doses if one.task == task]
    for size in sorted({cell.train_size for cell in members}, key=size_key):
        made.append(survival([one for one in times if one.size == size], style))
        made.append(break_even([one for one in paid if one.size == size], share, style))
        made.append(dose([one for one in doses if one.size == size], members, style))
    for strategy in dict.fromkeys(one.strategy for one in doses):
        made.append(surface([one for one in doses if one.strategy == strategy], members, style))
    made.append(by_seed(members, [(arm, run) for arm, run in failed if run["task"] == task], style))
    made.append(timeline(members, style))
    return made
