"""Cells of the comparison: (task, arm, train size) -> mean over seeds, difference to scratch, how it was chosen.

The rule where a cell holds several variants (a sweep over ``optim.lr`` or any other setting): the variant with the
best mean dev score over the seeds that all variants have is taken; a variant with failed or diverged runs yields to one
without. If the chosen variant has more seeds than those, the seeds it was chosen on are left out of the score. What is
a setting, and what is not, stands in choice.py.

A diverged run scores the majority answer of its task (diverged.py). Pretrainings that differ by their seed alone are
one arm (recipes.py): a score of a seed is then the mean over them, and a seed counts that all of them have.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm, arms, baseline_of
from thaw.report.choice import Trial, choose, in_words
from thaw.report.collect import Run, Study, size_key
from thaw.report.diverged import stand_ins
from thaw.report.rates import Rate, wilson
from thaw.report.recipes import pretraining
from thaw.report.statistics import Estimate, estimate, paired, score_interval

RULE = (
    "Where a strategy was run with several settings (such as learning rates), the setting with the best mean dev score "
    "is shown, per task and train size; the test score is never used for choosing."
)
DIVERGED = "A run that diverged scores the majority answer of its task (intention to treat)."


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one strategy reached on one task with one train size."""

    task: str
    arm: Arm
    train_size: Any  # number of labelled examples, or "all"
    metric: str  # of its finished runs
    runs: list[Run]  # the scored ones: the chosen variant, one a seed and pretraining; of diverged ones stand-ins
    test: Estimate | None  # over seeds, diverged runs by the majority answer; its interval is in the metric's range
    survivors: Estimate | None  # the same of finished runs alone
    dev: Estimate | None
    difference: Estimate | None  # test score minus that of scratch, paired by seed
    variant: dict[str, Any]  # the settings chosen, {} if there was nothing to choose
    trials: int  # variants to choose from
    trial_devs: list[float]  # mean dev score of each variant on the tuning seeds
    tried: list[Trial]  # the same with the settings, seed by seed
    ties: list[dict[str, Any]]  # variants that are exactly as good on dev as the chosen one
    others: list[Run]  # runs that are not scored: other variants, tuning seeds, failed ones
    tuning_seeds: list[Any]  # seeds the variant was chosen on
    held_out: bool  # whether the scored seeds are others than the tuning seeds
    edge: list[str]  # settings chosen at an edge of their grid
    diverged: int  # of the scored runs
    unknown: int  # diverged runs that are left out since nobody knows their majority answer
    failed: int  # otherwise: runs of the cell, any variant, left out
    unfinished: int
    collapsed: int  # finished and not above the majority class, any variant
    repeated: int  # finished runs left out since another of the same variant has the same seed
    unscored: int  # scored runs whose test metric is undefined, such as a correlation of constant predictions

    @property
    def choice(self) -> str:
        """How the variant was chosen, in words; empty if there was nothing to choose."""
        if self.trials < 2:
            return ""
        seeds = ", ".join(map(str, self.tuning_seeds))
        text = f"{in_words(self.variant)}: chosen on dev of {self.trials}"
        text += f" (seed {seeds})" if self.held_out else ""
        text += f", {len(self.ties) + 1} exactly equal" if self.ties else ""
        return text + (", at the edge of its grid" if self.edge else "")

    @property
    def divergence(self) -> Rate:
        """How many of the scored runs diverged."""
        return wilson(self.diverged, len(self.runs))

    @property
    def tuned(self) -> bool:
        """Whether its learning rate was chosen among several, here or in the study that ``tuned=`` names, or has none.

        Where that is not so, a strategy may be better than another only since the one rate suits it.
        """
        if not self.arm.network or "optim.lr" in self.variant:
            return True
        return bool(self.runs) and all(run.config.get("tuned") for run in self.runs)

    @property
    def by_pretraining(self) -> dict[str, dict[Any, float]]:
        """The test scores by the pretraining they start from, then by seed; "" where none or one is known."""
        return by_pretraining(self.arm, self.runs)

    @property
    def partial_seeds(self) -> list[Any]:
        """The seeds that some but not all of its pretrainings have, so that they are in no mean."""
        values = self.by_pretraining
        return sorted(set().union(*values.values()) - set(over_pretrainings(values)), key=str)


def by_pretraining(arm: Arm, runs: Iterable[Run], column: str = "test") -> dict[str, dict[Any, float]]:
    """Return the scores of an arm's runs by pretraining, then by seed; "" for an arm that crosses no pretrainings."""
    values: dict[str, dict[Any, float]] = defaultdict(dict)
    for run in runs:
        if run[column] is not None:
            values[pretraining(run) if arm.crossed else ""][run["seed"]] = run[column]
    return dict(values)


def over_pretrainings(values: Mapping[str, Mapping[Any, float]]) -> dict[Any, float]:
    """Return the mean over pretrainings of each seed that all of them have; of each seed as it is where none is."""
    if not values:
        return {}
    shared = set.intersection(*(set(by_seed) for by_seed in values.values()))
    every = dict.fromkeys(seed for by_seed in values.values() for seed in by_seed)
    return {
        seed: math.fsum(having) / len(having)
        for seed in every
        if (seed in shared or not shared)
        and (having := [by_seed[seed] for by_seed in values.values() if seed in by_seed])
    }


def scores(arm: Arm, runs: Iterable[Run], column: str = "test") -> dict[Any, float]:
    """Return the score of each seed, of several pretrainings their mean, as tables and verdicts alike have it."""
    return over_pretrainings(by_pretraining(arm, runs, column))


def cells(study: Study) -> list[Cell]:
    """Return all cells of a study, ordered by task, train size and strategy; runs that are set aside are in none."""
    arm_of, stands = arms(study.runs), stand_ins(study.runs)
    groups: dict[tuple[str, Arm, Any], list[Run]] = defaultdict(list)
    for run in study.runs:
        if run.transfers and not run.aside:
            groups[str(run["task"]), arm_of[id(run)], run["train_size"]].append(stands.get(id(run), run))
    chosen = {key: choose(key[1], runs) for key, runs in groups.items()}
    made = []
    for (task, arm, size), runs in groups.items():
        choice = chosen[task, arm, size]
        peers = [other for other_task, other, other_size in groups if (other_task, other_size) == (task, size)]
        baseline = baseline_of(arm, peers)
        difference = None
        if baseline and baseline != arm:
            difference = paired(scores(arm, choice.runs), scores(baseline, chosen[task, baseline, size].runs))
        finished = [run for run in runs if run.state == "finished"]
        survivors = [run for run in choice.runs if run.state == "finished"]
        metric = next((str(run["metric"]) for run in (*survivors, *finished, *runs) if run["metric"]), "")
        stood_in = sum(run.diverged and (run["dev"], run["test"]) != (None, None) for run in runs)
        diverged = sum(run.diverged for run in runs)
        made.append(
            Cell(
                task=task,
                arm=arm,
                train_size=size,
                metric=metric,
                runs=choice.runs,
                test=score_interval(list(scores(arm, choice.runs).values()), metric),
                survivors=score_interval(list(scores(arm, survivors).values()), metric),
                dev=estimate(list(scores(arm, choice.runs, "dev").values())),
                difference=difference,
                variant=choice.variant,
                trials=choice.trials,
                trial_devs=choice.trial_devs,
                tried=choice.tried,
                ties=choice.ties,
                others=[run for run in runs if not any(run is one for one in choice.runs)],
                tuning_seeds=choice.tuning_seeds,
                held_out=choice.held_out,
                edge=choice.edge,
                diverged=sum(run.diverged for run in choice.runs),
                unknown=diverged - stood_in,
                failed=sum(run.state == "failed" for run in runs) - diverged,
                unfinished=sum(run.state in ("interrupted", "running") for run in runs),
                collapsed=sum(run.collapsed for run in finished),
                repeated=choice.repeated,
                unscored=sum(run["test"] is None and run.config.get("test", True) for run in survivors),
            )
        )
    return sorted(made, key=lambda cell: (cell.task, size_key(cell.train_size), cell.arm.order))
