"""Tables of a study as plain text cells, for Markdown, LaTeX and the page."""

from thaw.report.tables.scores import score_tables
from thaw.report.tables.table import Table

__all__ = ["Table", "score_tables"]
