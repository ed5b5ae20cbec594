"""A task's config to its three splits: checked, labelled, de-duplicated.

Where there is no dev split it is cut off train by a fixed seed, so that all runs share it. Entity tags of another
scheme become BIO here, where entity F1 is the metric.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thaw.errors import DataError
from thaw.task import schemes
from thaw.task.duplicates import conflicts, drop_overlap, near_duplicates
from thaw.task.example import Example, Splits, fingerprint
from thaw.task.files import read_table
from thaw.task.label_set import counted, doubts, known, label_set, plausible
from thaw.task.rows import examples
from thaw.task.source import Source, source
from thaw.task.subset import cut
from thaw.task.task import DataConfig, Kind, TaskConfig, check_metric, positive_label

__all__ = ["Example", "Splits", "fingerprint", "read", "read_examples"]


def read(task: TaskConfig, data: DataConfig, counts_folder: Path | None = None) -> Splits:
    """Return the splits of a task; DataError for bad data, ConfigError when there is no source.

    Near duplicates are looked up in ``counts_folder`` and kept there.
    """
    found = source(task, data.dev_share)
    if task.kind in (Kind.classes, Kind.score):
        _same_shape(task, found.splits)
    names: Sequence[str] | None = task.labels or found.names
    if task.kind is Kind.tags and task.metric == "entity_f1":
        plausible(task, counted(found.splits["train"]), names)
        names = _as_bio(task, found, names)
    train, dev, test = found.splits["train"], found.splits.get("dev"), found.splits["test"]
    labels = label_set(task, train, names)
    check_metric(task, labels)
    if labels is not None:
        for split, some in found.splits.items():
            known(task, labels, split, some, found.nouns.get(split, "example"))
        found.reading += doubts(task, counted(one for some in found.splits.values() for one in some))
    if dev is None:
        train, dev = cut(train, data.dev_share, task.kind)
        found.notes.append(f"no dev split: {len(dev)} examples cut off train")
        if not dev:
            raise DataError(f"{len(train)} train examples are too few to cut off a dev split, {task.origin}; add dev")
    clashes = conflicts(train, task.kind)
    train, counts = drop_overlap(train, {"dev": dev, "test": test}, data.duplicates == "drop")
    if not train:
        raise DataError(f"every train text stands in dev or test too, {task.origin}; give other splits")
    report: dict[str, Any] = {
        "train": len(train),
        "dev": len(dev),
        "test": len(test),
        "duplicates": counts | near_duplicates(train, {"dev": dev, "test": test}, counts_folder),
        "conflicts": clashes,
        "notes": found.notes,
        "reading": found.reading,
    }
    if task.kind in (Kind.classes, Kind.tags):
        sides = (("train", train), ("dev", dev), ("test", test))
        report["labels"] = {split: dict(sorted(counted(some).items())) for split, some in sides}
    if (positive := positive_label(task, labels)) is not None:
        report["positive"] = positive
    return Splits(train=train, dev=dev, test=test, labels=labels, report=report)


def read_examples(path: str, task: TaskConfig) -> tuple[list[Example], list[str]]:
    """Return the examples of one file without looking at labels, and notes on its reading: what ``predict`` reads."""
    table = read_table(Path(path))
    return examples(table, task, labelled=False)[0], table.notes


def _as_bio(task: TaskConfig, found: Source, names: Sequence[str] | None) -> Sequence[str] | None:
    """Convert the tags of all splits to BIO, tell of it, and return the declared labels as BIO."""
    everything = [example for some in found.splits.values() for example in some]
    if doubtful := schemes.doubtful({*counted(everything), *(names or ())}):
        raise DataError(
            f"the tag '{doubtful}' can have its mark first or last, {task.origin}: give its type a name of more than"
            " one letter in all files, as LOC-B or B-LOC, or use task.metric=token_accuracy"
        )
    scheme = schemes.scheme([example.tags or [] for example in everything], names or ())
    if scheme is None:
        return names
    broken = sum(scheme.breaks(example.tags or []) for example in everything)
    for example in everything:
        example.tags = scheme.bio(example.tags or [])
    note = f"tags are {scheme.name}, read as BIO"
    if broken:
        note += f" ({broken} of {len(everything)} sentences have an entity without its begin or its end)"
    found.reading.append(note)
    return scheme.labels(names) if names else None


def _same_shape(task: TaskConfig, splits: dict[str, list[Example]]) -> None:
    shapes = {split: some[0].text_b is not None for split, some in splits.items() if some}
    if len(set(shapes.values())) > 1:
        words = ", ".join(f"{split} has {'pairs' if pair else 'single texts'}" for split, pair in shapes.items())
        raise DataError(f"splits differ, {task.origin}: {words}; name the columns alike")
