"""Texts that stand twice: within train, across splits, with conflicting labels, and nearly the same."""

import contextlib
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.storage import write_text
from thaw.task.example import Example, text_key
from thaw.task.task import Kind
from thaw.text.near import FORMULA, NEAR, RUN, near_pairs

MOST_CHARACTERS = 20_000_000  # a few seconds of searching near duplicates


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


def near_duplicates(
    train: list[Example], others: dict[str, list[Example]], folder: Path | None = None
) -> dict[str, Any]:
    """Return how many train texts are nearly a text of ``others`` (dev, test); exact duplicates are among them.

    None where the texts together are longer than ``MOST_CHARACTERS``: counting would delay the start of every run.
    A count is kept in ``folder`` by a hash of the texts, so that the next process need not count again.
    """
    found: dict[str, Any] = {}
    for name, other in others.items():
        texts = [" ".join(example.texts) for example in (*train, *other)]
        if sum(map(len, texts)) > MOST_CHARACTERS:
            found[f"near_train_{name}"] = None
            continue
        digest = hashlib.sha256(json.dumps([RUN, NEAR, FORMULA, len(train), texts]).encode()).hexdigest()
        found[f"near_train_{name}"] = _kept(folder / digest[:24] if folder else None, texts, len(train))
    return found


def _kept(file: Path | None, texts: list[str], border: int) -> int:
    """Return how many of the texts before ``border`` are nearly one after it, from ``file`` if it knows."""
    if file:
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text("utf-8"))
    pairs = near_pairs(texts)
    across = (pairs[:, 0] < border) & (pairs[:, 1] >= border)
    count = len(set(pairs[across, 0].tolist()))
    if file:
        with contextlib.suppress(StorageError):  # it is counted again then
            write_text(file, f"{count}\n")
    return count


def overlap(counts: dict[str, Any]) -> str:
    """Return what to tell of the counts of ``read``: texts shared with dev and test; empty when there are none."""
    names = {"train_dev": "in dev", "train_test": "in test", "near_train_dev": "nearly in dev"}
    names["near_train_test"] = "nearly in test"
    found = ", ".join(f"{counts[key]} {name}" for key, name in names.items() if counts.get(key))
    dropped = f", {counts['dropped']} dropped" if counts.get("dropped") else ""
    lines = [f"texts of train that stand elsewhere too: {found}{dropped}"] if found else []
    if counts.get("dev_test"):
        lines.append(f"{counts['dev_test']} texts of dev stand in test too: what dev chooses has seen them")
    return "; ".join(lines)
