"""Tables of a study as plain text cells, for Markdown, LaTeX and the page."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.claims.analysis import Analysis
from thaw.report.tables.claims import against_table, cost_table, exchange_tables, time_tables
from thaw.report.tables.scores import score_tables
from thaw.report.tables.table import Table

__all__ = ["Table", "all_tables", "cost_table"]


def all_tables(cells: Sequence[Cell], analysis: Analysis) -> list[Table]:
    """Return every table of a study."""
    costs, against = cost_table(analysis.costs), against_table(analysis)
    made = [*score_tables(cells), *([against] if against else []), *exchange_tables(analysis), *time_tables(analysis)]
    return [*made, *([costs] if costs else [])]
