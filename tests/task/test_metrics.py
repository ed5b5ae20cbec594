import itertools
import random
import re
import string
from collections import Counter

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from task_files import make_task

from thaw.errors import ConfigError, DivergedError
from thaw.task.entities import EntityCounts, entities
from thaw.task.example import Example
from thaw.task.metrics import Metrics
from thaw.task.task import are_entity_tags


def scored(task, labels, true, predicted):
    metrics = Metrics(task, labels)
    half = len(true) // 2
    for part in (slice(0, half), slice(half, None)):  # parts add up
        metrics.update(true[part], [{"prediction": value} for value in predicted[part]])
    return metrics.compute()


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classes_agree_with_scikit_learn(classes):
    generator = random.Random(classes)
    labels = [f"l{n}" for n in range(classes)]
    true = [generator.choice(labels) for _ in range(200)]
    predicted = [label if generator.random() < 0.6 else generator.choice(labels[:-1]) for label in true]
    found = scored(make_task("classes"), labels, [Example(label=label) for label in true], predicted)
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(true, predicted),
        "macro_f1": sklearn.metrics.f1_score(true, predicted, average="macro"),
        "matthews": sklearn.metrics.matthews_corrcoef(true, predicted),
    }
    if classes == 2:
        expected["f1"] = sklearn.metrics.f1_score(true, predicted, pos_label="l1")
    assert found == pytest.approx(expected, abs=1e-6)


def test_f1_is_for_two_classes_and_entities_need_bio():
    with pytest.raises(ConfigError, match=r"task.metric=f1 is for two classes.*use macro_f1"):
        Metrics(make_task("classes", metric="f1"), ["a", "b", "c"])
    with pytest.raises(ConfigError, match=r"task.metric=entity_f1 needs.*use task.metric=token_accuracy"):
        Metrics(make_task("tags"), ["NOUN", "VERB"])


def test_scores_agree_with_scipy():
    generator = np.random.default_rng(0)
    true = np.round(generator.uniform(0, 5, 300), 1)  # ties
    predicted = np.round(true + generator.normal(0, 1, 300), 1)
    found = scored(make_task("score"), None, [Example(label=float(value)) for value in true], predicted.tolist())
    assert found["pearson"] == pytest.approx(scipy.stats.pearsonr(true, predicted).statistic, abs=1e-9)
    assert found["spearman"] == pytest.approx(scipy.stats.spearmanr(true, predicted).statistic, abs=1e-6)


def test_constant_scores_correlate_with_nothing_and_infinite_ones_diverged():
    true = [Example(label=float(value)) for value in range(5)]
    assert scored(make_task("score"), None, true, [2.0] * 5) == {"pearson": 0.0, "spearman": 0.0}
    with pytest.raises(DivergedError, match="1 of 5 predicted scores are not finite"):
        scored(make_task("score"), None, true, [1.0, 2.0, float("nan"), 3.0, 4.0])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-A I-A O B-A", [("A", 0, 2), ("A", 3, 4)]),
        ("B-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("I-A I-A O I-B", [("A", 0, 2), ("B", 3, 4)]),  # an I- that follows nothing begins an entity
        ("B-A I-B I-B", [("A", 0, 1), ("B", 1, 3)]),  # so does one of another type
        ("B-A", [("A", 0, 1)]),
        ("I-A-B I-A-B", [("A-B", 0, 2)]),
        ("", []),
    ],
)
def test_entities_by_hand(tags, expected):
    assert entities(tags.split()) == expected


def conlleval_chunks(tags):
    """Independent: the state machine of conlleval.pl, startOfChunk and endOfChunk, for B, I and O."""
    chunks, begin = set(), None
    before, before_type = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        mark, kind = (tag, "") if tag == "O" else tag.split("-", 1)
        ends = (before, mark) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")} or (
            before != "O" and before_type != kind
        )
        starts = (before, mark) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")} or (
            mark != "O" and before_type != kind
        )
        if ends and begin is not None:
            chunks.add((before_type, begin, place))
            begin = None
        if starts:
            begin = place
        before, before_type = mark, kind
    return chunks


def test_entities_agree_with_conlleval_on_every_short_sequence_and_on_long_ones():
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    for length in range(5):
        for sequence in itertools.product(tags, repeat=length):
            assert set(entities(list(sequence))) == conlleval_chunks(sequence)
    generator = random.Random(0)
    counts, true_chunks, predicted_chunks = EntityCounts(), set(), set()
    for sentence in range(300):
        true = [generator.choice(tags) for _ in range(generator.randint(1, 30))]
        predicted = [tag if generator.random() < 0.8 else generator.choice(tags) for tag in true]
        counts.update(true, predicted)
        true_chunks |= {(sentence, *chunk) for chunk in conlleval_chunks(true)}
        predicted_chunks |= {(sentence, *chunk) for chunk in conlleval_chunks(predicted)}
    both = len(true_chunks & predicted_chunks)
    precision, recall = both / len(predicted_chunks), both / len(true_chunks)
    assert counts.f1() == pytest.approx(2 * precision * recall / (precision + recall))


def test_tags_give_entity_f1_only_where_there_are_entities():
    true = [Example(tokens=["a", "b"], tags=["B-A", "I-A"]), Example(tokens=["c"], tags=["O"])]
    found = scored(make_task("tags"), ["O", "B-A", "I-A"], true, [["B-A", "O"], ["O"]])
    assert found == {"entity_f1": 0.0, "token_accuracy": pytest.approx(2 / 3)}
    true = [Example(tokens=["a"], tags=["NOUN"]), Example(tokens=["a"], tags=["VERB"])]
    assert scored(make_task("tags", metric="token_accuracy"), ["NOUN", "VERB"], true, [["NOUN"], ["NOUN"]]) == {
        "token_accuracy": 0.5
    }
    assert not are_entity_tags(["O", "B-"])


def squad_words(text):
    """The normalisation of SQuAD's evaluate-v1.1.py."""
    text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def squad_f1(predicted, answers):
    best = 0.0
    for answer in answers:
        guess, truth = squad_words(predicted), squad_words(answer)
        same = sum((Counter(guess) & Counter(truth)).values())
        if same:
            best = max(best, 2 * same / (len(guess) + len(truth)))
    return best


def test_spans_agree_with_the_official_script():
    answers = [["the Eiffel Tower", "Eiffel Tower"], ["1889"], ["Gustave Eiffel, an engineer"], ["Paris"]]
    predicted = ["Eiffel  tower.", "in 1889", "Gustave", ""]
    true = [Example(question="q", context="c", answers=[(text, 0) for text in texts]) for texts in answers]
    found = scored(make_task("span"), None, true, predicted)
    expected = np.mean([squad_f1(guess, texts) for guess, texts in zip(predicted, answers, strict=True)])
    assert found["f1"] == pytest.approx(expected, abs=1e-6)
    assert found["exact_match"] == 0.25
