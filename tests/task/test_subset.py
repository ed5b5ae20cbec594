import random
from collections import Counter

import pytest

from thaw.errors import ConfigError
from thaw.task.example import Example, Splits
from thaw.task.subset import checksum, choose, cut, subset
from thaw.task.task import DataConfig, Kind

LABELS = ["a"] * 600 + ["b"] * 300 + ["c"] * 90 + ["d"] * 9 + ["e"]
EXAMPLES = [Example(text_a=f"text {n}", label=label) for n, label in enumerate(LABELS)]


def texts(examples, indices):
    return {examples[index].text_a for index in indices}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_subsets_are_nested_and_stratified(seed):
    smaller: set[int] = set()
    for size in (5, 10, 50, 100, 200, 500, 1000):
        chosen = subset(EXAMPLES, size, seed, Kind.classes)
        assert len(chosen) == size
        assert smaller <= set(chosen)
        counts = Counter(LABELS[index] for index in chosen)
        assert set(counts) == set("abcde")
        for label, share in (("a", 0.6), ("b", 0.3)):
            assert abs(counts[label] - share * size) <= 4
        smaller = set(chosen)


def test_another_seed_gives_another_subset_and_position_does_not_matter():
    first = texts(EXAMPLES, subset(EXAMPLES, 50, 1, Kind.classes))
    assert first != texts(EXAMPLES, subset(EXAMPLES, 50, 2, Kind.classes))
    shuffled = random.Random(0).sample(EXAMPLES, len(EXAMPLES))
    assert texts(shuffled, subset(shuffled, 50, 1, Kind.classes)) == first
    assert first != {example.text_a for example in EXAMPLES[:50]}


def test_other_kinds_are_nested_too():
    scores = [Example(text_a=f"text {n}", label=float(n)) for n in range(100)]
    small, large = subset(scores, 10, 1, Kind.score), subset(scores, 20, 1, Kind.score)
    assert set(small) < set(large)
    assert subset(scores, "all", 1, Kind.score) == list(range(100))


def test_copies_of_an_example_count_as_examples():
    copies = [Example(text_a="same", label="a")] * 10
    assert len(subset(copies, 5, 1, Kind.score)) == 5


def test_sizes_that_can_not_be():
    with pytest.raises(ConfigError, match="1001 examples are asked for and 1000 are there"):
        subset(EXAMPLES, 1001, 1, Kind.classes)
    with pytest.raises(ConfigError, match="4 examples can not hold each of 5 classes"):
        subset(EXAMPLES, 4, 1, Kind.classes)


def test_dev_is_no_larger_than_train():
    splits = Splits(train=EXAMPLES, dev=EXAMPLES[500:], test=[], labels=sorted(set(LABELS)))
    for size, dev_size, expected in (
        ("100", "match", 100),
        ("all", "match", 500),
        ("50", "all", 500),
        ("50", "20", 20),
    ):
        train, dev = choose(splits, DataConfig(train_size=size, dev_size=dev_size), Kind.classes, 1)
        assert len(dev) == expected
        assert len(train) == (1000 if size == "all" else int(size))
    with pytest.raises(ConfigError, match=r"data.train_size=4: 4 examples can not hold"):
        choose(splits, DataConfig(train_size="4"), Kind.classes, 1)
    with pytest.raises(ConfigError, match=r"data.dev_size=501: 501 examples are asked for.*split dev"):
        choose(splits, DataConfig(dev_size="501"), Kind.classes, 1)


def test_the_checksum_is_of_content():
    chosen = subset(EXAMPLES, 50, 1, Kind.classes)
    assert checksum(EXAMPLES, chosen) == checksum([EXAMPLES[index] for index in chosen][::-1], list(range(50)))
    assert checksum(EXAMPLES, chosen) != checksum(EXAMPLES, subset(EXAMPLES, 50, 2, Kind.classes))


def test_a_cut_is_stratified_complete_and_leaves_every_class():
    rest, part = cut(EXAMPLES, 0.1, Kind.classes)
    assert len(rest) + len(part) == 1000
    assert len(part) == 100
    counts = Counter(example.label for example in part)
    assert (counts["a"], counts["b"], counts["c"]) == (60, 30, 9)
    assert {example.label for example in rest} == set("abcde")
