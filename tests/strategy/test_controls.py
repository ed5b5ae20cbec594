"""Controls answer in the form of a head; TF-IDF learns what words can tell."""

import pytest

from thaw.errors import ConfigError
from thaw.strategy.controls import CONTROLS
from thaw.strategy.plan import Majority, Tfidf
from thaw.task.example import Example
from thaw.task.task import Kind

WORDS = {"sun": "good", "rain": "bad"}
CLASSES = [Example(text_a=f"{word} {i}", label=label) for i in range(6) for word, label in WORDS.items()]


def test_majority_of_each_kind() -> None:
    three = [*CLASSES, Example(text_a="x", label="good")]
    assert CONTROLS["majority"](Majority(), Kind.classes, three)[0][1](three[:2]) == [{"prediction": "good"}] * 2
    scores = [Example(text_a="x", label=value) for value in (1.0, 2.0, 6.0)]
    assert CONTROLS["majority"](Majority(), Kind.score, scores)[0][1](scores[:1]) == [{"prediction": 3.0}]
    tags = [Example(tokens=["a", "b", "c"], tags=["O", "O", "B-X"])]
    assert CONTROLS["majority"](Majority(), Kind.tags, tags)[0][1](tags) == [{"prediction": ["O", "O", "O"]}]


def test_tfidf_reads_the_words() -> None:
    new = [Example(text_a="sun 99"), Example(text_a="rain")]
    for name, predict in CONTROLS["tfidf"](Tfidf(), Kind.classes, CLASSES):
        assert name.startswith("C=")
        assert [one["prediction"] for one in predict(new)] == ["good", "bad"]


def test_tfidf_of_pairs_sees_what_two_texts_share() -> None:
    pairs = [Example(text_a=f"w{i} w{i + 1}", text_b=f"w{i} w{i + 1}", label=1.0) for i in range(20)]
    pairs += [Example(text_a=f"w{i} w{i + 1}", text_b=f"w{i + 5} w{i + 7}", label=0.0) for i in range(20)]
    predict = dict(CONTROLS["tfidf"](Tfidf(), Kind.score, pairs))["C=10"]
    same, other = (one["prediction"] for one in predict([pairs[3], pairs[33]]))
    assert same > 0.7 > 0.3 > other


@pytest.mark.parametrize(("name", "kind"), [("tfidf", Kind.tags), ("tfidf", Kind.span), ("majority", Kind.span)])
def test_what_does_not_apply_is_refused(name: str, kind: Kind) -> None:
    with pytest.raises(ConfigError, match=f"strategy={name} .* task.kind={kind.name}"):
        CONTROLS[name](Tfidf() if name == "tfidf" else Majority(), kind, CLASSES)
