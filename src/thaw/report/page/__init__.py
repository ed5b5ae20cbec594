"""The page of a study and what stands beside it."""

from thaw.report.page.folder import write

__all__ = ["write"]
