"""Which runs belong together: an arm is a strategy, told apart by checkpoint (its content) where a study has several.

Scratch and the frozen random encoder use no weights of a checkpoint, so they are one arm for all checkpoints of one
architecture and tokenizer; the words-only controls are one arm always.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from thaw.report.collect import Run
from thaw.report.palette import BASELINE, rank

WITHOUT_WEIGHTS = (BASELINE, "frozen_random")
WITHOUT_ENCODER = ("tfidf", "majority")
WITHIN = re.compile(r"checkpoints?|[0-9a-f]{10}")  # what stands in a path between a study and a step


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A strategy, with the checkpoint it starts from where that is not the same for all its runs."""

    strategy: str
    source: str  # "" where one source is all there is
    label: str

    @property
    def order(self) -> tuple[tuple[int, str], str]:
        """Sort key: by strategy, then by source."""
        return (rank(self.strategy), self.source)


def arms(runs: Iterable[Run]) -> dict[int, Arm]:
    """Return the arm of each transfer run, by ``id(run)``."""
    members = [run for run in runs if run.transfers]
    architectures: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    for run in members:
        if run["total_parameters"]:
            architecture = (run["total_parameters"], str(run.lineage.get("tokenizer")))
            architectures[str(run["task"]), str(run["strategy"])].add(architecture)
    several = {strategy for (_, strategy), sizes in architectures.items() if len(sizes) > 1}
    sources: dict[str, set[str]] = defaultdict(set)
    of_run = {}
    hashes = {_path(run): run["checkpoint"] for run in members if run["checkpoint"] and run.state == "finished"}
    for run in members:
        strategy = str(run["strategy"])
        source = str(run["checkpoint"] or hashes.get(_path(run)) or _path(run))
        if strategy in WITHOUT_ENCODER or (strategy in WITHOUT_WEIGHTS and strategy not in several):
            source = ""
        of_run[id(run)] = source
        sources[strategy].add(source)
    paths = {of_run[id(run)]: _path(run) or of_run[id(run)][:10] for run in reversed(members)}
    short = {strategy: _shorten({one: paths[one] for one in found if one}) for strategy, found in sources.items()}
    made = {}
    for run in members:
        strategy, source = str(run["strategy"]), of_run[id(run)]
        name = short[strategy].get(source) if len(sources[strategy]) > 1 else ""
        label = f"{strategy} · {name}" if name else strategy  # the end of the only pretraining needs no name
        made[id(run)] = Arm(strategy=strategy, source=source, label=label)
    return made


def baseline_of(arm: Arm, candidates: Iterable[Arm]) -> Arm | None:
    """Return the scratch arm that an arm is paired with: that of the same checkpoint, else the only one."""
    scratch = [one for one in candidates if one.strategy == BASELINE]
    same = [one for one in scratch if one.source == arm.source]
    if same:
        return same[0]
    return scratch[0] if len(scratch) == 1 else None


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
        source: f"{name} {source[:6]}".strip() for source, name in _differing(split).items()
    }  # one path, written anew


def _differing(split: dict[str, list[str]]) -> dict[str, str]:
    """Return the parts that not all have, joined, at most 40 characters; "" for one that has no others."""
    common = set.intersection(*map(set, split.values())) if len(split) > 1 else set()
    names = {source: "/".join(part for part in parts if part not in common) for source, parts in split.items()}
    return {source: name if len(name) <= 40 else f"…{name[-39:]}" for source, name in names.items()}
