"""The credits of test examples add up to the metric that torchmetrics computes."""

import pytest

from thaw.task.credit import credits
from thaw.task.example import Example
from thaw.task.metrics import Metrics
from thaw.task.task import Kind, TaskConfig


def tags(*words: str) -> Example:
    return Example(tokens=[f"w{i}" for i in range(len(words))], tags=list(words))


CASES = [
    (Kind.classes, "accuracy", [Example(text_a=t, label=t) for t in "abca"], list("abbb"), ["a", "b", "c"]),
    (Kind.tags, "token_accuracy", [tags("N", "V"), tags("V")], [["N", "N"], ["V"]], ["N", "V"]),
    (
        Kind.tags, "entity_f1", [tags("B-P", "I-P", "O"), tags("O", "B-L")], [["B-P", "O", "O"], ["O", "B-L"]],
        ["O", "B-P", "I-P", "B-L"],
    ),
    (
        Kind.span, "f1", [Example(question="q", context="the red house", answers=[("red house", 4)])] * 2,
        ["the red house", "blue"], None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "metric", "examples", "guesses", "labels"), CASES)
def test_credits_add_up_to_the_metric(kind, metric, examples, guesses, labels):
    predictions = [{"prediction": guess} for guess in guesses]
    task = TaskConfig(name="t", kind=kind, metric=metric, path="x")
    collected = Metrics(task, labels)
    collected.update(examples, predictions)
    given = credits(metric, examples, predictions)
    part, whole = (sum(one[i] for one in given) for i in (0, 1))
    assert part / whole == pytest.approx(collected.compute()[metric], abs=1e-6)
    assert 0 < part / whole < 1


def test_a_correlation_has_no_credits():
    assert credits("spearman", [Example(text_a="x", label=1.0)], [{"prediction": 1.0}]) == [None]
