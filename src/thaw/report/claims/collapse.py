"""How many runs of transfer collapsed, and what the share that this does not exclude would do to a gain.

Fine-tuning sometimes fails altogether (Mosbach et al. 2021): one run in ten that falls to the majority answer outweighs
the gains of the others. A few runs that all went well do not exclude it, and no interval over their scores can know:
with three to ten seeds the t interval of such a world covers its mean in 45 to 65 % of studies. So *supported* asks
that the gain be worth the name even with as many collapses as the runs leave possible: the upper end of Wilson's
interval for the share, over all scored runs of the arm at any task and size, at 90 % from one side.
"""

from dataclasses import dataclass, replace

from thaw.report.claims.sides import Sides
from thaw.report.rates import wilson_interval
from thaw.report.words import number

LEVEL = 0.8  # two-sided: in one study of ten the true share is above the upper end


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """The runs of transfer that collapsed, and what one more costs."""

    runs: int  # scored, of any task and train size
    collapsed: int
    low: float  # share that collapses: Wilson's interval at 95 %
    high: float
    worst: float  # upper end at LEVEL: the share of collapses that a supported gain must stand
    loss: float | None  # scratch above the majority answer at the headline sizes, minus the effect of a collapse; None:
    # the majority's score is known for no task, and nothing is asked of the gain

    def least(self, margin: float) -> float:
        """Return the mean effect from which a share of ``worst`` collapses would leave ``margin``."""
        seen = self.collapsed / self.runs
        if self.loss is None or self.worst >= 1 or self.worst <= seen:
            return margin
        return max(margin, (margin * (1 - seen) + (self.worst - seen) * self.loss) / (1 - self.worst))

    def runs_needed(self, mean: float, margin: float, most: int = 10_000) -> int | None:
        """Return how many runs, none of the further ones collapsed, would let a mean effect stand; None if none do."""
        for runs in range(self.runs, most):
            worst = wilson_interval(self.collapsed, runs, LEVEL)[1]
            if replace(self, runs=runs, worst=worst).least(margin) <= mean:
                return runs
        return None

    @property
    def count(self) -> str:
        """The count in words: "none of 9 runs collapsed"."""
        return f"{self.collapsed or 'none'} of {number(self.runs, 'run')} collapsed"

    @property
    def text(self) -> str:
        """The count with its interval: "none of 9 runs collapsed (0 to 30 % by Wilson's interval)"."""
        return f"{self.count} ({self.low * 100:.0f} to {self.high * 100:.0f} % by Wilson's interval)"


def collapse(sides: Sides) -> Collapse | None:
    """Return the collapses of the verdicts' transfer, None where it has no scored run."""
    arm = sides.transfer
    runs = [run for (_, cell_arm, _), cell in sides.cells.items() if cell_arm == arm for run in cell.runs]
    if arm is None or not runs:
        return None
    losses = []
    for task in sides.tasks:
        floor, scratch = sides.floor(task), sides.scratch(task, arm)
        if floor is None or scratch is None:
            continue
        for size in sides.headline(task, arm, scratch):
            scores = sides.scores(task, scratch, size)
            if scores:
                losses.append(sum(scores.values()) / len(scores) - floor)
    failed = sum(run.collapsed or run.state == "failed" for run in runs)
    low, high = wilson_interval(failed, len(runs))
    worst = wilson_interval(failed, len(runs), LEVEL)[1]
    loss = max(0.0, sum(losses) / len(losses)) if losses else None
    return Collapse(runs=len(runs), collapsed=failed, low=low, high=high, worst=worst, loss=loss)
