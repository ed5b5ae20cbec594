"""Texts that are nearly the same: at least half of their runs of eight words are shared (Jaccard similarity).

Words are compared without case and punctuation; a text of fewer than eight words is one run.
"""

import re

import numpy as np

RUN = 8  # words of a run
NEAR = 0.5  # Jaccard similarity of the sets of runs from which two texts are near duplicates
FORMULA = 50  # a run that more texts share is a formula, no copy: only its first texts are compared


def near_groups(texts: list[str]) -> np.ndarray:
    """Return for each text the number (n,) of the first text of its group of near duplicates."""
    group = np.arange(len(texts))
    for first, second in near_pairs(texts):
        group[group == group[second]] = group[first]
    return group


def near_pairs(texts: list[str]) -> np.ndarray:
    """Return the pairs (k, 2) of numbers of texts that are near duplicates, the smaller number first."""
    if not texts:
        return np.empty((0, 2), np.int64)
    runs, owner = _runs(texts)
    sizes = np.bincount(owner, minlength=len(texts))
    starts = np.flatnonzero(np.r_[True, runs[1:] != runs[:-1]])
    ends = np.r_[starts[1:], len(runs)]
    codes = [np.empty(0, np.int64)]
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        several = owner[start : min(end, start + FORMULA)]
        left, right = np.triu_indices(len(several), 1)
        codes.append(several[left] * len(texts) + several[right])
    pairs, shared = np.unique(np.concatenate(codes), return_counts=True)
    left, right = pairs // len(texts), pairs % len(texts)
    near = shared / (sizes[left] + sizes[right] - shared) >= NEAR
    return np.stack([left[near], right[near]], axis=1)


def _runs(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of all runs, a set for each text, sorted, and the number of the text each stands in."""
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
    return runs[fresh], owner[fresh]
