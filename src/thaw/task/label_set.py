"""The label set of a task: its order, whether it can be one, which labels look like one that was not meant.

It is the declared one, else the hub's, else train's; a label of dev or test outside it is refused.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from thaw.errors import DataError, nearest
from thaw.task.example import Example
from thaw.task.labels import MISSING_WORDS, near, ordered, visible
from thaw.task.table import offend
from thaw.task.task import Kind, TaskConfig, are_entity_tags

MOST_LABELS = 10_000  # more distinct labels than this are a column of texts or ids


def counted(examples: Iterable[Example]) -> Counter[str]:
    """Return how often each class or tag occurs."""
    return Counter(label for example in examples for label in labels_of(example))


def labels_of(example: Example) -> list[str]:
    """Return the class of an example, or its tags."""
    return example.tags if example.tags is not None else [str(example.label)]


def label_set(task: TaskConfig, train: list[Example], names: Sequence[str] | None) -> list[str] | None:
    """Return the labels in order: ``names`` as they are declared, else classes sorted, else tags by frequency in train.

    DataError for what can be no label set; None for the kinds that have none.
    """
    if task.kind in (Kind.score, Kind.span):
        return None
    counts = counted(train)
    plausible(task, counts, names)
    if names:
        if len(names) > MOST_LABELS:
            raise DataError(f"{len(names)} labels are declared, {task.origin}: {MOST_LABELS} are the most there can be")
        return list(names)
    if task.kind is Kind.classes:
        return ordered(counts)
    found = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if are_entity_tags(found):  # a type seen only as B- may go on as I-
        types = sorted({tag[2:] for tag in counts if tag != "O"})
        found += [tag for kind in types for tag in (f"B-{kind}", f"I-{kind}") if tag not in counts]
    return found


def plausible(task: TaskConfig, counts: Counter[str], names: Sequence[str] | None) -> None:
    """Raise DataError where the labels of train can not be a label set: a single one, or nearly one an example.

    Where they are declared (``names``) each may occur once. Tags are counted against words, which have one each.
    """
    if len(counts) < 2:
        raise DataError(f"train has only the label '{next(iter(counts), '')}', {task.origin}: two or more are needed")
    total = counts.total()
    if len(counts) > MOST_LABELS or (not names and len(counts) > 50 and len(counts) > total / 2):
        shown = ", ".join(repr(label[:40]) for label in list(counts)[:3])
        classes = task.kind is Kind.classes
        way = "" if len(counts) > MOST_LABELS else " If so, declare all labels with task.labels=[...]"
        raise DataError(
            f"{len(counts)} distinct labels in {total} train {'examples' if classes else 'words'}, {task.origin}:"
            f" {shown} ...; is column '{task.label if classes else task.tags}' the label?{way}"
        )


def known(task: TaskConfig, labels: list[str], split: str, examples: list[Example], noun: str) -> None:
    """Raise DataError for the first label of a split that is not in the label set."""
    names = set(labels)
    unknown: dict[str, list[int]] = {}
    for number, example in enumerate(examples, 1):
        for label in labels_of(example):
            if label not in names:
                unknown.setdefault(label, []).append(example.line or number)
    if unknown:
        label = next(iter(unknown))
        more = f" (and {len(unknown) - 1} other labels)" if len(unknown) > 1 else ""
        declared = "task.labels" if task.labels else "train"
        hint = nearest(label, labels) if len(labels) <= 20 else ""
        raise offend(
            f"{task.origin} {split}",
            f"label '{label[:60]}'{more} is not in {declared}{hint}",
            unknown[label],
            "correct it, or declare all labels with task.labels=[...]",
            noun,
        )


def doubts(task: TaskConfig, counts: Counter[str]) -> list[str]:
    """Return what a person may not have meant: labels that are nearly equal, words that often stand for no label.

    ``counts`` is over all splits. Labels that the task declares are meant.
    """
    meant = set(task.labels or [])
    notes = []
    groups = [group for group in near(sorted(counts)) if not meant.issuperset(group)]
    if groups:
        shown = "; ".join(
            ", ".join(f"'{visible(label[:40])}' ({counts[label]})" for label in group) for group in groups[:3]
        )
        more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
        notes.append(f"labels that are nearly equal, and are told apart: {shown}{more}")
    words = [label for label in counts if label in MISSING_WORDS and label not in meant]
    if words:
        shown = ", ".join(f"'{label}' ({counts[label]})" for label in words)
        notes.append(f"{shown} is read as a label: take such rows out where they have none")
    return notes
