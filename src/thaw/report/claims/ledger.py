"""The cost ledger: what was spent on pretraining, tuning, training and evaluation, joined by lineage.

Every run counts, failed, collapsed and not chosen ones too: runs that were not scored are tuning. What a run without a
result has cost is what its last event says; a cost that no one recorded is unknown, never 0. Features of frozen layers
are in the training of every run that used them, as if it had been alone. The tokenizer's own training is on no clock
and not here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run, Study

STAGES = ("pretrain", "tune", "train", "evaluate")
TRAINED = {"seconds": "train_seconds", "cpu_seconds": "cpu_seconds", "tokens": "tokens", "flops": "flops"}
EVALUATED = {"seconds": "eval_seconds"}  # what is measured of it


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one stage cost; ``arm`` is None for pretraining, which all transfers share. None: not known of any run."""

    stage: str
    arm: Arm | None
    runs: int
    seconds: float | None
    cpu_seconds: float | None
    tokens: float | None
    flops: float | None
    partial: frozenset[str] = frozenset()  # of these amounts, those that some of the runs do not know


def ledger(study: Study, cells: Sequence[Cell]) -> list[Cost]:
    """Return the costs of a study by stage and arm."""
    made = _pretraining(study, cells)
    scored: dict[Arm, list[Run]] = defaultdict(list)
    tried: dict[Arm, list[Run]] = defaultdict(list)
    for cell in cells:
        scored[cell.arm] += cell.runs
        tried[cell.arm] += cell.others
    for stage, found in (("tune", tried), ("train", scored)):
        for arm, runs in sorted(found.items(), key=lambda item: item[0].order):
            if runs:
                made.append(_sum(stage, arm, runs))
    for arm in sorted(scored, key=lambda arm: arm.order):
        made.append(_sum("evaluate", arm, scored[arm] + tried[arm], EVALUATED))
    return made


def _pretraining(study: Study, cells: Sequence[Cell]) -> list[Cost]:
    """Return one line a pretraining that a scored run starts from: of its checkpoints the one that cost most."""
    own = {run["run_id"]: run for run in study.runs if run["kind"] == "pretrain"}
    parents: dict[str, Run] = {}
    for cell in cells:
        for run in cell.runs:
            parent = run["pretrain_run"]
            if parent and (parent not in parents or _flops(run) > _flops(parents[parent])):
                parents[parent] = run
    return [
        Cost(
            stage="pretrain", arm=None, runs=1, seconds=run["pretrain_seconds"],
            cpu_seconds=_pretrain_cpu(run, own.get(parent)), tokens=run["pretrain_tokens"],
            flops=run["pretrain_flops"],
        )
        for parent, run in sorted(parents.items())
    ]  # fmt: skip


def _pretrain_cpu(run: Run, parent: Run | None) -> float | None:
    """Return the CPU seconds of a run's pretraining, ancestors included; of older runs those of the parent alone."""
    whole = run["pretrain_cpu_seconds"]
    value = whole if whole is not None or parent is None else parent["cpu_seconds"]
    return None if value is None else float(value)


def _flops(run: Run) -> float:
    return float(run["pretrain_flops"] or 0.0)


def _spent(run: Run, column: str) -> float | None:
    """Return what a run spent; of one that ended without a result what it had spent by its last event."""
    if run[column] is not None or run.state == "finished":
        return float(run[column]) if run[column] is not None else None
    name = "seconds" if column == "train_seconds" else column
    found = [event[name] for event in run.events if isinstance(event.get(name), int | float)]
    return float(found[-1]) if found else None


def _sum(stage: str, arm: Arm, runs: Sequence[Run], columns: Mapping[str, str] = TRAINED) -> Cost:
    """Return the sums over runs of what is known, and what is not known of all of them."""
    sums, partial = dict[str, float | None](), set[str]()
    for amount in TRAINED:
        column = columns.get(amount, "")
        values = [spent for run in runs if (spent := _spent(run, column)) is not None] if column else []
        sums[amount] = sum(values) if values else None
        if values and len(values) < len(runs):
            partial.add(amount)
    return Cost(
        stage=stage, arm=arm, runs=len(runs), seconds=sums["seconds"], cpu_seconds=sums["cpu_seconds"],
        tokens=sums["tokens"], flops=sums["flops"], partial=frozenset(partial),
    )  # fmt: skip
