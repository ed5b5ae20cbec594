"""Estimates and judgements in words: what the sentences of the verdicts are made of."""

import math
from collections.abc import Callable, Sequence

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, SMALL, SUPPORTED, Judgement
from thaw.report.claims.labels import Exchange
from thaw.report.claims.resampling import Drawn
from thaw.report.claims.sides import Sides
from thaw.report.statistics import FEWEST, Estimate
from thaw.report.words import number


def points(one: Estimate) -> str:
    """Return a difference of scores: "+0.124 [+0.081, +0.167]"; without an interval where nothing is tested."""
    if not one.tested:
        return f"{one.mean:+.3f}"
    return f"{one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def gain(value: float) -> str:
    """Return a difference of scores without its interval."""
    return f"{value:+.3f}"


def times(log: float) -> str:
    """Return the logarithm of a ratio as that ratio."""
    return f"{math.exp(log):.3g}"


def rate(one: Exchange) -> str:
    """Return what some labels are worth: "50 labels with transfer are worth 240 from scratch (180 to 330)".

    Where the scores are beyond the measured sizes the bound is the mean's, so how far the interval goes is said too:
    "50 labels with transfer are worth more than 400 from scratch (at least 135 by the interval)".
    """
    return f"{one.labels} labels with transfer are worth {_worth(one)} from scratch{_interval(one)}"


def rates(every: Sequence[Exchange]) -> str:
    """Return the exchange rates of several tasks as one sentence, "" without any; the first one in full."""
    parts = [f"{rate(one)} on {one.task}" for one in every[:1]]
    parts += [f"{one.labels} labels {_worth(one)}{_interval(one)} on {one.task}" for one in every[1:]]
    return f"{', '.join(parts)}." if parts else ""


def _worth(one: Exchange) -> str:
    if one.worth is not None:
        return _count(one.worth)
    return f"more than {one.most}" if one.beyond == "above" else f"less than {one.least}"


def _interval(one: Exchange) -> str:
    """Return the interval of an exchange rate in brackets; "" where it leaves out all that was measured."""
    if not one.tested:
        return f" ({number(one.seeds, 'seed')}: no interval)"
    if one.excluded:
        return ""
    if one.beyond == "above" and one.low is not None and one.high is None:
        return f" (at least {_count(one.low)} by the interval)"
    if one.beyond == "below" and one.high is not None and one.low is None:
        return f" (at most {_count(one.high)} by the interval)"
    low = _count(one.low) if one.low is not None else f"< {one.least}"
    high = _count(one.high) if one.high is not None else f"> {one.most}"
    return f" ({low} to {high})"


def _count(labels: float) -> str:
    digits = 10 ** max(0, math.floor(math.log10(labels)) - 1)
    return f"{round(labels / digits) * digits:,.0f}"


def settling(judgement: Judgement, shown: Callable[[float], str]) -> str:
    """Return what these seeds can see, and for an inconclusive judgement how many would see the effect measured."""
    return f"{_seeds(judgement, shown)} {judgement.note}".strip()


def _seeds(judgement: Judgement, shown: Callable[[float], str]) -> str:
    if judgement.detectable is None or judgement.pooled is None:
        return f"Run {FEWEST} seeds or more: fewer are not tested."
    seeds = judgement.pooled.n
    if not judgement.pooled.error:
        return "Nothing is known of how much seeds differ."
    sees = f"{seeds} seeds find effects above {shown(judgement.detectable)} (4 times in 5)"
    if judgement.word != INCONCLUSIVE:
        return f"{sees}."
    excluded, mean = judgement.collapse, judgement.pooled.mean
    if excluded and judgement.pooled.excludes_zero and mean >= judgement.least:
        count = excluded.runs_needed(mean, judgement.least)
        if count is not None and count > excluded.runs:
            return f"{sees}; {count} runs at any task and size, none more of them collapsed, would exclude it."
    if judgement.seeds is None:
        return f"{sees}; the effect measured is none or too small for any number of seeds to support."
    if judgement.seeds <= seeds:
        return f"{sees}; as many would do for the effect measured, so it is the rule's other conditions that fail."
    return f"{sees}; an effect as large as the one measured needs about {judgement.seeds} {_range(judgement)}."


def _range(judgement: Judgement) -> str:
    """Return the range of the number of seeds, by what the spread may be: "(5 to 20)", "(5 or more)"."""
    low, high = judgement.seeds_range or (judgement.seeds, None)
    return f"({low} to {high})" if high is not None else f"({low} or more)"


def texts_told(drawn: dict[str, Drawn], without: list[str]) -> str:
    """Return what the test texts add, on the task where it is most, and where they are not in the interval."""
    lines = []
    if drawn:
        task, most = max(drawn.items(), key=lambda item: item[1].error)
        lines.append(
            f"Other test texts would move it by ±{most.error:.3f} on {task} (standard error, {most.examples:,} texts);"
            " that is in the interval."
        )
    if without:
        names = ", ".join(without) if len(without) < 4 else f"{len(without)} tasks"
        lines.append(f"The test texts are not in the interval on {names}: there are no predictions to draw from.")
    return " ".join(lines)


def by_text(drawn: dict[str, Drawn], judged: Judgement) -> str:
    """Return what pairing by text inside each seed says, and what it means where that disagrees; "" if not known."""
    if not drawn:
        return ""
    counts = [
        f"{texts.better} of {texts.seeds} better" + (f" and {texts.worse} worse" if texts.worse else "") + f" on {task}"
        for task, texts in drawn.items()
    ]
    shown = "; ".join(counts[:4]) + (f"; {len(counts) - 4} tasks more" if len(counts) > 4 else "")
    text = f"Seeds told apart by their own test texts (McNemar, Holm over the seeds): {shown}."
    better, worse, seeds = (
        sum(getattr(texts, key) for texts in drawn.values()) for key in ("better", "worse", "seeds")
    )
    by_seed = judged.word in (SUPPORTED, SMALL, MIXED)
    if better and worse:
        return f"{text} Which side is better depends on the seed: one run tells nothing of the strategy."
    if by_seed and better < seeds / 2:
        return f"{text} Single runs are too close for these texts to tell; it is the mean over seeds that differs."
    if not by_seed and better > seeds / 2:
        return f"{text} These runs differ on these texts, but over seeds and other texts the mean is not settled."
    return text


def failures(sides: Sides) -> str:
    """Return how many runs of transfer and scratch diverged, collapsed or failed, a clause; "" if none did."""
    clauses = []
    for arm, members in _members(sides).items():
        runs = [run for cell in members for run in cell.runs]
        of = f"of {number(len(runs), 'run')} of {arm.label}"
        if count := sum(run.diverged for run in runs):
            clauses.append(f"{count} {of} diverged and {'counts' if count == 1 else 'count'} as the majority answer")
        if count := sum(run.collapsed for run in runs):
            clauses.append(f"{count} {of} collapsed")
    return "".join(f"; {clause}" for clause in [*clauses, *left_out(sides)])


def left_out(sides: Sides) -> list[str]:
    """Return how many runs of transfer and scratch have no score and are in no mean, a clause an arm and reason."""
    return [
        f"{number(count, 'run')} of {arm.label} {what}, left out"
        for arm, members in _members(sides).items()
        for count, what in (
            (sum(cell.failed for cell in members), "failed"),
            (sum(cell.unknown for cell in members), "diverged"),
        )
        if count
    ]


def _members(sides: Sides) -> dict[Arm, list[Cell]]:
    """Return the cells of the transfer and of the scratch it is compared with."""
    transfer = sides.transfer
    baselines = [sides.scratch(task, transfer) for task in sides.tasks] if transfer else []
    return {
        arm: [cell for (_, cell_arm, _), cell in sides.cells.items() if cell_arm == arm]
        for arm in dict.fromkeys([transfer, *baselines])
        if arm is not None
    }
