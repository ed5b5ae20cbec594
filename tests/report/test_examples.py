"""Test examples side by side: where strategies differ, bounded, with texts only where they were recorded."""

from pathlib import Path
from typing import Any

import pytest

from thaw.report.cells import cells
from thaw.report.collect import read
from thaw.report.examples import LETTERS, MOST, examples
from thaw.track.folder import TASKS, write_lines


def lines(right: list[bool], **more: Any) -> list[dict[str, Any]]:
    return [{"prediction": "yes" if ok else "no", "label": "yes", **more} for ok in right]


@pytest.fixture
def study(tmp_path: Path, make_run: Any) -> Path:
    root = tmp_path / "runs"
    patterns = {"scratch": [i % 2 == 0 for i in range(200)], "full": [i % 4 < 3 for i in range(200)]}
    for strategy, right in patterns.items():
        score = sum(right) / 200
        make_run(root, run_id=strategy, strategy=strategy, dev=score, test=score, predictions=lines(right))
    return root


def test_pairs_are_counted_over_all_and_few_are_shown(study: Path) -> None:
    (found,) = examples(cells(read(study)))
    assert found.arms == ["scratch", "full"]
    assert found.pairs == {(0, 1): [100, 0, 50, 50]}
    assert found.total == 200
    assert len(found.samples) <= MOST
    differing = [sample for sample in found.samples if sample.right[0] != sample.right[1]]
    assert len(differing) >= 0.8 * len(found.samples)
    assert all(sample.text is None for sample in found.samples)


def test_texts_are_cut(study: Path) -> None:
    texts = [{"text": "x" * 2 * LETTERS} for _ in range(200)]
    write_lines(study / TASKS / f"{'5911' * 16}.jsonl.gz", texts)
    (found,) = examples(cells(read(study)))
    assert all(sample.text and len(sample.text["text"]) < LETTERS + 5 for sample in found.samples)
    (study / TASKS / f"{'5911' * 16}.jsonl.gz").write_bytes(b"damaged")
    assert all(sample.text is None for sample in examples(cells(read(study)))[0].samples)


def test_no_labels_no_examples(tmp_path: Path, make_run: Any) -> None:
    for strategy in ("scratch", "full"):
        made = {"strategy": strategy, "dev": 0.5, "test": 0.5, "predictions": [{"prediction": "yes"}]}
        make_run(tmp_path / "runs", run_id=strategy, **made)
    assert examples(cells(read(tmp_path / "runs"))) == []


@pytest.mark.parametrize(
    ("label", "answer", "right"),
    [(["a b", "c"], "A  b", True), (["a"], "b", False), (3.0, 3.4, True), (3.0, 4.0, False), (["O"], ["O"], True)],
)
def test_right_by_kind(tmp_path: Path, make_run: Any, label: Any, answer: Any, right: bool) -> None:
    for strategy in ("scratch", "full"):
        made = {"strategy": strategy, "dev": 0.5, "test": 0.5, "predictions": [{"prediction": answer, "label": label}]}
        make_run(tmp_path / "runs", run_id=strategy, **made)
    (found,) = examples(cells(read(tmp_path / "runs")))
    assert found.pairs[0, 1] == ([1, 0, 0, 0] if right else [0, 0, 0, 1])
