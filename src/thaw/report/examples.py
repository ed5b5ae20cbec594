"""Test examples on which strategies differ, side by side: the same seed and train size, texts where they were recorded.

At most 50 examples a task: taken in turn for each pair of strategies, the baseline and the best one first and twice as
often, so that any two that are compared on the page have some. How often each pair differs is counted over all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run, size_key
from thaw.report.damage import LARGEST, is_number
from thaw.track import bounded
from thaw.track.folder import PREDICTIONS, TASKS, RunFolder

MOST = 50  # examples of a task
LETTERS = 600  # of a text
WORDS = 80  # of a sentence with tags


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One test example: what each strategy answered, in the order of `Examples.arms`."""

    number: int  # place in the test set, from 0
    text: dict[str, Any] | None  # as task files have it, cut; None where no text was recorded
    label: Any
    answers: list[Any]
    right: list[bool]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The samples of a task."""

    task: str
    train_size: Any
    seed: Any
    total: int  # test examples
    arms: list[str]  # labels
    shown: tuple[int, int]  # places of the two arms that are shown first
    pairs: dict[tuple[int, int], list[int]]  # of two arms: both right, first only, second only, both wrong
    samples: list[Sample]


def examples(cells: Sequence[Cell]) -> list[Examples]:
    """Return the samples of every task that has labelled predictions of two strategies or more."""
    tasks = sorted({cell.task for cell in cells})
    found = [_of_task([cell for cell in cells if cell.task == task]) for task in tasks]
    return [one for one in found if one is not None]


def _of_task(cells: Sequence[Cell]) -> Examples | None:
    chosen = _choose(cells)
    if chosen is None:
        return None
    size, seed, runs = chosen
    answers = [(arm, test, lines) for arm, test, run in runs if (lines := _predictions(run))]
    counts = {len(lines) for _, _, lines in answers}
    if len(answers) < 2 or len(counts) > 1:
        return None
    right = [[_right(line) for line in lines] for _, _, lines in answers]
    total = counts.pop()
    pairs = {(a, b): _pair(right[a], right[b]) for a, b in combinations(range(len(answers)), 2)}
    first = next((i for i, (arm, _, _) in enumerate(answers) if arm.baseline), 0)
    best = max((i for i in range(len(answers)) if i != first), key=lambda i: (answers[i][1], -i))
    texts = _texts(runs[0][2])
    samples = []
    for number in _pick(right, (first, best)):
        lines = [lines[number] for _, _, lines in answers]
        samples.append(
            Sample(
                number=number,
                text=_cut(texts[number]) if number < len(texts) else None,
                label=_short(lines[0]["label"]),
                answers=[_short(line["prediction"]) for line in lines],
                right=[one[number] for one in right],
            )
        )
    return Examples(
        task=cells[0].task,
        train_size=size,
        seed=seed,
        total=total,
        arms=[arm.label for arm, _, _ in answers],
        shown=(first, best),
        pairs=pairs,
        samples=samples,
    )


def _choose(cells: Sequence[Cell]) -> tuple[Any, Any, list[tuple[Arm, float, Run]]] | None:
    """Return the train size and seed that most arms have, the smaller ones of equals, with the runs there."""
    places: dict[tuple[Any, Any], list[tuple[Arm, float, Run]]] = {}
    for cell in cells:
        for run in cell.runs:
            told = (run.folder / PREDICTIONS).exists()
            if told and run["test"] is not None and not cell.arm.floor:
                places.setdefault((cell.train_size, run["seed"]), []).append((cell.arm, run["test"], run))
    if not places:
        return None
    order = sorted(places, key=lambda place: (-len(places[place]), size_key(place[0]), size_key(place[1])))
    size, seed = order[0]
    return size, seed, sorted(places[order[0]], key=lambda one: one[0].order)


def _predictions(run: Run) -> list[dict[str, Any]]:
    try:
        lines = RunFolder(run.folder).predictions()
    except StorageError:
        return []
    whole = all(isinstance(line, dict) and "label" in line and "prediction" in line for line in lines)
    return lines if whole else []


def _right(line: dict[str, Any]) -> bool:
    label, answer = line["label"], line["prediction"]
    if is_number(label) and is_number(answer) and max(abs(label), abs(answer)) <= LARGEST:
        return abs(float(label) - float(answer)) < 0.5  # a score: within half a point
    if isinstance(label, list) and isinstance(answer, str):  # a span: one of the answers
        return _level(answer) in {_level(str(one)) for one in label} if label else not answer
    return bool(label == answer or str(label) == str(answer))


def _level(text: str) -> str:
    return " ".join(text.casefold().split())


def _pair(one: Sequence[bool], other: Sequence[bool]) -> list[int]:
    counts = [0, 0, 0, 0]
    for a, b in zip(one, other, strict=True):
        counts[0 if a and b else 1 if a else 2 if b else 3] += 1
    return counts


def _pick(right: Sequence[Sequence[bool]], shown: tuple[int, int]) -> list[int]:
    """Return the numbers of the examples to show: those on which two arms differ, each pair in turn."""
    total = len(right[0])
    turns = [shown, *combinations(range(len(right)), 2)]
    queues = [
        iter([i for i in range(total) if right[a][i] and not right[b][i]])
        for one, other in turns
        for a, b in ((other, one), (one, other))
    ]
    wrong = [i for i in range(total) if not any(one[i] for one in right)]
    queues += [iter(wrong[:5])]
    picked: dict[int, None] = {}
    while queues and len(picked) < MOST:
        for queue in list(queues):
            number = next((i for i in queue if i not in picked), None)
            if number is None:
                queues.remove(queue)
            elif len(picked) < MOST:
                picked[number] = None
    return sorted(picked)


def _texts(run: Run) -> list[dict[str, Any]]:
    """Return the texts of the test set in order, empty where the study has not recorded them."""
    split = str(run.lineage.get("split"))
    path = Path(run.folder).parent / TASKS / f"{split}.jsonl.gz"
    if not split.isalnum() or not path.is_file():  # a hash, no path that leads elsewhere
        return []
    try:
        texts = bounded.rows(path)
    except (OSError, ValueError):
        return []
    return texts if all(isinstance(text, dict) for text in texts) else []


def _cut(text: dict[str, Any]) -> dict[str, Any]:
    return {key: _short(value) for key, value in text.items()}


def _short(value: Any) -> Any:
    """Return a text, a number or a list of such, cut; anything else as the text that it is."""
    if isinstance(value, list):
        return [_short(repr(one) if isinstance(one, list | dict) else one) for one in value[:WORDS]]
    if value is None or isinstance(value, bool) or (is_number(value) and abs(value) <= LARGEST):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= LETTERS else text[:LETTERS] + " …"
