"""Task files to rows: JSONL, CSV, TSV (RFC 4180 quoting, UTF-8) and SQuAD JSON.

A file that is not what it says is refused with its first offending lines; nothing is guessed, nothing skipped. Half
a character, which JSON's escapes may hold, becomes U+FFFD.
"""

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaw.errors import DataError

SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
SUFFIXES = (".jsonl", ".csv", ".tsv", ".json")
_HALF = re.compile("[\ud800-\udfff]")
LONGEST_CELL = 2**27  # characters; csv's own limit of 131,072 refuses long documents


@dataclass(kw_only=True)
class Table:
    """The rows of one split and where they are from; ``names`` maps a column's integer labels to words (the hub)."""

    where: str
    rows: list[tuple[int, dict[str, Any]]]  # line number in the file, columns
    names: dict[str, list[str]] = field(default_factory=dict)
    hub: bool = False


def offend(where: str, what: str, lines: Iterable[int | str], remedy: str) -> DataError:
    """Return the error for offending lines: how many, the first three, the remedy."""
    lines = list(lines)
    noun = "line" if isinstance(lines[0], int) else "row"
    first = ", ".join(str(line) for line in lines[:3])
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return DataError(f"{what}, {where}: {noun}{'s' if len(lines) > 1 else ''} {first}{more}; {remedy}")


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
    if path.suffix == ".jsonl":
        return Table(where=str(path), rows=_jsonl(path, text))
    if path.suffix == ".json":
        return Table(where=str(path), rows=_squad(path, text))
    return Table(where=str(path), rows=_separated(path, text, "," if path.suffix == ".csv" else "\t"))


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


def _constant(name: str) -> Any:
    return None if name == "NaN" else float(name)  # a NaN cell is a missing one


def _whole(value: Any) -> Any:
    """Return a JSON value without half characters."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {_whole(key): _whole(one) for key, one in value.items()} if isinstance(value, dict) else value


def _jsonl(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    rows, bad = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _whole(json.loads(line, parse_constant=_constant))
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append((number, row))
        else:
            bad.append(number)
    if bad:
        raise offend(str(path), "not a JSON object", bad, 'write one {"text": ..., "label": ...} a line')
    return rows


def _separated(path: Path, text: str, delimiter: str) -> list[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    rows, bad, line = [], [], 0
    try:
        for cells in reader:
            start, line = line + 1, reader.line_num
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if not header:
                header = _header(path, cells, delimiter)
            elif len(cells) != len(header):
                bad.append(start)
            else:
                rows.append((start, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise DataError(
            f"broken quoting, {path}: from line {line + 1} ({error}); double the quotes inside a cell, or use .jsonl"
        ) from None
    if bad:
        raise offend(str(path), f"not {len(header)} cells as in the header", bad, "quote cells that hold the delimiter")
    return rows


def _header(path: Path, cells: list[str], delimiter: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(header) == 1:
        for other in {",", "\t", ";", "|"} - {delimiter}:
            if other in header[0]:
                raise DataError(
                    f"wrong delimiter, {path}: the header '{header[0][:60]}' has no {delimiter!r} but {other!r};"
                    " .csv is separated by commas, .tsv by tabs"
                )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"column named twice, {path}: {', '.join(twice)}; rename one of them")
    return header


def _squad(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    """SQuAD's nested JSON to rows; a row's number counts questions from 1."""
    try:
        articles = _whole(json.loads(text))["data"]
        rows = [
            {
                "question": question["question"],
                "context": paragraph["context"],
                "answers": None
                if question.get("answers") is None
                else {
                    "text": [answer["text"] for answer in question["answers"]],
                    "answer_start": [answer["answer_start"] for answer in question["answers"]],
                },
                "id": question.get("id"),
                "title": article.get("title"),
            }
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"not SQuAD JSON, {path}: {what}; .json is for SQuAD, other tasks use .jsonl") from None
    if not rows:
        raise DataError(f"no questions, {path}: data is empty; give it SQuAD's articles")
    return list(enumerate(rows, 1))
