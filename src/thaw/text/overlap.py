"""Test texts that stand in the pretraining text: the same pieces in a row, found in the ids on disk.

A text counts when any ``RUN`` pieces of it in a row are in the corpus (with 8,000 pieces about the 13 words of Brown et
al. 2020, appendix C); a shorter one, of at least ``SHORT`` pieces, when its first and its last ``SHORT`` both are. The
corpus is read once, a stretch at a time, whatever its size: 64-bit hashes of its runs against those of the texts.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thaw.text.ids import TokenFile

RUN, SHORT = 20, 8  # pieces
STRETCH = 1 << 20  # pieces read at once
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it vanishes


def overlap(file: TokenFile, texts: Sequence[np.ndarray]) -> dict[str, int]:
    """Return of some texts (ids, without special ones) how many were searched in a corpus, and how many were found."""
    long = [text for text in texts if len(text) >= RUN]
    short = [text for text in texts if SHORT <= len(text) < RUN]
    runs = [runs_of(text, RUN) for text in long]
    ends = [runs_of(text, SHORT)[[0, -1]] for text in short]
    seen = _seen(file, runs, RUN)
    found = sum(bool(np.isin(one, seen).any()) for one in runs)
    seen = _seen(file, ends, SHORT)
    found += sum(bool(np.isin(one, seen).all()) for one in ends)
    return {"found": found, "searched": len(long) + len(short), "texts": len(texts)}


def runs_of(ids: np.ndarray, length: int) -> np.ndarray:
    """Return a hash (uint64) of every ``length`` ids in a row, (len(ids) - length + 1,)."""
    count = len(ids) - length + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(length):
        hashes *= _BASE
        hashes += ids[place : place + count].astype(np.uint64) + np.uint64(1)
    return hashes ^ (hashes >> np.uint64(29))


def _seen(file: TokenFile, runs: list[np.ndarray], length: int) -> np.ndarray:
    """Return which hashes of ``runs`` are in the corpus."""
    if not runs:
        return np.zeros(0, np.uint64)
    wanted = np.unique(np.concatenate(runs))
    sieve = np.zeros(1 << 22, bool)  # most of the corpus falls through at the price of one look
    sieve[_low(wanted)] = True
    found = [wanted[:0]]
    for ids in _stretches(file, length):
        hashes = runs_of(ids, length)
        found.append(np.intersect1d(hashes[sieve[_low(hashes)]], wanted))
    return np.unique(np.concatenate(found))


def _low(hashes: np.ndarray) -> Any:
    return hashes & np.uint64((1 << 22) - 1)


def _stretches(file: TokenFile, length: int) -> Iterator[np.ndarray]:
    for first in range(0, file.tokens - length + 1, STRETCH):
        yield np.asarray(file.ids[first : first + STRETCH + length - 1])
        file.forget()
