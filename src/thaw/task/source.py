"""The source of a task's examples: files, a package's text or the hub."""

from dataclasses import dataclass, field
from pathlib import Path

from thaw.errors import ConfigError, DataError
from thaw.task.example import Example
from thaw.task.files import read_table, split_files
from thaw.task.hub import read_hub
from thaw.task.label_set import counted, plausible
from thaw.task.labels import declared
from thaw.task.rows import examples, nan_is_missing
from thaw.task.subset import cut
from thaw.task.table import Table
from thaw.task.task import Kind, TaskConfig


@dataclass(kw_only=True)
class Source:
    """The examples of train, test and perhaps dev, and what is known of where they stand."""

    splits: dict[str, list[Example]]
    names: list[str] | None = None  # the labels that the source declares
    nouns: dict[str, str] = field(default_factory=dict)  # split -> what the numbers of its rows count
    notes: list[str] = field(default_factory=list)  # how the splits were made
    reading: list[str] = field(default_factory=list)  # what a person should know of how the files were read


def source(task: TaskConfig, share: float) -> Source:
    """Return the examples of a task; ``share`` of train is cut off where files have no test split."""
    if task.path is not None:
        return _from_path(task, Path(task.path).expanduser(), share)
    if task.package is not None:
        return _from_package(task.package)
    if task.hub is None:
        raise ConfigError(f"task={task.name} has no data: give files with task.path=DIR")
    tables = {"train": read_hub(task, task.train_split), "test": read_hub(task, task.test_split)}
    if task.dev_split is not None:
        tables["dev"] = read_hub(task, task.dev_split)
    found = Source(splits={}, nouns=dict.fromkeys(tables, "row"))
    missing = nan_is_missing(tables.values(), task)
    for split, table in tables.items():
        found.splits[split], left_out = examples(table, task, missing=missing)
        if left_out:
            found.notes.append(f"{split}: {left_out} rows without text or label left out")
        found.reading += table.notes
    names = tables["train"].names.get(task.label if task.kind is Kind.classes else task.tags)
    found.names = [declared(name) for name in names] if names else None
    return found


def _from_path(task: TaskConfig, path: Path, share: float) -> Source:
    if path.is_file():
        table = read_table(path)
        everything, _ = examples(table, task, missing=nan_is_missing([table], task))
        train, test = _cut(task, everything, share)
        if not test:
            raise DataError(f"{len(everything)} examples are too few to split, task.path={path}: give a folder")
        notes = [f"one file: {len(test)} examples cut off as the test split"]
        nouns = {"train": table.noun, "test": table.noun}
        return Source(splits={"train": train, "test": test}, nouns=nouns, notes=notes, reading=table.notes)
    if not path.is_dir():
        raise DataError(f"no such file or folder, task.path={path}: name one with train, dev and test files")
    files = split_files(path)
    tables: dict[str, Table] = {split: read_table(file) for split, file in files.items()}
    missing = nan_is_missing(tables.values(), task)
    found = Source(
        splits={split: examples(table, task, missing=missing)[0] for split, table in tables.items()},
        nouns={split: table.noun for split, table in tables.items()},
        reading=[note for table in tables.values() for note in table.notes],
    )
    if "test" not in found.splits and "dev" in found.splits:  # GLUE's way where test labels are hidden
        found.splits["test"], found.nouns["test"] = found.splits.pop("dev"), found.nouns.pop("dev")
        found.notes.append(f"no test file: {files['dev'].name} is the test split")
    elif "test" not in found.splits:
        train, test = _cut(task, found.splits["train"], share)
        if not test:
            raise DataError(f"{len(train)} examples are too few to split, task.path={path}: add a test file")
        found.splits |= {"train": train, "test": test}
        found.nouns["test"] = found.nouns["train"]
        found.notes.append(f"no test file: {len(test)} examples cut off train as the test split")
    return found


def _cut(task: TaskConfig, everything: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Cut a test split off; what is no label at all is told before the cut fails for it, or takes long."""
    if task.kind in (Kind.classes, Kind.tags):
        plausible(task, counted(everything), task.labels)
    return cut(everything, share, task.kind)


def _from_package(name: str) -> Source:
    from thaw.text.demo_text import splits

    found = {
        split: [Example(text_a=text, label=label) for text, label in pairs] for split, pairs in splits(name).items()
    }
    return Source(splits=found, nouns=dict.fromkeys(found, "example"))
