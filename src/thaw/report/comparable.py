"""What a reader must know first: what may not be compared, and what a comparison here can not tell. One line a note.

The order is that of the harm done by not knowing it: other data, other code, another budget, runs that diverged, rates
that nobody tuned. What else is to be known of the runs stands in notes.py.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from thaw.report.arms import several_steps
from thaw.report.cells import Cell
from thaw.report.choice import in_words, shown
from thaw.report.collect import Run, Study
from thaw.report.differences import changed
from thaw.report.rates import wilson
from thaw.report.strategy import strategies
from thaw.report.words import are, listed, number

DIGITS = 10  # of a digest
NOT_RECORDED = "not recorded"


def comparable(study: Study, cells: Sequence[Cell]) -> list[str]:
    """Return the notes that stand before the verdicts and before any table, most serious first."""
    runs = [run for run in study.runs if run.transfers]
    return [*data_sets(runs), *_aside(runs), *_code(runs), *_within(runs), *_steps(runs), *_diverged(cells),
            *_untuned(cells), *_ties(cells), *_looks(runs)]  # fmt: skip


def data_sets(runs: Iterable[Run]) -> Iterable[str]:
    """Tell which runs have which data, where several contents, kinds or metrics go by one task name."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        if not run.aside:
            names[run.own_task][str(run["task"])] += 1
    for name, found in sorted(names.items()):
        if len(found) > 1:
            told = listed([f"{one} in {number(count, 'run')}" for one, count in sorted(found.items())], 8)
            yield (
                f"{name} is {len(found)} data sets here, which differ in their texts, labels, kind, metric or dev size:"
                f" {told}. They are not averaged, paired or compared."
            )


def _aside(runs: Iterable[Run]) -> Iterable[str]:
    reasons = Counter((run.own_task, run.aside) for run in runs if run.aside)
    for (name, reason), count in sorted(reasons.items()):
        yield f"{number(count, 'run')} of {name} {are(count)} in no table: {reason}."


def _code(runs: Sequence[Run]) -> Iterable[str]:
    """Tell of runs that were made by several states of the code: results epochs and digests of the source."""
    finished = [run for run in runs if run.state == "finished"]
    epochs = _values(finished, "results")
    if len(epochs) > 1:
        told = listed([f"{value} in {number(count, 'run')}" for value, count in epochs])
        yield f"The runs were made by {len(epochs)} results epochs of the code ({told}): their scores are of two kinds."
    sources = _values(finished, "source")
    if len(sources) > 1:
        told = listed([f"{_digest(value)} in {number(count, 'run')}" for value, count in sources])
        more = "" if len(epochs) > 1 else ": scores may differ by that alone"
        yield f"The runs were made by {len(sources)} states of the code ({told}){more}."


def _within(runs: Sequence[Run]) -> Iterable[str]:
    """Tell of runs that are of two states of the code, each in itself: resumed, or scored on test, by another one."""
    mixed = sum("source" in changed(run) for run in runs)
    if mixed:
        yield f"{number(mixed, 'run')} began with one state of the code and went on with another after a stop."
    scored = sum(bool(run.lineage.get("source_of_test")) for run in runs)
    if scored:
        them = "it" if scored == 1 else "them"
        yield f"{number(scored, 'run')} {are(scored)} scored on test by another state of the code than trained {them}."


def _digest(value: str) -> str:
    return value if value == NOT_RECORDED else value[:DIGITS]


def _values(runs: Iterable[Run], column: str) -> list[tuple[str, int]]:
    """Return the values of a column and of how many runs; runs of before the column count where others have it."""
    found = Counter(NOT_RECORDED if run.row.get(column) is None else str(run.row[column]) for run in runs)
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _steps(runs: Sequence[Run]) -> Iterable[str]:
    for task, found in sorted(several_steps(runs, strategies(runs)).items()):
        told = listed([f"{steps} steps in {number(count, 'run')}" for steps, count in found.items()], 8)
        yield (
            f"The networks of {task} had unequal optimizer steps ({told}): they are arms of their own, neither paired"
            " nor averaged nor chosen between."
        )


def _diverged(cells: Sequence[Cell]) -> Iterable[str]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for cell in cells:
        own = counts[cell.arm.label]
        own[0], own[1], own[2] = own[0] + cell.diverged, own[1] + len(cell.runs), own[2] + cell.unknown
    for label, (lost, all_, unknown) in counts.items():
        if lost:
            told = f"{lost} of {number(all_, 'run')} of {label} diverged ({wilson(lost, all_).interval})"
            yield f"{told}: {'it scores' if lost == 1 else 'they score'} the majority answer."
        if unknown:
            yield (
                f"{number(unknown, 'run')} of {label} diverged and {are(unknown)} left out: no run knows the majority"
                " answer there (strategy=majority with the same seeds does)."
            )


def _untuned(cells: Sequence[Cell]) -> Iterable[str]:
    networks = [cell for cell in cells if cell.arm.network and cell.runs]
    without = list(dict.fromkeys(cell.arm.label for cell in networks if not cell.tuned))
    if networks and all(not cell.tuned for cell in networks):
        yield (
            "No learning rate was tuned: the verdicts are about these rates, and no strategy is called better than"
            " another beside them."
        )
    elif without:
        yield (
            f"No learning rate was tuned for {listed(without)} in at least one cell: the verdicts are about the rates"
            " there, and these are called neither better nor worse than others beside them."
        )


def _ties(cells: Sequence[Cell]) -> Iterable[str]:
    tied = [cell for cell in cells if cell.ties]
    if tied:
        told = [
            f"{cell.arm.label} on {cell.task}, {cell.train_size} labels: {in_words(cell.variant)} and "
            f"{' and '.join(in_words(one) for one in cell.ties)}"
            for cell in tied
        ]
        yield (
            f"Settings are exactly as good on dev as those shown, in {number(len(tied), 'cell')}, so that the choice "
            f"is by chance ({'; '.join(told[:2])}{f'; and {len(told) - 2} more' if len(told) > 2 else ''})."
        )


def _looks(runs: Sequence[Run]) -> Iterable[str]:
    """Tell where dev was looked at more often in some runs: the best of more looks is higher by chance."""
    kinds, looks = strategies(runs), defaultdict(set)
    for run in runs:
        every: Any = run.config.get("eval_every")
        scored = run.state == "finished" and run.config.get("test") is not False
        if scored and every is not None and kinds[str(run["strategy"])].network:
            looks[str(run["task"])].add(every)
    for task, found in sorted(looks.items()):
        if len(found) > 1:
            told = " and ".join(sorted(map(shown, found), key=lambda text: (len(text), text)))
            yield f"Dev of {task} was scored every {told} steps: the best of more looks is higher by chance alone."
