"""Every metric equals the tool that defines it on degenerate input: constants, one class, ties, no words at all."""

import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from task_files import make_task, write_rows

from thaw.errors import ConfigError
from thaw.task.example import Example
from thaw.task.metrics import Metrics
from thaw.task.read import read
from thaw.task.task import DataConfig


def scored(task, labels, true, predicted):
    metrics = Metrics(task, labels)
    metrics.update(true, [{"prediction": value} for value in predicted])
    return metrics.compute()


def by_scikit_learn(true, predicted, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": sklearn.metrics.accuracy_score(true, predicted),
            "macro_f1": sklearn.metrics.f1_score(true, predicted, average="macro"),
            "matthews": sklearn.metrics.matthews_corrcoef(true, predicted),
        }
        if len(labels) == 2:
            binary = [[int(label == labels[-1]) for label in side] for side in (true, predicted)]
            expected["f1"] = sklearn.metrics.f1_score(*binary, zero_division=0)
    return expected


@st.composite
def pairs_of_classes(draw):
    """Truth and prediction of 1 to 30 examples over the first few of 2 to 5 labels: often constant on a side."""
    labels = [f"l{number}" for number in range(draw(st.integers(2, 5)))]
    count = draw(st.integers(1, 30))
    sides = []
    for _ in range(2):
        among = draw(st.lists(st.sampled_from(labels), min_size=1, max_size=len(labels)))
        sides.append(draw(st.lists(st.sampled_from(among), min_size=count, max_size=count)))
    return labels, *sides


@given(pairs_of_classes())
def test_classes_equal_scikit_learn(case):
    labels, true, predicted = case
    found = scored(make_task("classes"), labels, [Example(label=label) for label in true], predicted)
    assert found == pytest.approx(by_scikit_learn(true, predicted, labels), abs=1e-6)  # the digits that are recorded


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("constant", ["true", "predicted", "both", "each its own"])
@pytest.mark.parametrize("count", [1, 20, 1043])
def test_matthews_of_a_constant_is_0(classes, constant, count):
    """torchmetrics 1.9 gives a constant prediction of 70 % right answers .20 at 20 examples, .026 at 1,043."""
    labels = [str(number) for number in range(classes)]
    varied = [labels[number % 10 >= 7] for number in range(count)]
    true = ["0"] * count if constant in ("true", "both", "each its own") else varied
    predicted = {"true": varied, "each its own": ["1"] * count}.get(constant, ["0"] * count)
    assert scored(make_task("classes"), labels, [Example(label=x) for x in true], predicted)["matthews"] == 0.0


@pytest.mark.parametrize(
    ("true", "predicted", "f1"),
    [("aaa", "aaa", 0.0), ("aab", "aaa", 0.0), ("aaa", "aab", 0.0), ("bbb", "bbb", 1.0), ("b", "a", 0.0)],
)
def test_f1_without_a_positive_is_0(true, predicted, f1):
    assert scored(make_task("classes"), ["a", "b"], [Example(label=x) for x in true], list(predicted))["f1"] == f1


NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 0.5000001, 2.0, 1e6]) | st.floats(-5, 5, width=16)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=25))
def test_scores_equal_scipy_and_constants_are_0(pairs):
    true, predicted = ([float(pair[side]) for pair in pairs] for side in (0, 1))
    found = scored(make_task("score"), None, [Example(label=value) for value in true], predicted)
    if len(set(true)) == 1 or len(set(predicted)) == 1:
        assert found == {"pearson": 0.0, "spearman": 0.0}
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "pearson": scipy.stats.pearsonr(true, predicted).statistic,
            "spearman": scipy.stats.spearmanr(true, predicted).statistic,
        }
    assert found == pytest.approx({name: float(np.nan_to_num(value)) for name, value in expected.items()}, abs=1e-12)


def test_no_entity_anywhere_is_0_as_conlleval_has_it():
    true = [Example(tokens=["a", "b"], tags=["O", "O"])]
    assert scored(make_task("tags"), ["O", "B-A", "I-A"], true, [["O", "O"]]) == {
        "entity_f1": 0.0, "token_accuracy": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("guess", "answers", "f1", "exact"),
    [
        ("", ["Paris"], 0.0, 0.0),
        ("the", ["Paris"], 0.0, 0.0),
        ("the", ["a"], 0.0, 1.0),  # SQuAD 1.1's script: no word is shared, the normalised texts are equal
        ("...", ["the", "Paris"], 0.0, 1.0),
        ("The Paris!", ["paris", "rome"], 1.0, 1.0),
        ("paris rome", ["paris"], 2 / 3, 0.0),
    ],
)
def test_answers_without_words(guess, answers, f1, exact):
    true = [Example(question="q", context="c", answers=[(text, 0) for text in answers])]
    assert scored(make_task("span"), None, true, [guess]) == {"f1": pytest.approx(f1), "exact_match": exact}


def label_rows(counts):
    return [{"text": f"{label} {n}", "label": label} for label, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (("1", "-1"), "1"), (("-1", "1"), "1"), (("0", "1"), "1"), (("0.5", "-0.5"), "0.5"), (("2", "10"), "10"),
        (("hate", "neutral"), "neutral"), (("no", "yes"), "yes"),
    ],
)  # fmt: skip
def test_the_larger_number_or_the_last_word_is_positive(tmp_path, labels, positive):
    path = write_rows(tmp_path / "x.jsonl", label_rows(dict.fromkeys(labels, 20)))
    splits = read(make_task("classes", path, metric="f1"), DataConfig())
    assert splits.labels[-1] == splits.report["positive"] == positive


def test_a_label_can_be_chosen_as_the_positive_one(tmp_path):
    path = write_rows(tmp_path / "x.jsonl", label_rows({"hate": 10, "neutral": 30}))
    task = make_task("classes", path, metric="f1", positive="hate")
    assert read(task, DataConfig()).report["positive"] == "hate"
    true, predicted = [Example(label=label) for label in ("hate", "hate", "neutral")], ["hate", "neutral", "neutral"]
    assert scored(task, ["hate", "neutral"], true, predicted)["f1"] == pytest.approx(
        sklearn.metrics.f1_score([1, 1, 0], [1, 0, 0])
    )


@pytest.mark.parametrize(
    ("labels", "positive", "words"),
    [
        (["hate", "neutral"], "hat", r"task.positive=hat is no label of mine, did you mean 'hate'\?"),
        (["a", "b", "c"], "a", "task.positive=a is for two classes, mine has 3 labels; leave it out"),
    ],
)
def test_a_positive_label_that_is_none_is_refused(labels, positive, words):
    with pytest.raises(ConfigError, match=words):
        Metrics(make_task("classes", positive=positive), labels)
