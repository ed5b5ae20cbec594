"""Task files to rows: JSONL, JSON, CSV and TSV, in UTF-8.

A file that is not what it says is refused with its first offending lines; nothing is guessed, nothing skipped.
"""

import re
from pathlib import Path

from thaw.errors import DataError
from thaw.storage import remembered
from thaw.task.records import json_lines, json_table
from thaw.task.separated import separated
from thaw.task.table import Table
from thaw.task.task import Kind
from thaw.text import tabs

SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
SUFFIXES = (".jsonl", ".csv", ".tsv", ".json")
_LIST_CELL = re.compile(rb"""(?:^|[,\t])(?:"?\[\s*+u?(?:'|"")|\[\s*+")""", re.MULTILINE)


def split_files(folder: Path) -> dict[str, Path]:
    """Return the file of each split in a folder: one of train.jsonl, train.csv, train.tsv, train.json and so on."""
    if not folder.is_dir():
        raise DataError(
            f"task.path={folder} is neither a regular file nor a folder, give one with train/dev/test files"
        )
    found: dict[str, Path] = {}
    for split, names in SPLIT_NAMES.items():
        files = [folder / (name + suffix) for name in names for suffix in SUFFIXES]
        files = [file for file in files if file.is_file()]
        if len(files) > 1:
            shown = ", ".join(file.name for file in files)
            raise DataError(f"more than one file for the split {split}, task.path={folder}: {shown}; keep one")
        if files:
            found[split] = files[0]
    if "train" not in found:
        there = ", ".join(sorted(file.name for file in folder.iterdir())[:8]) or "nothing"
        raise DataError(f"no train.jsonl, .csv, .tsv or .json, task.path={folder}: it holds {there}; add train")
    return found


def read_table(path: Path) -> Table:
    """Read one file by its suffix; DataError with the first offending lines."""
    if path.suffix not in SUFFIXES:
        raise DataError(f"unknown kind of task file, {path}: use one of {', '.join(SUFFIXES)}")
    text = _text(path)
    if not text.strip():
        raise DataError(f"empty task file, {path}: nothing to read; give it one example a line")
    read = {".jsonl": json_lines, ".json": json_table}.get(path.suffix, separated)
    return read(path, text)


def reading(path: Path, kind: Kind) -> str:
    """Return the rules of reading that a run id names beside a file's digest; "" where the bytes say all.

    Until 2026-11-28 quotation marks in every .tsv were CSV's, and a list written in a cell was split at its spaces. A
    run on such a file has another id than one from before, so that a wrong reading that has finished hides nothing.
    """
    rules = ""
    if path.suffix == ".tsv":
        rules += remembered(_quotes, path)
    if kind is Kind.tags and path.suffix in (".csv", ".tsv"):
        rules += remembered(_lists, path)
    return rules


def _quotes(path: Path) -> str:
    text = tabs.unified(path.read_bytes().decode("utf-8-sig", "replace"))
    return "+quotes" if tabs.opens_quotation(text) and not tabs.is_csv(text) else ""


def _lists(path: Path) -> str:
    return "+lists" if _LIST_CELL.search(path.read_bytes()) else ""


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"task file can not be read, {path}: {error.strerror}; check task.path") from None
    if b"\0" in raw:
        where = raw.index(b"\0")
        raise DataError(f"not a text file, {path}: NUL at byte {where}; save it as UTF-8 text") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8, {path}: byte {error.start}; convert it with: iconv -t utf-8") from None
