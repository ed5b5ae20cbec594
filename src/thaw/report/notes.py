"""What a reader must know before trusting a table: one line a note, most serious first. No verdicts.

What forbids a comparison stands before these notes, and before the verdicts: comparable.py.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from thaw.report.cells import Cell
from thaw.report.collect import Run, Study
from thaw.report.comparable import comparable
from thaw.report.differences import CODE, MACHINE, changed, machines
from thaw.report.pretrainings import pretraining_notes
from thaw.report.strategy import strategies
from thaw.report.words import are, listed, number

FEW_SEEDS = 5  # with 3 seeds only differences over 3.1 standard deviations are found with 80 % power
MANY_TRUNCATED = 0.05  # share of the texts


def notes(study: Study, cells: Sequence[Cell]) -> list[str]:
    """Return all notes of a study: first what forbids a comparison."""
    return [*comparable(study, cells), *further(study, cells)]


def further(study: Study, cells: Sequence[Cell]) -> list[str]:
    """Return the notes of a study that come after those of `comparable`."""
    return [
        *_runs(study, cells),
        *_design(cells),
        *_tuning(cells),
        *_data(cells),
        *_machines(study),
        *pretraining_notes(study),
    ]


def _runs(study: Study, cells: Sequence[Cell]) -> list[str]:
    lines = []
    if study.unreadable:
        lost = len(study.unreadable)
        lines.append(f"{number(lost, 'run folder')} could not be read and {are(lost)} left out; listed below.")
    diverged = sum(run.diverged for run in study.runs)
    failed = study.count("failed") - diverged
    if failed:
        what = "failed otherwise" if diverged else "failed"
        lines.append(f"{number(failed, 'run')} {what}: no score, so the means are of the others.")
    pending = study.count("interrupted") + study.count("running")
    if pending:
        lines.append(f"{number(pending, 'run')} {are(pending)} not finished: the tables will change.")
    collapsed = sum(run.collapsed for run in study.runs)
    if collapsed:
        lines.append(
            f"{number(collapsed, 'run')} collapsed (not above the majority class) and {are(collapsed)} counted in the"
            " means."
        )
    unscored = sum(cell.unscored for cell in cells)
    if unscored:
        has = "has an undefined test score and is" if unscored == 1 else "have an undefined test score and are"
        lines.append(f"{number(unscored, 'finished run')} {has} not in the means.")
    repeated = sum(cell.repeated for cell in cells)
    if repeated:
        lines.append(
            f"{number(repeated, 'run')} {are(repeated)} left out: same setting and seed as another, of which the newest"
            " is counted."
        )
    damaged = sum(run.damaged_lines for run in study.runs)
    if damaged:
        lines.append(f"{number(damaged, 'damaged line')} of metrics.jsonl {are(damaged)} left out of the curves.")
    return lines


def _design(cells: Sequence[Cell]) -> list[str]:
    lines = []
    tasks = sorted({cell.task for cell in cells})
    arms = {task: {cell.arm for cell in cells if cell.task == task} for task in tasks}
    without = [task for task in tasks if not any(arm.baseline for arm in arms[task])]
    if without:
        lines.append(f"There is no run from scratch for {listed(without)}, so there are no differences there.")
    without = [task for task in tasks if not any(arm.control and not arm.floor for arm in arms[task])]
    if without:
        lines.append(f"There is no control (such as tfidf, frozen_random) for {listed(without)}.")
    seeds = [cell.test.n for cell in cells if cell.test]
    if seeds and min(seeds) == 1:
        lines.append(
            f"{seeds.count(1)} of {number(len(seeds), 'cell')} {'has' if seeds.count(1) == 1 else 'have'} one seed and"
            " no interval."
        )
    elif seeds and min(seeds) < FEW_SEEDS:
        lines.append(
            f"Some cells have {min(seeds)} seeds: with fewer than {FEW_SEEDS} only large differences can be seen."
        )
    partial = [cell for cell in cells if cell.partial_seeds]
    if partial:
        left = sum(len(cell.partial_seeds) for cell in partial)
        lines.append(
            f"In {number(len(partial), 'cell')} {number(left, 'seed')} {are(left)} in no mean: not every pretraining"
            f" has {'it' if left == 1 else 'them'}."
        )
    parents = {run["pretrain_run"] for cell in cells for run in cell.runs if run["pretrain_run"]}
    if len(parents) == 1:
        lines.append("All transfer starts from one pretraining run: its own seed is not in the intervals.")
    return lines


def _tuning(cells: Sequence[Cell]) -> list[str]:
    trials: dict[tuple[str, object], dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        if cell.arm.network:
            trials[cell.task, cell.train_size][cell.trials].append(cell.arm.label)
    lines = []
    unequal = [(key, counts) for key, counts in trials.items() if len(counts) > 1]
    if unequal:
        (task, size), counts = unequal[0]
        shown = "; ".join(f"{n}: {', '.join(labels)}" for n, labels in sorted(counts.items()))
        more = f", and {len(unequal) - 1} more" if len(unequal) > 1 else ""
        lines.append(
            f"Unequal numbers of settings tried, which favours those with more ({task}, {size}: {shown}{more})."
        )
    edges = sorted({cell.arm.label for cell in cells if cell.edge})
    if edges:
        lines.append(f"The chosen setting is at the edge of its grid for {listed(edges)}: a wider grid may do better.")
    return lines


def _data(cells: Sequence[Cell]) -> list[str]:
    """Tell of texts that stand in train and test, and of texts that were cut; as the lineage of the runs says."""
    lines = []
    for task in sorted({cell.task for cell in cells}):
        lineages = [run.lineage for cell in cells if cell.task == task for run in cell.runs]
        data: dict[str, Any] = next((one["data"] for one in lineages if isinstance(one.get("data"), dict)), {})
        duplicates = data.get("duplicates") or {}
        if duplicates.get("train_test"):
            both = duplicates["train_test"]
            told = f"{task}: {number(both, 'training text')} {are(both)} also in the test set"
            lines.append(told + ("; such texts were dropped from train." if duplicates.get("dropped") else "."))
        if duplicates.get("dev_test"):
            both = duplicates["dev_test"]
            told = f"{task}: {number(both, 'dev text')} {are(both)} also in the test set"
            lines.append(f"{told}: settings chosen by dev have seen them.")
        if duplicates.get("near_train_test"):
            near = duplicates["near_train_test"]
            lines.append(f"{task}: {number(near, 'training text')} {are(near)} nearly equal to a test text.")
        scored = [run for cell in cells if cell.task == task for run in cell.runs if run["test"] is not None]
        lines += _contamination(task, scored)
        conflicts = (data.get("conflicts") or {}).get("count")
        if conflicts:
            lines.append(
                f"{task}: {number(conflicts, 'text')} {'has' if conflicts == 1 else 'have'} more than one label."
            )
        cut = [one["train"].get("truncated_share") or 0.0 for one in lineages if isinstance(one.get("train"), dict)]
        if cut and max(cut) > MANY_TRUNCATED:
            lines.append(f"{task}: up to {max(cut):.0%} of the training texts are longer than the encoder reads.")
    return lines


def _contamination(task: str, runs: Sequence[Run]) -> list[str]:
    """Tell of test texts that stand in the pretraining text, and of encoders whose text could not be searched."""
    transfers = [run for run in runs if run.lineage.get("checkpoint") and "contamination" in run.lineage]
    known = [run.lineage["contamination"] for run in transfers if run.lineage["contamination"]]
    lines = []
    worst = max(known, key=lambda one: one["found"], default=None)
    if worst is not None and worst["found"]:
        lines.append(
            f"{task}: {number(worst['found'], 'test text')} of {worst['searched']} searched stand in the pretraining"
            " text too (20 pieces in a row)."
        )
    unknown = sorted({str(run["encoder"]) for run in transfers if not run.lineage["contamination"]})
    if unknown:
        of = f" of {', '.join(unknown)}" if known else ""
        lines.append(
            f"{task}: its test texts were not searched in the pretraining text{of}, which is not in the cache."
        )
    return lines


def _machines(study: Study) -> list[str]:
    """Tell of runs made elsewhere or by other versions: how many runs have which."""
    members = [run for run in study.runs if run.transfers]
    kinds = strategies(members)
    members = [run for run in members if kinds[str(run["strategy"])].network]  # the others always take all threads
    lines = []
    for one in machines(members):
        if one.key in CODE:
            continue  # told before all else: comparable.py
        noun, consequence = MACHINE[one.key]
        shown = listed([f"{value} in {number(count, 'run')}" for value, count in one.values])
        lines.append(f"{len(one.values)} {noun} ({shown}): {consequence}.")
    stopped = [keys for run in members if (keys := changed(run) - {"source"})]
    if stopped:
        what = listed(sorted(set().union(*stopped)))
        runs = number(len(stopped), "run")
        lines.append(f"{runs} went on after a stop with other {what}: equal beyond rounding, not to the bit.")
    return lines
