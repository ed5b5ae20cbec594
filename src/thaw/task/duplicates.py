"""Texts that stand twice: within train, across splits, with conflicting labels, and nearly the same."""

import unicodedata
from collections import Counter, defaultdict
from typing import Any

from thaw.task.example import Example, text_key
from thaw.task.task import Kind


def drop_overlap(
    train: list[Example], others: dict[str, list[Example]], drop: bool
) -> tuple[list[Example], dict[str, int]]:
    """Return train without the texts of ``others`` (dev, test) if ``drop``, and the counts of exact duplicates.

    Exact means equal up to case, width and spacing; a pair counts when both texts agree, a question with its context.
    """
    keys = [text_key(example) for example in train]
    seen = {name: {text_key(example) for example in examples} for name, examples in others.items()}
    counts = {f"train_{name}": sum(key in found for key in keys) for name, found in seen.items()}
    if "dev" in seen and "test" in seen:
        counts["dev_test"] = sum(text_key(example) in seen["test"] for example in others["dev"])
    counts["within_train"] = len(keys) - len(set(keys))
    overlap = set().union(*seen.values())
    kept = [example for example, key in zip(train, keys, strict=True) if not (drop and key in overlap)]
    counts["dropped"] = len(train) - len(kept)
    return kept, counts


def conflicts(examples: list[Example], kind: Kind) -> dict[str, Any]:
    """Return how many texts stand with different labels, and the first three of them (not for span)."""
    if kind is Kind.span:
        return {"count": 0, "first": []}
    by_text: dict[bytes, list[Example]] = defaultdict(list)
    for example in examples:
        by_text[text_key(example)].append(example)
    found = [group for group in by_text.values() if len({str(example.target) for example in group}) > 1]
    first = [
        {
            "text": " | ".join(group[0].texts)[:80],
            "labels": [str(example.target)[:80] for example in group[:3]],
            "lines": [example.line for example in group[:3]],
        }
        for group in found[:3]
    ]
    return {"count": len(found), "first": first}


def near_duplicates(train: list[Example], other: list[Example], *, threshold: float = 0.5, words: int = 8) -> list[int]:
    """Return the indices of train whose word 8-grams overlap with an example of ``other`` (Jaccard >= threshold).

    Texts shorter than eight words count as one gram. Exact duplicates are among them.
    """
    index: dict[int, list[int]] = defaultdict(list)
    sizes = []
    for number, example in enumerate(other):
        grams = _grams(example, words)
        sizes.append(len(grams))
        for gram in grams:
            index[gram].append(number)
    found = []
    for number, example in enumerate(train):
        grams = _grams(example, words)
        shared: Counter[int] = Counter()
        for gram in grams:
            shared.update(index.get(gram, ()))
        if any(n / (len(grams) + sizes[match] - n) >= threshold for match, n in shared.items()):
            found.append(number)
    return found


def _grams(example: Example, words: int) -> set[int]:
    """Hashes of word n-grams; Python's hash serves within one process."""
    split = unicodedata.normalize("NFKC", " ".join(example.texts)).casefold().split()
    return {hash(tuple(split[start : start + words])) for start in range(max(1, len(split) - words + 1))}
