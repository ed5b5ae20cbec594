"""What a design can see, told before its first run: the effect that its seeds support with a power of 80 %.

The spread from seed to seed comes from finished runs of the same name where they have three pairs or more (a pilot),
else from the table of our own experiments (spreads.py). No torch here.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.config import TransferConfig
from thaw.report.claims import sequential, spreads
from thaw.report.claims.rule import Rule
from thaw.report.claims.sequential import Truth
from thaw.report.power import detectable
from thaw.report.statistics import FEWEST

if TYPE_CHECKING:
    from thaw.cli.rounds import Plan

CLAIMS = ("time", "accuracy", "labels")


@dataclass(frozen=True, kw_only=True)
class Design:
    """What the verdicts of some runs will compare: tasks, train sizes, paired seeds."""

    rule: Rule
    metrics: dict[str, str]  # of each task
    sizes: dict[str, list[int]]  # of each task, where both sides are run and the rule looks
    doubled: dict[str, list[int]]  # those at which scratch's sizes hold ``rule.fewer`` times as many labels
    seeds: int  # fewest of a task and size that both sides have
    folders: list[Path]  # in which the runs will lie

    def of(self, claim: str) -> dict[str, list[int]]:
        """Return the train sizes of each task that a claim is judged at."""
        by_task = self.doubled if claim == "labels" else self.sizes
        return {task: sizes for task, sizes in by_task.items() if sizes}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is known of a claim before the runs, and from where."""

    truth: Truth
    source: str
    recorded: bool = False  # from the table


def show(configs: Sequence[TransferConfig], plan: "Plan | None" = None) -> None:
    """Print what the runs of a dry run can see; nothing where they do not hold both sides of a comparison.

    ``plan`` is that of seeds which are added in rounds.
    """
    design = designed(configs)
    if design is None:
        return
    rule, seeds = design.rule, plan.most if plan is not None else design.seeds
    sizes = sorted({size for task in design.sizes.values() for size in task})
    where = f"{', '.join(design.metrics)} with {', '.join(map(str, sizes))} labels"
    print(f"\nWhat {seeds} seeds of {rule.strategy} against scratch can see 4 times in 5, {where}:")
    if seeds < FEWEST:
        print(f"  nothing: under {FEWEST} seeds no claim is tested")
        return
    looks = sequential.looks(tuple(plan.looks), plan.most, rule.level) if plan is not None else ()
    level = looks[-1].level if looks else rule.level
    known = expected(design)
    for claim in CLAIMS:
        print(f"  {claim:<8}  {_seen(claim, known.get(claim), design, seeds, level)}")
    if any(expectation.recorded for expectation in known.values()):
        print("A recorded spread is that of seeds; test texts add an error of their own, known when runs are there.")
    tasks = len(design.sizes)
    pairs, needed = seeds * tasks, next(count for count in range(2, 100) if 2.0 ** (1 - count * tasks) <= 1 - level)
    if seeds < needed:  # as the verdict counts them: on_time.exact
        print(
            f"With {seeds} seeds no pattern of arrivals reaches the level by an exact paired test: its p is never under"
            f" {2.0 ** (1 - pairs):.3g}, the rule asks for {1 - level:.3g}; {needed} seeds could."
        )
    if plan is not None:
        _tell_rounds(plan, looks, known)
    elif not rule.seeds:
        print(f"No plan of seeds is in the rule: give verdict.seeds={seeds} before the first run.")
    elif rule.seeds != seeds:
        print(f"The rule plans verdict.seeds={rule.seeds}, these runs have {seeds} seeds.")


def designed(configs: Sequence[TransferConfig]) -> Design | None:
    """Return the comparison that some runs make, None where they are not both sides of one."""
    scored = [config for config in configs if config.test]
    cells: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    metrics: dict[str, str] = {}
    for config in scored:
        if config.data.train_size != "all":
            cells[config.task.name, config.strategy.name, int(config.data.train_size)].add(config.seed)
            metrics.setdefault(config.task.name, config.task.metric)
    if not scored:
        return None
    rule = scored[0].verdict
    sizes: dict[str, list[int]] = {}
    doubled: dict[str, list[int]] = {}
    pairs = []
    for task in metrics:
        scratch = sorted(size for name, strategy, size in cells if (name, strategy) == (task, "scratch"))
        both = [size for size in scratch if (task, rule.strategy, size) in cells]
        sizes[task] = [size for size in both if not rule.sizes or size in rule.sizes]
        doubled[task] = [size for size in sizes[task] if len(scratch) > 1 and rule.fewer * size <= scratch[-1]]
        pairs += [len(cells[task, "scratch", size] & cells[task, rule.strategy, size]) for size in sizes[task]]
    if not pairs:
        return None
    compared = {task: metric for task, metric in metrics.items() if sizes[task]}
    folders = list(dict.fromkeys(Path(config.runs) / config.name for config in scored))
    return Design(rule=rule, metrics=compared, sizes=sizes, doubled=doubled, seeds=min(pairs), folders=folders)


def expected(design: Design) -> dict[str, Expected]:
    """Return of each claim that can be judged the spread and effect that pilot runs show, else our experiments."""
    claims = {}
    piloted = _piloted(design)
    for claim in CLAIMS:
        if not design.of(claim):
            continue
        claims[claim] = piloted.get(claim) or _recorded(claim, design)
    return claims


def _piloted(design: Design) -> dict[str, Expected]:
    """Return of each claim what the finished runs of these folders show; {} where they have under three pairs."""
    held = [folder for folder in design.folders if any(folder.glob("*/result.json"))]
    if not held:
        return {}
    from thaw.report.cells import cells
    from thaw.report.claims.analysis import analyse
    from thaw.report.collect import read

    study = read(*held)
    claims = {}
    for verdict in analyse(study, cells(study)).verdicts:
        pooled = verdict.judgement.pooled
        if pooled is None or pooled.n < FEWEST or not pooled.deviation or pooled.error is None:
            continue
        error = math.sqrt(max(0.0, pooled.error**2 - pooled.deviation**2 / pooled.n))
        truth = Truth(
            effect=pooled.mean, deviation=pooled.deviation, error=error, least=_least(verdict.claim, design.rule)
        )
        source = f"from {pooled.n} finished pairs in {', '.join(map(str, held))}"
        claims[verdict.claim] = Expected(truth=truth, source=source)
    return claims


def _recorded(claim: str, design: Design) -> Expected:
    """Return what the table says of a claim: the mean over a task's sizes and over tasks, all taken as independent."""
    table = {
        (task, size): spreads.spread(claim, design.metrics[task], size)
        for task, sizes in design.of(claim).items()
        for size in sizes
    }
    tasks = design.of(claim)
    variance = math.fsum(cell.deviation**2 / len(tasks[task]) ** 2 for (task, _), cell in table.items())
    effect = math.fsum(cell.effect / len(tasks[task]) for (task, _), cell in table.items()) / len(tasks)
    truth = Truth(effect=effect, deviation=math.sqrt(variance) / len(tasks), least=_least(claim, design.rule))
    return Expected(truth=truth, source=_source(list(table.values()), design.metrics), recorded=True)


def _source(table: Sequence[spreads.Spread], metrics: Mapping[str, str]) -> str:
    """Return where the spreads of the table come from and how much was counted."""
    experiments = ", ".join(dict.fromkeys(name for cell in table for name in cell.experiments))
    tasks = {name for cell in table for name in cell.tasks}
    sizes = sorted({size for cell in table for size in cell.sizes})
    pairs = sum({cell.sizes: cell.pairs for cell in table}.values())
    count = f"{len(tasks)} task{'s' * (len(tasks) > 1)}"
    span = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    missing = [] if all(cell.own_metric for cell in table) else sorted(set(metrics.values()))
    unlike = f"; {', '.join(missing)} not among them" if missing else ""
    return f"from {pairs} pairs recorded in {experiments} ({count}, {span} labels{unlike})"


def _seen(claim: str, known: Expected | None, design: Design, seeds: int, level: float) -> str:
    if known is None:
        return f"nothing: no train size has scratch runs at {design.rule.fewer:g} times as many labels"
    truth = known.truth
    least = detectable(truth.deviation, seeds, level=level, error=truth.error, least=truth.least)
    assert least is not None
    return f"{_effect(claim, least)} or more; spread {known.source}"


def _effect(claim: str, value: float) -> str:
    return f"{math.exp(value):.3g} times as fast" if claim == "time" else f"{100 * value:+.1f} points"


def _least(claim: str, rule: Rule) -> float:
    """Return the smallest effect worth the name."""
    return math.log(rule.faster) if claim == "time" else rule.margin


def _tell_rounds(plan: "Plan", looks: Sequence[sequential.Look], known: Mapping[str, Expected]) -> None:
    """Print the rounds, and how many of the seeds would be saved if the effects were those known."""
    levels = " to ".join(f"{look.level:.2%}" for look in (looks[0], looks[-1]))
    numbers = f"{plan.looks[0]}" if len(plan.looks) == 1 else f"{plan.looks[0]}, {plan.looks[0] + 1} … {plan.most}"
    print(f"Seeds are added until every claim is settled: looks at {numbers} seeds, judged by {levels} intervals.")
    if not known:
        return
    seeds, settled = sequential.forecast([expectation.truth for expectation in known.values()], looks)
    effects = ", ".join(f"{claim} {_effect(claim, expectation.truth.effect)}" for claim, expectation in known.items())
    print(
        f"Were the effects those ({effects}), it would stop after {seeds:.1f} seeds in the mean, which saves"
        f" {1 - seeds / plan.most:.0%} of the scored runs; {settled:.0%} of such studies are settled by the end."
    )
