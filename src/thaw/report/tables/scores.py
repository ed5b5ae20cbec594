"""Scores and differences to scratch, a table a task: strategies by number of labels."""

from collections.abc import Callable, Sequence

from thaw.report.cells import DIVERGED, RULE, Cell
from thaw.report.collect import size_key
from thaw.report.statistics import SCORE_INTERVAL, within
from thaw.report.summary import NO_DIFFERENCE, signed, spread
from thaw.report.tables.table import Table

ABSENT = "–"


def score_tables(cells: Sequence[Cell]) -> list[Table]:
    """Return the tables of all tasks."""
    made = []
    for task in sorted({cell.task for cell in cells}):
        members = [cell for cell in cells if cell.task == task]
        metric = next((cell.metric for cell in members if cell.metric), "score")
        chosen = f" {RULE}" if any(cell.trials > 1 for cell in members) else ""
        chosen += f" {DIVERGED}" if any(cell.diverged for cell in members) else ""
        made.append(
            _table(
                members,
                name=f"scores-{task}",
                title=f"{task}: test {metric}",
                caption=f"Mean over n seeds, {SCORE_INTERVAL}.{chosen}",
                shown=_score,
            )
        )
        if any(cell.difference for cell in members):
            made.append(
                _table(
                    members,
                    name=f"differences-{task}",
                    title=f"{task}: test {metric} minus that of scratch",
                    caption=f"Paired by seed, 95% t-interval; {NO_DIFFERENCE} includes 0, or fewer than three seeds.",
                    shown=lambda cell: signed(within(cell.difference, cell.metric)) if cell.difference else ABSENT,
                )
            )
    return made


def _score(cell: Cell) -> str:
    if cell.test is None:
        return ABSENT
    text = f"{spread(cell.test)}, n = {cell.test.n}"
    if not cell.diverged:
        return text
    alone = f"; finished alone {spread(cell.survivors)}, n = {cell.survivors.n}" if cell.survivors else ""
    return f"{text}, {cell.diverged} diverged{alone}"


def _table(cells: Sequence[Cell], *, name: str, title: str, caption: str, shown: Callable[[Cell], str]) -> Table:
    sizes = sorted({cell.train_size for cell in cells}, key=size_key)
    arms = sorted({cell.arm for cell in cells}, key=lambda arm: arm.order)
    at = {(cell.arm, cell.train_size): shown(cell) for cell in cells}
    rows = [(arm.label, *(at.get((arm, size), ABSENT) for size in sizes)) for arm in arms]
    return Table(
        name=name,
        title=title,
        caption=caption,
        columns=("strategy", *(f"{size} labels" for size in sizes)),
        rows=tuple(row for row in rows if set(row[1:]) != {ABSENT}),
    )
