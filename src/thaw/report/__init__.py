"""Where runs are compared: from run folders to tables, figures and a page. No torch here."""

from thaw.report.frame import load

__all__ = ["load"]
