"""Tables of a study as plain text cells, for Markdown, LaTeX and the page."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.analysis import Analysis
from thaw.report.tables.choices import choice_table
from thaw.report.tables.claims import against_table, cost_table, curve_tables, dose_tables, exchange_tables, time_tables
from thaw.report.tables.scores import score_tables
from thaw.report.tables.table import Table

__all__ = ["Table", "all_tables", "claim_tables"]


def all_tables(cells: Sequence[Cell], analysis: Analysis) -> list[Table]:
    """Return every table of a study."""
    return [*score_tables(cells), *claim_tables(analysis)]


def claim_tables(analysis: Analysis) -> list[Table]:
    """Return what the figures of the claims show, in numbers."""
    costs, against = cost_table(analysis.costs), against_table(analysis)
    made = [*curve_tables(analysis), *exchange_tables(analysis), *time_tables(analysis), *dose_tables(analysis)]
    choices = choice_table(list(analysis.sides.cells.values()))
    return [one for one in (against, *made, choices, costs) if one is not None]
