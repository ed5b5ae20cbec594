"""Tables of the claims: exchange rates, times to target, doses, the cost ledger."""

from collections.abc import Callable, Sequence

from thaw.report.claims.analysis import Analysis
from thaw.report.claims.arrival import CLOCKS, Times
from thaw.report.claims.clocks import deciding
from thaw.report.claims.curves import crossover
from thaw.report.claims.ledger import Cost
from thaw.report.statistics import SCORE_INTERVAL
from thaw.report.summary import signed, spread
from thaw.report.tables.table import Table

ABSENT = "–"
STAGES = {"pretrain": "pretraining", "tune": "tuning and not scored", "train": "training", "evaluate": "evaluation"}
UNITS = {"seconds": "s", "cpu_seconds": "CPU s", "step": "steps", "flops": "FLOPs"}


def against_table(analysis: Analysis) -> Table | None:
    """Return every strategy against the one of the verdicts, None where nothing pairs."""
    transfer = analysis.sides.transfer
    if transfer is None or not analysis.against:
        return None
    rows = [
        (
            one.arm.label,
            one.word,
            signed(one.estimate),
            f"{one.p:.2g}",
            str(one.estimate.n),
            str(one.tasks),
            one.remarks or ABSENT,
        )
        for one in sorted(analysis.against, key=lambda one: one.arm.order)
    ]
    return Table(
        name="against",
        title=f"Every strategy against {transfer.label}",
        caption=(
            f"Difference in test score, mean over tasks, interval over paired seeds and test texts; Holm over the "
            f"rows; equal: within {analysis.rule.margin:g} of 0 by two one-sided tests; not tuned: the learning rate "
            f"of one of the two was not. Networks with other optimizer steps are not compared."
        ),
        columns=("strategy", "is", "difference", "p", "seeds", "tasks", "remarks"),
        rows=tuple(rows),
    )


def curve_tables(analysis: Analysis) -> list[Table]:
    """Return the learning curve of each strategy, a table a task: its line, its area, where others cross it."""
    made = []
    for task in dict.fromkeys(one.task for one in analysis.curves):
        members = [one for one in analysis.curves if one.task == task]
        rows = []
        for one in members:
            line = "monotone"
            if one.parameters is not None:
                a, b, c = one.parameters
                line = f"1 - ({a:.3g} n^-{b:.2g} + {c:.2g})"
            found = [(other.arm.label, crossover(one, other)) for other in members if other is not one]
            crossed = ", ".join(f"{label} at {size:.0f}" for label, size in found if size is not None)
            rows.append((one.arm.label, line, spread(one.area) if one.area else ABSENT, crossed or ABSENT))
        made.append(
            Table(
                name=f"curves-{task}",
                title=f"{task}: learning curves",
                caption="Area: mean score over log n, interval over seeds. Lines cross at that number of labels.",
                columns=("strategy", "score with n labels", "area", "crosses"),
                rows=tuple(rows),
            )
        )
    return made


def exchange_tables(analysis: Analysis) -> list[Table]:
    """Return what a label with transfer is worth, a table a task."""
    made = []
    for task in dict.fromkeys(one.task for one in analysis.exchange):
        rates = [one for one in analysis.exchange if one.task == task]
        sizes = sorted({one.labels for one in rates})
        arms = list(dict.fromkeys(one.arm for one in rates))
        at = {(one.arm, one.labels): one.rate for one in rates}
        made.append(
            Table(
                name=f"exchange-{task}",
                title=f"{task}: labels from scratch that one label with transfer is worth",
                caption=(
                    "Read between measured sizes, 95% interval paired by seed, errors of reading and of texts in it; "
                    "beyond the sizes > or <."
                ),
                columns=("strategy", *(f"{size} labels" for size in sizes)),
                rows=tuple((arm.label, *(at.get((arm, size), ABSENT) for size in sizes)) for arm in arms),
            )
        )
    return made


def time_tables(analysis: Analysis) -> list[Table]:
    """Return the times to the rule's share of scratch's gain, a table a task.

    A mean counts no longer than the arm that was watched shortest at that train size; how long every run of an arm was
    watched and when half of its runs had arrived stand beside it, by the clock of the verdict. Where runs come as near
    to the target as scratch's own differ, their number stands there too: the verdict lets them arrive.
    """
    share, main = analysis.rule.target, deciding(analysis.sides)
    found = [one for one in analysis.times if one.share == share]
    made = []
    for task in dict.fromkeys(one.task for one in found):
        members = [one for one in found if one.task == task]
        clocks = [clock for clock in CLOCKS if any(one.clock == clock for one in members)]
        main = main if main in clocks else clocks[0]
        rows = []
        for size, arm in dict.fromkeys((one.size, one.arm) for one in members):
            by_clock = {one.clock: one for one in members if (one.size, one.arm) == (size, arm)}
            first = by_clock.get(main, next(iter(by_clock.values())))
            half = first.median()
            ends = [_mean(by_clock.get(clock), members) for clock in clocks]
            told = (_reached(first), ABSENT if half is None else _short(half), _short(first.watched))
            rows.append((f"{arm.label}, {size} labels", f"{first.target:.3f}", *told, *ends))
        made.append(
            Table(
                name=f"times-{task}",
                title=f"{task}: time to {share:.0%} of what scratch gains on dev",
                caption=(
                    f"Half and end: when half of the runs had arrived, and how long all of them were watched, diverged "
                    f"ones apart ({UNITS[main]}). "
                    "Then the mean over runs, counted no longer than the end of the strategy that was watched shortest "
                    "at that train size (restricted mean). Evaluation and pretraining apart."
                ),
                columns=("strategy", "target", "reached", "half", "end", *(UNITS[clock] for clock in clocks)),
                rows=tuple(rows),
            )
        )
    return made


def dose_tables(analysis: Analysis) -> list[Table]:
    """Return the score of each strategy and train size by pretraining tokens, a table a task."""
    made = []
    for task in dict.fromkeys(one.task for one in analysis.doses):
        lines = [one for one in analysis.doses if one.task == task]
        tokens = sorted({amount for one in lines for amount in one.tokens})
        rows = []
        for one in lines:
            at = dict(zip(one.tokens, one.scores, strict=True))
            told = ABSENT if one.spearman is None else f"{one.spearman:+.2f}"
            scores = [spread(at[amount]) if amount in at else ABSENT for amount in tokens]
            rows.append((f"{one.strategy}, {one.size} labels", *scores, told))
        made.append(
            Table(
                name=f"doses-{task}",
                title=f"{task}: test score by tokens of pretraining",
                caption=f"Mean [{SCORE_INTERVAL} over seeds]; checkpoints of one pretraining; correlation of ranks.",
                columns=("strategy", *(f"{_short(amount)} tokens" for amount in tokens), "Spearman"),
                rows=tuple(rows),
            )
        )
    return made


def _reached(one: Times) -> str:
    near = f" ({one.near} within scratch's noise)" if one.near > one.reached else ""
    return f"{one.reached} of {len(one.arrivals)}{near}"


def _mean(one: Times | None, peers: Sequence[Times]) -> str:
    if one is None:
        return ABSENT
    near = [peer.watched for peer in peers if (peer.size, peer.clock) == (one.size, one.clock)]
    end = min((watched for watched in near if watched > 0), default=0.0)  # an arm that diverged as a whole has none
    return _short(one.restricted_mean(end)) if end > 0 else ABSENT


def cost_table(costs: Sequence[Cost]) -> Table | None:
    """Return the ledger, None where nothing has a cost."""
    shown = [one for one in costs if one.stage == "pretrain" or one.seconds or one.flops]
    if not shown:
        return None
    rows = [
        (
            one.arm.label if one.arm else "shared by all",
            STAGES[one.stage],
            str(one.runs),
            _amount(one.seconds, "seconds" in one.partial, "{:,.0f}".format),
            _amount(one.cpu_seconds, "cpu_seconds" in one.partial, "{:,.0f}".format),
            _amount(one.tokens, "tokens" in one.partial, _short),
            _amount(one.flops, "flops" in one.partial, "{:.3g}".format),
        )
        for one in shown
    ]
    trained = [one for one in shown if one.stage != "evaluate"]  # of evaluation no CPU seconds are measured
    rows.append(
        ("all", "", str(sum(one.runs for one in trained)), _all("seconds", shown), _all("cpu_seconds", trained), "", "")
    )
    return Table(
        name="costs",
        title="Cost ledger",
        caption="Sums over all runs, failed and not scored ones too; at least that much where some runs or stages do"
        " not know theirs. FLOPs are analytic; tokens include padding.",
        columns=("strategy", "stage", "runs", "seconds", "CPU seconds", "tokens", "FLOPs"),
        rows=tuple(rows),
    )


def _all(amount: str, costs: Sequence[Cost]) -> str:
    """Return the sum of an amount over all stages."""
    known = [value for one in costs if (value := getattr(one, amount)) is not None]
    partial = len(known) < len(costs) or any(amount in one.partial for one in costs)
    return _amount(sum(known) if known else None, partial, "{:,.0f}".format)


def _amount(value: float | None, partial: bool, words: Callable[[float], str]) -> str:
    return ABSENT if value is None else f"≥ {words(value)}" if partial else words(value)


def _short(value: float) -> str:
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= unit:
            return f"{value / (1e3 if unit == 1e4 else unit):.3g}{name}"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
