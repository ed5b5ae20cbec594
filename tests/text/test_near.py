import numpy as np
import pytest

from thaw.text.near import near_groups, near_pairs


def jaccard(one: str, other: str) -> float:
    """Similarity of two texts as it is defined, with Python's sets."""
    runs = []
    for text in (one, other):
        words = text.casefold().split()
        runs.append({tuple(words[start : start + 8]) for start in range(max(1, len(words) - 7))})
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_near_duplicates_are_one_group(draw):
    base = [" ".join(f"w{number}" for number in draw.integers(0, 5000, 60)) for _ in range(50)]
    edited = [text + " one more sentence at the end" for text in base]
    group = near_groups([*base, *edited, "short", "short text"])
    assert (group[:50] == group[50:100]).all()
    assert len(set(group)) == 52


def test_pairs_are_those_of_the_definition(draw):
    texts = []
    for _ in range(12):
        words = [f"w{number}" for number in draw.integers(0, 50, int(draw.integers(1, 40)))]
        texts += [" ".join(words), " ".join([*words[: int(draw.integers(1, len(words) + 1))], "end"])]
    wanted = {(a, b) for b in range(len(texts)) for a in range(b) if jaccard(texts[a], texts[b]) >= 0.5}
    assert 3 < len(wanted) < 12
    assert {tuple(pair) for pair in near_pairs(texts).tolist()} == wanted


def test_a_formula_in_many_texts_makes_no_pairs(draw):
    formula = " ".join("this product is sold without any warranty at all".split())
    texts = [formula + " " + " ".join(f"w{n}" for n in draw.integers(0, 5000, 30)) for _ in range(200)]
    assert len(near_pairs(texts)) == 0


def test_no_text_has_no_pairs():
    assert len(near_pairs([])) == len(near_pairs(["one"])) == 0
