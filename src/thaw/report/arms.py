"""Which runs belong together: an arm is a strategy, told apart by what it starts from and by its number of steps.

* Checkpoints are told apart by content where a study has several. Pretrainings that differ by their seed alone are one
  source (recipes.py): they are a factor of the study, as its seeds are.
* Strategies that start from random weights are one arm for all checkpoints of one architecture and tokenizer; those
  without a network are one arm always.
* Optimizer steps are a budget, not a setting: where the networks of a task ran with several, each is an arm of its own.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from thaw.report.palette import rank
from thaw.report.recipes import recipes
from thaw.report.run import Run
from thaw.report.strategy import BASELINE, FLOOR, Strategy, described, strategies

RECIPE = "recipe "  # begins the source of an arm that starts from several pretrainings of one recipe
WITHIN = re.compile(r"checkpoints?|[0-9a-f]{10}")  # what stands in a path between a study and a step


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A strategy, with what it starts from and its steps where these are not the same for all its runs."""

    strategy: str
    source: str  # "" where one source is all there is
    label: str
    steps: int | None = None  # optimizer steps; None where the networks of each task ran with one number of steps
    crossed: bool = field(default=False, compare=False)  # its runs start from several pretrainings of one recipe
    recorded: Strategy | None = field(default=None, compare=False, repr=False)

    @property
    def what(self) -> Strategy:
        """What the strategy is."""
        return self.recorded or described(self.strategy)

    @property
    def order(self) -> tuple[tuple[int, str], str, int]:
        """Sort key: by strategy, then by source, then by steps."""
        return (rank(self.what), self.source, self.steps or 0)

    @property
    def pretrained(self) -> bool:
        """Whether it starts from the weights of a checkpoint."""
        return self.what.pretrained

    @property
    def network(self) -> bool:
        """Whether it trains a network."""
        return self.what.network

    @property
    def control(self) -> bool:
        """Whether it is a control, which transfer must beat."""
        return self.what.control

    @property
    def transfers(self) -> bool:
        """Whether it carries pretrained weights to a task, so that a verdict may be about it."""
        return self.what.transfers

    @property
    def baseline(self) -> bool:
        """Whether it is the network from random weights, with which all are compared."""
        return self.strategy == BASELINE

    @property
    def floor(self) -> bool:
        """Whether it is the majority answer, from which scores are measured."""
        return self.strategy == FLOOR


def arms(runs: Iterable[Run]) -> dict[int, Arm]:
    """Return the arm of each transfer run, by ``id(run)``; runs that are set aside have none."""
    everything = list(runs)
    members = [run for run in everything if run.transfers and not run.aside]
    kinds = strategies(members)
    of_run = _sources(everything, members, kinds)
    sources: dict[str, set[str]] = defaultdict(set)
    for run in members:
        sources[str(run["strategy"])].add(of_run[id(run)])
    names = _names(members, of_run, sources)
    several = several_steps(members, kinds)
    made = {}
    for run in members:
        strategy, source = str(run["strategy"]), of_run[id(run)]
        steps = run.steps if several and kinds[strategy].network else None
        parts = [strategy, names[strategy].get(source, "") if len(sources[strategy]) > 1 else ""]
        parts += [f"{steps} steps"] if steps is not None else []
        label = " · ".join(part for part in parts if part)  # the end of the only pretraining needs no name
        made[id(run)] = Arm(
            strategy=strategy, source=source, label=label, steps=steps, crossed=source.startswith(RECIPE),
            recorded=kinds[strategy],
        )  # fmt: skip
    return made


def several_steps(runs: Iterable[Run], kinds: dict[str, Strategy]) -> dict[str, dict[int, int]]:
    """Return the tasks whose networks ended after different numbers of steps: {steps: number of runs} of each."""
    budgets: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for run in runs:
        ended = (run.state == "finished" or run.diverged) and not run.aside
        if ended and run.transfers and kinds[str(run["strategy"])].network and run.steps is not None:
            budgets[str(run["task"])][run.steps] += 1
    return {task: dict(sorted(found.items())) for task, found in budgets.items() if len(found) > 1}


def baseline_of(arm: Arm, candidates: Iterable[Arm]) -> Arm | None:
    """Return the scratch arm that an arm is paired with: of equal steps and checkpoint, else the only one."""
    scratch = [one for one in candidates if one.baseline and (one.steps == arm.steps or not arm.network)]
    same = [one for one in scratch if one.source == arm.source]
    if len(same) == 1:
        return same[0]
    return scratch[0] if len(scratch) == 1 else None


def _sources(everything: list[Run], members: list[Run], kinds: dict[str, Strategy]) -> dict[int, str]:
    """Return what each run starts from, by ``id(run)``: a recipe, the content of a checkpoint, a path; "" for any."""
    architectures: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    for run in members:
        if run["total_parameters"]:
            architecture = (run["total_parameters"], str(run.lineage.get("tokenizer")))
            architectures[str(run["task"]), str(run["strategy"])].add(architecture)
    several = {strategy for (_, strategy), sizes in architectures.items() if len(sizes) > 1}
    hashes = {_path(run): str(found) for run in members if (found := _content(run))}
    of_run = {id(run): _content(run) or hashes.get(_path(run)) or _path(run) for run in members}
    recipe_of = {of_run[key]: recipe for key, recipe in recipes(everything).items()}
    sharing: dict[str, set[str]] = defaultdict(set)
    for source, recipe in recipe_of.items():
        sharing[recipe].add(source)
    for run in members:
        kind, recipe = kinds[str(run["strategy"])], recipe_of.get(of_run[id(run)], "")
        if not kind.network or (not kind.pretrained and kind.name not in several):
            of_run[id(run)] = ""
        elif len(sharing[recipe]) > 1 and recipe:
            of_run[id(run)] = f"{RECIPE}{recipe}"
    return of_run


def _content(run: Run) -> str:
    """Return the content of the checkpoint whose weights a run starts from, "" where it does not say one."""
    return str(run["checkpoint"] or run.lineage.get("checkpoint") or "")


def _names(members: list[Run], of_run: dict[int, str], sources: dict[str, set[str]]) -> dict[str, dict[str, str]]:
    """Return a name of each source, by strategy: what tells its path from those of the others."""
    paths: dict[str, list[str]] = defaultdict(list)
    for run in members:
        paths[of_run[id(run)]].append(_path(run) or of_run[id(run)][:10])
    shared = {source: _shared(found) if source.startswith(RECIPE) else found[0] for source, found in paths.items()}
    return {
        strategy: _shorten({source: shared[source] for source in found if source})
        for strategy, found in sources.items()
    }


def _shared(paths: list[str]) -> str:
    """Return the parts of a path that the pretrainings of one recipe share, the first path where they share none."""
    common = set.intersection(*(set(path.split(os.sep)) for path in paths))
    return os.sep.join(part for part in paths[0].split(os.sep) if part in common) or paths[0]


def _path(run: Run) -> str:
    """Return the path or name of what a run starts from, as its config says."""
    checkpoint = run.config.get("checkpoint")
    return os.path.normpath(str(checkpoint)) if checkpoint else str(run["encoder"] or "")


def _shorten(paths: dict[str, str]) -> dict[str, str]:
    """Return for each source the parts of its path that not all paths have; the folder names of a run, if need be."""
    split = {source: path.split(os.sep) for source, path in paths.items()}
    plain = {source: [part for part in parts if not WITHIN.fullmatch(part)] for source, parts in split.items()}
    for parts in (plain, split):
        names = _differing(parts)
        if len(set(names.values())) == len(names):
            return names
    return {
        source: f"{name} {source.removeprefix('recipe ')[:6]}".strip() for source, name in _differing(split).items()
    }  # one path, written anew


def _differing(split: dict[str, list[str]]) -> dict[str, str]:
    """Return the parts that not all have, joined, at most 40 characters; "" for one that has no others."""
    common = set.intersection(*map(set, split.values())) if len(split) > 1 else set()
    names = {source: "/".join(part for part in parts if part not in common) for source, parts in split.items()}
    return {source: name if len(name) <= 40 else f"…{name[-39:]}" for source, name in names.items()}
