"""How settings were chosen: which was taken, which tie with it, how sure the choice is."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.choice import in_words
from thaw.report.claims.selection import selection
from thaw.report.collect import size_key
from thaw.report.tables.table import Table
from thaw.track.ties import RULE

ABSENT = "–"


def choice_table(cells: Sequence[Cell]) -> Table | None:
    """Return a row for each cell whose setting was chosen among several, None where none was."""
    chosen = [cell for cell in cells if cell.trials > 1 and cell.variant and cell.arm.network]
    if not chosen:
        return None
    ordered = sorted(chosen, key=lambda cell: (cell.task, size_key(cell.train_size), cell.arm.order))
    ties, single = any(cell.ties for cell in ordered), any(len(cell.tuning_seeds) == 1 for cell in ordered)
    caption = (
        "Chance that another setting has the best mean dev score when tuning seeds and dev texts are drawn again, and "
        "the standard deviation of the chosen one's score from that (parametric bootstrap over trials)."
    )
    if single:
        caption += " With one tuning seed the dev texts alone are drawn again: it is then less sure than it looks."
    if ties:
        caption += f" Of exactly equal settings one is taken by rule: {RULE}."
    return Table(
        name="choices",
        title="How settings were chosen",
        caption=caption,
        columns=("strategy", "taken", "of", "tuning seeds", "another is chosen", "error", "remarks"),
        rows=tuple(_row(cell) for cell in ordered),
    )


def _row(cell: Cell) -> tuple[str, ...]:
    choice = selection(cell)
    remarks = [f"exactly equal: {'; '.join(in_words(tied) for tied in cell.ties)}"] if cell.ties else []
    remarks += ["at the edge of its grid"] if cell.edge else []
    return (
        f"{cell.arm.label}, {cell.task}, {cell.train_size} labels",
        in_words(cell.variant),
        str(cell.trials),
        str(len(cell.tuning_seeds)),
        f"{choice.others:.0%}" if choice else ABSENT,
        f"±{choice.error:.3f}" if choice else ABSENT,
        "; ".join(remarks) or ABSENT,
    )
