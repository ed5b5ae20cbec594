"""The verdicts of a study, one a claim. The word follows from the rule alone (rule.py, judge.py)."""

from thaw.report.claims import on_accuracy, on_labels, on_time
from thaw.report.claims.sides import Sides
from thaw.report.claims.verdict import Verdict


def verdicts(sides: Sides) -> list[Verdict]:
    """Return the verdicts on time, accuracy and labels."""
    return [on_time.judged(sides), on_accuracy.judged(sides), on_labels.judged(sides)]
