"""The verdicts of a study, one a claim. The word follows from the rule alone (rule.py, judge.py)."""

from thaw.report.claims import on_accuracy, on_labels, on_time
from thaw.report.claims.sides import Sides
from thaw.report.claims.verdict import Verdict


def verdicts(sides: Sides) -> list[Verdict]:
    """Return the verdicts on time, accuracy and labels: always three, whatever was run."""
    return [one.judged(sides) for one in (on_time, on_accuracy, on_labels)]
