"""Golden values: a change that must not alter results gives the same numbers; `make golden` records new ones.

Losses, scores of every metric and kind, predicted labels, TF-IDF, metrics of made-up predictions (degenerate ones too),
run ids. The tolerances are for other processors: sums are taken in another order there.
"""

import random
from pathlib import Path
from typing import Any

import golden_file
import pytest
from golden_file import Moved, check, check_answers, check_numbers, joined
from language import pretraining, transfer

from thaw import run
from thaw.config import TransferConfig
from thaw.strategy.plan import STRATEGIES
from thaw.task.example import Example
from thaw.task.metrics import Metrics
from thaw.task.task import Kind, TaskConfig
from thaw.track.epoch import HISTORY, RESULTS
from thaw.track.folder import RunFolder

LOSS, SCORE, EXACT, MARGIN = 2e-3, 0.08, 2e-6, 0.02  # SCORE: two or three of 40 examples; MARGIN: of two probabilities
NETWORKS = sorted(name for name, strategy in STRATEGIES.items() if strategy.plan)
SETTINGS: dict[str, dict[str, Any]] = {"top_k": {"k": 1}, "feature_based": {"hidden": 16}}


def check_losses(name: str, losses: list[float]) -> None:
    check_numbers(name, [round(loss, 5) for loss in losses], LOSS)


def curve(folder: Path, key: str) -> list[float]:
    return [event[key] for event in RunFolder(folder).events() if key in event]


def check_scores(name: str, config: TransferConfig, tolerance: float) -> None:
    """Compare every dev and test metric at the end of a run."""
    scores: dict[str, float] = {}
    for event in RunFolder(run.run_folder(config)).events():
        scores |= {key: value for key, value in event.items() if key.startswith(("dev/", "test/"))}
    check_numbers(f"{name} scores", scores, tolerance)


def test_pretraining(pretrained: dict[str, Any]) -> None:
    check_losses("pretrain train", curve(pretrained["folder"], "train/loss"))
    check_losses("pretrain dev", curve(pretrained["folder"], "dev/loss"))
    check_numbers("pretrain bits per byte", [round(pretrained["dev"], 5)], LOSS)


@pytest.mark.parametrize("strategy", NETWORKS)
def test_strategies(strategy: str, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> None:
    checkpoint, settings = pretrained["folder"] / "checkpoint", SETTINGS.get(strategy, {})
    config = transfer(Kind.classes, tasks[Kind.classes], checkpoint, tmp_path, strategy, steps=20, settings=settings)
    run.transfer(config)
    name = f"transfer {strategy}"
    check_losses(name, curve(run.run_folder(config), "train/loss"))
    unsure = check_answers(f"{name} answers", RunFolder(run.run_folder(config)).predictions(), MARGIN)
    check_scores(name, config, SCORE + unsure)


@pytest.mark.parametrize(
    ("strategy", "kind"), [("frozen", Kind.score), ("full", Kind.score), ("full", Kind.tags), ("full", Kind.span)]
)
def test_kinds(strategy: str, kind: Kind, tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> None:
    config = transfer(kind, tasks[kind], pretrained["folder"] / "checkpoint", tmp_path, strategy, steps=20)
    run.transfer(config)
    name = f"transfer {strategy} {kind.name}"
    check_losses(name, curve(run.run_folder(config), "train/loss"))
    check_scores(name, config, SCORE)


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [("tfidf", Kind.classes), ("tfidf", Kind.score), *(("majority", kind) for kind in Kind if kind is not Kind.span)],
)
def test_controls(strategy: str, kind: Kind, tasks: dict[Kind, Path], tmp_path: Path) -> None:
    config = transfer(kind, tasks[kind], None, tmp_path, strategy)
    row, name = run.transfer(config), f"control {strategy} {kind.name}"
    check_scores(name, config, EXACT if strategy == "majority" else 1e-4)
    check_numbers(f"{name} floors", [row["floor"], row["floor_test"]], EXACT)
    if strategy == "tfidf" and kind is Kind.classes:
        answers = [answer | {"scores": None} for answer in RunFolder(run.run_folder(config)).predictions()]
        check_answers(f"{name} answers", answers, 0.0)


def classes(labels: str, true: str, predicted: str) -> tuple[TaskConfig, list[str], list[Example], list[Any]]:
    task = TaskConfig(name="t", kind=Kind.classes, path="x")
    return task, list(labels), [Example(label=label) for label in true], list(predicted)


def scores(true: list[float], predicted: list[float]) -> tuple[TaskConfig, None, list[Example], list[Any]]:
    return TaskConfig(name="t", kind=Kind.score, path="x"), None, [Example(label=one) for one in true], predicted


def tags(*sentences: tuple[str, str]) -> tuple[TaskConfig, list[str], list[Example], list[Any]]:
    task = TaskConfig(name="t", kind=Kind.tags, path="x")
    true = [Example(tokens=["w"] * len(one.split()), tags=one.split()) for one, _ in sentences]
    return task, ["O", "B-A", "I-A", "B-C", "I-C"], true, [guess.split() for _, guess in sentences]


def spans(*answers: tuple[str, str]) -> tuple[TaskConfig, None, list[Example], list[Any]]:
    true = [Example(question="q", context="c", answers=[(right, 0)]) for right, _ in answers]
    return TaskConfig(name="t", kind=Kind.span, path="x"), None, true, [guess for _, guess in answers]


DRAW = random.Random(0)
MADE_UP = {
    "two classes": classes("ab", "abbabbabab", "abababbbab"),
    "two classes, constant prediction": classes("ab", "abbabbabab", "bbbbbbbbbb"),
    "two classes, constant truth": classes("ab", "bbbbbbbbbb", "abbabbabab"),
    "two classes, nothing positive": classes("ab", "aaa", "aaa"),
    "one example": classes("ab", "b", "a"),
    "three classes, one absent": classes("abc", "aabbab", "abbbaa"),
    "three classes, constant prediction": classes("abc", "aabbcc", "aaaaaa"),
    "scores": scores([DRAW.random() for _ in range(30)], [DRAW.random() for _ in range(30)]),
    "scores with ties": scores([0, 0, 1, 1, 2, 5], [1, 0, 1, 1, 3, 3]),
    "constant scores": scores([0, 1, 2], [1.5, 1.5, 1.5]),
    "one score": scores([1], [2]),
    "tags": tags(("B-A I-A O B-C", "B-A O O B-C"), ("O O", "B-A I-C")),
    "tags without entity": tags(("O O O", "O O O")),
    "spans": spans(("the red house", "red house"), ("blue", "green"), ("a cat and a dog", "dog")),
    "spans without words": spans(("the", "a"), ("blue", ""), ("x", "...")),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_metrics_of_made_up_predictions(name: str) -> None:
    task, labels, true, predicted = MADE_UP[name]
    metrics = Metrics(task, labels)
    metrics.update(true, [{"prediction": one} for one in predicted])
    check_numbers(f"metrics {name}", {key: round(value, 6) for key, value in metrics.compute().items()}, EXACT)


def test_a_run_keeps_its_name(corpus_file: Path, home: Path, tasks: dict[Kind, Path], pretrained: Any) -> None:
    """A new identity field or default renames all runs, so that none is found again; `new=True` is for that."""
    ids = {"pretrain": run.run_identity(pretraining(corpus_file, home, save_at=["0", "5k"]))}
    task = tasks[Kind.classes]
    for strategy in ("tfidf", "majority"):
        ids[strategy] = run.run_identity(transfer(Kind.classes, task, None, home, strategy))
    check("run ids", ids, lambda expected, found: bool(expected == found))


def test_values_and_epoch_belong_together() -> None:
    document = golden_file.read()
    assert document["epoch"] == RESULTS, "the epoch was raised: run `make golden`"
    assert document["digest"] == golden_file.digest(document["values"]), f"values changed by hand. {golden_file.REMEDY}"
    assert sorted(HISTORY) == list(range(1, RESULTS + 1)), "each epoch has its line in HISTORY"


def test_a_moved_value_needs_a_new_epoch() -> None:
    def same(one: Any, two: Any) -> bool:
        return bool(one == pytest.approx(two, abs=0.1))

    first = joined({}, "a", 1.0, same, 0, 2)
    assert joined(first, "a", 1.05, same, 2, 2) == first  # within the tolerance nothing is written
    more = joined(first, "b", 3.0, same, 2, 2)
    assert (more["epoch"], more["values"]) == (2, {"a": 1.0, "b": 3.0})
    with pytest.raises(Moved, match=r"raise RESULTS in src/thaw/track/epoch\.py"):
        joined(more, "a", 2.0, same, 2, 2)
    raised = joined(more, "a", 2.0, same, 2, 3)
    assert (raised["epoch"], raised["values"]["a"]) == (3, 2.0)
    assert raised["digest"] != more["digest"]
