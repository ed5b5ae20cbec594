"""Subsets and cuts of any examples: nested, stratified, of the right size, of the content and the seed alone."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.task.example import Example, text_key
from thaw.task.subset import checksum, cut, subset
from thaw.task.task import Kind

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("aaaabbc")), min_size=1, max_size=60)
SEEDS = st.integers(0, 2**32)


def examples(pairs: list[tuple[int, str]]) -> list[Example]:
    return [Example(text_a=f"text {number}", label=label, line=line) for line, (number, label) in enumerate(pairs, 1)]


def contents(members: list[Example]) -> Counter:
    return Counter((example.text_a, example.label) for example in members)


@settings(max_examples=200)
@given(PAIRS, SEEDS, st.sampled_from([Kind.classes, Kind.score]), st.data())
def test_subsets(pairs: list[tuple[int, str]], seed: int, kind: Kind, data: st.DataObject) -> None:
    every = examples(pairs)
    counts = Counter(label for _, label in pairs) if kind is Kind.classes else Counter({"": len(pairs)})
    size = data.draw(st.integers(len(counts), len(every)))
    chosen = subset(every, size, seed, kind)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == size
    assert set(chosen) <= set(subset(every, data.draw(st.integers(size, len(every))), seed, kind))
    if kind is Kind.classes:
        found = Counter(every[index].label for index in chosen)
        assert found.keys() == counts.keys()
        slack = 1 + 1.5 * len(counts)  # rounding of each class, and one seat kept for every class
        assert all(abs(found[label] - size * count / len(every)) <= slack for label, count in counts.items())
    mixed = every[:]
    random.Random(seed).shuffle(mixed)
    again = subset(mixed, size, seed, kind)
    assert contents([mixed[i] for i in again]) == contents([every[i] for i in chosen])
    assert checksum(mixed, again) == checksum(every, chosen)


@settings(max_examples=200)
@given(PAIRS, SEEDS, st.floats(0.05, 0.9))
def test_cuts(pairs: list[tuple[int, str]], seed: int, share: float) -> None:
    every = examples(list({number: (number, label) for number, label in pairs}.values()) * 2)  # each text twice
    rest, part = cut(every, share, Kind.classes, seed)
    assert contents(rest) + contents(part) == contents(every)
    assert not {text_key(one) for one in rest} & {text_key(one) for one in part}  # copies stay together
    assert {one.label for one in rest} == {one.label for one in every}
    assert len(part) <= round(share * len(every)) + 1
    mixed = every[:]
    random.Random(seed).shuffle(mixed)
    assert contents(cut(mixed, share, Kind.classes, seed)[1]) == contents(part)


@settings(max_examples=100)
@given(PAIRS, SEEDS, st.floats(0.05, 0.9))
def test_cuts_of_texts_with_several_labels(pairs: list[tuple[int, str]], seed: int, share: float) -> None:
    every = examples(pairs)
    rest, part = cut(every, share, Kind.classes, seed)
    assert contents(rest) + contents(part) == contents(every)
    assert not {text_key(one) for one in rest} & {text_key(one) for one in part}
    assert {one.label for one in rest} == {one.label for one in every}
    assert contents(cut(every[::-1], share, Kind.classes, seed)[1]) == contents(part)
