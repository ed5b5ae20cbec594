"""Nested, stratified, seeded subsets, and the cut of a dev or test split.

One order is put on all examples so that every prefix is stratified: the subset of size n is the first n, so n=50 lies
inside n=100 by construction. The order comes from hashes of content: shuffling the file changes nothing.
"""

import hashlib
from collections import Counter, defaultdict

from thaw.errors import ConfigError
from thaw.task.example import Example, Splits, content_key, strata, text_key
from thaw.task.task import DataConfig, Kind


def _ranks(keys: list[bytes], seed: int) -> list[bytes]:
    """Return a seeded hash for each key; equal keys are told apart by how often they came before."""
    seen: Counter[bytes] = Counter()
    ranks = []
    for key in keys:
        ranks.append(hashlib.sha256(b"%d:%d:" % (seed, seen[key]) + key).digest())
        seen[key] += 1
    return ranks


def _order(keys: list[bytes], labels: list[str], seed: int) -> list[tuple[float, int]]:
    """Return (place, index) sorted so that every prefix holds each label in proportion.

    The j-th of a label's N examples has place (j + 0.5) / N, so labels interleave evenly.
    """
    ranks = _ranks(keys, seed)
    members: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(keys)), key=lambda index: ranks[index]):
        members[labels[index]].append(index)
    places = [(j + 0.5) / len(group) for group in members.values() for j in range(len(group))]
    indices = [index for group in members.values() for index in group]
    return sorted(zip(places, indices, strict=True), key=lambda pair: (pair[0], ranks[pair[1]]))


def subset(examples: list[Example], size: int | str, seed: int, kind: Kind) -> list[int]:
    """Return the sorted indices of a nested subset, stratified by class, each class at least once.

    Score, tags and span are ordered by the hash alone. ConfigError when ``size`` exceeds what there is, or is smaller
    than the number of classes.
    """
    if str(size) == "all":
        return list(range(len(examples)))
    size = int(size)
    if size > len(examples):
        raise ConfigError(f"{size} examples are asked for and {len(examples)} are there; ask for fewer, or all")
    labels = strata(examples, kind)
    if size < len(set(labels)):
        raise ConfigError(
            f"{size} examples can not hold each of {len(set(labels))} classes once; ask for {len(set(labels))} or more"
        )
    order = _order([content_key(example) for example in examples], labels, seed)
    first: dict[str, int] = {}
    for _, index in order:
        first.setdefault(labels[index], index)
    kept = set(first.values())
    rest = [index for _, index in order if index not in kept]
    return sorted(kept | set(rest[: size - len(kept)]))


def choose(splits: Splits, data: DataConfig, kind: Kind, seed: int) -> tuple[list[int], list[int]]:
    """Return the indices of the train and dev examples a run may see, by data.train_size and data.dev_size."""
    try:
        train = subset(splits.train, data.train_size, seed, kind)
    except ConfigError as error:
        raise ConfigError(f"data.train_size={data.train_size}: {error} (split train)") from None
    size = str(data.dev_size)
    if size == "match":  # dev labels are labels: no more of them than of train
        size = str(min(len(train), len(splits.dev)))
        classes = len(set(strata(splits.dev, kind)))
        size = str(max(int(size), min(classes, len(splits.dev))))
    try:
        dev = subset(splits.dev, size, seed, kind)
    except ConfigError as error:
        raise ConfigError(f"data.dev_size={data.dev_size}: {error} (split dev)") from None
    return train, dev


def checksum(examples: list[Example], indices: list[int]) -> str:
    """Return the sha256 over the content of a subset, in order of content: what two runs share if it is equal."""
    return hashlib.sha256(b"".join(sorted(content_key(examples[index]) for index in indices))).hexdigest()


def cut(examples: list[Example], share: float, kind: Kind, seed: int = 0) -> tuple[list[Example], list[Example]]:
    """Return (rest, part): ``share`` of the examples cut off, stratified; every class keeps one in the rest.

    Copies of a text go to one side together, whatever their labels, and so do the questions of an article (span). The
    seed is not the run's: all runs share the cut.
    """
    articles = len({example.group for example in examples}) >= 1 / share  # else by paragraph
    units: dict[bytes, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        whole = (example.group if articles else example.context) or ""
        units[whole.encode() if kind is Kind.span else text_key(example)].append(index)
    labels = strata(examples, kind)
    unit_labels = [min(labels[index] for index in members) for members in units.values()]
    remaining = Counter(labels)
    members, part = list(units.values()), set[int]()
    wanted = round(share * len(examples))
    for _, unit in _order(list(units), unit_labels, seed):
        if len(part) >= wanted:
            break
        own = Counter(labels[index] for index in members[unit])
        if all(remaining[label] > count for label, count in own.items()):
            remaining -= own
            part.update(members[unit])
    return (
        [example for index, example in enumerate(examples) if index not in part],
        [example for index, example in enumerate(examples) if index in part],
    )
