"""A task's config to its three splits: from files, a package's text, or the hub; checked, labelled, de-duplicated.

The label set is the declared one, else the hub's, else train's; a label of dev or test outside it is refused. Where
there is no dev split it is cut off train by a fixed seed, so that all runs share it.
"""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, DataError, nearest
from thaw.task.duplicates import conflicts, drop_overlap, near_duplicates
from thaw.task.example import Example, Splits, fingerprint
from thaw.task.files import Table, offend, read_table, split_files
from thaw.task.hub import read_hub
from thaw.task.rows import examples
from thaw.task.subset import cut
from thaw.task.task import DataConfig, Kind, TaskConfig, are_entity_tags, check_metric, positive_label

__all__ = ["Example", "Splits", "fingerprint", "read", "read_examples"]

_NUMBER = re.compile(r"[+-]?\d{1,4000}(\.\d{1,4000})?")
MOST_LABELS = 10_000  # more distinct labels than this are a column of texts or ids


def read(task: TaskConfig, data: DataConfig, counts_folder: Path | None = None) -> Splits:
    """Return the splits of a task; DataError for bad data, ConfigError when there is no source.

    Near duplicates are looked up in ``counts_folder`` and kept there.
    """
    notes: list[str] = []
    found, names = _source(task, data.dev_share, notes)
    train, dev, test = found["train"], found.get("dev"), found["test"]
    if task.kind in (Kind.classes, Kind.score):
        _same_shape(task, {"train": train, "dev": dev or [], "test": test})
    labels = _labels(task, train, names)
    check_metric(task, labels)
    if labels is not None:
        for split, some in (("train", train), ("dev", dev or []), ("test", test)):
            _known(task, labels, split, some)
    if dev is None:
        train, dev = cut(train, data.dev_share, task.kind)
        notes.append(f"no dev split: {len(dev)} examples cut off train")
        if not dev:
            raise DataError(f"{len(train)} train examples are too few to cut off a dev split, {_where(task)}; add dev")
    clashes = conflicts(train, task.kind)
    train, counts = drop_overlap(train, {"dev": dev, "test": test}, data.duplicates == "drop")
    if not train:
        raise DataError(f"every train text stands in dev or test too, {_where(task)}; give other splits")
    report: dict[str, Any] = {
        "train": len(train),
        "dev": len(dev),
        "test": len(test),
        "duplicates": counts | near_duplicates(train, {"dev": dev, "test": test}, counts_folder),
        "conflicts": clashes,
        "notes": notes,
    }
    if task.kind in (Kind.classes, Kind.tags):
        report["labels"] = {
            split: dict(sorted(Counter(label for example in some for label in _labels_of(example)).items()))
            for split, some in (("train", train), ("dev", dev), ("test", test))
        }
    if (positive := positive_label(task, labels)) is not None:
        report["positive"] = positive
    return Splits(train=train, dev=dev, test=test, labels=labels, report=report)


def _labels_of(example: Example) -> list[str]:
    return example.tags if example.tags is not None else [str(example.label)]


def read_examples(path: str, task: TaskConfig) -> list[Example]:
    """Return the examples of one file without looking at labels: what ``predict`` reads."""
    return examples(read_table(Path(path)), task, labelled=False)[0]


def _where(task: TaskConfig) -> str:
    return f"task.path={task.path}" if task.path else f"task.package={task.package}" if task.package else f"{task.hub}"


def _source(task: TaskConfig, share: float, notes: list[str]) -> tuple[dict[str, list[Example]], list[str] | None]:
    """Return the examples of train, test and perhaps dev, and the label names the source declares."""
    if task.path is not None:
        return _from_path(task, Path(task.path).expanduser(), share, notes), None
    if task.package is not None:
        return _from_package(task, task.package), None
    if task.hub is None:
        raise ConfigError(f"task={task.name} has no data: give files with task.path=DIR")
    tables = {"train": read_hub(task, task.train_split), "test": read_hub(task, task.test_split)}
    if task.dev_split is not None:
        tables["dev"] = read_hub(task, task.dev_split)
    found = {}
    for split, table in tables.items():
        found[split], left_out = examples(table, task)
        if left_out:
            notes.append(f"{split}: {left_out} rows without text or label left out")
    return found, tables["train"].names.get(task.label if task.kind is Kind.classes else task.tags)


def _from_path(task: TaskConfig, path: Path, share: float, notes: list[str]) -> dict[str, list[Example]]:
    if path.is_file():
        everything, _ = examples(read_table(path), task)
        _labels(task, everything, None)  # what is no label at all is told before the cut fails for it
        train, test = cut(everything, share, task.kind)
        if not test:
            raise DataError(f"{len(everything)} examples are too few to split, task.path={path}: give a folder")
        notes.append(f"one file: {len(test)} examples cut off as the test split")
        return {"train": train, "test": test}
    if not path.is_dir():
        raise DataError(f"no such file or folder, task.path={path}: name one with train, dev and test files")
    files = split_files(path)
    tables: dict[str, Table] = {split: read_table(file) for split, file in files.items()}
    found = {split: examples(table, task)[0] for split, table in tables.items()}
    if "test" not in found and "dev" in found:  # GLUE's way where test labels are hidden
        found["test"] = found.pop("dev")
        notes.append(f"no test file: {files['dev'].name} is the test split")
    elif "test" not in found:
        found["train"], found["test"] = cut(found["train"], share, task.kind)
        notes.append(f"no test file: {len(found['test'])} examples cut off train as the test split")
        if not found["test"]:
            raise DataError(f"{len(found['train'])} examples are too few to split, task.path={path}: add a test file")
    return found


def _from_package(task: TaskConfig, name: str) -> dict[str, list[Example]]:
    from thaw.text.demo_text import splits

    return {
        split: [Example(text_a=text, label=label) for text, label in pairs] for split, pairs in splits(name).items()
    }


def _same_shape(task: TaskConfig, splits: dict[str, list[Example]]) -> None:
    shapes = {split: some[0].text_b is not None for split, some in splits.items() if some}
    if len(set(shapes.values())) > 1:
        words = ", ".join(f"{split} has {'pairs' if pair else 'single texts'}" for split, pair in shapes.items())
        raise DataError(f"splits differ, {_where(task)}: {words}; name the columns alike")


def _labels(task: TaskConfig, train: list[Example], names: list[str] | None) -> list[str] | None:
    """Return the labels in order: as declared, else classes sorted, else tags by frequency in train."""
    if task.kind in (Kind.score, Kind.span):
        return None
    if task.kind is Kind.classes:
        counts = Counter(str(example.label) for example in train)
        _plausible(task, counts, train)
        return list(task.labels or names or sorted(counts, key=_natural))
    counts = Counter(tag for example in train for tag in example.tags or [])
    _plausible(task, counts, train)
    if task.labels or names:
        return list(task.labels or names or [])
    ordered = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if are_entity_tags(ordered):  # a type seen only as B- may go on as I-
        types = sorted({tag[2:] for tag in counts if tag != "O"})
        ordered += [tag for kind in types for tag in (f"B-{kind}", f"I-{kind}") if tag not in counts]
    return ordered


def _natural(label: str) -> tuple[int, Decimal, str]:
    """Numbers by value before words, so that 2 stands before 10 and -1 before 1: the last of two labels is positive."""
    return (0, Decimal(label), label) if is_number(label) else (1, Decimal(0), label)


def is_number(label: str) -> bool:
    """Return whether a label is a number, so that the larger of two is the positive one."""
    return bool(_NUMBER.fullmatch(label))


def _plausible(task: TaskConfig, counts: Counter[str], train: list[Example]) -> None:
    if len(counts) < 2:
        raise DataError(f"train has only the label '{next(iter(counts), '')}', {_where(task)}: two or more are needed")
    if len(counts) > MOST_LABELS or (len(counts) > 50 and len(counts) > len(train) / 2):
        shown = ", ".join(repr(label[:40]) for label in list(counts)[:3])
        raise DataError(
            f"{len(counts)} distinct labels in {len(train)} train examples, {_where(task)}: {shown} ...; is column"
            f" '{task.label if task.kind is Kind.classes else task.tags}' the label?"
        )


def _known(task: TaskConfig, labels: list[str], split: str, some: list[Example]) -> None:
    known = set(labels)
    unknown: dict[str, list[int | str]] = {}
    for number, example in enumerate(some, 1):
        for label in _labels_of(example):
            if label not in known:
                unknown.setdefault(label, []).append(example.line or number)
    if unknown:
        label = next(iter(unknown))
        more = f" (and {len(unknown) - 1} other labels)" if len(unknown) > 1 else ""
        declared = "task.labels" if task.labels else "train"
        hint = nearest(label, labels) if len(labels) <= 20 else ""
        raise offend(
            f"{_where(task)} {split}",
            f"label '{label[:60]}'{more} is not in {declared}{hint}",
            unknown[label],
            "correct it, or declare all labels with task.labels=[...]",
        )
